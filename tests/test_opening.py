"""The opening of a run: what months of goods-only play left, or what another run left."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.engine import simulate
from sim.experiments.runs import run_to_folder
from sim.opening import BEFORE, before, ready_world
from sim.recording import MemoryArchive
from sim.scenario import load, load_text
from sim.streams import Streams
from sim.vocabulary import InputError, StockCause
from sim.world.build import build_world
from tests.conftest import lawful_day

LEDGERS = ("shelf", "record", "scan")


def same(one: Any, other: Any) -> bool:
    """Whether two openings are alike in everything."""
    loads = [[(load.store, load.at_s, load.number, load.units.tolist()) for load in o.under_way] for o in (one, other)]
    lots = (one.lots is None and other.lots is None) or np.array_equal(one.lots, other.lots)
    return lots and loads[0] == loads[1] and all(np.array_equal(getattr(one, n), getattr(other, n)) for n in LEDGERS)


@pytest.fixture
def burnt(two_stores: Any) -> Any:
    """Two stores whose trucks need longer than the time between reviews, after five days."""
    return lambda *more: two_stores("stores.burn_in_days=5", "supply.lead_h=40", "shrinkage.theft_share=0.05", *more)


def test_a_run_begins_where_the_days_before_ended(burnt: Any, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr("sim.opening.user_cache_dir", lambda: tmp_path)
    scenario = burnt()
    streams = Streams(scenario.seed, BEFORE)
    days = before(scenario)
    assert days.start_at.isoformat() == "2026-11-15T12:00:00+00:00"
    left = simulate(build_world(days, streams), MemoryArchive(), streams=streams).left
    opening = ready_world(scenario).opening
    assert same(opening, left)
    assert (opening.shelf != opening.record).mean() > 0.05
    assert len(opening.under_way) > 0
    assert all(load.at_s > 0 for load in opening.under_way)
    assert not same(opening, build_world(scenario).opening)
    # Once more, from the cache; and in another replication, which faces another day.
    assert len(list(tmp_path.rglob("*.npz"))) == 1
    monkeypatch.setattr("sim.opening.simulate", None)
    assert same(ready_world(scenario).opening, left)
    assert same(ready_world(scenario, Streams(scenario.seed, 3)).opening, left)


def test_a_run_with_a_forecast_begins_with_the_sales_of_the_days_before(
    burnt: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    """Played or from the cache; the day of the start goes on where it stood, and the forecast is asked with all of it."""
    monkeypatch.setattr("sim.opening.user_cache_dir", lambda: tmp_path)
    assert ready_world(burnt()).opening.sold is None, "known wants none"
    scenario = burnt("policies.forecast=exponential_smoothing")
    for world in (ready_world(scenario), ready_world(scenario)):
        sold = world.opening.sold
        assert sold.sold.shape == (6, 2, 60)
        assert sold.open_share.tolist() == [0.5, 1.0, 1.0, 1.0, 1.0, 0.5]
        assert sold.weekdays.tolist() == [6, 0, 1, 2, 3, 4], "from a Sunday's noon to a Friday's"
        assert sold.sold.sum(axis=(1, 2)).min() > 1000
    monkeypatch.setattr("sim.opening.simulate", None)
    left = simulate(ready_world(scenario), MemoryArchive()).left.sold
    assert np.array_equal(left.sold[:-1], sold.sold[:-1])
    assert (left.sold[-1] >= sold.sold[-1]).all()
    assert left.sold[-1].sum() > sold.sold[-1].sum()
    assert left.open_share[-1] == pytest.approx(0.5 + 2 / 24)


def test_a_run_goes_on_from_the_sales_in_the_folder_of_another(two_stores: Any, tmp_path: Path) -> None:
    first = run_to_folder(two_stores("policies.forecast=naive_seasonal"), tmp_path / "first")
    again = [f"stores.opening={tmp_path / 'first'}", "policies.forecast=naive_seasonal"]
    sold = ready_world(two_stores(*again)).opening.sold
    assert sold.open_share.tolist() == pytest.approx([2 / 24, 0.0])
    assert sold.sold[0].sum() > 0.9 * first.summary["sales"]["units_wanted"] > 0
    assert sold.sold[1].sum() == 0, "today nothing yet"
    assert ready_world(two_stores(again[0])).opening.sold is None
    (tmp_path / "first" / "events.parquet").unlink()
    assert ready_world(two_stores(*again)).opening.sold is None, "its stock alone will do"


def test_what_hangs_on_the_goods_makes_another_opening(burnt: Any, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr("sim.opening.user_cache_dir", lambda: tmp_path)
    alike = [
        burnt(),
        burnt("drivers.count=9"),
        burnt("slo=[]"),
        burnt("platform.profile=minimal"),
        burnt("horizon_h=1"),
        burnt("pickers.per_store=2"),
        burnt("policies.dispatch=fifo"),
        burnt("check.reps=7"),
        burnt("demand.weather.ride_factor=1.4"),
    ]
    for scenario in alike:
        ready_world(scenario)
    assert len(list(tmp_path.rglob("*.npz"))) == 1
    others = (
        "seed=2",
        "policies.reconciliation=never",
        "policies.forecast=naive_seasonal",
        "supply.lead_h=8",
        "stores.burn_in_days=6",
        "demand.orders_per_day=999",
        "pickers.mispick_share=0.05",
        "policies.replenishment=nothing",
    )
    for number, other in enumerate(others):
        ready_world(burnt(other))
        assert len(list(tmp_path.rglob("*.npz"))) == number + 2, other


def test_what_is_left_out_of_an_openings_name_does_not_matter(burnt: Any) -> None:
    """Other people, platform and policies of the day leave the days before as they were."""
    one = ready_world(burnt(), keep=False).opening
    other = burnt(
        "pickers={per_store: 1, base_s: 200}", "drivers.count=3", "platform.profile=minimal", "policies.picking=wave",
        "policies.dispatch=matching", "policies.reservation=none", "customers.patience_s=60", "costs.picker_hour_cents=1",
        "travel.noise_cv=1.0", "support.agents=1", "payments.decline_share=0.5", "demand.weather.ride_factor=1.4",
    )  # fmt: skip
    two = ready_world(other, keep=False).opening
    assert all(np.array_equal(getattr(one, name), getattr(two, name)) for name in LEDGERS)
    assert [(truck.store, truck.at_s, truck.units.tolist()) for truck in one.under_way] == [
        (truck.store, truck.at_s, truck.units.tolist()) for truck in two.under_way
    ]


def test_other_zones_make_another_opening(monkeypatch: Any, tmp_path: Path) -> None:
    """Who can be reached in time hangs on the fleet, and with it what each store sells."""
    monkeypatch.setattr("sim.opening.user_cache_dir", lambda: tmp_path)
    days = ("stores.burn_in_days=2", "demand.orders_per_day=300")
    riders, walkers = (ready_world(load("small", [*days, f"drivers.vehicles={{{v}: 1}}"])) for v in ("car", "foot"))
    assert not np.array_equal(riders.daily_demand, walkers.daily_demand)
    assert not np.array_equal(riders.opening.shelf, walkers.opening.shelf)
    assert len(list(tmp_path.rglob("*.npz"))) == 2


def test_trucks_under_way_arrive_and_the_laws_hold(burnt: Any, play: Any) -> None:
    day = play(burnt("supply.lead_h=12"))
    coming = [load for load in day.world.opening.under_way if load.at_s < day.world.scenario.end_s]
    assert coming
    received = day.rows("record_adjusted")
    for truck in coming:
        mine = received[(received["store"] == truck.store) & (abs(received["t_s"] - truck.at_s) < 1.0)]
        assert mine["units"].sum() == truck.units.sum()
    assert day.replayed().differences(day.outcome.state) == []


def test_a_run_goes_on_from_the_folder_of_another(two_stores: Any, tmp_path: Path) -> None:
    scenario = two_stores("shrinkage.theft_share=0.1")
    run_to_folder(scenario, tmp_path / "first")
    for path in (tmp_path / "first", tmp_path / "first" / "stock.parquet"):
        opening = ready_world(two_stores(f"stores.opening={path}")).opening
        left = simulate(ready_world(scenario), MemoryArchive()).left
        assert all(np.array_equal(getattr(opening, name), getattr(left, name)) for name in LEDGERS)
    assert "stores.opening" in ready_world(two_stores(f"stores.opening={path}")).files, (
        "its content is part of the name"
    )


def test_an_opening_that_does_not_fit_is_refused_in_one_line(two_stores: Any, one_store: Any, tmp_path: Path) -> None:
    run_to_folder(one_store("catalogue.skus=50"), tmp_path / "other")
    with pytest.raises(InputError, match=r"the stock of 2 stores with 60 SKUs, got .* with that of 1 with 50"):
        ready_world(two_stores(f"stores.opening={tmp_path / 'other'}"))
    for path in (tmp_path / "nothing", tmp_path / "other" / "orders.parquet", tmp_path / "other" / "summary.json"):
        with pytest.raises(InputError, match=r"expected a run's folder or its stock\.parquet"):
            ready_world(two_stores(f"stores.opening={path}"))
    with pytest.raises(InputError, match="one of burn_in_days and opening"):
        two_stores("stores.burn_in_days=3", "stores.opening=x")


def test_the_default_city_opens_with_records_as_wrong_as_its_counting_leaves_them() -> None:
    opening = ready_world(load("default")).opening
    wrong = (opening.shelf != opening.record).mean()
    assert 0.1 < wrong < 0.25
    never = ready_world(load("default", ["policies.reconciliation=never"])).opening
    assert (never.shelf != never.record).mean() > 0.5


def test_a_goods_only_run_needs_no_days_before() -> None:
    text = "mode: goods_only\nstores: {burn_in_days: 3}\nmap: {width_m: 0, height_m: 0, points: 1}\nhorizon_h: 24\n"
    assert ready_world(load_text(text)).opening.under_way == ()


FOLLOWED = (
    "supply={lead_h: 24, truck_litres: 300, miscount_share: 0.2, transfer_minutes: 1200, transfer_at: '13:00', cover_days: 0.5}",
    "horizon_h=30", "drain_h=0", "policies.replenishment=order_up_to(every_s=14400)",
    "policies.transfer=balance(every_s=3600, trip_units=1, keep_days=0, z=0)",
    "stores.inaccurate_share=0.5", "stores.inaccurate_units=40", "stores.dock={people: 1, per_line_s: 3600}",
    "catalogue.categories=[{name: milk, share: 0.5, price_cents: 100, litres: 1, life_days: 3}, "
    "{name: rice, share: 0.5, price_cents: 200, litres: 1}]",
)  # fmt: skip
"""Half-empty stores at whose docks, on whose shelves and on the roads to which something stands when the run ends."""


@pytest.fixture(scope="module")
def left_behind(two_stores: Any, tmp_path_factory: Any) -> Any:
    """A run's folder, and what it left by the engine's own word."""
    scenario, folder = two_stores(*FOLLOWED), tmp_path_factory.mktemp("runs") / "first"
    run_to_folder(scenario, folder)
    return folder, simulate(ready_world(scenario), MemoryArchive()).left


def test_ages_docks_and_roads_come_along_from_the_folder_of_another_run(left_behind: Any, two_stores: Any) -> None:
    folder, left = left_behind
    opening = ready_world(two_stores(*FOLLOWED, f"stores.opening={folder}")).opening
    assert same(opening, left)
    assert np.array_equal(opening.dock, left.dock)
    assert [(h.to, h.at_s, h.units.tolist(), h.lots.tolist()) for h in opening.hauls] == [
        (h.to, h.at_s, h.units.tolist(), h.lots.tolist()) for h in left.hauls
    ]
    assert opening.under_way
    assert opening.hauls
    assert opening.dock.sum() > 0
    assert (opening.lots.sum(axis=(1, 2)) > 0).sum() > 1, "of several days"
    bare = ready_world(two_stores(*FOLLOWED, f"stores.opening={folder / 'stock.parquet'}")).opening
    assert (bare.lots, bare.dock, bare.under_way, bare.hauls) == (None, None, (), ())
    assert np.array_equal(bare.shelf, left.shelf)


@pytest.mark.parametrize("dock", ["{people: 4, per_line_s: 60}", "{people: 1, scan: dock}", "null"])
def test_what_stood_at_a_dock_reaches_the_shelves_and_records_whatever_docks_there_are_now(
    left_behind: Any, two_stores: Any, play: Any, dock: str
) -> None:
    folder, left = left_behind
    scenario = two_stores(
        *FOLLOWED, f"stores.opening={folder}", f"stores.dock={dock}", "demand.orders_per_day=0", "policies.transfer=nothing",
        "policies.replenishment=nothing", "supply.look_at='11:00'", "supply.miscount_share=0", "drain_h=24",
    )  # fmt: skip
    day = lawful_day(play, scenario)
    loads = sum(load.units.sum() for load in left.under_way) + sum(haul.units.sum() for haul in left.hauls)
    noted, there = left.dock.sum(axis=(1, 2))
    changed = day.rows("shelf_changed")
    spoiled = -changed["units"][changed["cause"] == StockCause.SPOILAGE].sum()
    state = day.outcome.state
    assert state.dock.sum() == state.road.sum() == 0, "all of it has been put away"
    assert state.shelf.sum() == left.shelf.sum() + there + loads - spoiled
    written_off = day.rows("record_adjusted")
    written_off = -written_off["units"][written_off["cause"] == StockCause.SPOILAGE].sum()
    assert state.available.sum() + state.reserved.sum() == left.record.sum() + noted + loads - written_off


def test_goods_that_keep_otherwise_than_then_have_no_age(left_behind: Any, two_stores: Any, play: Any) -> None:
    folder, left = left_behind
    longer = FOLLOWED[-1].replace("life_days: 3", "life_days: 5")
    scenario = two_stores(*FOLLOWED[:-1], longer, f"stores.opening={folder}")
    opening = ready_world(scenario).opening
    assert opening.lots is None
    assert [haul.lots.shape[0] for haul in opening.hauls] == [5] * len(left.hauls)
    lawful_day(play, scenario)


def test_a_broken_file_of_what_was_left_is_refused_in_one_line(
    left_behind: Any, two_stores: Any, one_store: Any, tmp_path: Path
) -> None:
    folder, _ = left_behind
    with pytest.raises(InputError, match=r"stock of 1 stores with 60 SKUs, got .*left\.npz with that of 2 with 60"):
        ready_world(one_store(f"stores.opening={folder}"))
    whole = (folder / "left.npz").read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"PK nonsense"):
        (tmp_path / "left.npz").write_bytes(content)
        with pytest.raises(InputError, match=r"stores\.opening: expected a run's folder .* that cannot be read"):
            ready_world(two_stores(f"stores.opening={tmp_path}"))
