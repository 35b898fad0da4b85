"""``darkstore mdrp``: what it writes, prints and refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from sim.shell.errors import guarded
from tests.experiments.mdrp_instances import write_instance


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Any:
    """Call the command: (exit code, stdout, stderr)."""
    from cli import app

    def run(*arguments: str) -> tuple[int, str, str]:
        code = guarded(app, list(arguments))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_run_writes_what_the_evaluator_reads(call: Any, tmp_path: Path) -> None:
    instance, out = write_instance(tmp_path / "one", 1, orders=30), tmp_path / "out"
    code, said, _ = call("mdrp", "run", str(instance), "--out", str(out))
    assert code == 0
    assert "one " in said
    names = {"solution_info_assignments.txt", "solution_info_couriers.txt", "solution_info_orders.txt", "summary.json"}
    assert {path.name for path in out.iterdir()} == names
    assert all(len(line) <= 100 for line in said.splitlines())
    code, _, problem = call("mdrp", "run", str(instance), "--out", str(out))
    assert code == 2
    assert "holds a finished run" in problem
    again = ("mdrp", "run", str(instance), "--out", str(out), "--force", "--json", "--policy")
    code, _, problem = call(*again, "neerest")
    assert (code, problem.startswith("darkstore: --policy dispatch=neerest: policies.dispatch: expected")) == (2, True)
    one, other = (json.loads(call(*again, said)[1]) | {"decision_ms": 0.0} for said in ("dispatch=nearest", "nearest"))
    assert one == other
    code, said, _ = call(*again, "nearest")
    assert code == 0
    assert json.loads(said) == json.loads((out / "summary.json").read_text())
    assert json.loads(said)["policy"] == "nearest"


def test_bench_prints_each_the_mean_and_the_published(call: Any, tmp_path: Path) -> None:
    folders = [str(write_instance(tmp_path / f"i{seed}", seed, orders=20)) for seed in range(2)]
    code, said, _ = call("mdrp", "bench", *folders, "--workers", "1")
    assert code == 0
    assert [name in said for name in ("i0", "i1", "mean of 2", "31.88", "30.67")] == [True] * 5
    assert all(len(line.rstrip()) <= 100 for line in said.splitlines())
    code, said, _ = call("mdrp", "bench", *folders, "--json", "--workers", "2")
    assert [found["instance"] for found in json.loads(said)["instances"]] == ["i0", "i1"]
    assert "jittered" not in json.loads(said)


def test_bench_breaks_ties_otherwise_as_often_as_it_is_told(call: Any, tmp_path: Path) -> None:
    folders = [str(write_instance(tmp_path / f"i{seed}", seed, orders=20)) for seed in range(2)]
    code, said, _ = call("mdrp", "bench", *folders, "--workers", "1", "--jitter", "3")
    assert code == 0
    assert [name in said for name in ("mean of 2", "ties otherwise, 3", "mean of these 4", "30.67")] == [True] * 4
    code, said, _ = call("mdrp", "bench", *folders, "--workers", "1", "--jitter", "3", "--json")
    assert [len(played) for played in json.loads(said)["jittered"]] == [2, 2, 2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "nowhere", "--out", "x"), "nowhere: expected a folder with an MDRP instance"),
        (("bench", "nowhere"), "nowhere: expected a folder with an MDRP instance"),
        (("run", "one", "--out", "x", "--policy", "nobody"), "nobody"),
        (("run", "one", "--out", "x", "--policy", "matching(every_s=0)"), "every_s"),
    ],
)
def test_what_will_not_do_is_one_line_and_leaves_nothing(
    call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_instance(Path("one"), 1, orders=5)
    code, out, problem = call("mdrp", *arguments)
    assert (code, out) == (2, "")
    assert said in problem
    assert len(problem.splitlines()) == 1
    assert not Path("x").exists()
