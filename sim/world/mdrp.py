"""Instances of the meal delivery routing problem: what stands in their files, and the same as a world.

The format and the rules are those of Grubhub's public instances (Reyes, Erera, Savelsbergh, Sahasrabudhe and O'Neil 2018, The
meal delivery routing problem): tab-separated files, metres and whole minutes. Restaurants are stores whose orders are ready
at given times, couriers are drivers who always accept, begin where they live and wait where they last were; a ride takes the
straight line at one speed, in whole minutes, rounded up.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.scenario import Scenario, load_text
from sim.streams import Streams
from sim.vocabulary import InputError
from sim.world.build import World
from sim.world.catalogue import Opening, make_catalogue
from sim.world.demand import Wishes, complete
from sim.world.drivers import Driver
from sim.world.geography import Plain
from sim.world.mishaps import draw_mishaps
from sim.world.places import cells_of
from sim.world.traffic import Vehicle
from sim.world.travel import Travel

MINUTE_S = 60.0
"""The instances' unit of time, seconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """One instance; positions are metres, float64 (n, 2), times are minutes, int64 (n,).

    Attributes
    ----------
    orders, restaurants, couriers
        Names, in the order of the files.
    restaurant
        Of each order, its restaurant's row.
    speed
        Metres a minute.
    pickup_minutes, dropoff_minutes
        Time at a restaurant and at a customer, half of it before and half of it after the handover.
    pay_per_order, pay_per_hour
        A courier's pay for each order, and the least for each hour on duty.
    """

    name: str
    orders: tuple[str, ...]
    order_at: NDArray[np.float64]
    placed: NDArray[np.int64]
    ready: NDArray[np.int64]
    restaurant: NDArray[np.int64]
    restaurants: tuple[str, ...]
    restaurant_at: NDArray[np.float64]
    couriers: tuple[str, ...]
    courier_at: NDArray[np.float64]
    on: NDArray[np.int64]
    off: NDArray[np.int64]
    speed: float
    pickup_minutes: int
    dropoff_minutes: int
    target_minutes: int
    longest_minutes: int
    pay_per_order: float
    pay_per_hour: float

    def minutes(self, here: Any, there: Any) -> Any:
        """Ride between places (..., 2), whole minutes, rounded up."""
        return whole_minutes(np.hypot(*np.moveaxis(np.asarray(here) - np.asarray(there), -1, 0)), self.speed)


LAST_MINUTE = 7 * 1440
"""No instance is longer than a week, minutes."""

DAY_MINUTES = 1440
"""No service takes longer than a day, minutes."""


def whole_minutes(metres: Any, speed: float) -> Any:
    """Minutes for some metres, rounded up; what is a whole number but for the last bits of a root is that number."""
    return np.ceil(np.round(metres / speed, 9)).astype(np.int64)


def read_instance(folder: Path) -> Instance:
    """Read the four files of an instance.

    Raises
    ------
    InputError
        A file is missing, or a line is not what the format says; names file and line.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: expected a folder with an MDRP instance, found none.")
    terms = _rows(folder / "instance_parameters.txt", 7)
    if len(terms) != 1:
        raise InputError(f"{folder / 'instance_parameters.txt'}: expected one line after the header, got {len(terms)}.")
    speed, pickup, dropoff, target, longest, per_order, per_hour = (
        _number(terms[0], i, whole=1 <= i <= 4) for i in range(7)
    )
    if pickup != dropoff or pickup < 0 or pickup % 2:
        raise InputError(
            f"{terms[0].where}: expected pickup and drop-off to take the same even number of minutes, "
            f"got {pickup:g} and {dropoff:g}."
        )
    restaurants, couriers, orders = (
        _rows(folder / f"{name}.txt", columns) for name, columns in (("restaurants", 3), ("couriers", 5), ("orders", 6))
    )
    if not speed > 0:
        raise InputError(f"{terms[0].where}: expected metres a minute above 0, got {speed:g}.")
    for what, number, least in (
        ("a target click-to-door", target, 1.0), ("a maximum click-to-door", longest, target), ("pay per order", per_order, 0.0),
        ("guaranteed pay per hour", per_hour, 0.0),
    ):  # fmt: skip
        if number < least:
            raise InputError(f"{terms[0].where}: expected {what} of {least:g} or more, got {number:g}.")
    if pickup > DAY_MINUTES:
        raise InputError(f"{terms[0].where}: expected pickup to take at most {DAY_MINUTES} minutes, got {pickup:g}.")
    for file, rows in (("restaurants", restaurants), ("couriers", couriers), ("orders", orders)):
        if not rows:
            raise InputError(f"{folder / file}.txt: expected at least one line after the header, got none.")
        first: dict[str, str] = {}
        for row in rows:
            if first.setdefault(row.cells[0], row.where) != row.where:
                raise InputError(
                    f"{row.where}: expected a name of its own, got {row.cells[0]!r} as at {first[row.cells[0]]}."
                )
    row_of = {row.cells[0]: number for number, row in enumerate(restaurants)}
    for row in orders:
        if row.cells[4] not in row_of:
            raise InputError(f"{row.where}: expected a restaurant of restaurants.txt, got {row.cells[4]!r}.")

    def column(rows: list["_Row"], place: int) -> NDArray[np.int64]:
        return np.array([int(_number(row, place, whole=True)) for row in rows], dtype=np.int64)

    def at(rows: list["_Row"]) -> NDArray[np.float64]:
        return np.array([[_number(row, place) for place in (1, 2)] for row in rows])

    placed, ready, on, off = column(orders, 3), column(orders, 5), column(couriers, 3), column(couriers, 4)
    for rows, wrong, said in ((orders, ready < placed, "ready_time"), (couriers, off < on, "off_time")):
        if wrong.any():
            raise InputError(
                f"{rows[int(wrong.argmax())].where}: expected {said} not to be before the time that it follows."
            )
    by_time = np.argsort(placed, kind="stable")
    return Instance(
        name=folder.resolve().name,
        orders=tuple(orders[i].cells[0] for i in by_time),
        order_at=at(orders)[by_time],
        placed=placed[by_time],
        ready=ready[by_time],
        restaurant=np.array([row_of[row.cells[4]] for row in orders])[by_time],
        restaurants=tuple(row.cells[0] for row in restaurants),
        restaurant_at=at(restaurants),
        couriers=tuple(row.cells[0] for row in couriers),
        courier_at=at(couriers),
        on=on,
        off=off,
        speed=speed,
        pickup_minutes=int(pickup),
        dropoff_minutes=int(dropoff),
        target_minutes=int(target),
        longest_minutes=int(longest),
        pay_per_order=per_order,
        pay_per_hour=per_hour,
    )


