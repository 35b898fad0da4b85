"""The page of a run: whole in one file, readable by everybody, and the same for the same run."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sim.experiments.replicate import combine
from sim.experiments.runs import run_to_folder
from sim.report import write_report
from sim.report.page import render
from sim.report.sections import sections
from sim.report.words import answer, levels
from sim.scenario import Scenario, load
from sim.vocabulary import InputError
from tests.conftest import Builder, Play

FETCHING = {"src", "srcset", "poster", "data", "background", "xlink:href", "action", "formaction", "manifest"}
"""Attributes that make a browser get something."""

SCRIPTS = re.compile(r"<script[^>]*>(.*?)</script>", re.DOTALL)

UNCLOSED = {"meta", "link", "img", "br", "hr", "input"}


@dataclass
class Page(HTMLParser):
    """What a browser would find on a page."""

    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in UNCLOSED:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def parsed(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    assert not page.open
    return page


def a_run(scenario: Scenario, folder: Path) -> dict[str, Any]:
    """Run to a folder, its page included; the summary as it stands in the file."""
    run_to_folder(scenario, folder, finish=write_report)
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return summary


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, two_stores: Builder) -> tuple[Path, dict[str, Any]]:
    """A run of two stores with levels met, missed and missed with a warning."""
    slo = "slo=['within_s.1800 >= 0.5', 'click_to_door_s.p95 <= 120', 'cost.per_order_cents <= 12.5 (warn)']"
    folder = tmp_path_factory.mktemp("town") / "run"
    return folder, a_run(two_stores(slo, "warmup_h=0.25", "description='Two stores & <b>a plain</b>'"), folder)


@pytest.fixture(scope="module")
def page(town: tuple[Path, dict[str, Any]]) -> Page:
    return parsed(town[0] / "report.html")


def test_nothing_is_fetched(town: tuple[Path, dict[str, Any]], page: Page) -> None:
    for tag, attributes in page.tags:
        assert tag not in {"link", "iframe", "object", "embed", "base"}
        assert tag != "script" or "src" not in attributes
        for name, value in attributes.items():
            if name in FETCHING or (name == "href" and tag != "a"):
                assert value.startswith(("#", "data:")), f"{tag} {name}={value[:60]}"
            assert not name.startswith("on")
    source = (town[0] / "report.html").read_text(encoding="utf-8")
    assert "@import" not in source
    assert all(target.startswith("#") for target in re.findall(r"url\(['\"]?([^)]*)", source))


def test_every_figure_says_what_it_shows(page: Page) -> None:
    charts = [each for each in page.all("div") if "data-of" in each]
    assert len(page.all("svg")) == 5
    assert len(charts) == 8
    assert len(page.all("figure")) == 13
    for picture in page.all("svg") + charts:
        assert picture["role"] == "img"
        assert re.search(r"\d", picture["aria-label"]), picture["aria-label"]
    assert all(image.get("alt") for image in page.all("img"))


def test_headings_descend_step_by_step(page: Page) -> None:
    ranks = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert ranks[0] == 1
    assert ranks.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(ranks))


def test_ids_are_unique_and_lead_somewhere(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        for name, value in attributes.items():
            if name in ("xlink:href", "aria-labelledby") and not value.startswith("data:"):
                assert value.removeprefix("#") in ids
            for target in re.findall(r"url\(#([^)]+)\)", value):
                assert target in ids


def test_the_page_says_every_figure_of_the_summary(town: tuple[Path, dict[str, Any]], page: Page) -> None:
    _, summary = town
    assert answer(summary) in page.text
    found = levels(summary, "USD")
    assert [level.met for level in found if not level.platform] == [True, False, False]
    for level in found:
        assert f"{level.label} {level.target} {level.observed}" in page.text
        assert f"{'✓' if level.met else '✗'} {level.verdict}" in page.text
    assert "missed (warning)" in page.text
    assert "≤ USD 0.125" in page.text
    assert summary["digest"] in page.text
    assert summary["fingerprint"] in page.text
    for section in sections(summary):
        assert section.title in page.text
        assert all(row.label in page.text for row in section.rows)


def test_a_page_of_a_plain_thanks_nobody_for_its_streets(page: Page) -> None:
    assert "OpenStreetMap" not in page.text


def test_names_are_text_and_nothing_else(town: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    evil = "</svg><script>alert(1)</script> & $x_{"
    folder = tmp_path / "run"
    shutil.copytree(town[0], folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["world"]["stores"][0]["name"] = evil
    manifest["world"]["map"] = evil
    manifest["scenario"]["costs"]["currency"] = "<EUR>"
    manifest["command"] = ["/somewhere/bin/darkstore", "run", evil]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    found = parsed(write_report(folder, town[1]))
    assert not any("alert(1)" in text for text in SCRIPTS.findall((folder / "report.html").read_text(encoding="utf-8")))
    assert not found.all("b") or all(attributes == {} for attributes in found.all("b"))
    assert evil in found.text
    assert "Two stores & <b>a plain</b>" in found.text
    assert "<EUR> " in found.text
    assert "darkstore run '</svg>" in found.text


def test_the_same_run_gives_the_same_bytes(two_stores: Builder, tmp_path: Path) -> None:
    for name in ("one", "two"):
        a_run(two_stores("horizon_h=1"), tmp_path / name)
    assert (tmp_path / "one" / "report.html").read_bytes() == (tmp_path / "two" / "report.html").read_bytes()


def test_a_page_can_be_written_again(town: tuple[Path, dict[str, Any]]) -> None:
    before = (town[0] / "report.html").read_bytes()
    assert write_report(*town) == town[0] / "report.html"
    assert (town[0] / "report.html").read_bytes() == before


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("demand.orders_per_day=0",), "Nobody wanted to order; no service level could be observed."),
        (('drivers.shifts=[{at: "20:00", hours: 1}]',), "customers who wanted to order was served"),
        (("map={width_m: 0, height_m: 0, points: 1, speed_kmh: 30}", "slo=[]"), "asks for no service levels"),
    ],
    ids=["no orders", "no deliveries", "one point, no levels"],
)
def test_a_run_with_little_to_tell_has_a_page(
    one_store: Builder, tmp_path: Path, settings: tuple[str, ...], said: str
) -> None:
    a_run(one_store(*settings), tmp_path / "run")
    found = parsed(tmp_path / "run" / "report.html")
    assert said in found.text
    assert not re.search(r"\b(nan|None(?! of)|inf)\b", found.text)
    assert all(picture["aria-label"] for picture in found.all("svg"))


def test_the_hours_of_the_table_add_up(town: tuple[Path, dict[str, Any]]) -> None:
    folder, summary = town
    source = (folder / "report.html").read_text(encoding="utf-8")
    rows = re.findall(
        r'<th scope="row">\d\d:00</th><td class="n">([\d,]+)</td>.*?<td class="n">([\d,]+)</td></tr>', source
    )
    orders = pq.read_table(folder / "orders.parquet", columns=["entered_s", "delivered_s", "promised_s"]).to_pandas()
    late = (orders.delivered_s > orders.promised_s) & (orders.entered_s >= 900.0)
    assert sum(int(delivered.replace(",", "")) for delivered, _ in rows) == summary["orders"]["delivered"]
    assert sum(int(n.replace(",", "")) for _, n in rows) == int(late.sum())


def test_a_real_city_is_drawn_with_its_streets_and_thanks(tmp_path: Path) -> None:
    quick = ("horizon_h=1", "drain_h=1", "start=2026-11-20T12:00 Europe/Stockholm", "map=gothenburg", "stores.count=2")
    a_run(load("default", [*quick, "demand.orders_per_day=1000"]), tmp_path / "run")
    source = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    found = parsed(tmp_path / "run" / "report.html")
    assert found.text.count("© OpenStreetMap contributors") == 2
    assert "data:image/png;base64," in source
    assert "12:00 to 13:00 (Europe/Stockholm)" in found.text
    assert len(source) < 6_000_000


def test_weeks_without_orders_have_dates_and_no_word_of_late_ones(one_store: Builder, tmp_path: Path) -> None:
    """Beyond thirty days a weekday alone says nothing; up to then it does."""
    goods = ("mode=goods_only", "drain_h=0", "start=2026-08-22T00:00+00:00", "demand.orders_per_day=20", "slo=[]")
    for days, seen, unseen in (
        (60, r">\d+ Sep<", r">(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d+<"),
        (20, r">Wed 26<", r">\d+ Aug<"),
    ):
        a_run(one_store(*goods, f"horizon_h={24 * days}"), tmp_path / f"{days}")
        source = (tmp_path / f"{days}" / "report.html").read_text(encoding="utf-8")
        assert re.search(seen, source)
        assert not re.search(unseen, source)
        assert "late order" not in source
        assert "Stores and demand" in source


def test_another_map_of_the_same_name_is_not_drawn(town: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(town[0], folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for name in ("gothenburg", "no-such-map"):
        manifest["scenario"]["map"] = manifest["world"]["map"] = name
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        assert "data:image/png" not in write_report(folder, town[1]).read_text(encoding="utf-8")


def test_a_folder_that_is_no_run_is_refused_in_one_line(tmp_path: Path, town: tuple[Path, dict[str, Any]]) -> None:
    def refused() -> str:
        with pytest.raises(InputError, match="expected") as error:
            write_report(tmp_path, town[1])
        assert "\n" not in str(error.value)
        return str(error.value)

    assert "manifest.json" in refused()
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    assert "expected JSON" in refused()
    shutil.copy(town[0] / "manifest.json", tmp_path)
    assert "orders.parquet" in refused()
    (tmp_path / "orders.parquet").write_bytes(b"PAR1")
    assert "orders.parquet" in refused()


def test_a_page_of_replications_shows_intervals(
    town: tuple[Path, dict[str, Any]], two_stores: Builder, play: Play
) -> None:
    folder, first = town
    other = first | play(two_stores("warmup_h=0.25"), replication=1).study.summary
    joint = combine(two_stores("slo=['on_time >= 0.5']"), [first, other])
    manifest, orders, series = (json.loads((folder / "manifest.json").read_text(encoding="utf-8")), *_tables(folder))
    found = Page()
    found.feed(render(manifest, joint, orders, series))
    level = levels(joint)[0]
    assert " to " in level.interval
    assert f"{level.label} {level.target} {level.observed} {level.interval}" in found.text
    assert "Pictures and map show the first of the 2 replications." in found.text


def _tables(folder: Path) -> list[dict[str, Any]]:
    tables = (pq.read_table(folder / f"{name}.parquet") for name in ("orders", "series"))
    return [{name: table[name].to_numpy() for name in table.column_names} for table in tables]


def test_the_report_loads_nothing_heavy_until_it_is_written() -> None:
    heavy = "{'pandas', 'matplotlib', 'scipy.stats', 'osmnx', 'h3', 'jinja2'}"
    code = f"import sys, sim.report; print(sorted({heavy} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
