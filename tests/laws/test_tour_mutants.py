"""Tours: the laws hold where drivers take several orders along, and a broken tour is noticed."""

from dataclasses import replace
from typing import Any

import pytest

from sim.contracts import Offer
from sim.engine import policies_of
from sim.laws import all_laws, verdict, whole_log
from sim.opening import ready_world
from sim.operations.riding import Riding
from sim.platform.proposals import Proposals
from sim.streams import Streams
from sim.vocabulary import Refusal

TOURS = (
    "policies.dispatch=matching(every_s=10, bundle_weight=20.0)", "drivers.count=5", "customers.patience_s=1500",
    "drivers.arrive_s=30", "drivers.leave_s=20",
)  # fmt: skip


def played(two_stores: Any, play: Any, *more: str) -> Any:
    scenario = two_stores(*TOURS, *more)
    world = ready_world(scenario, Streams(scenario.seed))
    laws = all_laws(world)
    day = play(world, laws=laws)
    return day, [*verdict(laws), *whole_log(day.archive, day.outcome.state)]


@pytest.mark.parametrize(
    "more",
    [
        (),
        ("customers.absent_share=0.3",),
        ("customers.patience_s=400",),
        ("drivers.accept_share=0.5",),
        ("drivers.vehicles={bicycle: 1}",),
    ],
    ids=["plain", "nobody at home", "impatient", "choosy", "small vehicles"],
)
def test_the_laws_hold_on_tours(two_stores: Any, play: Any, more: tuple[str, ...]) -> None:
    day, broken = played(two_stores, play, *more)
    assert broken == []
    assert len(day.rows("order_bundled")) > 5


def too_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half the time from one customer to the next."""
    ride = Riding.ride_on

    def half(self: Any, driver: Any, order: Any, target: Any, noise: float) -> Any:
        return ride(self, driver, order, target, noise / 2.0)

    monkeypatch.setattr(Riding, "ride_on", half)


def in_two_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody on the tour is handed the goods at the first door."""
    ride = Riding.ride_on

    def at_once(self: Any, driver: Any, order: Any, target: Any, noise: float) -> Any:
        driver.node = target
        return ride(self, driver, order, target, noise)

    monkeypatch.setattr(Riding, "ride_on", at_once)


class Everything:
    """Offers all that waits at a store to one driver, whatever it weighs."""

    every_s = 300.0

    def __call__(self, view: Any) -> Any:
        by_store: dict[int, list[Any]] = {}
        for order in view.waiting:
            by_store.setdefault(order.store, []).append(order.id)
        for (first, *along), driver in zip(by_store.values(), view.idle.tolist(), strict=False):
            yield Offer(first, driver, tuple(along))


def test_what_a_vehicle_cannot_carry_is_refused_and_noticed_where_it_is_not(
    two_stores: Any, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> tuple[set[str], set[int]]:
        world = ready_world(two_stores(*TOURS, "drivers.vehicles={bicycle: 1}"), Streams(1))
        laws, policies = all_laws(world), replace(policies_of(world.scenario), dispatch=Everything())
        day = play(world, policies=policies, laws=laws)
        return {breach.law for breach in verdict(laws)}, set(day.rows("proposal_refused")["refusal"].tolist())

    found, refused = broken()
    assert found == set()
    assert Refusal.TOUR_TOO_HEAVY in refused
    monkeypatch.setattr(Proposals, "_of_tour", lambda *_: None)
    assert "people" in broken()[0]


@pytest.mark.parametrize("mutant", [too_fast, in_two_places])
def test_a_broken_tour_is_noticed(two_stores: Any, play: Any, monkeypatch: pytest.MonkeyPatch, mutant: Any) -> None:
    mutant(monkeypatch)
    _, broken = played(two_stores, play)
    assert "people" in {breach.law for breach in broken}
