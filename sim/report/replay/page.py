"""The replay of a run: the day in motion on one self-contained page that opens offline, ``replay.html``."""

import importlib.resources
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from sim.reading.run import FinishedRun
from sim.report.citymap import ATTRIBUTION
from sim.report.page import templates
from sim.report.reasons import REASONS
from sim.report.replay.belief import heard_of
from sim.report.replay.ground import Ground, ground_of
from sim.report.replay.happenings import REASON_NAMES, STATES, pack_orders, pack_pickers, troubles
from sim.report.replay.packing import PER_S, Pack, ticks
from sim.report.replay.tracks import Tracks, tracks_of, vehicles_of
from sim.scenario import Scenario
from sim.scenario.tree import parse_start
from sim.vocabulary import InputError, Trip

REPLAY: Final = "replay.html"
SCRIPTS: Final = ("data.js", "world.js", "map.js", "panel.js", "page.js")
"""The page's own script, in this order."""

PER_M: Final = 10
"""Places are told in decimetres."""


def write_replay(folder: Path) -> Path | None:
    """Write a run's replay into its folder.

    Parameters
    ----------
    folder
        Holds the run's manifest, tables and log; ``summary.json`` need not be there yet.

    Returns
    -------
    Path or None
        The page, ``replay.html``; none for a run without roads and drivers (``mode: goods_only``).

    Raises
    ------
    InputError
        The folder is not a run's, or cannot be written to.
    """
    run = FinishedRun(folder, whole=False)
    page = folder / REPLAY
    if run.manifest["scenario"].get("mode") == "goods_only":
        return None
    try:
        page.write_text(render_replay(run), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{page}: expected a place that can be written to, got: {error.strerror}.") from error
    return page


def render_replay(run: FinishedRun) -> str:
    """Put the page together; the same run gives the same bytes."""
    scenario = Scenario.model_validate(run.manifest["scenario"])
    ground = ground_of(run, scenario)
    tracks, pack = tracks_of(run, ground, scenario), Pack()
    _pack_ground(ground, tracks, pack)
    _pack_tracks(ground, tracks, pack)
    heard = heard_of(run, scenario)
    for name in ("driver", "node", "spoofed", "home", "first", "code"):
        pack.add(f"shift.{name}", getattr(heard, name))
    pack.add("shift.ping_start", heard.ping_start, ascending=True)
    for name in ("on_s", "off_s"):
        pack.add(f"shift.{name}", ticks(getattr(heard, name)))
    pack.add("shift.phase_ms", np.rint(heard.phase_s * 1000.0))
    pack_orders(run, pack)
    pack_pickers(run, pack)
    data = pack.text()
    start = parse_start(run.manifest["scenario"]["start"])
    told: dict[str, Any] = {
        "name": run.name,
        "start": start.strftime("%Y-%m-%dT%H:%M:%S"),
        "zone": str(start.tzinfo),
        "close_s": run.close_s,
        "horizon_s": 3600.0 * scenario.horizon_h,
        "warmup_s": 3600.0 * scenario.warmup_h,
        "per_s": PER_S,
        "per_m": PER_M,
        "every_s": heard.every_s,
        "step_s": heard.step_s,
        "trips": [trip.name.lower() for trip in Trip],
        "states": STATES,
        "reasons": [REASONS.get(name, name.replace("_", " ")) for name in REASON_NAMES],
        "currency": scenario.costs.currency,
        "stores": [{"name": store.name, "node": store.node} for store in run.stores],
        "vehicles": {str(driver): name for driver, name in sorted(vehicles_of(run).items())},
        "paces": len(tracks.times_ms),
        "streets": ground.roads is not None,
        "troubles": troubles(run, scenario),
        "index": pack.index,
        "attribution": ATTRIBUTION if ground.roads is not None else "",
    }
    scripts = Path(__file__).parent.parent / "templates" / "replay"
    context = {
        "name": run.name,
        "description": run.manifest["scenario"].get("description") or "",
        "start": start,
        "zone": str(start.tzinfo),
        "orders": next(entry["length"] for entry in pack.index if entry["name"] == "order.id"),
        "drivers": len(told["vehicles"]),
        "stores": told["stores"],
        "rides": len(tracks.driver),
        "pings": len(heard.code),
        "every_s": heard.every_s,
        "streets": ground.roads is not None,
        "attribution": told["attribution"],
        "data_megabytes": f"{len(data) / 1e6:.1f}",
        "deck": _deck(),
        "told": _inlined(told),
        "data": data,
        "script": "\n".join((scripts / name).read_text(encoding="utf-8") for name in SCRIPTS),
        "style": (scripts / "page.css").read_text(encoding="utf-8"),
    }
    text = templates().get_template("replay.html.j2").render(context)
    return text.replace("@@MEGABYTES@@", f"{len(text.encode()) / 1e6:.1f}")


def _inlined(value: Any) -> str:
    """JSON that may stand within a script element."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


@cache
def _deck() -> str:
    """The script of deck.gl that pydeck's wheel ships, but for its pointer to a file that is not here."""
    place = importlib.resources.files("pydeck") / "nbextension" / "static" / "index.js"
    return place.read_text(encoding="utf-8").partition("//# sourceMappingURL=")[0].replace("</script", "<\\/script")


def _pack_ground(ground: Ground, tracks: Tracks, pack: Pack) -> None:
    for axis, name in enumerate(("x", "y")):
        pack.add(f"node.{name}", np.rint(ground.xy_m[:, axis] * PER_M))
        pack.add(f"bend.{name}", np.rint(ground.shape_m[:, axis] * PER_M))
    roads = ground.roads
    if roads is None:
        return
    tail, head = roads.tail.astype(np.int64), roads.head.astype(np.int64)
    pack.add("node.exits", np.bincount(tail, minlength=roads.nodes))
    pack.add("edge.head", head)
    pack.add("edge.bends", np.diff(ground.shape_start))
    # A two-way street is drawn once.
    drawn = (tail < head) | ~np.isin(tail * roads.nodes + head, head * roads.nodes + tail)
    pack.add("edge.drawn", np.where(drawn, 1 + roads.arterial.astype(np.int64), 0))
    for pace, times_ms in enumerate(tracks.times_ms):
        ridden = np.zeros(len(head), dtype=bool)
        by_step = np.repeat(tracks.pace, np.diff(tracks.step_start))
        ridden[tracks.edge[by_step == pace]] = True
        pack.add(f"edge.ms.{pace}", np.where(ridden, times_ms, 0))


def _pack_tracks(ground: Ground, tracks: Tracks, pack: Pack) -> None:
    """Rides; their streets as which exit was taken at each junction."""
    for name in ("driver", "order", "trip", "origin", "node", "pace"):
        pack.add(f"ride.{name}", getattr(tracks, name), ascending=name == "driver")
    for name in ("depart_s", "end_s"):
        pack.add(f"ride.{name}", ticks(getattr(tracks, name)))
    pack.add("ride.steps", np.diff(tracks.step_start))
    if ground.roads is not None:
        first = np.searchsorted(ground.roads.tail, ground.roads.tail[tracks.edge])
        pack.add("ride.exit", tracks.edge - first)
