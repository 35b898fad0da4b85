"""Speed of the engine against the floor: bare SimPy, one process per order with twenty timeouts and nothing else.

Against the floor machine code is measured beside the source, and the targets are its own; what else is measured is the source's.

Both run interleaved in one process, in CPU time, and the median of the pairs' ratios counts, because the machines are
shared. The profile that guided the work:

    python -c "import cProfile, tests.benchmarks.scenario as s; from sim.engine import simulate; \
               from sim.recording import MemoryArchive; w = s.world(); \
               cProfile.run('simulate(w, MemoryArchive())', sort='tottime')"

(or ``py-spy record -f raw -- python ...`` with the same statement, which does not slow small functions down).
"""

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sim.compiled import VARIABLE
from sim.compiled.build import compile_all
from sim.engine import simulate
from sim.laws import all_laws
from sim.recording import MemoryArchive
from sim.recording.archive import ParquetWriter
from sim.shipped import HOME_VARIABLE
from sim.vocabulary import InputError

pytestmark = pytest.mark.benchmark
PAIRS = 7

_spec = importlib.util.spec_from_file_location("benchmark_scenario", Path(__file__).with_name("scenario.py"))
scenario = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(scenario)


def cpu(action) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def pairs(one, other, count=PAIRS):
    """Median ratio of two actions' CPU times over interleaved pairs, and the best time of each."""
    times = [(cpu(one), cpu(other)) for _ in range(count)]
    return statistics.median(a / b for a, b in times), min(a for a, _ in times), min(b for _, b in times)


def measured(orders, count, capsys):
    """Ratio to the floor and microseconds an order, told as they come."""
    world = scenario.world(orders)
    n = world.trace.orders
    ratio, engine, floor = pairs(lambda: simulate(world, MemoryArchive()), lambda: scenario.floor(world), count)
    with capsys.disabled():
        print(
            f"\n{n:,} orders: engine {n / engine:,.0f} orders per CPU-second, floor {n / floor:,.0f}; "
            f"ratio {ratio:.2f} (median of pairs), {engine / n * 1e6:.0f} against {floor / n * 1e6:.0f} us an order"
        )
    return ratio, engine / n


def test_more_orders_cost_no_more_each(capsys):
    """The ratio itself falls with the orders, because bare SimPy's queue grows tenfold and the engine's does not."""
    few_ratio, few = measured(10_000, PAIRS, capsys)
    many_ratio, many = measured(100_000, 5, capsys)
    with capsys.disabled():
        print(f"an order among 100,000 costs {many / few:.2f} times one among 10,000")
    assert many <= 1.15 * few
    assert many_ratio <= 1.15 * few_ratio


def test_the_full_platform_costs_at_most_two_fifths_more(capsys):
    minimal, full = scenario.world(), scenario.world(profile="full")
    ratio, with_it, without = pairs(
        lambda: simulate(full, MemoryArchive()), lambda: simulate(minimal, MemoryArchive()), 5
    )
    n = minimal.trace.orders
    with capsys.disabled():
        print(
            f"\nfull platform: {ratio:.2f} times the minimal ({with_it / n * 1e6:.0f} against {without / n * 1e6:.0f} us)"
        )
    assert ratio <= 1.4, "the target"


DAY = """
import json, runpy, sys
from sim.compiled import in_use
from sim.opening import ready_world
from sim.recording import MemoryArchive
from sim.scenario import load
benchmark = runpy.run_path(sys.argv[1])
world = ready_world(load("default")) if sys.argv[2] == "default" else benchmark["scenario"].world(int(sys.argv[2]))
simulate, floor = benchmark["simulate"], benchmark["scenario"].floor
ratio, whole, least = benchmark["pairs"](lambda: simulate(world, MemoryArchive()), lambda: floor(world), 5)
print(json.dumps([in_use(), ratio, whole / world.trace.orders * 1e6, least / world.trace.orders * 1e6]))
"""


@pytest.fixture(scope="module")
def home_with_code(compiled_home):
    """Machine code is made first where there is none of this source yet, which takes a minute or two."""
    try:
        return compiled_home or compile_all().parents[2]
    except InputError as error:
        pytest.skip(str(error))


def with_code_and_without(home, day, capsys):
    """A day's ratio to the floor with machine code, told with that of the source; each in a process of its own."""
    for how, variable in (("source", "0"), ("machine code", "1")):
        environment = os.environ | {HOME_VARIABLE: str(home), VARIABLE: variable}
        done = subprocess.run(
            [sys.executable, "-c", DAY, __file__, day], check=True, capture_output=True, text=True, env=environment
        )
        compiled, ratio, whole, floor = json.loads(done.stdout)
        assert compiled is (how == "machine code")
        with capsys.disabled():
            print(f"\n{day}, {how}: {ratio:.2f} times the floor ({whole:.0f} against {floor:.0f} us an order)")
    return ratio


def test_engine_against_the_floor(home_with_code, capsys):
    assert with_code_and_without(home_with_code, "50000", capsys) <= 4.0, "the target: four times the floor"


def test_the_default_day_stays_within_seven_times_the_floor(home_with_code, capsys):
    """Goods, platform and dispatch in full, on a day of eight thousand orders: what the day costs whatever its orders counts."""
    assert with_code_and_without(home_with_code, "default", capsys) <= 7.0, "the target"


def test_laws_cost_little(capsys):
    world = scenario.world(20_000)
    ratio, with_laws, without = pairs(
        lambda: simulate(world, MemoryArchive(), laws=all_laws(world)), lambda: simulate(world, MemoryArchive())
    )
    share = 1 - 1 / ratio
    with capsys.disabled():
        print(f"\nlaws: {share:.1%} of the CPU ({with_laws:.2f} s with, {without:.2f} s without)")
    assert share <= 0.15, "the target"


def test_writing_the_log_costs_little(tmp_path, capsys):
    world = scenario.world(20_000)

    def written():
        writer = ParquetWriter(tmp_path / "events.parquet")
        simulate(world, writer)
        writer.close()

    ratio, _, _ = pairs(written, lambda: simulate(world, MemoryArchive()), 5)
    with capsys.disabled():
        print(f"\nwriting events.parquet: {ratio - 1:.1%} on top of a log in memory")
    assert ratio < 1.4


MEMORY = """
import importlib.util, json, re, sys, tempfile
from pathlib import Path
spec = importlib.util.spec_from_file_location("s", sys.argv[1])
s = importlib.util.module_from_spec(spec)
spec.loader.exec_module(s)
from sim.experiments.runs import run_to_folder
with tempfile.TemporaryDirectory() as folder:
    result = run_to_folder(s.day(int(sys.argv[2])), Path(folder) / "run")
# Not getrusage: its peak survives exec, so a child starts with its parent's.
peak_kb = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
print(json.dumps([result.summary["orders"]["offered"], peak_kb / 1024]))
"""


def test_memory_per_order(capsys):
    """Peak memory of a whole run, files written and all, each size in a process of its own."""
    measured = []
    for orders in (10_000, 100_000):
        command = [sys.executable, "-c", MEMORY, str(Path(__file__).with_name("scenario.py")), str(orders)]
        measured.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    (few, small), (many, large) = measured
    per_order = (large - small) * 1024 * 1024 / (many - few)
    with capsys.disabled():
        print(
            f"\npeak memory: {small:.0f} MB at {few:,} orders, {large:.0f} MB at {many:,}: {per_order:,.0f} bytes an order"
        )
    assert per_order < 2000
