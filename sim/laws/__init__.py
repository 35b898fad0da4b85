"""Laws: checkers that listen to the facts of a run and say when something impossible happened.

Each law keeps its own books from the facts alone, so it shares no state with what it checks. `all_laws` makes a fresh
set for a run; `verdict` closes the books and returns every breach found.
"""

from collections.abc import Sequence

from sim.laws.ages import Ages
from sim.laws.audit import Audit
from sim.laws.base import Breach, Law
from sim.laws.goods import Goods
from sim.laws.hours import Hours
from sim.laws.money import Money
from sim.laws.orders import Orders
from sim.laws.people import People
from sim.laws.records import Records
from sim.laws.wages import Wages
from sim.laws.whole import whole_log
from sim.world.build import World

__all__ = [
    "Ages",
    "Audit",
    "Breach",
    "Goods",
    "Hours",
    "Law",
    "Money",
    "Orders",
    "People",
    "Records",
    "Wages",
    "all_laws",
    "verdict",
    "whole_log",
]


def all_laws(world: World) -> list[Law]:
    """Every law that listens while a run goes on, with empty books."""
    laws: list[Law] = [Goods(world), Records(world), Money(world), Orders(world), People(world), Audit(world)]
    drivers = world.scenario.drivers
    if drivers.rules.limit:
        laws.append(Hours(world))
    if drivers.pay.km_cents:
        laws.append(Wages(world))
    doors = world.doors
    if doors is not None and doors.restricted.any():
        laws.append(Ages(world, doors.restricted, doors.underage))
    return laws


def verdict(laws: Sequence[Law]) -> list[Breach]:
    """Close the books at the end of a run; every breach, in the order found."""
    for law in laws:
        law.close()
    return [breach for law in laws for breach in law.breaches]
