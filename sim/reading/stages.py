"""Orders by their physical stages: what each was waiting for or undergoing, and from when to when."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from sim.reading.run import FinishedRun
from sim.vocabulary import END_STATES, NOBODY, OrderState

STAGES: Final = {
    "checkout": "entered_s",
    "wait_pick": "confirmed_s",
    "pick": "pick_start_s",
    "wait_driver": "packed_s",
    "ride": "picked_up_s",
}
"""Each stage, and the column of orders.parquet that says when it begins; it lasts until the next that is known begins."""


class Stage(NamedTuple):
    """A stage of an order, seconds since the start."""

    name: str
    start_s: float
    end_s: float


class Course(NamedTuple):
    """An order from its entry to its end; of one that is still open, to the close.

    Attributes
    ----------
    state
        In which it ended, as in orders.parquet.
    store, driver
        `NOBODY` where there is none.
    promised_s
        Arrival as promised, None where nothing was.
    stages
        Without a gap, in their order, from `start_s` to `end_s`.
    """

    order: int
    state: str
    reason: str | None
    store: int
    driver: int
    start_s: float
    end_s: float
    promised_s: float | None
    stages: tuple[Stage, ...]

    @property
    def delivered(self) -> bool:
        """Whether its customer got it."""
        return self.state == OrderState.DELIVERED.name.lower()


def courses(run: FinishedRun) -> Iterator[Course]:
    """Each order that entered, by its id.

    What goes on after an order was called off (a picker who has not heard of it) belongs to it still, so the end is never
    before the last stage begins.
    """
    moved = run.archive.rows("order_moved", ("t_s", "order", "state"))
    ended = {order: t_s for t_s, order, state in moved.tolist() if state in END_STATES}
    rest = ("order", "state", "cancel_reason", "store", "driver", "delivered_s", "promised_s")
    columns = run.columns("orders", *rest, *STAGES.values())
    for order, state, reason, store, driver, delivered_s, promised_s, *begins in sorted(
        zip(*columns.values(), strict=True), key=lambda row: row[0]
    ):
        known: list[tuple[str, float]] = []
        for name, begin_s in zip(STAGES, begins, strict=True):
            if begin_s is not None:
                known.append((name, max(begin_s, known[-1][1]) if known else begin_s))
        end_s = delivered_s if delivered_s is not None else ended.get(order, run.close_s)
        end_s = max(end_s, known[-1][1])
        until = [begin_s for _, begin_s in known[1:]] + [end_s]
        yield Course(
            order,
            state,
            reason,
            NOBODY if store is None else store,
            NOBODY if driver is None else driver,
            known[0][1],
            end_s,
            promised_s,
            tuple(Stage(name, begin_s, stop_s) for (name, begin_s), stop_s in zip(known, until, strict=True)),
        )
