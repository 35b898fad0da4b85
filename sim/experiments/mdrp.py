"""The meal delivery routing problem as a referee: play an instance, write what its evaluator reads, and say how it went."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts import Dispatch, DispatchView, Offer, Reposition
from sim.engine import policies_of, simulate
from sim.metrics.tables import taken
from sim.recording import Archive, MemoryArchive
from sim.streams import Streams
from sim.vocabulary import OrderState
from sim.world.mdrp import MINUTE_S, Instance, mdrp_world, scenario_of

POLICY = "matching"
"""What plays an instance by default."""


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """What became of an instance's orders, rows as in the instance; minutes, int64 (orders,), -1 for what was not delivered.

    Attributes
    ----------
    courier
        Row of the courier.
    first
        Row of the order that is handed over first of the same tour; the order itself where it rides alone.
    assigned, picked_up, dropped
        When the courier was told, left the restaurant's counter, and stood at the customer's.
    moves
        Of each courier's ride: courier, departure (minute), node of the origin and of the destination; int64 (rides, 4), by
        courier and then by time.
    """

    courier: NDArray[np.int64]
    first: NDArray[np.int64]
    assigned: NDArray[np.int64]
    picked_up: NDArray[np.int64]
    dropped: NDArray[np.int64]
    moves: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Score:
    """The evaluator's figures of a solution.

    `undelivered` is a number of orders, each of which counts as the longest click-to-door; times are minutes, means over the
    orders (of ready-to-pickup and cost: those delivered); `cost_per_order` is couriers' pay; `decision_ms`: CPU that the
    dispatch policy took for each order, milliseconds.
    """

    instance: str
    orders: int
    undelivered: int
    click_to_door: float
    click_to_door_p90: float
    ready_to_pickup: float
    ready_to_pickup_p90: float
    overage: float
    cost_per_order: float
    orders_per_bundle: float
    decision_ms: float


PUBLISHED = (
    ("all 240: rolling horizon", "", "0.25 %", "32.74", "49.3", "1.93", "6.0", "11.42", "1.09", ""),
    ("all 240: without bundles", "", "0.69 %", "32.72", "", "2.51", "", "11.26", "1.00", ""),
    ("table 4: rolling horizon", "", "", "31.88", "", "1.40", "", "", "", ""),
    ("table 4: FoodMatch", "", "", "31.28", "", "", "", "", "", ""),
    ("table 4: future known", "", "", "30.67", "", "0.66", "", "", "", ""),
)
"""Published means: Reyes et al. (2018), section 6 and table 4 (instances 0?50t*s[12]p*); FoodMatch: Joshi et al. (2022), played
anew on those 16, whose rides are rounded to seconds instead of up to minutes."""


def mean_of(scores: Sequence[Score]) -> Score:
    """Means over instances, each of which counts alike; of orders, the sums."""
    names = [field.name for field in fields(Score) if field.name not in ("instance", "orders", "undelivered")]
    return Score(
        instance=f"mean of {len(scores)}",
        orders=sum(score.orders for score in scores),
        undelivered=sum(score.undelivered for score in scores),
        **{name: float(np.mean([getattr(score, name) for score in scores])) for name in names},
    )


def jittered(instance: Instance, jitter: int) -> Instance:
    """The same instance with couriers, and orders placed in the same minute, in another order.

    Nothing of it matters but ties, which go to the first: how far figures differ between several jitters is what the breaking of
    ties alone is worth. 0: as it is in the files.
    """
    if not jitter:
        return instance
    rng = np.random.default_rng(jitter)
    couriers, orders = rng.permutation(len(instance.couriers)), rng.permutation(len(instance.orders))
    orders = orders[np.argsort(instance.placed[orders], kind="stable")]
    return replace(
        instance,
        orders=tuple(instance.orders[row] for row in orders),
        couriers=tuple(instance.couriers[row] for row in couriers),
        **{name: getattr(instance, name)[orders] for name in ("order_at", "placed", "ready", "restaurant")},
        **{name: getattr(instance, name)[couriers] for name in ("courier_at", "on", "off")},
    )


class Timed:
    """A dispatch policy, and the CPU that its decisions take, seconds."""

    def __init__(self, policy: Dispatch) -> None:
        self._policy, self.cpu_s = policy, 0.0
        for name in ("every_s", "ahead_s", "again_s", "holds"):
            if hasattr(policy, name):
                setattr(self, name, getattr(policy, name))

    def __call__(self, view: DispatchView) -> Iterator[Offer | Reposition]:
        # One by one, as the platform asks: what a policy says next may hang on what became of its last offer.
        offers: Iterator[Offer | Reposition] | None = None
        while True:
            begun_s = time.process_time()
            try:
                offers = iter(self._policy(view)) if offers is None else offers
                offer = next(offers)
            except StopIteration:
                return
            finally:
                self.cpu_s += time.process_time() - begun_s
            yield offer


def play(
    instance: Instance, policy: str = POLICY, *, seed: int = 0, laws: Sequence[object] = ()
) -> tuple[Solution, Score, MemoryArchive]:
    """Play an instance with a dispatch policy in the same engine as any scenario.

    Raises
    ------
    InputError
        There is no such policy, or its parameters will not do.
    """
    scenario = scenario_of(instance, (f"seed={seed}",), policy)
    world, archive = mdrp_world(instance, scenario), MemoryArchive()
    policies = policies_of(scenario)
    timed = Timed(policies.dispatch)
    simulate(world, archive, streams=Streams(seed), policies=replace(policies, dispatch=timed), laws=laws)
    solution = solution_of(archive, instance)
    return solution, score(instance, solution, timed.cpu_s), archive


def _minutes(rows: Any) -> NDArray[np.int64]:
    return np.asarray(np.rint(rows["t_s"] / MINUTE_S), dtype=np.int64)


def solution_of(archive: Archive, instance: Instance) -> Solution:
    """Read a solution off the log."""
    n = len(instance.orders)
    moved, delivered, accepted = archive.rows("order_moved"), archive.rows("goods_delivered"), taken(archive)
    along, legs = archive.rows("order_bundled"), archive.rows("leg_started")
    left = moved[moved["state"] == OrderState.PICKED_UP]

    def column(rows: Any, values: Any) -> NDArray[np.int64]:
        found = np.full(n, -1, dtype=np.int64)
        found[rows["order"]] = values
        found[undelivered] = -1
        return found

    undelivered = np.setdiff1d(np.arange(n), delivered["order"])
    first = np.arange(n)
    first[along["order"]] = along["first"]
    moves = _moves(legs)
    return Solution(
        courier=column(accepted, accepted["driver"]),
        first=first,
        assigned=column(accepted, _minutes(accepted)),
        picked_up=column(left, _minutes(left)),
        dropped=column(delivered, _minutes(delivered)),
        moves=moves[np.argsort(moves[:, 0], kind="stable")],
    )


def _moves(legs: Any) -> NDArray[np.int64]:
    """Rides as they were made: whoever is sent elsewhere on the way turns where his ride ends, for a plain has no junctions."""
    made: list[list[float]] = []
    last: dict[int, tuple[int, float]] = {}  # by courier: the place of his last ride, and when it ends
    for driver, t_s, origin, node, arrive_s in zip(
        *(legs[name].tolist() for name in ("driver", "t_s", "origin", "node", "arrive_s")), strict=True
    ):
        place, until_s = last.get(driver, (-1, 0.0))
        depart_s = max(t_s, until_s)
        if t_s < until_s and origin == made[place][2]:
            depart_s, made[place][3] = made[place][1], -1.0  # he had not set out yet
        last[driver] = len(made), arrive_s
        made.append([driver, depart_s, origin, node])
    rows = np.array(made, dtype=np.float64).reshape(-1, 4)
    rows = rows[rows[:, 3] >= 0]
    rows[:, 1] /= MINUTE_S
    return np.rint(rows).astype(np.int64)


def score(instance: Instance, solution: Solution, cpu_s: float = 0.0) -> Score:
    """Work out the evaluator's figures."""
    there = solution.dropped >= 0
    took = np.where(there, solution.dropped - instance.placed, instance.longest_minutes)
    waited = (solution.picked_up - instance.ready)[there]
    carried = np.bincount(solution.courier[there], minlength=len(instance.couriers))
    hours = (instance.off - instance.on) / 60.0
    pay = np.maximum(instance.pay_per_order * carried, instance.pay_per_hour * hours)
    tours = len(np.unique(solution.first[there]))
    n, delivered = len(there), int(there.sum())
    return Score(
        instance=instance.name,
        orders=n,
        undelivered=n - delivered,
        click_to_door=float(took.mean()),
        click_to_door_p90=float(np.quantile(took, 0.9)),
        ready_to_pickup=float(waited.mean()) if delivered else float("nan"),
        ready_to_pickup_p90=float(np.quantile(waited, 0.9)) if delivered else float("nan"),
        overage=float(np.maximum(took - instance.target_minutes, 0).mean()),
        cost_per_order=float(pay.sum() / delivered) if delivered else float("nan"),
        orders_per_bundle=delivered / tours if tours else float("nan"),
        decision_ms=1000.0 * cpu_s / n,
    )


