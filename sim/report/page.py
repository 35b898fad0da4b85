"""The page of a run: one self-contained HTML file that opens offline."""

import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sim.own import PREFIX
from sim.report.canvas import Picture
from sim.report.drift import drift_pictures
from sim.report.explain import METRICS
from sim.report.figures import by_hour_of_day, distribution, percentiles_by_hour
from sim.report.floor import bench_rows, floor_by_hour, floor_hours, floor_rows, picking_by_stage
from sim.report.platform import all_faults_row, endpoint_rows, fault_rows, simulated, trouble_rows
from sim.report.scorecards import budget_spent, budget_text, scorecards
from sim.report.sections import sections
from sim.report.words import answer, at, centre, figure_text, goods_only, interval_text, levels, local_time, number
from sim.scenario.fields import DAY_S
from sim.scenario.tree import parse_start
from sim.vocabulary import InputError

if TYPE_CHECKING:
    from jinja2 import Environment

    from sim.reading.run import FinishedRun

REPORT: Final = "report.html"
_ORDER_COLUMNS: Final = (
    "order", "store", "driver", "cell", "entered_s", "confirmed_s", "pick_start_s", "packed_s", "picked_up_s", "delivered_s",
    "promised_s", "lat", "lon",
)  # fmt: skip


def write_report(folder: Path, summary: Mapping[str, Any]) -> Path:
    """Write a run's page into its folder.

    Parameters
    ----------
    folder
        Holds the run's manifest and tables; ``summary.json`` need not be there yet.
    summary
        The object of summary.json.

    Returns
    -------
    Path
        The page, ``report.html``.

    Raises
    ------
    InputError
        The folder is not a run's, or cannot be written to.
    """
    from sim.reading.files import read_arrays
    from sim.reading.run import FinishedRun

    run = FinishedRun(folder, whole=False)
    orders, series = read_arrays(folder / "orders.parquet", _ORDER_COLUMNS), read_arrays(folder / "series.parquet")
    page, samples = folder / REPORT, folder / "platform.parquet"
    platform = read_arrays(samples) if samples.exists() else None
    looks = folder / "drift.parquet"
    drift = read_arrays(looks) if looks.exists() else None
    # Who has no room for the log has a page without what it tells.
    logged = run if (folder / "events.parquet").is_file() else None
    text = render(run.manifest, summary, orders, series, platform, drift, logged)
    try:
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{page}: expected a place that can be written to, got: {error.strerror}.") from error
    return page


