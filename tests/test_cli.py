"""The command as its users meet it: results on stdout, one line for an error, exit codes, nothing half-written."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import cli
from sim.shell.errors import guarded

PLAIN = """
name: plain
start: 2026-11-20T12:00+00:00
horizon_h: 1
drain_h: 1
map: {width_m: 2000, height_m: 2000, points: 40, speed_kmh: 30}
stores: {count: 1, open: "00:00-24:00", zone: {radius_m: 100000}}
pickers: {per_store: 4, shifts: [{at: "12:00", hours: 5}]}
drivers: {count: 8, shifts: [{at: "12:00", hours: 5}]}
catalogue: {skus: 60}
demand: {orders_per_day: 1440, profile: [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1], weekday: [1,1,1,1,1,1,1]}
slo: [within_s.1800 >= 0.5]
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with a scenario in it."""
    monkeypatch.chdir(tmp_path)
    Path("plain.yaml").write_text(PLAIN)
    return tmp_path


def call(capsys, *arguments):
    code = guarded(cli.app, list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


# -- the main job ------------------------------------------------------------------------------------------------------


def test_a_run_leaves_every_file_and_a_summary_that_adds_up(here, capsys):
    code, out, _ = call(capsys, "run", "plain.yaml", "--out", "day")
    assert code == 0
    assert "report.html" in out
    names = {path.name for path in Path("day").iterdir()}
    tables = {
        f"{name}.parquet" for name in ("events", "orders", "tasks", "drivers", "stock", "series", "platform", "drift")
    }
    assert names == tables | {"left.npz", "manifest.json", "summary.json", "report.html", "replay.html"}
    summary = json.loads(Path("day/summary.json").read_text())
    orders = summary["orders"]
    assert orders["offered"] == orders["entered"] + orders["rejected"]
    ends = sum(orders[name] for name in ("delivered", "cancelled", "payment_failed", "open"))
    assert orders["entered"] == ends == pq.read_metadata("day/orders.parquet").num_rows > 20
    stages = summary["stages_s"]
    parts = sum(stages[name] for name in ("checkout", "wait_pick", "pick", "wait_driver", "ride"))
    assert parts == pytest.approx(summary["click_to_door_s"]["mean"], rel=1e-9)
    assert not list(here.glob(".*running*"))


def test_the_columns_and_keys_of_the_contract_are_there(here, capsys):
    call(capsys, "run", "--no-pages", "plain.yaml", "--out", "day")
    columns = (
        "order, client, store, driver, cell, node, lines, units, value_cents, state, cancel_reason, entered_s, "
        "confirmed_s, pick_start_s, packed_s, accepted_s, at_store_s, picked_up_s, delivered_s, promised_s, refunded_cents"
    )
    assert pq.read_schema("day/orders.parquet").names[:21] == columns.split(", ")
    summary = json.loads(Path("day/summary.json").read_text())
    keys = (
        "schema scenario seed replications fingerprint digest orders returns refunds click_to_door_s within_s on_time stages_s "
        "utilisation orders_per_driver_hour fill_rate sales surcharges drivers drift reviews losses forecast floor packing "
        "substitutions support tracking eta_error_s notifications cost goods revenue_cents tax_cents discount_cents fees_cents "
        "platform by_store long_run slo engine"
    )
    assert set(keys.split()) == set(summary)
    assert set(summary["click_to_door_s"]) == {"mean", "p50", "p90", "p95", "p99"}
    assert set(summary["within_s"]) == {"900", "1200", "1800"}
    assert set(summary["engine"]) == {"events", "facts", "cpu_s", "wall_s", "orders_per_cpu_s", "peak_mb"}
    assert set(summary["slo"][0]) == {"metric", "op", "target", "observed", "met", "severity"}


def test_json_prints_exactly_the_summary(here, capsys):
    code, out, err = call(capsys, "run", "--no-pages", "plain.yaml", "--out", "day", "--json")
    assert code == 0
    assert json.loads(out) == json.loads(Path("day/summary.json").read_text())
    assert err == ""


def test_the_default_folder_is_named_by_fingerprint_and_seed(here, capsys):
    _, out, _ = call(capsys, "run", "--no-pages", "plain.yaml", "--json", "--seed", "7")
    summary = json.loads(out)
    assert Path(f"results/plain/{summary['fingerprint']}-s7/summary.json").is_file()


def test_a_missed_service_level_is_exit_code_1_and_a_warning_is_not(here, capsys):
    assert call(capsys, "run", "--no-pages", "plain.yaml", "--out", "a", "--set", "slo=['within_s.900 >= 1']")[0] == 1
    assert (
        call(capsys, "run", "--no-pages", "plain.yaml", "--out", "b", "--set", "slo=['within_s.900 >= 1 (warn)']")[0]
        == 0
    )


def test_a_finished_run_is_never_overwritten_without_force(here, capsys):
    call(capsys, "run", "--no-pages", "plain.yaml", "--out", "day")
    before = Path("day/summary.json").read_bytes()
    code, _, err = call(capsys, "run", "--no-pages", "plain.yaml", "--out", "day", "--seed", "2")
    assert (code, err.count("\n")) == (2, 1)
    assert "--force" in err
    assert Path("day/summary.json").read_bytes() == before
    assert call(capsys, "run", "--no-pages", "plain.yaml", "--out", "day", "--seed", "2", "--force")[0] == 0
    assert json.loads(Path("day/summary.json").read_text())["seed"] == 2


def test_a_run_that_fails_leaves_what_it_would_have_replaced(here, capsys, monkeypatch):
    call(capsys, "run", "--no-pages", "plain.yaml", "--out", "day")
    before = {path.name: path.read_bytes() for path in Path("day").iterdir()}

    def broken(*_):
        raise RuntimeError("the report broke")

    monkeypatch.setattr("sim.report.pages.write_report", broken)
    code, _, err = call(capsys, "run", "plain.yaml", "--out", "day", "--force", "--seed", "3")
    assert code == 70
    assert "a bug of ours: RuntimeError: the report broke" in err
    assert {path.name: path.read_bytes() for path in Path("day").iterdir()} == before
    assert sorted(path.name for path in here.iterdir()) == ["day", "plain.yaml"]


def test_a_killed_run_leaves_nothing_that_looks_whole(here):
    long = [
        sys.executable,
        "-c",
        "import cli; cli.main()",
        "run",
        "plain.yaml",
        "--out",
        "day",
        "--set",
        "horizon_h=8000",
    ]
    process = subprocess.Popen([*long, "--set", "drain_h=0"], cwd=here, env=_environment())
    try:
        process.wait(timeout=6)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    assert process.returncode == -9, "the run was over before it could be killed"
    assert not Path("day").exists()


def test_replications_have_intervals_whatever_the_workers(here, capsys):
    _, one, _ = call(capsys, "run", "--no-pages", "plain.yaml", "--reps", "3", "--workers", "1", "--out", "a", "--json")
    code, two, _ = call(
        capsys, "run", "--no-pages", "plain.yaml", "--reps", "3", "--workers", "2", "--out", "b", "--json"
    )
    first, second = json.loads(one), json.loads(two)
    for summary in (first, second):
        del summary["engine"]
    assert code == 0
    assert first == second
    mean = first["click_to_door_s"]["mean"]
    assert mean["low"] < mean["mean"] < mean["high"]
    singles = [json.loads(line) for line in Path("a/replications.jsonl").read_text().splitlines()]
    assert len({summary["digest"] for summary in singles}) == 3
    assert mean["mean"] == pytest.approx(sum(s["click_to_door_s"]["mean"] for s in singles) / 3)


def test_replay_verifies_a_run_and_notices_a_change(here, capsys):
    call(capsys, "run", "--no-pages", "plain.yaml", "--out", "day")
    code, out, _ = call(capsys, "replay", "day")
    assert (code, "BAD" in out) == (0, False)
    Path("compare").mkdir()
    code, among_others, err = call(capsys, "replay", "day", "compare", "plain.yaml")
    assert (code, among_others.removeprefix("day\n")) == (0, out)
    assert err.splitlines() == ["compare: no run, left out", "plain.yaml: no run, left out"]
    stock = pq.read_table("day/stock.parquet")
    shelf = stock.column("shelf").to_pylist()
    place = stock.schema.get_field_index("shelf")
    pq.write_table(stock.set_column(place, "shelf", [[shelf[0] + 1, *shelf[1:]]]), "day/stock.parquet")
    code, out, _ = call(capsys, "replay", "day")
    assert code == 1
    assert "BAD  stock: shelf" in out


def test_the_report_can_be_written_again(here, capsys):
    call(capsys, "run", "plain.yaml", "--out", "day")
    pages = [Path("day") / name for name in ("report.html", "replay.html")]
    before = [page.read_bytes() for page in pages]
    for page in pages:
        page.unlink()
    assert call(capsys, "report", "day")[0] == 0
    assert [page.read_bytes() for page in pages] == before


def test_a_run_without_pages_can_be_given_them_later(here, capsys):
    code, out, _ = call(capsys, "run", "plain.yaml", "--out", "day", "--no-pages")
    pages = [Path("day") / name for name in ("report.html", "replay.html")]
    assert (code, "report.html" in out) == (0, False)
    assert not any(page.exists() for page in pages)
    assert call(capsys, "report", "day")[0] == 0
    assert all(page.exists() for page in pages)


# -- what is wrong is said in one line ------------------------------------------------------------------------------------


def bad_inputs():
    """Arguments, and words that the one line must hold."""
    run = ("run", "plain.yaml", "--set")
    return [
        (("run", "no-such"), ("no-such", "default", "small")),
        (("run", "defualt"), ("did you mean default?",)),
        (("run", "."), ("expected a scenario file, got a directory",)),
        (("run", "binary.yaml"), ("binary.yaml", "UTF-8")),
        (("run", "broken.yaml"), ("broken.yaml:3", "expected YAML")),
        (("run", "unknown.yaml"), ("unknown.yaml:2: drivers.cuont", "did you mean count?")),
        ((*run, "demand.orders_per_day=-5"), ("demand.orders_per_day", ">= 0", "-5")),
        ((*run, "drivers.count=0"), ("drivers.count", "> 0", "got 0")),
        ((*run, "drivers"), ("--set drivers", "path=value")),
        ((*run, "policies.dispatch=nearst"), ("nearst", "did you mean nearest?")),
        ((*run, "policies.dispatch=nearest(ride_max=3)"), ("ride_max", "did you mean ride_s_max?")),
        ((*run, "policies.dispatch=nearest(ride_s_max=-3)"), ("Expected ride_s_max > 0",)),
        (("run", "code.yaml"), ("code.yaml:2: policies.dispatch", "--allow-code")),
        (("run", "plain.yaml", "--policy", "dispatch=missing.py:X"), ("missing.py",)),
        (("run", "plain.yaml", "--policy", "dispatch=evil.py:Evil"), ("evil.py", "ZeroDivisionError")),
        (("run", "plain.yaml", "--policy", "dispach=nearest"), ("dispach", "dispatch")),
        ((*run, "map=atlantis"), ("atlantis", "coquimbo")),
        ((*run, "map=paper.pdf"), ("paper.pdf",)),
        ((*run, "map=paper.graphml"), ("paper.graphml",)),
        ((*run, "map=empty.graphml"), ("empty.graphml",)),
        (("run", "off.yaml"), ("off.yaml:3: stores.place.0", "km away")),
        ((*run, "demand.trace=none.csv"), ("none.csv",)),
        (("run", "small", "--set", "demand.cells=paper.pdf"), ("paper.pdf",)),
        (("run", "plain.yaml", "--out", "plain.yaml"), ("plain.yaml", "expected a folder")),
        (("run", "plain.yaml", "--out", "/proc/nothing/here"), ("/proc/nothing/here",)),
        (("run", "plain.yaml", "--reps", "0"), ("--reps",)),
        (("run", "plain.yaml", "--sed", "3"), ("--sed",)),
        (("nonsense",), ("nonsense",)),
        (("replay", "."), ("summary.json",)),
        (("report", "nowhere"), ("nowhere",)),
        (("policies", "dispach"), ("did you mean dispatch?",)),
        (("scenario", "show", "defalt"), ("did you mean default?",)),
        (("scenario", "new", "plain.yaml"), ("plain.yaml", "exists")),
        (("map", "show", "coqimbo"), ("did you mean coquimbo?",)),
        (("map", "import", "paper.pdf"), ("paper.pdf",)),
    ]


@pytest.mark.parametrize(("arguments", "words"), bad_inputs(), ids=[" ".join(a)[-60:] for a, _ in bad_inputs()])
def test_bad_input_gets_one_clear_line_and_exit_code_2(here, capsys, arguments, words):
    Path("binary.yaml").write_bytes(b"\xff\xfe\x00\x01")
    Path("broken.yaml").write_text("name: x\ndrivers: [\n")
    Path("unknown.yaml").write_text("name: x\ndrivers: {cuont: 3}\n")
    Path("off.yaml").write_text("extends: small\nstores:\n  place: [{name: Paris, lat: 48.85, lon: 2.35}]\n")
    Path("paper.pdf").write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    Path("paper.graphml").write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    Path("empty.graphml").write_text('<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph/></graphml>')
    Path("evil.py").write_text("1 / 0\n")
    Path("code.yaml").write_text("extends: plain.yaml\npolicies: {dispatch: 'evil.py:Evil'}\n")
    before = sorted(path.name for path in here.iterdir())
    code, out, err = call(capsys, *arguments)
    assert code == 2, err
    assert out == ""
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    for word in words:
        assert word in err
    assert sorted(path.name for path in here.iterdir()) == before


def test_force_never_takes_foreign_files_along(here, capsys):
    call(capsys, "run", "--no-pages", "plain.yaml", "--out", "day")
    Path("day/notes.txt").write_text("mine")
    code, _, err = call(capsys, "run", "--no-pages", "plain.yaml", "--out", "day", "--force")
    assert (code, "notes.txt" in err) == (2, True)
    assert Path("day/notes.txt").read_text() == "mine"


def test_two_runs_into_one_folder_do_not_mix(here, capsys):
    command = [
        sys.executable,
        "-c",
        "import cli; cli.main()",
        "run",
        "--no-pages",
        "plain.yaml",
        "--out",
        "day",
        "--quiet",
        "--seed",
    ]
    runs = [
        subprocess.Popen([*command, str(seed)], cwd=here, env=_environment(), stderr=subprocess.PIPE) for seed in (1, 2)
    ]
    assert sorted(run.wait() for run in runs) == [0, 2]
    assert call(capsys, "replay", "day")[0] == 0
    assert sorted(path.name for path in here.iterdir()) == ["day", "plain.yaml"]


# -- the other commands ---------------------------------------------------------------------------------------------------


def test_scenario_commands(here, capsys):
    assert "flash-sale" in call(capsys, "scenario", "list")[1]
    shown = call(capsys, "scenario", "show", "plain.yaml", "--set", "drivers.count=9")[1]
    assert "--set drivers.count=9" in shown
    assert "plain.yaml:7" in shown
    assert "judgement" in shown
    schema = json.loads(call(capsys, "scenario", "schema")[1])
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert call(capsys, "scenario", "new", "fresh.yaml")[0] == 0
    code, out, _ = call(capsys, "scenario", "validate", "fresh.yaml")
    assert (code, "valid" in out) == (0, True)


def test_the_menu_lists_every_family(capsys):
    from sim.contracts import FAMILIES

    rows = json.loads(call_json(capsys, "policies"))
    assert {row["family"] for row in rows} == set(FAMILIES)
    assert all(row["does"] for row in rows)


def call_json(capsys, *arguments):
    code, out, _ = call(capsys, *arguments, "--json")
    assert code == 0
    return out


def test_explain_says_what_a_figure_means(capsys):
    code, out, _ = call(capsys, "explain", "within_s.1800")
    assert (code, "confirmed" in out) == (0, True)
    assert "did you mean on_time?" in call(capsys, "explain", "on_tim")[2]


def test_the_doctor_finds_a_sound_installation(capsys):
    code, out, _ = call(capsys, "doctor")
    assert (code, "BAD" in out) == (0, False)


def _environment():
    import os

    root = str(Path(cli.__file__).parent)
    return {**os.environ, "PYTHONPATH": root}


def test_help_imports_nothing_heavy():
    script = (
        "import sys, cli\nfrom sim.shell.errors import guarded\ncode = guarded(cli.app, ['--help'])\n"
        "heavy = {'osmnx', 'pandas', 'matplotlib', 'scipy.stats', 'pyarrow', 'networkx', 'numpy'} & set(sys.modules)\n"
        "assert code == 0 and not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=_environment()
    )
    assert done.returncode == 0, done.stderr
    assert "scenario" in done.stdout


def test_validating_a_scenario_looks_at_its_opening(here, capsys):
    Path("mine.yaml").write_text("extends: small\nstores: {opening: nowhere}\n")
    code, _, error = call(capsys, "scenario", "validate", "mine.yaml")
    assert code == 2
    assert error.startswith(
        "darkstore: mine.yaml:2: stores.opening: expected a run's folder or its stock.parquet, got nowhere"
    )
    assert "46,800 units wanted on a normal day" in call(capsys, "scenario", "validate", "months")[1]
