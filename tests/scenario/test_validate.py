"""``darkstore scenario validate`` refuses whatever a run would refuse before its first moment, at the place to mend."""

from pathlib import Path
from typing import Any

import pytest

from cli import app
from sim.shell.errors import guarded

HEAD = "extends: small\nname: mine\nhorizon_h: 0.5\n"

REFUSED = {
    "zone": (
        "stores: {layout: {aisles: 6, bench: 0, zones: {frozen: {aisles: 1}}}}\ncatalogue: {skus: 3000, categories: ["
        "{name: a, share: 0.1, price_cents: 300, litres: 1},{name: b, share: 0.9, price_cents: 300, litres: 1, zone: frozen}]}\n",
        "mine.yaml:4: stores.layout.zones.frozen: expected slots for its 2700 frozen SKUs, got 512 slots (see catalogue.skus,"
        " catalogue.categories).",
    ),
    "untaught": (
        "policies:\n  forecast: gradient_boosting\n",
        "mine.yaml:5: policies.forecast: expected trained_on=FOLDER, the folder of a finished run to learn from, got none.",
    ),
    "taught by nobody": (
        "policies:\n  forecast: gradient_boosting(trained_on='nowhere')\n",
        "mine.yaml:5: policies.forecast: trained_on: expected a finished run's folder, got nowhere without summary.json.",
    ),
    "twins": (
        "catalogue:\n  categories:\n  - {name: a, share: 0.5, price_cents: 300, litres: 1}\n"
        "  - {name: a, share: 0.5, price_cents: 300, litres: 1}\n",
        "mine.yaml:5: catalogue.categories: expected categories with different names, got a, a.",
    ),
    "own hours": (
        "policies:\n  reconciliation: mine.py:Odd\n",
        "mine.yaml:5: policies.reconciliation: expected count_at as a time \"HH:MM\" from 00:00 to 24:00, or \"1d HH:MM\" for the"
        " day after the first, got 'noon'.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_run_refuses_validate_refuses_with_the_same_line(
    case: str, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    text, expected = REFUSED[case]
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(HEAD + text)
    Path("mine.py").write_text(
        "class Odd:\n    count_at = 'noon'\n    def plan(self, view): return []\n    def __call__(self, view): return False\n"
    )
    for command in (["scenario", "validate", "mine.yaml"], ["run", "mine.yaml", "--quiet", "--out", "day"]):
        code = guarded(app, [*command, "--allow-code"])
        said = capsys.readouterr()
        assert (code, said.out, said.err) == (2, "", f"darkstore: {expected}\n")
    assert not Path("day").exists()


def test_what_a_policy_says_on_the_way_is_refused_at_the_line_that_names_it(
    tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    """The day has begun by then; the line is as clear."""
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(
        HEAD + "start: 2026-11-20T17:00 America/Santiago\npolicies:\n  picking: mine.py:Beyond\n"
    )
    Path("mine.py").write_text("class Beyond:\n    def __call__(self, view): return 10_000\n")
    assert guarded(app, ["run", "mine.yaml", "--allow-code", "--quiet", "--out", "day"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("darkstore: mine.yaml:6: policies.picking: expected a place in the queue of ")
    assert said.count("\n") == 1
    assert not Path("day").exists()


@pytest.mark.parametrize(
    "setting", ["catalogue.skus=4600", "stores.layout.zones.chilled.aisles=6", "stores.layout.levels=7"]
)
def test_goods_without_slots_are_blamed_on_what_the_command_line_set(setting: str, capsys: Any) -> None:
    """Whichever side of the two it was: the catalogue, a zone, all aisles."""
    assert guarded(app, ["scenario", "validate", "small", "--set", setting]) == 2
    assert capsys.readouterr().err.startswith(f"darkstore: --set {setting}: ")
