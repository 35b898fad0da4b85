"""The page in a real browser: charts, late orders, the order explorer; and what the charts say without one."""

import gzip
import json
import re
import shutil
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.reading.lateness import usual, waterfall
from sim.reading.paths import ways_of
from sim.reading.run import FinishedRun
from sim.reading.stories import KINDS, stories_of
from sim.report.explorer import AWAY, chosen
from sim.report.page import write_report
from sim.report.scorecards import budget_spent
from tests.browsing import shown

SCRIPT = re.compile(r'<script type="([^"]+)" id="([^"]+)">(.*?)</script>', re.DOTALL)


@pytest.fixture(scope="module")
def page(noon_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page") / "noon"
    shutil.copytree(noon_folder, folder)
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return write_report(folder, summary)


@pytest.fixture(scope="module")
def carried(page: Path) -> dict[str, str]:
    """What the page carries in its script elements, by id."""
    return {name: text for _, name, text in SCRIPT.findall(page.read_text(encoding="utf-8"))}


def test_every_chart_is_a_figure_of_plotly(carried: dict[str, str]) -> None:
    from plotly.graph_objects import Figure

    def plain(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: plain(value) for key, value in tree.items()}
        if isinstance(tree, list):
            return [plain(value) for value in tree]
        return "#123456" if isinstance(tree, str) and tree.startswith("--") else tree

    charts = {name: json.loads(text) for name, text in carried.items() if name.startswith("chart-")}
    assert {"chart-day", "chart-stages", "chart-lateness", "chart-drivers-activity", "chart-money"} <= charts.keys()
    for figure in charts.values():
        Figure(plain(figure))  # plotly refuses what it does not know


def test_colours_are_variables_of_the_page(page: Path, carried: dict[str, str]) -> None:
    style = page.read_text(encoding="utf-8")
    for name, text in carried.items():
        if name.startswith("chart-"):
            for variable in re.findall(r'"(--\w+)"', text):
                assert style.count(f"{variable}:") >= 2, f"{variable} is wanted in light and in dark"


def test_the_stories_on_the_page_are_those_of_the_log(noon: FinishedRun, carried: dict[str, str]) -> None:
    tree = json.loads(gzip.decompress(b64decode(carried["stories"])))
    entered = noon.columns("orders", "order")["order"]
    away = noon.archive.rows("order_rejected", ("order",))["order"].tolist()
    everybody = sorted([*entered, *away])
    assert [row[0] for row in tree["orders"]] == everybody
    assert {row[0] for row in tree["orders"] if row[3] == AWAY} == set(away)
    stories = stories_of(noon, everybody)
    assert sum(row[10] for row in tree["orders"]) == len(tree["k"]) == sum(map(len, stories.values()))
    first, events = tree["orders"][0], stories[tree["orders"][0][0]]
    assert [KINDS[kind] for kind in tree["k"][: first[10]]] == [event.kind for event in events]
    assert sum(tree["t"][: first[10]]) == round(10.0 * events[-1].t_s)


def test_late_orders_are_told_first_where_not_all_can_be(noon: FinishedRun) -> None:
    names = ("order", "entered_s", "promised_s", "delivered_s")
    table = {name: noon.table("orders")[name].to_numpy() for name in names}
    late_s = table["delivered_s"] - table["promised_s"]
    latest = table["order"][np.argsort(np.nan_to_num(-late_s))][:4]
    few = chosen(table, 0.0, 8)
    assert few == sorted(set(few))
    assert len(few) <= 8
    assert set(latest.tolist()) <= set(few)
    assert set(table["order"][np.isnan(late_s)][:2].tolist()) <= set(few)
    everybody = chosen(table)
    assert everybody == sorted(table["order"].tolist())
    assert all(order in everybody for order in few)
    assert chosen(table, 1e9) == []


def test_vehicles_and_stores_share_out_the_late_orders(page: Path, noon: FinishedRun) -> None:
    source = page.read_text(encoding="utf-8").split("Whose orders were late.")[1].split("</table>")[0]
    rows = re.findall(r'<th scope="row">(by|from) .*?</th><td class="n">(\d+)</td><td class="n">(\d+)</td>', source)
    columns = noon.columns("orders", "promised_s", "delivered_s")
    late = [done > due for due, done in zip(*columns.values(), strict=True) if done is not None]
    for kind in ("by", "from"):
        mine = [(int(orders), int(some)) for which, orders, some in rows if which == kind]
        assert [sum(column) for column in zip(*mine, strict=True)] == [len(late), sum(late)]


def test_lateness_on_the_page_adds_up(noon: FinishedRun, carried: dict[str, str]) -> None:
    ways = ways_of(noon)
    late_min = sum(way.late_s for way in ways if way.late_s > 0.0) / 60.0
    (bars,) = json.loads(carried["chart-lateness"])["data"]
    assert bars["x"][-1] == pytest.approx(late_min, abs=0.02)
    assert sum(bars["x"][:-1]) == pytest.approx(late_min, abs=0.1)
    assert sum(usual(ways).values()) == pytest.approx(1.0)
    assert waterfall([way for way in ways if way.late_s <= 0.0]) == []


@pytest.mark.parametrize(
    ("metric", "op", "target", "observed", "spent"),
    [
        ("within_s.1800", ">=", 0.95, 0.95, 1.0),
        ("within_s.1800", ">=", 0.95, 0.975, 0.5),
        ("on_time", ">=", 1.0, 1.0, 0.0),
        ("on_time", ">=", 1.0, 0.9, float("inf")),
        ("click_to_door_s.p95", "<=", 1200.0, 600.0, 0.5),
        ("orders_per_driver_hour", ">=", 2.0, 4.0, 0.5),
        ("on_time", ">=", 0.9, None, None),
    ],
)
def test_a_budget_is_spent_when_the_level_is_just_met(
    metric: str, op: str, target: float, observed: float | None, spent: float | None
) -> None:
    found = budget_spent({"metric": metric, "op": op, "target": target, "observed": observed})
    assert found == (None if spent is None else pytest.approx(spent))


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (390, True)])
def test_a_browser_without_a_network_draws_everything(page: Path, width: int, dark: bool) -> None:
    with shown(page, width=width, dark=dark) as seen:
        seen.page.wait_for_function(
            "document.querySelectorAll('.chart:not([data-drawn])').length === 0", timeout=60_000
        )
        seen.page.wait_for_selector("#explorer[data-ready]", timeout=60_000)
        drawn = seen.ask("[...document.querySelectorAll('.chart .main-svg')].map(e => e.getBoundingClientRect().width)")
        assert len(drawn) >= 8
        assert all(each > 150 for each in drawn)
        sizes = seen.ask("[...document.querySelectorAll('figure > svg')].map(e => e.getBoundingClientRect().height)")
        assert all(each > 50 for each in sizes)
        assert seen.ask("document.documentElement.scrollWidth") <= width, "the page must not scroll sideways"
        ink, ground = (seen.ask(f"getComputedStyle(document.body).{name}") for name in ("color", "backgroundColor"))
        assert contrast(ink, ground) >= 7.0
        seen.page.emulate_media(media="print")
        seen.page.wait_for_timeout(500)
        printed = seen.ask("getComputedStyle(document.querySelector('.chart .xtick text')).fill")
        assert contrast(printed, "rgb(255, 255, 255)") >= 7.0, "paper is white"
        assert seen.wrong == []


