"""Packing stations, totes and the room at the counter."""

from typing import Any

import numpy as np
import pytest

from sim.metrics.tables import work_spans
from sim.scenario import load_text
from sim.vocabulary import InputError, OrderState, StockCause
from tests.conftest import TWO_STORES, lawful_day

SLOW = "stores.packing={stations: 2, room: 3, base_s: 60, per_unit_s: 3}"
RUSH = ("demand.orders_per_day=3600", "customers.patience_s=900", "drivers.count=40")


def test_the_laws_hold_where_orders_are_packed_at_stations(two_stores: Any, play: Any) -> None:
    day = lawful_day(play, two_stores(*RUSH, SLOW, "stores.inaccurate_share=0.5", "stores.counter_room=4"))
    off = day.rows("order_cancelled")["order"]
    brought = day.rows("order_brought")
    assert np.isin(off, brought["order"]).sum() > 3, "some were called off on their way"
    assert (~brought["room"]).sum() > 3
    # Whatever was picked for an order that was called off lies on the shelves again.
    back, picked = day.rows("goods_put_back"), day.rows("goods_picked")
    for order in np.intersect1d(off, picked["order"]):
        assert back["units"][back["order"] == order].sum() == picked["units"][picked["order"] == order].sum()


def test_a_station_takes_an_order_for_its_base_and_its_units(one_store: Any, play: Any) -> None:
    day = play(one_store("stores.packing={stations: 3, room: 3, base_s: 40, per_unit_s: 5}", "pickers.noise=none"))
    begun, ended, entered = (day.rows(kind) for kind in ("packing_began", "packing_ended", "order_entered"))
    units = dict(zip(entered["order"].tolist(), entered["units"].tolist(), strict=True))
    done = dict(zip(ended["order"].tolist(), ended["t_s"].tolist(), strict=True))
    assert len(begun) > 50
    for row in begun:
        assert done[row["order"]] - row["t_s"] == pytest.approx(40 + 5 * units[row["order"]], abs=1e-5)


def test_who_finds_no_room_packs_himself(one_store: Any, play: Any) -> None:
    few = play(one_store(*RUSH, "stores.packing={stations: 1, room: 1, base_s: 90}"))
    many = play(one_store(*RUSH, "stores.packing={stations: 6, room: 40, base_s: 90}"))
    one, other = few.study.summary, many.study.summary
    assert one["packing"]["overflow_share"] > 0.3
    assert other["packing"]["overflow_share"] == 0
    assert one["packing"]["wait_s"] == {"mean": 0.0, "p95": 0.0}
    # What the stations do not do, the pickers do: it takes their time.
    assert one["floor"]["lines_per_busy_hour"] < 0.8 * other["floor"]["lines_per_busy_hour"]
    assert one["packing"]["utilisation"] > other["packing"]["utilisation"]
    # Packers are paid for opening hours, whatever they do.
    rate = few.world.scenario.costs.picker_hour_cents
    assert one["cost"]["by_kind"]["packing"] == round(2 * rate)
    assert other["cost"]["by_kind"]["packing"] == round(12 * rate)


def test_the_stages_telescope_with_packing_stations(two_stores: Any, play: Any) -> None:
    summary = play(two_stores(SLOW)).study.summary
    stages = ("checkout", "wait_pick", "pick", "wait_driver", "ride")
    assert sum(summary["stages_s"][name] for name in stages) == pytest.approx(summary["click_to_door_s"]["mean"])


def test_no_more_stand_at_a_counter_than_find_room(two_stores: Any, play: Any) -> None:
    free, narrow = (play(two_stores(*RUSH, "drivers.count=20", *more)) for more in ((), ("stores.counter_room=3",)))
    assert free.study.summary["floor"]["peak_orders"]["packed_one_store"] > 3
    assert narrow.study.summary["floor"]["peak_orders"]["packed_one_store"] == 3
    # A picker with an order in hand waits for a place: the counter holds up the store.
    assert narrow.study.summary["stages_s"]["pick"] > 1.1 * free.study.summary["stages_s"]["pick"]


def test_an_order_is_begun_when_there_are_totes_for_it(two_stores: Any, play: Any) -> None:
    litres, count = 10.0, 3
    day = lawful_day(
        play, two_stores(*RUSH, f"stores.totes={{count: {count}, litres: {litres}}}", "pickers.per_store=6")
    )
    needed = np.minimum(np.ceil(day.world.trace.litres / litres), count)
    assert needed.max() == count > needed.min(), "small orders and orders larger than all totes"
    # From being begun until it is packed, or put down by its picker because it is off.
    begun, ended, moved = (day.rows(kind) for kind in ("pick_started", "pick_ended", "order_moved"))
    freed = dict(zip(ended["order"].tolist(), ended["t_s"].tolist(), strict=True))
    packed = moved[moved["state"] == OrderState.PACKED]
    freed |= dict(zip(packed["order"].tolist(), packed["t_s"].tolist(), strict=True))
    for store in range(2):
        mine = begun[begun["store"] == store]
        moves = [(row["t_s"], needed[row["order"]]) for row in mine]
        moves += [(freed[row["order"]], -needed[row["order"]]) for row in mine]
        out = np.cumsum([units for _, units in sorted(moves)])  # at one moment, totes come free before they are taken
        assert out.max() == count


