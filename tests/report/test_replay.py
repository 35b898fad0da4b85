"""The replay of a run: what is packed into its page, against the log; and the page, in a real browser."""

import json
import math
import re
import shutil

import numpy as np
import pytest

from sim.experiments.runs import run_to_folder
from sim.reading.legs import legs_of
from sim.reading.run import FinishedRun
from sim.report.replay import write_replay
from sim.report.replay.belief import heard_of
from sim.report.replay.ground import ground_of
from sim.report.replay.packing import Pack, ticks, unpacked
from sim.report.replay.page import render_replay
from sim.report.replay.tracks import STRAIGHT, tracks_of
from sim.scenario import Scenario, load
from sim.streams import Streams
from sim.world.pings import Pings
from tests.browsing import shown

TOWN = (
    "horizon_h=1", "drain_h=1", "start=2026-11-20T12:00 America/Santiago", "drivers.mishaps.breakdowns_per_1000h=800",
    "platform.tracking.loss_share=0.2", "platform.tracking.delay_s=5", "platform.tracking.dead_zones.share=0.15",
    "policies.positioning=return_to_store", "stores.burn_in_days=0", "drivers.vehicles={car: 0.5, ebike: 0.5}",
    'faults=[{kind: app_connection_loss, at: "12:20", minutes: 10, share: 0.5}]',
)  # fmt: skip


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """An hour on real streets, with rides that break off, dead zones, late pings, and half of the phones off for a while."""
    out = tmp_path_factory.mktemp("town") / "town"
    run_to_folder(load("small", TOWN), out)
    return FinishedRun(out)


@pytest.fixture(scope="module")
def page(noon_folder, tmp_path_factory):
    """The replay of a small noon."""
    folder = tmp_path_factory.mktemp("replay") / "noon"
    shutil.copytree(noon_folder, folder)
    return write_replay(folder)


def parts(run):
    scenario = Scenario.model_validate(run.manifest["scenario"])
    ground = ground_of(run, scenario)
    return scenario, ground, tracks_of(run, ground, scenario)


# -- tracks ------------------------------------------------------------------------------------------------------------


def test_a_track_starts_and_ends_where_and_when_its_ride_does(town):
    _, ground, tracks = parts(town)
    legs = legs_of(town.archive)
    assert ground.roads is not None
    assert len(legs) == len(tracks.driver) > 100
    broken_off = 0
    for i, leg in enumerate(legs):
        assert (tracks.driver[i], tracks.order[i], tracks.trip[i]) == (leg.driver, leg.order, leg.trip)
        assert (tracks.origin[i], tracks.node[i]) == (leg.origin, leg.node)
        if leg.node == leg.aim and leg.end_s == leg.due_s:
            assert tracks.end_s[i] == leg.due_s
        else:
            broken_off += 1
            assert leg.start_s <= tracks.end_s[i] <= leg.due_s
            assert tracks.end_s[i] >= leg.end_s - 1e-3  # he goes on to the next junction, and turns there
    assert broken_off > 0


def test_tracks_go_along_streets_that_join(town):
    _, ground, tracks = parts(town)
    roads = ground.roads
    for i in range(len(tracks.driver)):
        way = tracks.edge[tracks.step_start[i] : tracks.step_start[i + 1]]
        if not len(way):
            assert tracks.pace[i] == STRAIGHT
            continue
        assert roads.tail[way[0]] == tracks.origin[i]
        assert roads.head[way[-1]] == tracks.node[i]
        assert (roads.head[way[:-1]] == roads.tail[way[1:]]).all()
        assert (tracks.times_ms[tracks.pace[i]][way] > 0).all()


def test_a_driver_is_in_one_place_at_a_time(town):
    _, _, tracks = parts(town)
    same = tracks.driver[1:] == tracks.driver[:-1]
    assert (tracks.end_s >= tracks.depart_s).all()
    assert (tracks.depart_s[1:] - tracks.end_s[:-1])[same].min() > -1e-6
    assert (tracks.origin[1:] == tracks.node[:-1])[same].all()


def test_rides_are_no_faster_than_the_streets(town):
    """An uninterrupted ride takes what its streets take times its own noise: the same noise as the simulator drew."""
    _, _, tracks = parts(town)
    whole = np.array([tracks.times_ms[p][tracks.edge[a:b]].sum() / 1000.0 if b > a else 0.0
                      for p, a, b in zip(tracks.pace, tracks.step_start, tracks.step_start[1:], strict=False)])  # fmt: skip
    took = tracks.end_s - tracks.depart_s
    ridden = whole > 20.0
    noise = took[ridden] / whole[ridden]
    assert 0.9 < np.median(noise) < 1.1
    assert noise.min() > 0.3


