"""The meal delivery routing problem: every solution keeps its rules, and how solutions differ is explained to the minute."""

from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.engine import policies_of, simulate
from sim.experiments.mdrp import Solution, Timed, bench, jittered, play, score, solution_of, write_solution
from sim.laws import all_laws, verdict, whole_log
from sim.recording import MemoryArchive
from sim.vocabulary import InputError
from sim.world.mdrp import Instance, mdrp_world, read_instance, scenario_of, whole_minutes
from tests.experiments.mdrp_instances import write_instance

ALONE, STAGES = "matching(bundle_max=1)", "rolling_horizon(commitment='two_stages')"
MUCH = {"orders": 110, "couriers": 10, "restaurants": 4}
"""More orders than couriers can carry one by one."""


def breaches(instance: Instance, folder: Path) -> list[str]:
    """What of the problem's eight rules the three files of a solution break: read as the evaluator reads them."""
    found: list[str] = []
    row = {name: i for i, name in enumerate(instance.orders)}
    at = {
        **dict(zip(instance.restaurants, instance.restaurant_at, strict=True)),
        **dict(zip(instance.orders, instance.order_at, strict=True)),
    }
    courier = {name: i for i, name in enumerate(instance.couriers)}
    half_up, half_down = instance.pickup_minutes // 2, instance.dropoff_minutes // 2

    def lines(name: str) -> list[list[str]]:
        return [line.split("\t") for line in (folder / f"solution_info_{name}.txt").read_text().splitlines()[1:]]

    told = {cells[0]: cells for cells in lines("orders")}
    moves: dict[str, list[tuple[int, str, str]]] = {}
    for who, minute, origin, target in lines("couriers"):
        moves.setdefault(who, []).append((int(minute), origin, target))
    seen: set[str] = set()
    for assigned_text, pickup_text, who, *orders in lines("assignments"):
        assigned, pickup, number = int(assigned_text), int(pickup_text), courier[who]
        rows = [row[order] for order in orders]
        if seen & set(orders) or len(set(orders)) < len(orders):
            found.append(f"1: {orders} delivered twice")
        seen |= set(orders)
        if len({int(instance.restaurant[i]) for i in rows}) > 1:
            found.append(f"2: {orders} of several restaurants")
        if pickup < max(int(instance.ready[i]) for i in rows):
            found.append(f"3: {orders} picked up before they are ready")
        if assigned < max(int(instance.placed[i]) for i in rows) or assigned < instance.on[number]:
            found.append(f"4: {orders} assigned before they, or the courier, were there")
        if pickup > instance.off[number]:
            found.append(f"5: {orders} picked up after {who}'s off time")
        restaurant = instance.restaurants[int(instance.restaurant[rows[0]])]
        # Who was sent ahead set out before he was told which orders.
        ride = next((move for move in reversed(moves[who]) if move[0] <= pickup), None)
        if ride is None or ride[2] != restaurant:
            found.append(f"6: {who} never rode to {restaurant} for {orders}")
            continue
        start = instance.courier_at[number] if ride[1] == "0" else at[ride[1]]
        if pickup < ride[0] + int(instance.minutes(start, at[restaurant])) + half_up:
            found.append(f"6: {orders} picked up before {who} can stand there")
        leaves, here = pickup + half_up, at[restaurant]
        for order in orders:
            drop = leaves + int(instance.minutes(here, at[order])) + half_down
            if told[order][1:] != [
                str(instance.placed[row[order]]), str(instance.ready[row[order]]), str(pickup), str(drop), who
            ]:  # fmt: skip
                found.append(f"7: {order} is told as {told[order]}, dropped at {drop}")
            leaves, here = drop + half_down, at[order]
    for who, rides in moves.items():
        free, place = int(instance.on[courier[who]]), "0"
        for minute, origin, target in rides:
            start = instance.courier_at[courier[who]] if origin == "0" else at[origin]
            if origin in instance.restaurants and target in row:
                free += half_up  # who goes on without having fetched anything need not stand there
            if origin != place or minute < free:
                found.append(f"8: {who} rides from {origin} at {minute}, is at {place} until {free}")
            arrives = minute + int(instance.minutes(start, at[target]))
            free = arrives + half_down * 2 if target in row else arrives
            place = target
    if seen != set(told):
        found.append("1: the files tell of different orders")
    return found


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Play a drawn instance: (instance, solution, score, folder of the solution)."""

    def run(seed: int, policy: str, **drawn: Any) -> tuple[Instance, Solution, Any, Path]:
        base = tmp_path_factory.mktemp("mdrp")
        instance = read_instance(write_instance(base / "instance", seed, **drawn))
        solution, found, _ = play(instance, policy)
        write_solution(instance, solution, base / "solution")
        return instance, solution, found, base / "solution"

    return run


@pytest.mark.parametrize(
    "policy",
    ["matching", ALONE, "nearest(ride_s_max=100000)", "foodmatch", "rolling_horizon", "vrp", STAGES],
)
@pytest.mark.parametrize("drawn", [{}, MUCH], ids=["plenty", "scarce"])
def test_every_solution_keeps_the_eight_rules(played: Any, policy: str, drawn: dict[str, int]) -> None:
    if policy == "vrp":
        pytest.importorskip("pyvrp", reason="the extra darkstore[vrp] is not installed")
    for seed in range(3):
        instance, _, found, folder = played(seed, policy, **drawn)
        broken = breaches(instance, folder)
        if policy.startswith("nearest"):
            # It knows nothing of the couriers' off times, the one rule that no courier can keep for it.
            broken = [said for said in broken if not said.startswith("5:")]
        assert broken == []
        assert found.undelivered < 0.9 * found.orders


def test_the_checker_sees_what_is_wrong(played: Any) -> None:
    instance, _, _, folder = played(0, "matching", **MUCH)
    names = ("assignments", "orders", "couriers")
    whole = {name: (folder / f"solution_info_{name}.txt").read_text() for name in names}

    def with_line(name: str, place: int, change: Any) -> list[str]:
        lines = whole[name].splitlines()
        cells = lines[place].split("\t")
        change(cells)
        (folder / f"solution_info_{name}.txt").write_text(
            "\n".join([*lines[:place], "\t".join(cells), *lines[place + 1 :]])
        )
        said = breaches(instance, folder)
        (folder / f"solution_info_{name}.txt").write_text(whole[name])
        return said

    def put(place: int, value: str) -> Any:
        return lambda cells: cells.__setitem__(place, value)

    assert breaches(instance, folder) == []
    assert any(said.startswith("4:") for said in with_line("assignments", 5, put(0, "0")))
    assert any(said.startswith("3:") for said in with_line("assignments", 5, put(1, "1")))
    assert any(said.startswith("5:") for said in with_line("assignments", 5, put(1, "99999")))
    assert any(said.startswith("1:") for said in with_line("assignments", 5, lambda cells: cells.append(cells[3])))
    assert any(said.startswith("7:") for said in with_line("orders", 5, put(4, "1")))
    assert any(said.startswith("8:") for said in with_line("couriers", 2, put(2, "0")))


@pytest.mark.parametrize("drawn", [{}, MUCH], ids=["plenty", "scarce"])
def test_without_bundles_click_to_door_is_preparation_ride_service_and_delay(played: Any, drawn: Any) -> None:
    instance, solution, _, _ = played(4, ALONE, **drawn)
    there = solution.dropped >= 0
    ride = instance.minutes(instance.restaurant_at[instance.restaurant], instance.order_at)
    parts = (instance.ready - instance.placed) + ride + 4 + (solution.picked_up - instance.ready)
    np.testing.assert_array_equal((solution.dropped - instance.placed)[there], parts[there])
    assert (solution.first == np.arange(len(there))).all()


def test_the_figures_are_those_of_the_plain_formulas(played: Any) -> None:
    instance, solution, found, _ = played(2, "matching", **MUCH)
    took, pay, tours = [], dict.fromkeys(range(len(instance.couriers)), 0.0), set()
    for order, dropped in enumerate(solution.dropped.tolist()):
        took.append(90.0 if dropped < 0 else dropped - float(instance.placed[order]))
        if dropped >= 0:
            pay[int(solution.courier[order])] += 10.0
            tours.add(int(solution.first[order]))
    hours = ((instance.off - instance.on) / 60.0).tolist()
    delivered = int((solution.dropped >= 0).sum())
    assert found.click_to_door == pytest.approx(np.mean(took))
    assert found.overage == pytest.approx(np.mean([max(t - 40.0, 0.0) for t in took]))
    assert found.cost_per_order == pytest.approx(sum(max(pay[c], 15.0 * hours[c]) for c in pay) / delivered)
    assert found.orders_per_bundle == pytest.approx(delivered / len(tours))
    assert found.orders_per_bundle > 1.0, "couriers are short: some ride together"


def test_the_laws_hold_and_the_log_rebuilds_the_end(tmp_path: Path) -> None:
    instance = read_instance(write_instance(tmp_path / "i", 7, **MUCH))
    scenario = scenario_of(instance, ("policies.dispatch=matching",))
    world, archive = mdrp_world(instance, scenario), MemoryArchive()
    laws = all_laws(world)
    outcome = simulate(world, archive, laws=laws)
    assert verdict(laws) == []
    assert whole_log(archive, outcome.state) == []
    np.testing.assert_array_equal(solution_of(archive, instance).dropped, play(instance, "matching")[0].dropped)
    assert len(archive.rows("order_bundled")) > 5


def test_faster_rides_and_longer_preparation_do_what_they_must(played: Any) -> None:
    """Paired: the same places and times. Summed over instances, for one may go either way."""
    ways = ({}, {"speed": 320.0 / 0.75}, {"prepare": 1.25})
    plain, fast, slow = ([played(seed, ALONE, **way) for seed in range(4)] for way in ways)

    def mean(runs: Any, name: str) -> float:
        return float(np.mean([getattr(found, name) for _, _, found, _ in runs]))

    assert mean(fast, "click_to_door") < mean(plain, "click_to_door") - 2.0
    assert mean(fast, "ready_to_pickup") < mean(plain, "ready_to_pickup")
    prepared = [np.mean([np.mean(run[0].ready - run[0].placed) for run in runs]) for runs in (plain, slow)]
    added = prepared[1] - prepared[0]
    assert mean(slow, "click_to_door") - mean(plain, "click_to_door") == pytest.approx(added, abs=1.5)


def test_shifts_that_follow_demand_lower_ready_to_pickup(played: Any) -> None:
    """Paired: the same orders, mostly within an hour, and shifts of the same lengths, spread out or about that hour."""
    rush = {"rush": 0.8, "couriers": 14}
    even, fitted = ([played(seed, ALONE, **rush, fitted=fits)[2] for seed in range(4)] for fits in (False, True))
    waits = [float(np.mean([found.ready_to_pickup for found in runs])) for runs in (even, fitted)]
    assert waits[1] < waits[0] - 0.5


def test_matching_beats_the_nearest_and_bundles_help_where_couriers_are_short(played: Any) -> None:
    def mean(policy: str, **drawn: Any) -> float:
        return float(np.mean([played(seed, policy, **drawn)[2].click_to_door for seed in range(4)]))

    assert mean("matching") < mean("nearest(ride_s_max=100000)") - 1.0
    assert mean("matching", **MUCH) < mean(ALONE, **MUCH)


def test_many_instances_are_played_alike_whatever_the_workers(tmp_path: Path) -> None:
    folders = [write_instance(tmp_path / f"i{seed}", seed, orders=25) for seed in range(3)]
    one, two = (bench(folders, "matching", jitters=(0, 1), workers=workers) for workers in (1, 2))
    assert [len(played) for played in one] == [3, 3]
    for a, b in zip(chain(*one), chain(*two), strict=True):
        assert (a.instance, a.click_to_door, a.undelivered) == (b.instance, b.click_to_door, b.undelivered)


def test_another_jitter_is_the_same_instance_in_another_order(tmp_path: Path) -> None:
    plain = read_instance(write_instance(tmp_path / "i", 1, orders=60))
    plain = replace(plain, placed=plain.placed // 5 * 5)

    def rows(instance: Instance) -> tuple[list[Any], list[Any]]:
        orders = [instance.orders, instance.order_at[:, 0], instance.placed, instance.ready, instance.restaurant]
        couriers = [instance.couriers, instance.courier_at[:, 0], instance.on, instance.off]
        return list(zip(*orders, strict=True)), list(zip(*couriers, strict=True))

    assert jittered(plain, 0) is plain
    one, again, other = jittered(plain, 1), jittered(plain, 1), jittered(plain, 2)
    assert rows(one) == rows(again) != rows(other)
    for mine, theirs in zip(rows(one), rows(plain), strict=True):
        assert mine != theirs
        assert sorted(mine) == sorted(theirs)
    assert (np.diff(one.placed) >= 0).all()
    # Ties are broken otherwise, and nothing else changes: the mean hardly moves.
    means = [play(instance, "matching")[1].click_to_door for instance in (plain, one, other)]
    assert max(means) - min(means) < 0.1 * min(means)


@pytest.mark.parametrize("policy", ["nearest", "fifo", "matching(every_s=15)"])
def test_timing_a_policy_changes_nothing_of_its_day(two_stores: Any, play: Any, policy: str) -> None:
    scenario = two_stores(f"policies.dispatch={policy}", "drivers.count=5")
    policies = policies_of(scenario)
    timed = Timed(policies.dispatch)
    day, bare = play(scenario, policies=replace(policies, dispatch=timed)), play(scenario)
    assert day.outcome.digest == bare.outcome.digest
    assert 0.0 < timed.cpu_s < day.outcome.cpu_s


def test_what_nobody_delivers_counts_as_the_longest_time(tmp_path: Path) -> None:
    instance = read_instance(write_instance(tmp_path / "i", 1, orders=20))
    nobody = np.full(20, -1)
    found = score(instance, Solution(nobody, np.arange(20), nobody, nobody, nobody, np.empty((0, 4), dtype=np.int64)))
    assert (found.undelivered, found.click_to_door) == (20, 90.0)


def test_rides_are_rounded_up_and_whole_ones_stay_whole() -> None:
    assert whole_minutes(np.array([0.0, 1.0, 320.0, 320.0 + 1e-10, 321.0, 640.0]), 320.0).tolist() == [0, 1, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("file", "line", "text", "said"),
    [
        ("orders", 3, "o2\t1\t2\t3\tr99\t9", r"orders\.txt:3: expected a restaurant of restaurants\.txt, got 'r99'"),
        ("orders", 3, "o2\t1\t2\t3\tr1\t2", r"orders\.txt:3: expected ready_time not to be before"),
        (
            "orders",
            3,
            "o2\t1\t2\t3.5\tr1\t9",
            r"orders\.txt:3: expected a whole number of minutes from 0 to 10080 in column 4",
        ),
        (
            "orders",
            3,
            "o2\t1\t2\t3\tr1\t99999",
            r"orders\.txt:3: expected a whole number of minutes from 0 to 10080 in column 6",
        ),
        ("orders", 1, "o0\t1\t2\t3\tr1\t9", r"orders\.txt:1: expected the names of the 6 columns, got \['o0', '1'"),
        ("couriers", 1, "courier\tx", r"couriers\.txt:1: expected 5 columns with tabs between, got 2"),
        (
            "instance_parameters",
            2,
            "320\t4\t4\t40.5\t90\t10\t15",
            r"parameters\.txt:2: expected a whole number of minutes",
        ),
        ("orders", 3, "o2 1 2 3 r1 9", r"orders\.txt:3: expected 6 columns with tabs between, got 1"),
        ("couriers", 2, "c1\tx\t2\t0\t60", r"couriers\.txt:2: expected a number in column 2, got 'x'"),
        (
            "couriers",
            2,
            "c1\t1\t2\t60\t0",
            r"couriers\.txt:2: expected off_time not to be before",
        ),
        (
            "restaurants",
            3,
            "r1\t1\t2",
            r"restaurants\.txt:3: expected a name of its own, got 'r1' as at .*restaurants\.txt:2",
        ),
        (
            "instance_parameters",
            2,
            "320\t4\t4\t40\t30\t10\t15",
            r"expected a maximum click-to-door of 40 or more, got 30",
        ),
        ("instance_parameters", 2, "320\t4\t4\t40\t90\t-1\t15", r"expected pay per order of 0 or more, got -1"),
        ("instance_parameters", 2, "320\t9000\t9000\t40\t90\t1\t15", r"expected pickup to take at most 1440 minutes"),
        ("instance_parameters", 2, "0\t4\t4\t40\t90\t10\t15", r"parameters\.txt:2: expected metres a minute above 0"),
        ("instance_parameters", 2, "320\t4\t6\t40\t90\t10\t15", r"parameters\.txt:2: expected pickup and drop-off"),
    ],
)
def test_an_instance_that_is_not_one_is_refused_at_its_line(
    tmp_path: Path, file: str, line: int, text: str, said: str
) -> None:
    path = write_instance(tmp_path / "i", 1) / f"{file}.txt"
    lines = path.read_text().splitlines()
    lines[line - 1] = text
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match=said):
        read_instance(path.parent)


def test_a_folder_without_an_instance_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a folder with an MDRP instance"):
        read_instance(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"instance_parameters\.txt: expected a readable file of an MDRP instance"):
        read_instance(tmp_path / "empty")