def write_solution(instance: Instance, solution: Solution, folder: Path) -> None:
    """Write the three files that the official evaluator reads; whole minutes, tabs between."""
    folder.mkdir(parents=True, exist_ok=True)
    there = np.flatnonzero(solution.dropped >= 0)
    by_drop = there[np.argsort(solution.dropped[there], kind="stable")]
    tours: dict[int, list[int]] = {}
    for order in by_drop.tolist():
        tours.setdefault(int(solution.first[order]), []).append(order)
    lines = ["assignment_time\tpickup_time\tcourier\torders"]
    for orders in sorted(tours.values(), key=lambda tour: (int(solution.assigned[tour[0]]), tour[0])):
        one = orders[0]
        cells = [solution.assigned[one], solution.picked_up[one], instance.couriers[solution.courier[one]]]
        lines.append("\t".join(map(str, [*cells, *(instance.orders[order] for order in orders)])))
    _write(folder / "solution_info_assignments.txt", lines)
    lines = ["order\tplacement_time\tready_time\tpickup_time\tdropoff_time\tcourier"]
    for order in there.tolist():
        times = (instance.placed, instance.ready, solution.picked_up, solution.dropped)
        cells = [instance.orders[order], *(time[order] for time in times), instance.couriers[solution.courier[order]]]
        lines.append("\t".join(map(str, cells)))
    _write(folder / "solution_info_orders.txt", lines)
    names = [*instance.restaurants, *("0" for _ in instance.couriers), *instance.orders]
    lines = ["courier\tdeparture_time\torigin\tdestination"]
    for courier, minute, origin, node in solution.moves.tolist():
        lines.append("\t".join(map(str, [instance.couriers[courier], minute, names[origin], names[node]])))
    _write(folder / "solution_info_couriers.txt", lines)


def _write(file: Path, lines: list[str]) -> None:
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _one(folder: Path, policy: str, seed: int, jitter: int) -> Score:
    from sim.world.mdrp import read_instance

    return play(jittered(read_instance(folder), jitter), policy, seed=seed)[1]


def bench(
    folders: Sequence[Path], policy: str, *, seed: int = 0, jitters: Sequence[int] = (0,), workers: int = 1,
    done: Callable[[int], None] | None = None,
) -> list[list[Score]]:  # fmt: skip
    """Play many instances, in parallel; for each of the jitters (see `jittered`) scores in the order of the folders.

    Raises
    ------
    InputError
        An instance cannot be read.
    """
    from joblib import Parallel, delayed

    found: list[Score] = []
    jobs = [delayed(_one)(folder, policy, seed, jitter) for jitter in jitters for folder in folders]
    for played in Parallel(n_jobs=min(workers, max(len(jobs), 1)), return_as="generator")(jobs):
        found.append(played)
        if done is not None:
            done(len(found))
    return [found[at : at + len(folders)] for at in range(0, len(found), max(len(folders), 1))]