def test_on_a_plain_rides_are_straight(noon):
    _, ground, tracks = parts(noon)
    assert ground.roads is None
    assert ground.geography is not None
    assert (tracks.pace == STRAIGHT).all()
    assert not len(tracks.edge)
    same = tracks.driver[1:] == tracks.driver[:-1]
    assert (tracks.origin[1:] == tracks.node[:-1])[same].all()


# -- belief ------------------------------------------------------------------------------------------------------------


def test_what_was_heard_is_what_the_summary_counts(town):
    scenario, *_ = parts(town)
    heard = heard_of(town, scenario)
    told = json.loads((town.folder / "summary.json").read_text())["tracking"]
    assert len(heard.code) == told["pings"] > 1000
    assert (heard.code == 0).mean() == pytest.approx(told["lost_share"])
    assert told["lost_by"]["no_connection"] > 0 < told["lost_by"]["no_signal"]


def test_belief_never_lies_in_the_future(town):
    """A position that the page takes for known had been sent, and had arrived, by then."""
    scenario, *_ = parts(town)
    heard, pings = heard_of(town, scenario), Pings.of(scenario, Streams(town.seed))
    checked = 0
    for shift in range(0, len(heard.driver), 3):
        begin, driver = heard.ping_start[shift], int(heard.driver[shift])
        for k in range(begin, heard.ping_start[shift + 1], 7):
            if not heard.code[k]:
                continue
            delay_s = pings.delayed_s(driver, int(heard.first[shift] + k - begin))
            assert delay_s is not None
            assert delay_s <= (heard.code[k] - 1) * heard.step_s < delay_s + heard.step_s
            checked += 1
    assert checked > 100


# -- packing -----------------------------------------------------------------------------------------------------------


def test_what_is_packed_comes_out_again():
    columns = {
        "none": [],
        "small": [3, 0, 255],
        "signed": [-1, 40_000, -70_000],
        "large": [2**32 - 1, 7],
        "up": [5, 5, 900_000],
    }
    pack = Pack()
    for name, column in columns.items():
        pack.add(name, column, ascending=name == "up")
    found = unpacked(pack.index, pack.text())
    assert {name: column.tolist() for name, column in found.items()} == columns
    assert ticks([1.004, math.nan, 0.0]).tolist() == [100, -1, 0]
    with pytest.raises(ValueError, match="32 bits in wide"):
        pack.add("wide", [2**40])


def test_the_same_run_gives_the_same_page(noon, page):
    assert render_replay(noon) == page.read_text(encoding="utf-8") == render_replay(FinishedRun(noon.folder))


def test_goods_only_runs_have_no_replay(tmp_path, one_store):
    goods = ("mode=goods_only", "drain_h=0", "start=2026-08-22T00:00+00:00", "horizon_h=24", "slo=[]")
    run_to_folder(one_store(*goods), tmp_path / "day")
    assert write_replay(tmp_path / "day") is None
    assert not (tmp_path / "day" / "replay.html").exists()


