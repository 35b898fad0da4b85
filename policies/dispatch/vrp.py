"""Tours planned anew every minute as a vehicle routing problem, solved by PyVRP."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from policies.dispatch.tours import LEFT_OUT_S, Board, Tours, cheapest
from policies.ranges import hold_to
from sim.contracts import DispatchView, Offer, WaitingOrder
from sim.vocabulary import InputError

UNITS: Final = 10
"""The solver reckons in whole numbers: times in seconds, costs in tenths of them."""

PRIZE: Final = UNITS * int(LEFT_OUT_S)
"""What an order is worth."""

NO_WAY_S: Final = 1_000_000
"""A ride that nobody takes, seconds."""


@dataclass(frozen=True, kw_only=True)
class RoutedByPyVRP:
    """Plan the tours of all drivers who are free or soon will be as a vehicle routing problem, and send who must go now.

    Every `every_s` seconds the oldest `orders_max` orders and the drivers free within `ahead_s` are handed to PyVRP (Wouda,
    Lan and Kool 2024, PyVRP: a high-performance VRP solver package, INFORMS Journal on Computing 36; extra `darkstore[vrp]`),
    which searches for `iterations` iterations from the same `seed`. Each driver is a vehicle with a place and a time of his
    own, each order a client who may be left out at a price above any delay; a tour is at most `bundle_max` orders of one store.
    It costs the delay of its orders against the soonest that anybody could bring each, and `ride_weight` for each second of
    riding; no order may come later than that by more than `slack_s`. Plans are made anew at every step, and only who would come
    too late by leaving at the next one is sent, `early_s` earlier than just in time.

    The solver minimises sums over legs, so delay is put on legs: on the ride to the first customer what he waits for this
    driver, on each further one what the customer loses against a ride straight from the store. That a late driver is late for
    every customer of the tour it does not see, nor that all wait until the last is packed. It begins with a matching of single
    orders, so that some iterations are enough. It is on the menu as what a general solver makes of the same plans; the figures
    are judgement.
    """

    every_s: float = 60.0
    ahead_s: float = 1800.0
    early_s: float = 0.0
    bundle_max: int = 3
    ride_weight: float = 0.1
    slack_s: float = 1800.0
    orders_max: int = 60
    iterations: int = 20
    seed: int = 0
    holds: ClassVar[bool] = True
    _tours: ClassVar[Tours]

    def __post_init__(self) -> None:
        # A policy is built afresh for each run: what it remembers is of this one.
        object.__setattr__(self, "_tours", Tours())
        hold_to(self, 1.0, 86_400.0, "every_s", "ahead_s", "slack_s")
        hold_to(self, 0.0, 7200.0, "early_s")
        hold_to(self, 0.0, 100.0, "ride_weight")
        hold_to(self, 1, 5, "bundle_max")
        hold_to(self, 1, 1000, "orders_max")
        hold_to(self, 1, 1_000_000, "iterations")
        hold_to(self, 0, 1_000_000, "seed")

    def __call__(self, view: DispatchView) -> Iterator[Offer]:
        waiting, fleet = list(view.waiting), view.fleet(self.ahead_s)
        if not waiting or not fleet.idle.any():
            return
        orders = waiting[: self.orders_max]
        alone = Board(view, fleet, [self._tours.of((order,), view) for order in orders])
        routes = self._solved(_Problem(view, alone, self.ride_weight, self.slack_s))
        planned = [(self._tours.of(tuple(orders[n] for n in stops), view), driver) for driver, stops in routes]
        if not planned:
            return
        board = Board(view, fleet, [tour for tour, _ in planned])
        pairs = [(row, driver) for row, (_, driver) in enumerate(planned) if board.possible[row, driver]]
        yield from board.sent(pairs, self.every_s, self.early_s)
        self._tours.tidy()

    def _solved(self, problem: "_Problem") -> list[tuple[int, list[int]]]:
        """Tours as (driver's row, rows of orders in turn)."""
        try:
            import pyvrp
            from pyvrp.stop import MaxIterations
        except ImportError as error:
            raise InputError(
                "policies.dispatch: expected PyVRP for vrp, which is not installed: pip install 'darkstore[vrp]'."
            ) from error
        drivers, clients = len(problem.free_s), len(problem.litres)
        data = pyvrp.ProblemData(
            locations=[pyvrp.Location(0, 0) for _ in range(drivers + clients)],
            clients=[
                pyvrp.Client(
                    drivers + n, delivery=[1, problem.litres[n]], tw_early=problem.earliest_s[n], tw_late=problem.latest_s[n],
                    prize=PRIZE, required=False,
                )
                for n in range(clients)
            ],
            depots=[pyvrp.Depot(driver) for driver in range(drivers)],
            vehicle_types=[
                pyvrp.VehicleType(
                    1, [self.bundle_max, problem.loads[driver]], driver, driver, tw_early=problem.free_s[driver]
                )
                for driver in range(drivers)
            ],
            distance_matrices=[problem.costs],
            duration_matrices=[problem.times_s],
        )  # fmt: skip
        begun = pyvrp.Solution(data, [pyvrp.Route(data, [order], driver) for order, driver in problem.matched()])
        stop = MaxIterations(self.iterations)
        # One order too many, or a second too late, costs more than what is gained by it from the first iteration on.
        strict = pyvrp.SolveParams(penalty=pyvrp.PenaltyParams(min_penalty=2.0 * PRIZE, max_penalty=2.0 * PRIZE))
        best = pyvrp.solve(data, stop, seed=self.seed, collect_stats=False, params=strict, initial_solution=begun).best
        return [
            (route.vehicle_type(), [stop.idx for stop in route.schedule() if stop.is_client()])
            for route in best.routes()
        ]


class _Problem:
    """Orders, drivers and legs in the solver's whole numbers; places are the drivers', then the customers'.

    A leg from a driver leads by the store to the customer and ends with the handover there; what comes after the last
    handover costs nothing.
    """

    def __init__(self, view: DispatchView, alone: Board, ride_weight: float, slack_s: float) -> None:
        self._possible = alone.possible
        fleet, now_s, orders = alone.fleet, view.now_s, [tour.orders[0] for tour in alone.tours]
        drivers, clients = len(fleet.driver), len(orders)
        after_s = alone.of_tours(tour.after_s for tour in alone.tours) + alone.slower_s()
        done_s = np.where(alone.possible, alone.pickup_s + after_s, now_s + NO_WAY_S)
        soonest_s = done_s.min(axis=1)
        self.free_s: list[int] = np.rint(fleet.free_s - now_s).astype(int).tolist()
        self.loads: list[int] = np.floor(fleet.litres).astype(int).tolist()
        self.litres: list[int] = [int(np.ceil(order.litres)) for order in orders]
        packed_s = alone.ready_s + np.min(np.broadcast_to(after_s, done_s.shape), axis=1) - now_s
        self.earliest_s: list[int] = np.maximum(np.floor(packed_s), 0).astype(int).tolist()
        latest_s = np.maximum(np.ceil(soonest_s - now_s + slack_s), self.earliest_s)
        self.latest_s: list[int] = latest_s.astype(int).tolist()
        times_s = np.zeros((drivers + clients, drivers + clients))
        costs_s = np.zeros_like(times_s)
        times_s[:drivers, :drivers] = costs_s[:drivers, :drivers] = NO_WAY_S
        first_s = np.where(alone.possible, alone.ride_s + view.stops.arrive_s + after_s, NO_WAY_S)
        times_s[:drivers, drivers:] = first_s.T
        costs_s[:drivers, drivers:] = (ride_weight * first_s + done_s - soonest_s[:, None]).T
        times_s[drivers:, drivers:], costs_s[drivers:, drivers:] = self._between(view, orders, alone, ride_weight)
        np.fill_diagonal(times_s, 0.0)
        np.fill_diagonal(costs_s, 0.0)
        self.times_s: Any = np.rint(times_s).astype(np.int64)
        self.costs: Any = np.rint(UNITS * np.minimum(costs_s, NO_WAY_S)).astype(np.int64)

    def matched(self) -> list[tuple[int, int]]:
        """Orders and drivers matched without tours of several, to begin with."""
        drivers = len(self.free_s)
        cost, done_s = self.costs[:drivers, drivers:].T, self.times_s[:drivers, drivers:].T + np.array(self.free_s)
        in_time = np.maximum(done_s, np.array(self.earliest_s)[:, None]) <= np.array(self.latest_s)[:, None]
        return cheapest(cost - float(NO_WAY_S * UNITS), self._possible & in_time)

    @staticmethod
    def _between(
        view: DispatchView, orders: Sequence[WaitingOrder], alone: Board, ride_weight: float
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Time and cost of the leg from each customer to each other of the same store, seconds."""
        stops = view.stops
        stop_s = stops.handoff_s + stops.leave_s + stops.arrive_s + stops.door_s
        times_s = np.full((len(orders), len(orders)), float(NO_WAY_S))
        costs_s = times_s.copy()
        for a, one in enumerate(orders):
            for b, other in enumerate(orders):
                if a == b or one.store != other.store:
                    continue
                onward_s = view.onward_s(one.node, other.node)
                wait_s = max(other.ready_s - max(one.ready_s, view.now_s), 0.0)
                times_s[a, b] = onward_s + stop_s + wait_s
                lost_s = alone.tours[a].after_s + times_s[a, b] - alone.tours[b].after_s
                costs_s[a, b] = ride_weight * (onward_s + stop_s) + max(lost_s, 0.0)
        return times_s, costs_s
