"""OpenMetrics: read by the format's own parser; the dashboard asks for exactly what is there."""

import json
import math
import re
import sys
from itertools import pairwise

import pytest

from sim.exports import FORMATS
from sim.vocabulary import InputError


@pytest.fixture
def written(exported):
    pytest.importorskip("prometheus_client")
    return exported("openmetrics")


@pytest.fixture
def families(written):
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    text = (written / "metrics.txt").read_text(encoding="utf-8")
    assert text.endswith("# EOF\n")
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_every_column_is_a_gauge_with_help_and_labels(families, run):
    columns = set(run.table("series").column_names) | {f"service_{name}" for name in run.table("platform").column_names}
    columns -= {"t_s", "service_t_s", "service_service"}
    spelt = {re.sub("_s$", "_seconds", name.replace("_per_s", "_per_second")) for name in columns}
    assert set(families) == {f"darkstore_{name}" for name in spelt}
    for family in families.values():
        assert family.type == "gauge"
        assert family.documentation
        labels = {"scenario", "run"} | ({"service"} if "_service_" in family.name else set())
        assert all(set(sample.labels) == labels for sample in family.samples)


def test_times_are_those_of_the_simulated_clock_and_ascend(families, run):
    start_s = run.start.timestamp()
    for family in families.values():
        rows = [(sample.labels.get("service", ""), float(sample.timestamp)) for sample in family.samples]
        assert all(one < other for one, other in pairwise(rows))
        assert all(start_s <= t_s <= start_s + run.close_s for _, t_s in rows)
    assert not [name for name in families if name.endswith("_created")]


def test_values_are_those_of_the_tables(families, run):
    orders = run.columns("series", "t_s", "open_orders")
    told = {float(s.timestamp): s.value for s in families["darkstore_open_orders"].samples}
    start_s = run.start.timestamp()
    assert told == {start_s + t_s: value for t_s, value in zip(*orders.values(), strict=True)}
    looks = run.columns("platform", "service", "p99_s")
    known = [value for value in looks["p99_s"] if value is not None]
    assert len(known) < len(looks["p99_s"])
    samples = families["darkstore_service_p99_seconds"].samples
    assert math.isclose(sum(sample.value for sample in samples), sum(known))
    assert len(samples) == len(known)


def test_the_dashboard_asks_for_exactly_the_gauges_that_there_are(written, families, run):
    board = json.loads((written / "dashboard.json").read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    names = [re.fullmatch(r'(\w+)\{scenario="\$scenario",run="\$run"\}', expr)[1] for expr in asked]
    assert sorted(names) == sorted(families)
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert all(panel["title"] and panel["type"] == "timeseries" for panel in board["panels"])
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
    assert len(set(places)) == len(places)
    assert board["time"] == {"from": run.iso(0.0), "to": run.iso(run.close_s)}
    assert [variable["name"] for variable in board["templating"]["list"]] == ["source", "scenario", "run"]


def test_without_the_package_one_line_says_what_to_install(run, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("prometheus_client")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(InputError, match=r"darkstore\[export\]"):
        FORMATS["openmetrics"].write(run, tmp_path)
