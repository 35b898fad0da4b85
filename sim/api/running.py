"""``sim.run``: a scenario's day, and what it left as pandas tables."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.api.asked import Place, told, whole
from sim.vocabulary import InputError

if TYPE_CHECKING:
    import pandas as pd

    from sim.reading.run import FinishedRun


class Run:
    """A finished run: its figures, its tables, its event log and its page.

    With replications the summary is of all of them, each figure as ``{mean, low, high}``; tables, facts and page are the first's.

    Attributes
    ----------
    folder : Path
        The run's folder, as ``results/README.md`` describes it. Where no `out` was named it is a temporary one, which goes
        when this object does.
    summary : dict
        The object of ``summary.json``; ``darkstore explain KEY`` says what a figure means.
    """

    def __init__(self, folder: str | Path) -> None:
        from sim.reading.files import read_summary

        if not isinstance(folder, str | Path):
            raise InputError(f"folder: expected the path of a finished run's folder, got {folder!r:.60}.")
        self.folder = Path(folder)
        self.summary: dict[str, Any] = read_summary(self.folder)
        _ = self._files  # a manifest that will not do is said at once

    @cached_property
    def _files(self) -> "FinishedRun":
        from sim.reading.run import FinishedRun

        return FinishedRun(self.folder)

    def table(self, name: str) -> "pd.DataFrame":
        """A table of the run's folder by name, such as ``orders``.

        Raises
        ------
        InputError
            There is none of that name.
        """
        from sim.api.frames import frame

        return frame(self._files.table(name))

    @cached_property
    def orders(self) -> "pd.DataFrame":
        """One row per order that was placed: who, where, what, and when each stage was over (seconds since the start)."""
        return self.table("orders")

    @cached_property
    def tasks(self) -> "pd.DataFrame":
        """One row per delivery task and stop, at the store and at the door."""
        return self.table("tasks")

    @cached_property
    def drivers(self) -> "pd.DataFrame":
        """One row per driver: time on shift and busy (seconds), orders delivered, pay (cents)."""
        return self.table("drivers")

    @cached_property
    def stock(self) -> "pd.DataFrame":
        """One row per store and SKU at the close: what is on the shelf, what the record says, what was lost."""
        return self.table("stock")

    @cached_property
    def series(self) -> "pd.DataFrame":
        """The run over time: orders so far, queues, people at work, the platform."""
        return self.table("series")

    @cached_property
    def platform(self) -> "pd.DataFrame":
        """Each service over time: requests a second, latencies (seconds), share busy, queue."""
        return self.table("platform")

    @cached_property
    def drift(self) -> "pd.DataFrame":
        """How far records were from shelves over time, by store and category, by cause."""
        return self.table("drift")

    def facts(self, kind: str | None = None, *, order: int | None = None) -> "pd.DataFrame":
        """Facts of the event log: all of a kind, or all that name an order, or both, as they happened.

        Parameters
        ----------
        kind
            Such as ``order_cancelled``; `sim.facts` describes each.
        order
            An order's number.

        Returns
        -------
        DataFrame
            `seq` (place in the order of the day), `t_s` (seconds since the start), `kind`, and what the facts say.

        Raises
        ------
        InputError
            There is no such kind of fact, or neither was given.
        """
        from sim.api.frames import frame
        from sim.reading.log import facts_of

        return frame(facts_of(self.folder, kind, order))

    def clock(self, t_s: Any) -> Any:
        """Local date and time of the simulated clock for seconds since the start: of one moment, or of a column of them."""
        import pandas as pd

        from sim.scenario.tree import parse_start

        start = pd.Timestamp(parse_start(str(self._files.manifest["scenario"]["start"])))
        return start + pd.to_timedelta(t_s, unit="s")

    def report(self) -> Path:
        """The run's page, ``report.html`` in its folder, and ``replay.html`` beside it; written when first asked for."""
        from sim.report.page import REPORT
        from sim.report.pages import write_pages

        page = self.folder / REPORT
        return page if page.is_file() else write_pages(self.folder, self.summary)

    def story(self, order: int | None = None, *, every: bool = False) -> dict[str, Any]:
        """All that is known of an order, as ``darkstore story`` tells it.

        Parameters
        ----------
        order
            Its number; None: the one that was latest.
        every
            Whether facts of shelves and books are told too.

        Returns
        -------
        dict
            ``order``; ``late_s`` (below zero: early), ``spent_s`` and ``late_by_s`` by cause, seconds; ``events``: time, fact and
            sentence of each thing that happened to it.

        Raises
        ------
        InputError
            There is no such order, or none was late.
        """
        from sim.report.story import told as all_of

        return all_of(self._files, order, every=every)

    @property
    def _currency(self) -> str | None:
        currency = self._files.manifest["scenario"].get("costs", {}).get("currency")
        return currency if isinstance(currency, str) else None

    def __repr__(self) -> str:
        """The run's answer in a sentence."""
        from sim.report.words import answer

        return f"<Run {self.summary['scenario']} seed {self.summary['seed']}: {answer(self.summary)}>"

    def _repr_html_(self) -> str:
        from sim.api.markup import run_html

        return run_html(self.summary, self._currency)


def open_run(folder: str | Path) -> Run:
    """Open the folder of a run that has finished, whoever ran it.

    Raises
    ------
    InputError
        It holds no finished run.
    """
    return Run(folder)


def run(
    scenario: str | Path = "default",
    *,
    seed: int | None = None,
    set: Mapping[str, Any] | None = None,
    policies: Mapping[str, Any] | None = None,
    reps: int = 1,
    out: str | Path | None = None,
    force: bool = False,
    workers: int | None = None,
    allow_code: bool = False,
) -> Run:
    """Run a scenario, as ``darkstore run`` does.

    Parameters
    ----------
    scenario
        A shipped name (``darkstore scenario list``) or a file.
    seed
        Of all chance; by default the scenario's. The same seed gives the same day, whatever the policies.
    set
        Values by key, such as ``{"drivers.count": 60, "demand.surges": []}``; ``darkstore scenario show`` lists the keys.
    policies
        By family: a text as on the command line (``"nearest(ride_s_max=600)"``), or a policy of your own, as a class (made
        afresh for each run) or as an object (copied for each run).
    reps
        Independent replications; with more than one, figures are means with 95 % intervals.
    out
        The folder to write to; by default a temporary one, which goes with the result. Nothing is written elsewhere.
    force
        Replace a finished run in `out`.
    workers
        Processes for replications; by default one per core. Your own policies are sent to them.
    allow_code
        Let the scenario file load policies from Python files.

    Raises
    ------
    InputError
        Something given will not do; one sentence says what and where.

    Examples
    --------
    >>> result = sim.run("small", seed=1, policies={"dispatch": "matching"})
    >>> result.orders.groupby("store").size()
    """
    from sim.experiments.pool import Crew
    from sim.experiments.whole import Asked, run_scenario
    from sim.own import at_hand
    from sim.scenario import load

    whole(reps)
    asked = told(set, policies, seed)
    command = ["darkstore", "run", str(scenario), *asked.command(), *(["--reps", str(reps)] if reps > 1 else [])]
    with Place(out) as place, at_hand(asked.own):
        run_scenario(
            load(str(scenario), asked.settings, asked.policies),
            place.folder,
            asked=Asked(reps),
            crew=Crew(workers, allow_code=allow_code, own=asked.own),
            force=force,
            command=command,
        )
        found = Run(place.folder)
        place.kept_by(found)
    return found
