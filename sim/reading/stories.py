"""What befell an order: every fact of the log that carries its number, as events and as sentences."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.facts import SIGNATURES
from sim.reading.legs import places_of
from sim.reading.run import FinishedRun
from sim.reading.story_words import WORDS
from sim.recording.schema import ENUMS
from sim.scenario.tree import parse_start
from sim.vocabulary import InputError

KINDS: Final = tuple(kind for kind, parameters in SIGNATURES.items() if "order" in parameters)
"""Facts that carry an order's number."""


class Event(NamedTuple):
    """Something that happened to an order.

    Attributes
    ----------
    t_s
        When, seconds since the start.
    seq
        Its place in the order of the day.
    kind
        Which fact.
    values
        Its parameters but the order; members of enums are numbers, as in the log.
    """

    t_s: float
    seq: int
    kind: str
    values: tuple[float, ...]


@cache
def parameters(kind: str) -> tuple[str, ...]:
    """What a fact says beside its time and order, by name."""
    return tuple(name for name in SIGNATURES[kind] if name != "order")


class Facts(NamedTuple):
    """Facts about some orders as columns (n,), by order and then in the order of the day.

    Attributes
    ----------
    kind
        Places in `KINDS`.
    values
        Of each fact its parameters but the order.
    """

    order: NDArray[np.int64]
    seq: NDArray[np.int64]
    t_s: NDArray[np.float64]
    kind: NDArray[np.int64]
    values: list[tuple[float, ...]]


def facts_of(run: FinishedRun, orders: Iterable[int], kinds: Sequence[str] = KINDS) -> Facts:
    """All facts about some orders.

    Parameters
    ----------
    orders
        Numbers of customers' requests: those who were turned away have a story too.
    kinds
        Facts to look at.
    """
    wanted = np.unique(np.fromiter(orders, dtype=np.int64))
    columns: list[tuple[Any, Any, Any, Any]] = []
    values: list[tuple[float, ...]] = []
    for kind in kinds:
        rows = run.archive.rows(kind)
        mine = np.isin(rows["order"], wanted)
        rows, seq, names = rows[mine], run.archive.seq(kind)[mine], parameters(kind)
        columns.append((rows["order"], seq, rows["t_s"], np.full(len(rows), KINDS.index(kind))))
        values += rows[list(names)].tolist() if names else [()] * len(rows)
    order, seq, t_s, code = (np.concatenate(column) for column in zip(*columns, strict=True))
    places = np.lexsort((seq, order))
    told = [values[place] for place in places.tolist()]
    return Facts(order[places].astype(np.int64), seq[places], t_s[places], code[places], told)


def stories_of(run: FinishedRun, orders: Iterable[int], kinds: Sequence[str] = KINDS) -> dict[int, list[Event]]:
    """The events of some orders, each in the order of the day; parameters as in `facts_of`."""
    wanted = list(orders)
    facts = facts_of(run, wanted, kinds)
    found: dict[int, list[Event]] = {order: [] for order in wanted}
    columns = (facts.order.tolist(), facts.t_s.tolist(), facts.seq.tolist(), facts.kind.tolist(), facts.values)
    for order, t_s, seq, kind, values in zip(*columns, strict=True):
        found[order].append(Event(t_s, seq, KINDS[kind], values))
    return found


PLACES: Final = ("origin", "node")
"""Parameters that are nodes of the road map: told by latitude and longitude."""

MOMENTS: Final = ("promised_s", "arrive_s", "until_s", "since_s", "ready_s", "due_s")
"""Parameters that are moments, not durations."""

QUIET: Final = (
    "stock_reserved", "record_adjusted", "goods_picked", "saga_step_done", "charge_made", "task_closed", "eta_judged",
)  # fmt: skip
"""Facts that are told only to those who ask for everything."""


def vehicles_of(run: FinishedRun) -> dict[int, str]:
    """By driver: the kind of vehicle."""
    columns = run.columns("drivers", "driver", "vehicle")
    return {int(driver): str(vehicle) for driver, vehicle in zip(*columns.values(), strict=True)}


def currency_of(run: FinishedRun) -> str:
    """What money is counted in, such as USD."""
    return str(run.manifest["scenario"].get("costs", {}).get("currency", ""))


class Teller:
    """Tells events in words: with the stores' names and the scenario's own clock."""

    def __init__(self, run: FinishedRun) -> None:
        self._stores = [store.name for store in run.stores]
        self._start = parse_start(str(run.manifest["scenario"]["start"])).replace(tzinfo=None)
        self._places = places_of(run)
        self._vehicles = vehicles_of(run)
        self._currency = currency_of(run)

    def clock(self, t_s: float) -> str:
        """A moment by the scenario's own clock, with the day where it is not the first."""
        at = self._start + timedelta(seconds=t_s)
        later = (at.date() - self._start.date()).days
        return f"{at:%H:%M:%S}" + (f" (day {later + 1})" if later else "")

    def money(self, cents: float) -> str:
        """An amount with its currency."""
        return f"{self._currency} {cents / 100.0:,.2f}".lstrip()

    def sentence(self, event: Event) -> str:
        """An event in a sentence, such as "offered to driver 134"."""
        told = zip(parameters(event.kind), event.values, strict=True)
        return WORDS[event.kind].format(**{name: self._shown(name, value) for name, value in told})

    def _shown(self, name: str, value: float) -> str:
        if name in ENUMS:
            return str(ENUMS[name](int(value)).name).lower().replace("_", " ")
        if name == "store" and 0 <= value < len(self._stores):
            return self._stores[int(value)]
        if name == "driver" and int(value) in self._vehicles:
            return f"{int(value)} ({self._vehicles[int(value)]})"
        if name in PLACES:
            lon, lat = self._places.get(int(value), (None, None))
            return "a place unknown" if lat is None else f"{lat:.5f}, {lon:.5f}"
        if name == "cents" or name.endswith("_cents"):
            return self.money(value)
        if name in MOMENTS:
            return self.clock(value)
        if name.endswith("_s"):
            return spell(value)
        return f"{value:,.2f}" if value != int(value) else str(int(value))


def spell(seconds: float) -> str:
    """A duration: 45 s, 12.5 min."""
    return f"{seconds:.0f} s" if abs(seconds) < 60.0 else f"{seconds / 60.0:,.1f} min"


def known_order(run: FinishedRun, order: int) -> int:
    """The number of a request that the run has.

    Raises
    ------
    InputError
        It has no such request.
    """
    last = -1
    for kind in ("order_entered", "order_rejected"):
        numbers = run.archive.rows(kind, ("order",))["order"]
        if (numbers == order).any():
            return order
        last = max(last, int(numbers.max(initial=-1)))
    raise InputError(f"{run.folder}: expected the number of an order, 0 to {last}; got {order}.")
