"""The log, its digest, its archives and the state that is folded from it."""

import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import sim.recording.archive
from sim.engine import simulate
from sim.recording import ParquetArchive, ParquetWriter, State, digest_of, replay
from sim.recording.schema import KINDS
from sim.vocabulary import CancelReason, InputError, OfferAnswer
from sim.world.build import World, build_world

CUT_IN_THE_RUSH = (
    "drain_h=0",
    "customers={patience_s: 1400, patience_cv: 0.8, absent_share: 0.2, underage_share: 0.5}",
    "catalogue.categories=[{name: bread, share: 0.7, price_cents: 300, litres: 1, returnable: false}, "
    "{name: wine, share: 0.3, price_cents: 900, litres: 1, restricted: true}]",
    "drivers.count=6",
    "drivers.accept_share=0.7",
    "drivers.mishaps={breakdowns_per_1000h: 500, accidents_per_1000h: 0, repair_minutes: 5}",
    "payments={decline_share: 0.3, attempts_max: 2}",
    "pickers.mispick_share=0.1",
    "stores.inaccurate_share=0.9",
    "stores.inaccurate_units=25",
    "supply={units_min: 1, cover_days: 0.02}",
    "platform={window_s: 0.3, give_up_s: 600.0, accept_window_s: 10.0}",
    "demand.orders_per_day=4000",
    "demand.flash_sales=[{at: '13:10', seconds: 4, buyers: 80, stock: 60}]",
    "faults=[{kind: provider_outage, at: '12:40', minutes: 5}, {kind: bus_slowdown, at: '13:20', minutes: 10}]",
)
"""Everything that can go wrong does, and the run is closed in the middle of it."""


class Cut:
    """An archive with one kind's rows changed by a function."""

    def __init__(self, archive: Any, kind: str, change: Any) -> None:
        self._archive, self._kind, self._change = archive, kind, change

    def rows(self, kind: str) -> Any:
        rows = self._archive.rows(kind)
        return self._change(rows.copy()) if kind == self._kind else rows

    def seq(self, kind: str) -> Any:
        seq = self._archive.seq(kind)
        return seq[: len(self.rows(kind))] if kind == self._kind else seq


def shape(world: World) -> tuple[int, int]:
    return world.stores, world.catalogue.skus


@pytest.fixture(scope="module")
def rush(two_stores: Any, play: Any) -> Any:
    return play(two_stores(*CUT_IN_THE_RUSH))


class Read:
    """An archive that remembers which kinds it was asked for."""

    def __init__(self, archive: Any) -> None:
        self._archive = archive
        self.kinds: set[str] = set()

    def rows(self, kind: str) -> Any:
        self.kinds.add(kind)
        return self._archive.rows(kind)

    def seq(self, kind: str) -> Any:
        self.kinds.add(kind)
        return self._archive.seq(kind)


def test_the_rush_holds_everything_that_can_go_wrong(rush: Any) -> None:
    """The tests below prove little if the day they look at is a quiet one: all that a state is folded from happens."""
    read = Read(rush.archive)
    replay(read, shape(rush.world))
    # A day of two hours, without a lost region and without a checkout that lasts ten minutes; sales without orders are of
    # goods-only runs, and these stores have no dock and send each other nothing.
    for kind in read.kinds - {"driver_off", "books_lost", "hold_expired", "goods_sold", "goods_docked", "goods_sent"}:
        assert len(rush.rows(kind)), kind
    assert sum(len(rush.rows(kind)) > 0 for kind in KINDS) > 40
    assert set(rush.rows("order_cancelled")["reason"].tolist()) >= {
        CancelReason.OUT_OF_STOCK,
        CancelReason.CUSTOMER,
        CancelReason.NO_DRIVER,
    }
    assert {OfferAnswer.ACCEPTED, OfferAnswer.DECLINED, OfferAnswer.EXPIRED} <= set(
        rush.rows("offer_answered")["answer"].tolist()
    )
    state = rush.outcome.state
    assert state.totes
    assert state.tasks
    assert (state.reserved > 0).any()
    assert len(state.drivers) == 6


def test_replay_rebuilds_the_state_of_a_run_cut_in_the_rush(rush: Any) -> None:
    assert rush.outcome.state.differences(rush.replayed()) == []


@pytest.mark.parametrize("minutes", [17, 43, 61, 75, 80, 97, 119])
def test_replay_at_any_moment(two_stores: Any, play: Any, minutes: int) -> None:
    played = play(two_stores(*CUT_IN_THE_RUSH, f"horizon_h={minutes / 60}"))
    assert played.outcome.state.differences(played.replayed()) == []


def test_replay_after_many_random_days(two_stores: Any, play: Any) -> None:
    chance = random.Random(20261120)
    for _ in range(12):
        settings = (
            f"seed={chance.randrange(10**6)}",
            f"horizon_h={chance.uniform(0.2, 2)}",
            f"drivers.count={chance.randrange(2, 20)}",
            f"drivers.handoff_s={chance.choice([0, 40])}",
            f"drivers.door_s={chance.choice([0, 90])}",
            f"travel.noise_cv={chance.choice([0, 0.15])}",
            f"platform.bus_s={chance.choice([0, 0.05, 30])}",
            f"platform.profile={chance.choice(['minimal', 'full'])}",
            f"map={{width_m: 3000, height_m: 0, points: {chance.choice([3, 30])}, speed_kmh: 25}}",
        )
        played = play(two_stores(*CUT_IN_THE_RUSH, *settings))
        assert played.outcome.state.differences(played.replayed()) == [], settings


