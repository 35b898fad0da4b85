"""The scenario's benches: where a store's orders are packed, and what they are carried and kept in."""

from typing import Self

from pydantic import model_validator

from sim.scenario.fields import JUDGEMENT, AboveZero, Branch, NonNegative, Positive, given


class PackingStations(Branch):
    """Packing stations: what pickers bring is packed there by others, first come, first served."""

    stations: Positive = given(2, JUDGEMENT, "stations of a store, each with a packer in opening hours")
    room: Positive = given(
        12,
        JUDGEMENT,
        "orders for which there is room at a store's stations, those being packed included; who brings one more packs it himself",
    )
    base_s: NonNegative = given(15.0, JUDGEMENT, "per order: open bags, close, label; seconds")
    per_unit_s: NonNegative = given(2.0, JUDGEMENT, "per unit: into the bag, seconds")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.room < self.stations:
            raise ValueError(f"room: at least stations ({self.stations}), got {self.room}")
        return self


class Totes(Branch):
    """What pickers carry orders in, until these are packed."""

    count: Positive = given(60, JUDGEMENT, "totes of a store; an order is begun when there are enough for it")
    litres: AboveZero = given(
        40.0, "a 600 x 400 mm crate of 220 mm height holds about 40 litres", "what one holds, litres"
    )