def test_totes_hold_up_batches_too(two_stores: Any, play: Any) -> None:
    settings = ("stores.layout={levels: 1}", "catalogue.skus=400", "policies.picking=batch", "pickers.per_store=3")
    day = lawful_day(play, two_stores(*RUSH, *settings, "stores.totes={count: 3, litres: 500}"))
    begun = day.rows("pick_started")
    tours = np.unique(begun[["picker", "t_s"]], return_counts=True)[1]
    assert tours.max() <= 3
    assert tours.max() > 1
    assert (day.study.orders["state"] == OrderState.DELIVERED).sum() > 50


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("stores.packing={stations: 3, room: 2}", "room: at least stations (3), got 2"),
        ("stores.packing.stations=0", "stores.packing.stations: expected"),
        ("stores.counter_room=0", "stores.counter_room: expected"),
        ("stores.totes.litres=0", "stores.totes.litres: expected"),
    ],
)
def test_benches_that_make_no_sense_are_refused(setting: str, told: str) -> None:
    with pytest.raises(InputError) as refused:
        load_text(TWO_STORES, (setting,))
    assert told in str(refused.value)


def test_what_breaks_while_it_is_picked_is_lost_and_replaced(two_stores: Any, play: Any) -> None:
    whole = play(two_stores())
    clumsy = lawful_day(play, two_stores("pickers.breakage_share=0.1", "shrinkage.scanned_share=0.5"))
    lost = clumsy.rows("shelf_changed")
    broken = lost[lost["cause"] == StockCause.BREAKAGE]
    slipped = clumsy.rows("scan_slipped")
    lines = len(clumsy.rows("goods_picked"))
    assert 0.06 * lines < len(broken) < 0.14 * lines
    assert (broken["units"] == -1).all()
    assert 0.3 * len(broken) < (slipped["cause"] == StockCause.BREAKAGE).sum() < 0.7 * len(broken), (
        "half of it is scanned"
    )
    # There is enough on the shelves: the customer gets another one.
    assert clumsy.study.summary["fill_rate"] == whole.study.summary["fill_rate"]
    losses = clumsy.study.summary["losses"]
    assert losses["broken"] == len(broken)
    assert losses["shrink_share"] > 0.03
    assert clumsy.study.summary["drift"]["by_cause"]["breakage"] > 0


def test_only_counting_is_counting(two_stores: Any, play: Any) -> None:
    """The way to the counter over a packing station is no time spent on shelves."""
    short = ("stores.inaccurate_share=0.8", "stores.inaccurate_units=20", "supply.cover_days=0.05")
    for more in ((), (SLOW,), (SLOW, "stores.counter_room=2", "policies.substitution=ask")):
        day = play(two_stores(*RUSH, *short, *more))
        counted_s = len(day.rows("shelf_counted")) * day.world.scenario.stores.count_s
        _, begins, ends = work_spans(day.archive, day.world.scenario.end_s)["pickers_busy"]
        assert counted_s > 200
        share = day.study.summary["floor"]["counting_share"]
        assert share == pytest.approx(counted_s / (ends - begins).sum())
        assert share < 0.5


def test_what_breaks_in_months_of_goods_alone(two_stores: Any, play: Any) -> None:
    """As many as in a full run: one for every so many lines, and whoever does not scan it leaves a phantom."""
    settings = ("mode=goods_only", "horizon_h=240", "stores.inaccurate_share=0", "pickers.mispick_share=0")
    whole, clumsy = (lawful_day(play, two_stores(*settings, f"pickers.breakage_share={share}")) for share in (0, 0.02))
    lost = clumsy.rows("shelf_changed")
    broken = -int(lost["units"][lost["cause"] == StockCause.BREAKAGE].sum())
    scenario = clumsy.world.scenario
    lines = scenario.demand.orders_per_day * 10 * scenario.demand.basket.lines_mean
    assert broken == pytest.approx(0.02 * lines, rel=0.1)
    assert clumsy.study.summary["losses"]["broken"] == broken
    assert whole.study.summary["losses"]["broken"] == 0
    found = clumsy.study.summary["drift"]["by_cause"]
    assert found["breakage"] > 0.9 * clumsy.study.summary["drift"]["units_abs"] > 0