def test_a_click_opens_an_order(page: Path, noon: FinishedRun) -> None:
    latest = max(ways_of(noon), key=lambda way: way.late_s)
    with shown(page) as seen:
        seen.page.wait_for_selector("#explorer[data-ready]", timeout=60_000)
        seen.page.click(f'#late a[href="#order-{latest.order}"], section a[href="#order-{latest.order}"]')
        seen.page.wait_for_selector(f"#order-{latest.order}")
        story = seen.ask("document.querySelector('.story').innerText")
        assert "late" in story
        motion = seen.ask(
            "[...document.querySelectorAll('a')].map(a => a.getAttribute('href')).filter(h => /replay/.test(h))"
        )
        assert motion == ["replay.html", f"replay.html#order={latest.order}&play"]
        assert "offered to driver" in story
        assert "What made it late" in story
        assert not re.search(r"undefined|NaN|\{\w+\}", story)
        assert "(car)" in story or "(scooter)" in story or "(ebike)" in story
        assert "set out for the door" in story
        seen.ask("location.hash = '#order-99999'")
        seen.page.wait_for_function("document.querySelector('.story').innerText.includes('no story of order 99999')")
        seen.page.fill("#explorer input[type=number]", "0")
        seen.page.keyboard.press("Enter")
        seen.page.wait_for_selector("#order-0")
        seen.page.check("#explorer input[type=checkbox]")
        assert len(stories_of(noon, [0])[0]) == seen.ask("document.querySelectorAll('.log li').length")
        seen.page.select_option("#explorer select", "troubled")
        assert seen.ask("document.querySelectorAll('.found tbody tr').length") > 0
        assert seen.wrong == []


def contrast(*colours: str) -> float:
    """Contrast of two colours by WCAG 2.1."""

    def light(colour: str) -> float:
        shares = [int(part) / 255.0 for part in re.findall(r"\d+", colour)[:3]]
        red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted(map(light, colours))
    return (high + 0.05) / (low + 0.05)