@dataclass(frozen=True, slots=True)
class _Row:
    where: str
    cells: list[str]


def _rows(file: Path, columns: int) -> list[_Row]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: expected a file of text with tabs between columns, got something else.") from error
    except OSError as error:
        raise InputError(f"{file}: expected a readable file of an MDRP instance, got: {error.strerror}.") from error
    rows = [_Row(f"{file}:{n}", line.rstrip().split("\t")) for n, line in enumerate(lines, 1) if line.strip()]
    for row in rows:
        if len(row.cells) != columns:
            raise InputError(f"{row.where}: expected {columns} columns with tabs between, got {len(row.cells)}.")
    if rows and any(_is_number(cell) for cell in rows[0].cells):
        raise InputError(f"{rows[0].where}: expected the names of the {columns} columns, got {rows[0].cells!r}.")
    return rows[1:]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _number(row: _Row, place: int, *, whole: bool = False) -> float:
    """A cell's number; `whole`: of minutes."""
    value = float(row.cells[place]) if _is_number(row.cells[place]) else np.nan
    most = LAST_MINUTE if whole else 1e9
    if not (np.isfinite(value) and abs(value) <= most and (not whole or (value == int(value) and value >= 0))):
        kind = f"a whole number of minutes from 0 to {LAST_MINUTE}" if whole else "a number"
        raise InputError(f"{row.where}: expected {kind} in column {place + 1}, got {row.cells[place]!r}.")
    return value


class MinutePlain(Plain):
    """A Euclidean plain whose rides take whole minutes, rounded up."""

    def __init__(self, at: NDArray[np.float64], speed: float, key: str) -> None:
        super().__init__(at[:, 0].copy(), at[:, 1].copy(), speed * 0.06, key)
        self._minute = speed

    def between_ms(self, one: Any, other: Any, vehicle: Vehicle) -> Any:
        """Whole minutes between places, milliseconds."""
        x, y = self.x_m, self.y_m
        return whole_minutes(np.hypot(x[one] - x[other], y[one] - y[other]), self._minute) * 60_000