def test_replay_when_a_driver_sets_out_from_where_he_just_delivered(two_stores: Any, play: Any) -> None:
    """On three points a customer often lives beside a store: a ride of no length to it is a ride all the same."""
    for seed in range(20):
        played = play(
            two_stores(
                f"seed={seed}",
                "map={width_m: 1500, height_m: 0, points: 3, speed_kmh: 30}",
                "drivers={count: 5, respond_s: 0, accept_share: 1, noise: none}",
                "platform.profile=minimal",
                "drain_h=0",
            )
        )
        assert played.outcome.state.differences(played.replayed()) == [], seed


def test_parquet_holds_the_same_rows(
    two_stores: Any, rush: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sim.recording.archive, "GROUP_ROWS", 100)
    writer = ParquetWriter(tmp_path / "events.parquet")
    outcome = simulate(rush.world, writer)
    writer.close()
    archive = ParquetArchive(tmp_path / "events.parquet")
    assert outcome.digest == rush.outcome.digest
    for kind in KINDS:
        np.testing.assert_array_equal(archive.seq(kind), rush.archive.seq(kind), err_msg=kind)
        assert archive.rows(kind).tobytes() == rush.rows(kind).tobytes(), kind
        assert archive.rows(kind).dtype == rush.rows(kind).dtype
    assert digest_of(archive) == outcome.digest
    assert replay(archive, shape(rush.world)).differences(outcome.state) == []
    # To anybody else it is one plain table in which sorting by seq gives the day.
    table = pq.read_table(tmp_path / "events.parquet").to_pandas().sort_values("seq")
    assert table["seq"].tolist() == list(range(outcome.facts))
    assert (np.diff(table["t_s"]) >= 0).all()
    assert set(table["kind"].unique()) <= set(KINDS)
    entered = table[table["kind"] == "order_entered"]
    np.testing.assert_array_equal(entered["value_cents"].astype(int), rush.rows("order_entered")["value_cents"])


def test_the_digest_of_an_archive_is_the_logs(rush: Any) -> None:
    assert digest_of(rush.archive) == rush.outcome.digest


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("goods_picked", lambda rows: rows[:-1]),
        ("shelf_changed", lambda rows: rows[1:]),
        ("stock_reserved", lambda rows: rows[:-1]),
        ("order_moved", lambda rows: rows[:-1]),
        ("payment_captured", lambda rows: rows[:-1]),
        ("task_opened", lambda rows: rows[:-1]),
        ("order_entered", lambda rows: rows[:-1]),
        ("goods_picked", lambda rows: _raised(rows, "units")),
        ("record_adjusted", lambda rows: _raised(rows, "units")),
        ("payment_refunded", lambda rows: _raised(rows, "cents")),
        ("leg_started", lambda rows: _raised(rows, "node")),
        ("order_moved", lambda rows: _raised(rows, "state")),
    ],
)
def test_a_corrupted_log_is_noticed(rush: Any, kind: str, change: Any) -> None:
    broken = Cut(rush.archive, kind, change)
    assert replay(broken, shape(rush.world)).differences(rush.outcome.state), "expected replay to notice"


@pytest.mark.parametrize("change", [lambda rows: rows[:-1], lambda rows: rows[1:], lambda rows: _raised(rows, "units")])
def test_the_digest_of_a_corrupted_log_is_another(rush: Any, change: Any) -> None:
    """A row that is gone is an answer ("not the log of this run"), not a crash."""
    with suppress(InputError):
        assert digest_of(Cut(rush.archive, "goods_picked", change)) != rush.outcome.digest


def _raised(rows: Any, name: str) -> Any:
    rows[name][-1] = rows[name][-1] + 1 if name != "state" else (rows[name][-1] + 1) % 9
    return rows


def test_differences_say_what_differs(rush: Any) -> None:
    mine, theirs = rush.outcome.state, rush.replayed()
    theirs.shelf[1, 3] += 2
    theirs.orders[0, 1] = 77
    theirs.drivers[99] = 1
    text = "\n".join(State.differences(mine, theirs))
    assert "shelf: 1 of" in text
    assert "store 1 sku 3" in text
    assert "orders: 1 of" in text
    assert "drivers: 1 differ, first 99" in text


@pytest.mark.parametrize("content", [None, b"", b"%PDF-1.7 nothing of the kind", "parquet"])
def test_a_file_that_is_no_log_is_refused_in_one_line(tmp_path: Path, content: Any) -> None:
    import pyarrow as pa

    path = tmp_path / "events.parquet"
    if content == "parquet":
        pq.write_table(pa.table({"a": [1]}), path)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        ParquetArchive(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_run_has_an_archive_too(one_store: Any, tmp_path: Path) -> None:
    world = build_world(one_store("demand.orders_per_day=0"))
    writer = ParquetWriter(tmp_path / "events.parquet")
    outcome = simulate(world, writer)
    writer.close()
    archive = ParquetArchive(tmp_path / "events.parquet")
    assert digest_of(archive) == outcome.digest
    assert len(archive.rows("order_entered")) == 0
    assert replay(archive, shape(world)).differences(outcome.state) == []
