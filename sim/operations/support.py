"""Customers who were wronged, and the people who answer them: a desk with a queue, first come first served.

A customer sees what is in the bag and what the app says should be: what differs was mixed up by a picker. What was found
missing in the store the app has told of, and its price went back then. Who does not let it rest writes some time later. An
agent who is free takes the oldest letter, in the desk's hours; nothing waits but letters, so each is one timeout.
"""

from collections import deque
from collections.abc import Sequence
from math import log
from typing import NamedTuple

from sim.clock import Clock, Timer
from sim.facts import Facts
from sim.operations.shelves import Shelves
from sim.platform.office import Office
from sim.scenario import Scenario
from sim.scenario.fields import off_s
from sim.streams import Die
from sim.vocabulary import Cents, ClientId, Contact, OrderId, Role, SkuId, quantise

_LATE, _MISSING, _WRONG = Contact.LATE, Contact.MISSING, Contact.WRONG
_AGENT, _LEAD = Role.SUPPORT, Role.ADMIN

RETRY_S = 60.0
"""While the platform is gone, an agent looks so often whether it is back, seconds (judgement)."""


class Letter(NamedTuple):
    """What a customer has to say."""

    order: OrderId
    contact: Contact
    wrong: Sequence[tuple[SkuId, int]]
    """SKUs and units that should have been in the bag."""
    since_s: float
    """When it came."""


class Support:
    """The desk of one run.

    Parameters
    ----------
    client
        Of each order.
    luck
        Keyed draws by order: who writes, after how long, and how long an answer takes.
    """

    def __init__(
        self, env: Clock, facts: Facts, office: Office, shelves: Shelves, scenario: Scenario, client: Sequence[ClientId],
        luck: Die,
    ) -> None:  # fmt: skip
        self._env, self._facts, self._office, self._shelves = env, facts, office, shelves
        self._terms, self._midnight_s, self._client, self._luck = scenario.support, scenario.midnight_s, client, luck
        contact = self._terms.contact
        self._shares = {_WRONG: contact.wrong, _MISSING: contact.missing, _LATE: contact.late}
        self._queue: deque[Letter] = deque()
        self._free = list(range(self._terms.agents))[::-1]
        self._closed = False

    # -- customers ---------------------------------------------------------------------------------------------------

    def served(self, order: OrderId, *, kept: bool = False) -> None:
        """An order is about to be handed over; `kept`: without some of it, as the customer is not of age."""
        client, desk = self._client[order], self._office.support
        seen = desk.see(order, client, Role.CUSTOMER)
        if seen is None:
            return
        bag: dict[SkuId, int] = {}
        for sku, units in self._shelves.totes[order]:
            bag[sku] = bag.get(sku, 0) + units
        wrong = [(sku, units - bag.get(sku, 0)) for sku, units in seen.held if units > bag.get(sku, 0)]
        there = {
            _WRONG: bool(wrong),
            _MISSING: not kept and sum(units for _, units in seen.held) < seen.wanted,
            _LATE: self._env.now > seen.promised_s + 60.0 * self._terms.late_minutes,
        }
        for contact, share in self._shares.items():
            if there[contact] and self._luck.uniform(order, contact) < share:
                desk.keep(order)
                after_s = self._spread_s(60.0 * self._terms.after_minutes, order, 3)
                Timer(self._env, after_s, self._writes, (order, contact, wrong if contact is _WRONG else []))
                return

    def _writes(self, event: Timer) -> None:
        order, contact, wrong = event.value
        self._facts.contact_made(order=order, client=self._client[order], contact=contact)
        self._queue.append(Letter(order, contact, wrong, self._env.now))
        self._next()

    def _spread_s(self, mean_s: float, order: OrderId, purpose: int) -> float:
        """An exponential time, keyed by order and purpose (after those of `Contact`), seconds."""
        return quantise(-mean_s * log(1.0 - self._luck.uniform(order, purpose)))

    # -- agents ------------------------------------------------------------------------------------------------------

    def _next(self, opened: Timer | None = None) -> None:
        if opened is not None:
            self._closed = False
        while self._queue and self._free and not self._closed:
            rest_s = off_s(self._terms.hours, self._env.now - self._midnight_s)
            if rest_s:
                self._closed = True
                Timer(self._env, rest_s, self._next)
                return
            letter, agent = self._queue.popleft(), self._free.pop()
            waited_s = self._env.now - letter.since_s
            handle_s = self._spread_s(self._terms.handle_s, letter.order, 4)
            Timer(self._env, handle_s, self._decide, (letter, agent, waited_s, _AGENT))

    def _decide(self, event: Timer) -> None:
        letter, agent, waited_s, role = event.value
        desk, order = self._office.support, letter.order
        if not desk.reachable:
            Timer(self._env, RETRY_S, self._decide, event.value)
            return
        more_cents = 0 if letter.contact is _WRONG else self._terms.goodwill_cents
        cents = Cents(0)
        if desk.see(order, agent, role) is not None:
            cents = desk.worth(order, letter.wrong, more_cents)
        if role is _AGENT and desk.needs_lead(order, cents):
            Timer(self._env, quantise(60.0 * self._terms.lead_minutes), self._decide, (letter, agent, waited_s, _LEAD))
            return
        if cents:
            cents = desk.make_good(order, letter.wrong, more_cents, agent, role)
        desk.close(order)
        self._facts.contact_answered(
            order=order, contact=letter.contact, role=role, actor=agent, waited_s=waited_s, cents=cents
        )
        self._free.append(agent)
        self._next()