def templates() -> "Environment":
    """The templates of all pages."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    where = Path(__file__).parent / "templates"
    return Environment(
        loader=FileSystemLoader(where), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def render(
    manifest: Mapping[str, Any],
    summary: Mapping[str, Any],
    orders: dict[str, Any],
    series: dict[str, Any],
    platform: dict[str, Any] | None = None,
    drift: dict[str, Any] | None = None,
    run: "FinishedRun | None" = None,
) -> str:
    """Put the page together; the same run gives the same bytes (nothing of this machine's clock is in it).

    Parameters
    ----------
    platform, drift
        Columns of platform.parquet and drift.parquet, where there are such files.
    run
        The run itself, for what its log tells; None: a page without it.
    """
    from sim.report.interactive import NOTHING, interactive

    environment = templates()
    currency = at(manifest, "scenario.costs.currency")
    environment.filters["percent"] = lambda share: figure_text(share, "share")
    environment.filters["number"] = number
    start = parse_start(at(manifest, "scenario.start"))
    environment.globals["clock"] = lambda t_s: f"{local_time(start, t_s):%H:%M}"
    environment.globals["value_of"] = lambda row: figure_text(row.value, row.kind, currency)
    environment.globals["interval_of"] = lambda row: interval_text(row.value, row.kind, currency)
    return environment.get_template("report.html.j2").render(
        _context(manifest, summary, orders, series, currency)
        | _pictures(manifest, summary, orders, series, drift)
        | _floor(manifest, summary, series)
        | _platform(manifest, summary)
        | (NOTHING if run is None else interactive(run, summary, orders, series, platform))
    )


def _context(
    manifest: Mapping[str, Any],
    summary: Mapping[str, Any],
    orders: dict[str, Any],
    series: dict[str, Any],
    currency: str | None,
) -> dict[str, Any]:
    from sim.report.citymap import ATTRIBUTION, city_map

    scenario = manifest["scenario"]
    start, warmup_s, horizon_s = (
        parse_start(scenario["start"]),
        scenario["warmup_h"] * 3600.0,
        scenario["horizon_h"] * 3600.0,
    )
    end = start + timedelta(seconds=horizon_s)
    return {
        "name": scenario["name"],
        "description": scenario.get("description") or "",
        "when": f"{start:%A} {start.day} {start:%B %Y, %H:%M} to "
        + (f"{end:%H:%M}" if end.date() == start.date() else f"{end:%A} {end.day} {end:%B %Y, %H:%M}"),
        "zone": str(start.tzinfo),
        "warmup_h": scenario["warmup_h"],
        "answer": answer(summary),
        "levels": levels(summary, currency),
        "budgets": [budget_text(budget_spent(slo)) for slo in summary.get("slo") or ()],
        "cards": [] if goods_only(summary) else scorecards(summary, currency),
        "asked": bool(scenario.get("slo")),
        "tiles": _tiles(summary, currency),
        "sections": [(section, any(row.share is not None for row in section.rows)) for section in sections(summary)],
        "map": city_map(manifest, orders, warmup_s),
        "attribution": ATTRIBUTION if isinstance(scenario["map"], str) else "",
        "replications": summary.get("replications", 1),
        "facts": _facts(manifest, summary),
        "command": _command(manifest),
        "policies": scenario.get("policies") or {},
        "meanings": [
            metric
            for name, metric in METRICS.items()
            # The floor's section says what its figures mean.
            if metric.meaning
            and not name.startswith(("platform.services", "floor.", "packing.", "substitutions.", "cost.by_kind."))
        ],
    }


def _pictures(
    manifest: Mapping[str, Any],
    summary: Mapping[str, Any],
    orders: dict[str, Any],
    series: dict[str, Any],
    drift: dict[str, Any] | None,
) -> dict[str, Any]:
    """How the run went: orders and people; drift where it had time to come about, or is all there is."""
    scenario = manifest["scenario"]
    start = parse_start(scenario["start"])
    warmup_s, horizon_s = (scenario[key] * 3600.0 for key in ("warmup_h", "horizon_h"))
    hours = percentiles_by_hour(orders, start, warmup_s)
    pictures: list[Picture | None] = []
    if not goods_only(summary):
        pictures = [
            distribution(orders, warmup_s),
            by_hour_of_day(hours),
        ]
    if drift is not None and (goods_only(summary) or horizon_s > DAY_S):
        stores = [store["name"] for store in manifest["world"]["stores"]]
        categories = [category["name"] for category in scenario["catalogue"]["categories"]]
        pictures += drift_pictures(drift, start, stores, categories)
    return {"pictures": [picture for picture in pictures if picture], "hours": hours}


def _floor(manifest: Mapping[str, Any], summary: Mapping[str, Any], series: dict[str, Any]) -> dict[str, Any]:
    """What the page says of the shop floor."""
    scenario = manifest["scenario"]
    end_s = (scenario["horizon_h"] + scenario["drain_h"]) * 3600.0
    hours = floor_hours(series, parse_start(scenario["start"]), scenario["warmup_h"] * 3600.0, end_s)
    # Without orders there is nothing to say of most.
    rows = [(row, told) for row, told in floor_rows(summary) if centre(row.value) or not goods_only(summary)]
    rows += [(row, told) for row, told in bench_rows(summary) if centre(row.value)]
    pictures = [picture for picture in (floor_by_hour(hours), picking_by_stage(summary)) if picture is not None]
    return {"floor": rows, "floor_hours": hours, "floor_pictures": pictures}


def _platform(manifest: Mapping[str, Any], summary: Mapping[str, Any]) -> dict[str, Any]:
    """What the page says of the software platform; nothing for a run without one."""
    names = [store["name"] for store in at(manifest, "world.stores") or ()]
    return {
        "platform": simulated(summary),
        "endpoints": endpoint_rows(summary),
        "all_faults": all_faults_row(summary),
        "faults": fault_rows(summary, parse_start(manifest["scenario"]["start"]), names),
        "troubles": trouble_rows(summary),
    }


def _tiles(summary: Mapping[str, Any], currency: str | None) -> list[tuple[str, str]]:
    """The few figures that a meeting asks for first."""
    wanted = {
        "click_to_door_s.p50": "half delivered within",
        "click_to_door_s.p95": "95 % delivered within",
        "on_time": "of confirmed orders on time",
        "fill_rate": "of wanted units filled",
        "orders_per_driver_hour": "orders per driver-hour",
        "cost.per_order_cents": "cost per order",
    }
    if goods_only(summary):
        wanted = {
            "fill_rate": "of wanted units filled",
            "drift.records_inaccurate_share": "of the records wrong",
            "drift.phantom_share": "of the records phantom stock",
            "losses.shrink_share": "shrink",
            "losses.waste_share": "waste",
            "floor.cover_days": "days of cover",
        }
    return [(label, figure_text(at(summary, path), METRICS[path].kind, currency)) for path, label in wanted.items()]


def _facts(manifest: Mapping[str, Any], summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    world, scenario = manifest["world"], manifest["scenario"]
    facts = [
        ("Scenario", scenario["name"]),
        ("Seed", str(summary.get("seed", manifest.get("seed")))),
        ("Replications", str(summary.get("replications", 1))),
        ("Map", world["map"]),
        ("Stores", str(len(world["stores"]))),
        ("Drivers", number(_heads(scenario["drivers"], scenario["drivers"]["count"]))),
        ("Pickers", number(_heads(scenario["pickers"], scenario["pickers"]["per_store"] * len(world["stores"])))),
        ("Articles", number(world["skus"])),
        ("Fingerprint of what was simulated", str(summary.get("fingerprint", manifest.get("fingerprint")))),
        ("Digest of the event log", str(summary.get("digest") or manifest.get("digest") or "–")),
        ("Versions", ", ".join(f"{name} {version}" for name, version in (manifest.get("versions") or {}).items())),
    ]
    return [(name, value) for name, value in facts if value]


def _heads(people: Mapping[str, Any], count: int) -> int:
    """How many people there are: by the shifts where these say so, else as many as `count`."""
    counted = [shift.get("people") for shift in people["shifts"]]
    return sum(counted) if counted and None not in counted else count


def repeated(given: Sequence[str]) -> str:
    """A command line as anybody can type it, however the program was started here.

    A policy that was handed over in Python has no name that a shell knows; a comment says what would.
    """
    ours = bool(given) and Path(given[0]).stem in ("darkstore", "darkstore-script", "cli", "__main__")
    own = dict.fromkeys(name for word in given for name in re.findall(rf"\b{PREFIX}(\w+)", word))
    notes = [f"# {PREFIX}{name} was handed over in Python; from a shell, name its file: file.py:{name}" for name in own]
    return "\n".join([shlex.join(["darkstore", *given[1:]] if ours else given), *notes])


def _command(manifest: Mapping[str, Any]) -> str:
    """The command line that repeats the run."""
    given = [str(word) for word in manifest.get("command") or ()]
    if given:
        return repeated(given)
    return shlex.join(["darkstore", "run", str(manifest["scenario"]["name"]), "--seed", str(manifest.get("seed"))])