def test_a_map_that_is_gone_is_done_without(town, tmp_path):
    """Drivers then ride straight, between the places that are known."""
    folder = tmp_path / "town"
    shutil.copytree(town.folder, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["world"]["map_key"] = "another map of that name"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    run = FinishedRun(folder)
    _, ground, tracks = parts(run)
    assert ground.geography is None
    assert (tracks.pace == STRAIGHT).all()
    assert np.isfinite(ground.xy_m).all()
    assert "OpenStreetMap" not in re.sub(r"<script.*?</script>", "", render_replay(run), flags=re.DOTALL)


# -- the page ----------------------------------------------------------------------------------------------------------

READY = "document.body.classList.contains('ready') && replay.frames > 2"
COLUMNS = (
    "Object.fromEntries(replay.told.index.map(({name}) => [name, Array.from(replay.world.columns[name].slice(0, 50))]))"
)
ENDS = """(() => {
    const w = replay.world, c = w.columns, found = [], out = [0, 0];
    for (let ride = 0; ride < 200; ride++) {
        const t = c['ride.end_s'][ride], driver = c['ride.driver'][ride], node = c['ride.node'][ride];
        const shift = w.shift(driver, t);
        if (shift >= 0 && w.where(driver, shift, t, out) === ride)
            found.push(Math.hypot(out[0] - w.x[node], out[1] - w.y[node]));
    }
    return found;
})()"""
"""How far drivers are, when their rides end, from where these end, metres."""


def drawn(shown_page):
    """How many colours a picture of the map holds."""
    import io

    from matplotlib.image import imread

    picture = imread(io.BytesIO(shown_page.page.locator("#map").screenshot()))
    return len(np.unique((picture.reshape(-1, picture.shape[-1]) * 255).astype(np.uint8), axis=0))


def test_the_page_plays(page, noon):
    with shown(page, width=1000, height=700) as replay:
        replay.page.wait_for_function(READY)
        assert drawn(replay) > 20
        before = replay.ask("replay.t")
        replay.page.click("#play")
        replay.page.wait_for_function(f"replay.t > {before} + 20")
        replay.page.keyboard.press("Space" if replay.ask("document.activeElement.id") != "play" else "Enter")
        replay.page.wait_for_function("!replay.playing")
        # scrub
        replay.page.evaluate(
            "const s = document.getElementById('scrub'); s.value = 1800; s.dispatchEvent(new Event('input'))"
        )
        replay.page.wait_for_function("document.getElementById('time').textContent === '12:30:00'")
        assert replay.ask("document.getElementById('scrub').getAttribute('aria-valuetext')").startswith("12:30:00")
        # keyboard
        replay.page.locator("h1").click()
        replay.page.keyboard.press("ArrowRight")
        replay.page.wait_for_function("document.getElementById('time').textContent === '12:31:00'")
        replay.page.keyboard.press("Home")
        replay.page.wait_for_function("replay.t === 0")
        # a fault strikes
        replay.page.keyboard.press("n")
        replay.page.wait_for_function("document.getElementById('banner').textContent === ''")
        replay.page.evaluate("replay.seek(20 * 60 + 30)")
        replay.page.wait_for_function("document.getElementById('banner').textContent.startsWith('Provider outage')")
        assert replay.ask("document.querySelector('#troubles .fault.on').textContent").startswith(
            "12:20:00 provider outage"
        )
        assert replay.ask("document.querySelectorAll('#marks .fault').length") == 1
        assert replay.wrong == []


def test_the_page_follows(page, noon):
    orders = noon.columns("orders", "order", "driver", "entered_s", "picked_up_s", "delivered_s")
    order, driver, entered_s, picked_up_s, delivered_s = next(
        row for row in zip(*orders.values(), strict=True) if row[4] is not None and row[4] - row[3] > 60
    )
    with shown(page, width=1000, height=700) as replay:
        replay.page.wait_for_function(READY)
        replay.page.fill("#wanted", str(order))
        replay.page.keyboard.press("Enter")
        story = "document.getElementById('storytitle').textContent"
        replay.page.wait_for_function(f"{story}.startsWith('Order {order}: ')")
        assert entered_s - 0.01 <= replay.ask("replay.t") <= delivered_s
        steps = replay.ask("[...document.querySelectorAll('#steps li')].map((item) => item.textContent)")
        assert any("delivered after" in step for step in steps)
        # the driver who has it, by a click on the map
        replay.page.evaluate(f"replay.seek({(picked_up_s + delivered_s) / 2})")
        replay.page.wait_for_function(f"{story}.includes('on the road')")
        replay.page.evaluate("replay.map.look(replay.map.whole()); replay.follow.held = false; replay.ghosts = false")
        replay.page.wait_for_timeout(300)
        x, y = replay.ask(
            f"(() => {{ const one = replay.scene.fleet.find((each) => each.driver === {driver}), "
            "box = document.getElementById('map').getBoundingClientRect(), [x, y] = replay.map.pixel(one.x, one.y); "
            "return [box.x + x, box.y + y]; })()"
        )
        replay.page.mouse.click(x, y)
        replay.page.wait_for_function(
            "replay.follow && /^(Driver|Order) /.test(document.getElementById('storytitle').textContent)"
        )
        replay.page.fill("#wanted", f"driver {driver}")
        replay.page.keyboard.press("Enter")
        replay.page.wait_for_function(f"{story}.startsWith('Driver {driver} (')")
        assert "the platform has him" in replay.ask(story)
        replay.page.keyboard.press("Escape")
        replay.page.wait_for_function("replay.follow === null")
        replay.page.fill("#wanted", "999999")
        replay.page.keyboard.press("Enter")
        replay.page.wait_for_function(f"{story} === 'There is no order 999999 in this run.'")
        assert replay.wrong == []


def test_the_page_holds_what_was_packed_and_nobody_is_where_he_cannot_be(town):
    """On real streets: columns come out as they went in; drivers are where their rides are; belief is of the past."""
    _, _, tracks = parts(town)
    write_replay(town.folder)
    with shown(town.folder / "replay.html", width=420, height=800, dark=True) as replay:
        replay.page.wait_for_function(READY)
        found = replay.ask(COLUMNS)
        assert found["ride.depart_s"] == pytest.approx(tracks.depart_s[:50], abs=0.006)
        assert found["ride.driver"] == tracks.driver[:50].tolist()
        assert replay.ask("Array.from(replay.world.edges)") == tracks.edge.tolist()
        ends = replay.ask(ENDS)
        assert len(ends) > 50
        assert max(ends) < 0.2
        fleets = replay.ask(
            "[600, 1500, 2400, 3300].map((t) => replay.world.fleet(t).map(({sent, off}) => [t - sent, off]))"
        )
        ages = [age for fleet in fleets for age, _ in fleet]
        assert min(ages) >= 0.0
        assert max(ages) > 60.0  # half of the phones were off
        assert drawn(replay) > 20
        assert replay.wrong == []
