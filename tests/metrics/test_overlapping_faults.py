"""Figures of faults that overlap: what each of them is blamed for."""

from typing import Any

from sim.metrics.faults import faults
from sim.recording.schema import CODES, DTYPES
from sim.vocabulary import Alert, FaultKind, OrderState
from tests.metrics.test_platform import Rows

CRASH, SLOW, CORRUPTED = FaultKind.INSTANCE_CRASH, FaultKind.SERVICE_SLOWDOWN, FaultKind.CORRUPTED_RECORDS
DOWN, BUSY = Alert.SERVICE_DOWN, Alert.SERVICE_BUSY


def test_an_order_is_lost_to_the_fault_that_began_last_and_to_no_other() -> None:
    lost_s = (50.0, 150.0, 250.0, 260.0, 390.0, 450.0, 900.0)
    archive = Rows(
        fault_began=[(100.0, CRASH, 400.0), (200.0, SLOW, 300.0), (200.0, CRASH, 500.0)],
        fault_ended=[(300.0, SLOW), (400.0, CRASH), (500.0, CRASH)],
        order_moved=[(at_s, order, OrderState.CANCELLED) for order, at_s in enumerate(lost_s)],
    )
    assert [fault["orders_lost"] for fault in faults(archive)] == [1, 0, 4]


def test_what_is_lost_after_a_short_fault_inside_a_long_one_is_the_long_ones() -> None:
    archive = Rows(
        fault_began=[(100.0, CRASH, 900.0), (200.0, SLOW, 300.0)],
        fault_ended=[(300.0, SLOW), (900.0, CRASH)],
        order_moved=[(at_s, order, OrderState.PAYMENT_FAILED) for order, at_s in enumerate((250.0, 350.0, 800.0))],
    )
    assert [fault["orders_lost"] for fault in faults(archive)] == [2, 1]


def told(*raised: tuple[float, Alert], cleared: list[tuple[float, Alert]]) -> list[tuple[Any, ...]]:
    """Detection and recovery of a fault at 100 s and of another at 200 s."""
    archive = Rows(
        fault_began=[(100.0, CRASH, 160.0), (200.0, SLOW, 600.0)],
        fault_ended=[(160.0, CRASH), (600.0, SLOW)],
        alert_raised=[(at_s, alert, 1.0) for at_s, alert in raised],
        alert_cleared=cleared,
    )
    return [(fault["detected_after_s"], fault["recovered_after_s"]) for fault in faults(archive)]


def test_an_alert_raised_after_a_later_fault_began_does_not_prolong_the_earlier_one() -> None:
    found = told((120.0, DOWN), (250.0, BUSY), cleared=[(180.0, DOWN), (1000.0, BUSY)])
    assert found == [(20.0, 80.0), (50.0, 800.0)]


def test_an_alert_raised_before_the_later_fault_began_does() -> None:
    found = told((120.0, DOWN), (190.0, BUSY), cleared=[(180.0, DOWN), (1000.0, BUSY)])
    assert found[0] == (20.0, 900.0)


def test_an_alert_that_detected_a_fault_is_waited_for_though_a_later_one_had_begun() -> None:
    found = told((250.0, BUSY), (260.0, DOWN), cleared=[(1000.0, BUSY), (2000.0, DOWN)])
    assert found == [(150.0, 900.0), (50.0, 1800.0)]


def test_units_are_short_because_of_every_fault_in_which_they_were_sold() -> None:
    fields = DTYPES[CODES["order_entered"]].names
    assert fields[:2] == ("t_s", "order")
    archive = Rows(
        fault_began=[(100.0, CORRUPTED, 400.0), (200.0, SLOW, 300.0)],
        fault_ended=[(300.0, SLOW), (400.0, CORRUPTED)],
        order_entered=[
            (at_s, order, *[0] * (len(fields) - 2)) for order, at_s in enumerate((50.0, 150.0, 250.0, 350.0, 450.0))
        ],
        hold_reduced=[(500.0, order, 0, 7, 10**order) for order in range(5)],
    )
    assert [fault["units_short"] for fault in faults(archive)] == [1110, 100]


def test_a_store_that_sells_without_its_records_sells_what_is_not_there(two_stores: Any, play: Any) -> None:
    """Orders lost against units oversold: what `on_partition` decides."""
    scarce = ("catalogue.skus=30", "supply={units_min: 1, cover_days: 0.02}", "demand.orders_per_day=9600")
    days = ("customers.patience_s=null", "horizon_h=1", "drain_h=1", "drivers.count=100")
    (sold,), (turned_away,) = (
        play(
            two_stores(
                *scarce, *days, f"faults=[{{kind: store_partition, at: '12:30', minutes: 20, on_partition: {how}}}]"
            )
        ).study.summary["platform"]["faults"]
        for how in ("accept", "refuse")
    )
    assert sold["units_short"] > 100 > 10 > turned_away["units_short"]
    assert turned_away["orders_lost"] > 20
