"""Orders that wait before they are picked: for their wave, or for their driver."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from policies.picking.wave import Wave
from policies.picking.with_driver import WithDriver
from tests.conftest import lawful_day

CALM = ("drivers.count=60", "pickers.per_store=8")
AISLES = ("stores.layout={levels: 1}", "catalogue.skus=400")


def test_an_order_picked_with_its_driver_does_not_wait_for_him(two_stores: Any, play: Any) -> None:
    # Few drivers stand at the stores, so they have a way to go: the order need not be there long before them.
    settings = (*CALM, "drivers.count=20")
    usual = play(two_stores(*settings))
    timed = lawful_day(play, two_stores(*settings, "policies.picking=with_driver"))
    one, other = usual.study.summary, timed.study.summary
    assert other["floor"]["dwell_s"]["mean"] < 0.85 * one["floor"]["dwell_s"]["mean"]
    assert other["click_to_door_s"]["mean"] < 1.05 * one["click_to_door_s"]["mean"]
    # The driver is called when the order joins the queue.
    opened, confirmed = timed.rows("task_opened"), timed.study.orders
    at_s = dict(zip(confirmed["order"].tolist(), confirmed["confirmed_s"].tolist(), strict=True))
    waited = np.array([row["t_s"] - at_s[row["order"]] for row in opened])
    assert waited.max() < 1.0
    assert (timed.study.orders["pick_start_s"] - timed.study.orders["confirmed_s"]).max() > 60.0


class Queue:
    """A queue of orders with what is believed of their drivers."""

    def __init__(self, now_s: float, *orders: tuple[float, float | None]) -> None:
        self.now_s = now_s
        self.waiting = [SimpleNamespace(order=n, confirmed_s=at, due=due) for n, (at, due) in enumerate(orders)]

    def pick_s(self, task: Any) -> float:
        return 100.0

    def driver_s(self, task: Any) -> Any:
        return task.due


def chosen(queue: Queue, **parameters: Any) -> int | None:
    live: Any = queue
    return WithDriver(slack_s=30.0, hold_s=120.0, **parameters)(live)


def test_when_an_order_is_released() -> None:
    assert chosen(Queue(1000.0)) is None
    assert chosen(Queue(1000.0, (990.0, 1130.0))) == 0, "its driver comes in what it takes to pick it, and the slack"
    assert chosen(Queue(1000.0, (990.0, 1131.0))) is None
    assert chosen(Queue(1000.0, (881.0, None))) is None
    assert chosen(Queue(1000.0, (880.0, None))) == 0, "nobody comes: it is not held for ever"
    assert chosen(Queue(1000.0, (870.0, None), (990.0, 1010.0), (990.0, 1050.0))) == 1, "the most urgent first"
    assert chosen(Queue(1000.0, (500.0, 2000.0), (990.0, None))) is None


def test_waves_are_released_together(two_stores: Any, play: Any) -> None:
    day = lawful_day(play, two_stores(*CALM, *AISLES, "policies.picking=wave(every_s=300)"))
    begun = day.rows("pick_started")
    orders = day.study.orders
    confirmed = dict(zip(orders["order"].tolist(), orders["confirmed_s"].tolist(), strict=True))
    for row in begun:
        assert confirmed[row["order"]] <= row["t_s"] - row["t_s"] % 300, "picked after the wave it was there for"
    # There are pickers enough, so a wave is begun when it is released.
    assert (begun["t_s"] % 300 == 0).mean() > 0.8
    tours = np.unique(begun[["picker", "t_s"]], return_counts=True)[1]
    assert tours.max() > 2


def test_a_wave_walks_less_and_waits_longer(two_stores: Any, play: Any) -> None:
    settings = (
        "drivers.count=60",
        "pickers.per_store=4",
        *AISLES,
        "demand.orders_per_day=3000",
        "policies.slotting=at_random",
    )
    batch, wave = (play(two_stores(*settings, f"policies.picking={name}")).study.summary for name in ("batch", "wave"))
    assert wave["floor"]["lines_per_busy_hour"] > batch["floor"]["lines_per_busy_hour"]
    assert wave["stages_s"]["wait_pick"] > 1.5 * batch["stages_s"]["wait_pick"]


def test_who_joins_a_wave() -> None:
    policy = Wave(every_s=100.0, orders_max=9)
    waiting = [SimpleNamespace(order=n, confirmed_s=at) for n, at in enumerate((30.0, 60.0, 120.0))]
    live: Any = SimpleNamespace(now_s=150.0, waiting=waiting, walk_s=lambda tasks: 100.0)
    first: Any = SimpleNamespace(order=9, confirmed_s=10.0)
    assert list(policy.along(first, live)) == [0, 1], "what came after its release waits for the next"
    assert policy(live) == 0
    live.waiting = waiting[2:]
    assert policy(live) is None
