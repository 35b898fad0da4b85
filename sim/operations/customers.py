"""Customers: they order when the trace says so, and some lose patience."""

from collections.abc import Callable, Sequence
from math import inf

from sim.clock import Clock, Timer
from sim.contracts import OrderRequest
from sim.facts import Facts
from sim.operations.timing import Deadlines
from sim.platform.office import Office
from sim.scenario import Scenario
from sim.story import Story
from sim.streams import Die, quick
from sim.vocabulary import CellId, Cents, ClientId, NodeId, OrderId, quantise
from sim.world.demand import Trace

_BLOCK = 64
"""Orders whose baskets are made plain lists together (judgement: few enough to cost no memory)."""


class Customers:
    """Plays the demand trace.

    Parameters
    ----------
    luck
        Keyed draws by order: who is put off by a surcharge.
    placed
        Told of every order that entered; None: nobody cares.
    """

    def __init__(
        self, env: Clock, facts: Facts, office: Office, trace: Trace, scenario: Scenario, luck: Die,
        placed: Callable[[OrderId], None] | None = None,
    ) -> None:  # fmt: skip
        self._placed = placed
        self._env, self._facts, self._office, self._trace = env, facts, office, trace
        self._patient = Deadlines(env, office.wanted, self._gives_up)
        self._tap_s, self._elasticity = quantise(scenario.customers.double_tap_s), scenario.customers.price_elasticity
        self._fee_cents, self._luck = scenario.platform.delivery_fee_cents, luck

    def run(self) -> Story:
        """Place every order of the trace at its time."""
        env, office, trace = self._env, self._office, self._trace
        entered, patience = quick(trace.entered_s), quick(trace.patience_s)
        # Typed by column: calling an id's type for each order would cost as much as reading the column.
        rows: Sequence[OrderId] = range(trace.customers)  # type: ignore[assignment]
        client: Sequence[ClientId] = quick(trace.client)
        node: Sequence[NodeId] = quick(trace.node)
        cell: Sequence[CellId] = quick(trace.cell)
        value: Sequence[Cents] = quick(trace.value_cents)
        first, litres = quick(trace.first_line), quick(trace.litres)
        sku, units, method = quick(trace.sku), quick(trace.units), quick(trace.method)
        patient = self._patient
        surcharges = office.asks_surcharges
        forever, taps, placed = inf, trace.taps, self._placed
        begin = 0
        for row in rows:
            wait = entered[row] - env.now
            if wait > 0:
                yield Timer(env, wait)
            if row % _BLOCK == 0:  # baskets become plain lists for some orders at once: cheaper than one by one
                begin = first[row]
                end = first[min(row + _BLOCK, len(rows))]
                skus, counts = sku[begin:end].tolist(), units[begin:end].tolist()
            lines = slice(first[row] - begin, first[row + 1] - begin)
            request = OrderRequest(
                row, client[row], node[row], cell[row], skus[lines], counts[lines], value[row], litres[row], method[row]
            )  # fmt: skip
            if surcharges:
                cents = office.quote(request)
                if cents:
                    if not self._pays(request, cents):
                        office.walked_away(request)
                        continue
                    request = request._replace(surcharge_cents=cents)
            if office.place(request) is not None:
                continue
            if patience[row] < forever:
                patient.add(request.order, env.now + patience[row])
            if placed is not None:
                placed(request.order)
            if row in taps:
                Timer(env, self._tap_s, self._again, request)

    def _pays(self, request: OrderRequest, cents: int) -> bool:
        """Whether a customer orders in spite of a surcharge: demand has a constant elasticity to what an order costs in all."""
        usual_cents = max(request.value_cents + self._fee_cents, 1)
        share: float = (1.0 + cents / usual_cents) ** -self._elasticity
        return self._luck.uniform(request.order) < share

    def _again(self, event: Timer) -> None:
        """The second tap: the same request, or what the platform takes for another of the same goods."""
        first: OrderRequest = event.value
        again = first._replace(order=OrderId(self._trace.taps[first.order]))
        if self._office.place(again) is not None or again.order == first.order:
            return
        self._facts.order_doubled(order=again.order, first=first.order)
        patience_s = float(self._trace.patience_s[again.order])
        if patience_s < inf:
            self._patient.add(again.order, self._env.now + patience_s)
        if self._placed is not None:
            self._placed(again.order)

    def _gives_up(self, order: OrderId) -> bool:
        return self._office.cancel(order, ClientId(int(self._trace.client[order])))
