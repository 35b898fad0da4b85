"""Substitutes: what a picker does about a line that is not there, and what the customer says to it."""

from math import log1p

from sim.clock import Clock
from sim.facts import Facts
from sim.operations.hands import Hands, Missing
from sim.operations.pace import spend
from sim.operations.shelves import Shelves
from sim.platform.office import Office
from sim.ports import PickJob
from sim.scenario.business import Substitutes
from sim.story import Story
from sim.streams import Die
from sim.vocabulary import OrderId, PickerId, PickStage, SkuId, StoreId


class Tastes:
    """What customers take instead of what they wanted (truth: the platform learns their answers only).

    A substitute is taken with the chance `taken_share` (`asked_share` by those who are asked), times the cheaper one's share
    of the dearer one's price: who wanted the good olive oil does not want the cheap one, nor the other way round.

    Parameters
    ----------
    prices_cents
        Of each SKU.
    luck, haste
        Keyed draws by (order, SKU wanted) and by order.
    """

    def __init__(self, terms: Substitutes, prices_cents: list[int], luck: Die, haste: Die) -> None:
        self._terms, self._prices_cents, self._luck, self._haste = terms, prices_cents, luck, haste

    def reply_s(self, order: OrderId) -> float:
        """Until a customer who is asked has answered, seconds (exponential)."""
        return -log1p(-self._haste.uniform(order)) * self._terms.reply_s

    def takes(self, order: OrderId, wanted: SkuId, other: SkuId, *, asked: bool) -> bool:
        """Whether the customer takes the other one."""
        low, high = sorted((self._prices_cents[wanted], self._prices_cents[other]))
        share = self._terms.asked_share if asked else self._terms.taken_share
        return self._luck.uniform(order, wanted) < share * low / high


class Replacing:
    """Looks for substitutes in one store, where the substitution policy names any."""

    def __init__(
        self, env: Clock, facts: Facts, office: Office, shelves: Shelves, hands: Hands, store: StoreId,
        terms: Substitutes, tastes: Tastes,
    ) -> None:  # fmt: skip
        self._env, self._facts, self._office, self._shelves = env, facts, office, shelves
        self._hands, self._store, self._terms, self._tastes = hands, store, terms, tastes

    def settle(self, job: PickJob, missing: Missing, picker: PickerId) -> Story:
        """Replace what can be replaced and report the rest; returns how many shelves the picker is to count."""
        office, order = self._office, job.order
        named: dict[int, SkuId] = {}
        for line, found in missing:
            sku, wanted = job.held[line]
            other = office.substitutes.named(order, sku, wanted - found)
            if other is not None:
                named[line] = other
        answered = True
        if named and (patience_s := office.substitutes.asks_s) is not None:
            reply_s = self._tastes.reply_s(order)
            answered = reply_s <= patience_s
            yield from spend(self._env, self._facts, order, picker, PickStage.WAITING, min(reply_s, patience_s))
        if office.wanted(order):
            walk_s = 0.0
            for line, found in missing:
                sku, wanted = job.held[line]
                replaced = self._replace(order, picker, sku, named.get(line), wanted - found, answered=answered)
                if replaced:
                    walk_s += self._terms.fetch_s
                if replaced < wanted - found:
                    office.short(order, picker, sku, wanted - found - replaced)
            if walk_s:
                yield from spend(self._env, self._facts, order, picker, PickStage.LOOKING, walk_s)
        return self._hands.to_count(job, missing)

    def _replace(
        self, order: OrderId, picker: PickerId, sku: SkuId, other: SkuId | None, units: int, *, answered: bool
    ) -> int:
        """Take the other SKU for `units` of the one wanted, if the customer does; returns how many were taken."""
        if other is None:
            return 0
        asked = self._office.substitutes.asks_s is not None
        if not (answered and self._tastes.takes(order, sku, other, asked=asked)):
            self._facts.substitute_refused(order=order, store=self._store, sku=sku, taken=other, answered=answered)
            return 0
        units = self._office.substitutes.left(order, other, units)
        short = self._shelves.pick(order, self._store, [(other, units)]) if units else []
        found = short[0][1] if short else units
        if found:
            self._office.substitutes.taken(order, picker, sku, other, found)
        return found
