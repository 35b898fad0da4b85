"""``sim.plan_sites``: where the next stores go, and whether they pay."""

import tempfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.api.asked import Place, told
from sim.vocabulary import InputError

if TYPE_CHECKING:
    import pandas as pd

    from sim.experiments.candidates import Candidate
    from sim.world.build import World

LAST = "plan.json"
"""Written last: its presence means that the folder is whole."""


class SitePlan:
    """Where the next stores go.

    Attributes
    ----------
    folder : Path
        Holds ``plan.json`` and the page with its map; a temporary one, which goes with this object, where no `out` was named.
    found : dict
        The object of ``plan.json``; under ``sites`` are the candidates, today's network, and the choices that were simulated.
    """

    def __init__(self, folder: str | Path) -> None:
        from sim.reading.files import read_json

        self.folder = Path(folder)
        self.found: dict[str, Any] = read_json(self.folder / LAST)

    @property
    def _plan(self) -> dict[str, Any]:
        plan: dict[str, Any] = self.found["sites"]
        return plan

    @cached_property
    def table(self) -> "pd.DataFrame":
        """Today's network, and each choice that was simulated with the same customers.

        Columns: `network` ("today", or the names of the new stores), `orders` (delivered, a day's), `click_to_door_s`, `on_time`,
        `cost_per_order_cents`, `gain_cents` a day with its 95 % interval `low` to `high`, and `payback_months`.
        """
        import pandas as pd

        rows = [self._row("today", self._plan["today"], {}, None)]
        for choice in self._plan["choices"]:
            names = ", ".join(self._plan["candidates"][site]["name"] for site in choice["sites"])
            rows.append(self._row(names, choice, choice["gain_cents"], choice["payback_months"]))
        return pd.DataFrame(rows)

    def _row(
        self, name: str, network: Mapping[str, Any], gain: Mapping[str, Any], payback: float | None
    ) -> dict[str, Any]:
        figures = network["figures"]
        return {
            "network": name, "orders": figures["orders.delivered"], "click_to_door_s": figures["click_to_door_s.mean"],
            "on_time": figures["on_time"], "cost_per_order_cents": figures["cost.per_order_cents"],
            "gain_cents": gain.get("mean"), "low": gain.get("low"), "high": gain.get("high"),
            "payback_months": float("nan") if payback is None else payback,
        }  # fmt: skip

    @cached_property
    def candidates(self) -> "pd.DataFrame":
        """The places that were looked at: name, place in degrees, rent of a month and fit-out (cents)."""
        import pandas as pd

        return pd.DataFrame(self._plan["candidates"])

    def stores(self, choice: int | None = None) -> list[dict[str, Any]]:
        """Names and places of the stores: today's, or with those of a choice.

        ``sim.run(..., set={"stores.place": plan.stores(0)})`` runs that network.

        Parameters
        ----------
        choice
            Number of a choice, from 0; None: today's stores.
        """
        count = len(self._plan["choices"])
        if choice is not None and not 0 <= choice < count:
            raise InputError(f"stores: expected a choice from 0 to {count - 1}, got {choice!r}.")
        new = (
            []
            if choice is None
            else [self._plan["candidates"][site] for site in self._plan["choices"][choice]["sites"]]
        )
        return [{name: each[name] for name in ("name", "lat", "lon")} for each in (*self._plan["stores"], *new)]

    def report(self) -> Path:
        """The plan's page."""
        from sim.report.page import REPORT

        return self.folder / REPORT

    def __repr__(self) -> str:
        """What was planned."""
        return f"<SitePlan for {self.found['scenario']}: {', '.join(self.table.network[1:])}>"

    def _repr_html_(self) -> str:
        from sim.api.markup import leaf_html
        from sim.report.sited import sites_leaf

        return leaf_html(sites_leaf(self.found))


def plan_sites(
    scenario: str | Path = "default",
    *,
    open: int = 1,
    candidates: "str | Path | pd.DataFrame | None" = None,
    simulate: int = 3,
    reps: int = 3,
    seed: int | None = None,
    set: Mapping[str, Any] | None = None,
    policies: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    force: bool = False,
    workers: int | None = None,
    allow_code: bool = False,
) -> SitePlan:
    """Choose where the next stores go, and simulate the best few choices, as ``darkstore plan sites`` does.

    Parameters
    ----------
    scenario
        A shipped name or a file, of mode full.
    open
        How many stores to open.
    candidates
        A CSV file or a table with the columns name, lat, lon, and as wanted rent_cents, fit_out_cents, competition; by default
        every H3 cell of the map that has a road.
    simulate
        How many choices are simulated.
    reps
        Days for each network, the same for all.
    seed, set, policies
        What all networks have.
    out, force, workers, allow_code
        As for `sim.run`.

    Raises
    ------
    InputError
        Something given will not do.

    Examples
    --------
    >>> plan = sim.plan_sites("small", open=1)
    >>> after = sim.run("small", set={"stores.place": plan.stores(0)})
    """
    from sim import __version__
    from sim.experiments.comparison import write_json
    from sim.experiments.place import whole_folder
    from sim.experiments.pool import Crew
    from sim.experiments.sites import sites
    from sim.experiments.trials import Trials
    from sim.own import at_hand
    from sim.report.leaf import write_leaf
    from sim.report.sited import sites_leaf
    from sim.scenario import load

    for name, number in (("open", open), ("simulate", simulate), ("reps", reps)):
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise InputError(f"plan_sites: expected {name} to be a whole number of 1 or more, got {number!r}.")
    asked = told(set, policies, seed)
    with Place(out) as place, at_hand(asked.own):
        loaded = load(str(scenario), asked.settings, asked.policies)
        if loaded.mode == "goods_only":
            raise InputError(
                "plan_sites: expected a scenario of mode: full, which has orders and people; got goods_only."
            )
        with whole_folder(place.folder, force=force, last=LAST) as work:
            trials = Trials(reps, Crew(workers, allow_code=allow_code, own=asked.own))
            found = sites(loaded, trials, lambda world: _candidates(world, candidates), open, simulate)
            named = ["--candidates", str(candidates)] if isinstance(candidates, str | Path) else []
            command = [
                "darkstore",
                "plan",
                "sites",
                str(scenario),
                "--open",
                str(open),
                *named,
                *asked.command(),
                "--reps",
                str(reps),
            ]
            result = {
                "schema": 1, "darkstore": __version__, "kind": "sites", "scenario": loaded.name, "seed": loaded.seed,
                "replications": reps, "runs": trials.runs, "currency": loaded.costs.currency, "command": command, "sites": found,
            }  # fmt: skip
            write_leaf(sites_leaf(result), work)
            write_json(result, work / LAST)
    plan = SitePlan(place.folder)
    place.kept_by(plan)
    return plan


def _candidates(world: "World", given: "str | Path | pd.DataFrame | None") -> "list[Candidate]":
    from sim.experiments.candidates import from_cells, from_file

    if given is None:
        return from_cells(world, world.store_nodes)
    if isinstance(given, str | Path):
        return from_file(Path(given), world)
    with tempfile.TemporaryDirectory(prefix="darkstore-") as folder:
        path = Path(folder) / "candidates.csv"
        given.to_csv(path, index=False)
        return from_file(path, world)
