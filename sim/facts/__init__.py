"""Every fact that can be logged, one typed method each: the signatures are the schema of the event log.

A recorder (see `sim.recording.log`) compiles each signature into a function that packs one row; this base class records
nothing, which is what a unit test or a stripped-down run wants. A parameter name means the same, with the same type, in
every fact; `COLUMNS` collects them and fails at import when two signatures disagree.
"""

from collections.abc import Mapping
from inspect import signature
from typing import Any, Final, get_type_hints

from sim.facts.floor import FloorFacts
from sim.facts.orders import OrderFacts
from sim.facts.platform import PlatformFacts
from sim.facts.supply import SupplyFacts
from sim.facts.tracking import TrackingFacts


class Facts(OrderFacts, PlatformFacts, FloorFacts, SupplyFacts, TrackingFacts):
    """The facts, by room. Physical facts are truth; platform facts are belief; the archive sees both.

    `order` is the number of a customer's request, given at the gateway's door: every fact that a request brings about
    carries it, whatever room it happens in, and whether an order came of it or not. It is the correlation id. Facts of shelves,
    scan log and records, which goods without an order have as well, carry it last: `NO_ORDER` where no request is behind them.
    """

    def many(self, kind: str, columns: Mapping[str, Any]) -> None:
        """Log many facts of one kind at this moment, in order; `columns` holds each parameter's values, all (n,)."""


Signature = dict[str, Any]


def _signatures() -> dict[str, Signature]:
    found: dict[str, Signature] = {}
    for room in (OrderFacts, PlatformFacts, FloorFacts, SupplyFacts, TrackingFacts):
        for name, method in vars(room).items():
            if not name.startswith("_"):
                hints = get_type_hints(method)
                found[name] = {parameter: hints[parameter] for parameter in list(signature(method).parameters)[1:]}
    return found


def _columns(signatures: dict[str, Signature]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for kind, parameters in signatures.items():
        for name, annotation in parameters.items():
            if columns.setdefault(name, annotation) is not annotation:
                raise TypeError(f"{kind}.{name}: expected {columns[name]} as elsewhere, got {annotation}.")
    return columns


SIGNATURES: Final = _signatures()
"""Fact name -> parameter name -> annotation, in order of definition."""

COLUMNS: Final = _columns(SIGNATURES)
"""Parameter name -> annotation, over all facts."""