_SCENARIO = """
name: mdrp
start: 2026-01-05T00:00+00:00
map: {width_m: 1, height_m: 1, points: 1, speed_kmh: 1}
stores: {count: 1, open: "00:00-24:00", zone: {radius_m: 1000000}, inaccurate_share: 0, burn_in_days: 0}
catalogue: {skus: 1, price_cv: 0, categories: [{name: meal, share: 1, price_cents: 1000, litres: 1}]}
demand: {orders_per_day: 0}
customers: {patience_s: null, double_tap_share: 0}
shrinkage: {theft_share: 0, damage_share: 0}
pickers: {mispick_share: 0}
drivers: {vehicles: {car: 1}, accept_share: 1, respond_s: 0, handoff_s: 0, door_s: 0, noise: none}
travel: {traffic: false, noise_cv: 0, estimator_lag_s: 0, estimator_bias: 1}
payments: {decline_share: 0, methods: {card: 1}}
platform: {profile: minimal, give_up_s: 1000000, accept_window_s: 60}
policies: {replenishment: nothing, reconciliation: never, positioning: stay}
"""


def scenario_of(instance: Instance, settings: tuple[str, ...] = (), dispatch: str | None = None) -> Scenario:
    """The scenario of an instance: everything that is not in its files and is not left to chance.

    `dispatch`: the policy, as after ``--policy dispatch=``; None: that of ``darkstore mdrp``.
    """
    last = int(max(instance.placed.max(), instance.off.max(), instance.ready.max())) + instance.longest_minutes
    half_s = instance.pickup_minutes * MINUTE_S / 2.0
    given = {
        "name": f"mdrp-{instance.name}",
        "horizon_h": (int(instance.placed.max()) + 1) / 60.0,
        "drain_h": (last + 240) / 60.0,
        "stores.count": len(instance.restaurants),
        "drivers.count": len(instance.couriers),
        "drivers.arrive_s": half_s,
        "drivers.leave_s": half_s,
    }
    named = [f"{path}={value}" for path, value in given.items()]
    chosen = {} if dispatch is None else {"dispatch": dispatch}
    return load_text(_SCENARIO, [*named, *settings], chosen, file=f"mdrp {instance.name}")


def _seconds(minutes: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(minutes * MINUTE_S, dtype=np.float64)


def mdrp_world(instance: Instance, scenario: Scenario) -> World:
    """The world of an instance: restaurants first among the nodes, then where couriers begin, then customers."""
    streams = Streams(scenario.seed)
    stores, couriers, orders = len(instance.restaurants), len(instance.couriers), len(instance.orders)
    at = np.concatenate([instance.restaurant_at, instance.courier_at, instance.order_at])
    geography = MinutePlain(at, instance.speed, f"mdrp-{instance.name}")
    names, cell = cells_of(geography, scenario.demand.cell_resolution)
    store_nodes = list(range(stores))
    travel = Travel(scenario, geography, store_nodes)
    catalogue = make_catalogue(scenario, streams)
    none = np.zeros((stores, 1))
    meals = np.bincount(instance.restaurant, minlength=stores).astype(np.int64)[:, None]
    wishes = Wishes(
        entered_s=_seconds(instance.placed),
        node=np.arange(stores + couriers, len(at), dtype=np.int32),
        first_line=np.arange(orders + 1, dtype=np.int64),
        sku=np.zeros(orders, dtype=np.int32),
        units=np.ones(orders, dtype=np.int32),
    )
    minutes = np.bincount(instance.placed, minlength=int(scenario.horizon_s // MINUTE_S) + 1)
    return World(
        scenario=scenario,
        geography=geography,
        travel=travel,
        store_nodes=tuple(store_nodes),
        store_names=instance.restaurants,
        open_s=((0.0, scenario.end_s),),
        serving=[()] * (stores + couriers) + [(store,) for store in instance.restaurant.tolist()],
        cells=tuple(names),
        cell=cell,
        node_weights=np.repeat([0.0, 1.0], [stores + couriers, orders]),
        catalogue=catalogue,
        daily_demand=none,
        believed=none,
        opening=Opening(shelf=meals, record=meals, scan=meals),
        mishaps=draw_mishaps(scenario, streams, none),
        pickers=[],
        drivers=[
            Driver(0, 0, ((on * MINUTE_S, off * MINUTE_S),), stores + number)
            for number, (on, off) in enumerate(zip(instance.on.tolist(), instance.off.tolist(), strict=True))
        ],
        trace=complete(scenario, streams, wishes, catalogue, cell),
        files={},
        store_shares=meals[:, 0] / max(orders, 1),
        minutes=minutes.astype(float).tolist(),
        doors=None,
        ready_s=_seconds(instance.ready),
    )
