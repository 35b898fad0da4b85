"""Zone picking: an order is picked in parts, each by somebody who stays in his stretch of aisles, and brought together."""

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from sim.operations.pace import Took
from sim.operations.picking import Station, StationView
from sim.operations.walks import Walks
from sim.ports import PickJob
from sim.story import Story
from sim.vocabulary import InputError, OrderId, PickerId, PickStage


class ZonedStation(Station):
    """A `Station` whose pickers each have a section of the store; who has nothing to do there helps in the fullest other.

    The part that is finished last brings the others along.
    """

    section: Sequence[int]
    """Of each SKU."""

    def divide(self, walks: Walks | None, policy: Any) -> None:
        """Split the store into as many sections as the policy has.

        Raises
        ------
        InputError
            The store has no aisles, or not so many.
        """
        sections = policy.sections
        if walks is None:
            raise InputError(
                "policies.picking: expected a stores.layout, whose aisles are split into sections, got none."
            )
        if not (isinstance(sections, int) and 1 <= sections <= walks.aisles):
            raise InputError(
                f"policies.picking: expected sections from 1 to {walks.aisles}, the store's aisles, got {sections!r}."
            )
        section = walks.sections(sections)
        self.section, self._plain = section.tolist(), False
        # Who is in the same section is so much the likelier in the same aisle.
        self._closer = (1.0 / np.maximum(walks.shares(section, sections), 1e-9)).tolist()
        self._inside = [0] * sections
        self._consolidate_s = float(getattr(policy, "consolidate_s", 0.0))
        self._queues: list[deque[PickJob]] = [deque() for _ in range(sections)]
        self._views = [StationView(self._env, self._office, queue, self.pace) for queue in self._queues]
        self._stays: dict[PickerId, int] = {}
        self._parts: dict[OrderId, int] = {}
        self._called: set[OrderId] = set()

    def take_in(self, job: PickJob) -> None:
        """A confirmed order's parts join the queues of their sections."""
        parts: dict[int, list[Any]] = {}
        for line in job.held:
            parts.setdefault(self.section[line[0]], []).append(line)
        self._parts[job.order] = self._parts.get(job.order, 0) + len(parts)
        if self._ahead:
            self._call_ahead(job.order)
        for section, lines in sorted(parts.items()):
            part = job._replace(held=tuple(lines), units=sum(units for _, units in lines))
            self._queues[section].append(part)
        for _ in parts:
            self._ring()

    def begin(self, picker: PickerId) -> None:
        """A picker's shift begins, in the section with the fewest."""
        there = list(self._stays.values())
        self._stays[picker] = min(range(len(self._queues)), key=lambda section: (there.count(section), section))
        super().begin(picker)

    def end(self, picker: PickerId) -> None:
        """A picker's shift ends."""
        self._stays.pop(picker, None)
        super().end(picker)

    def _next(
        self, picker: PickerId, waiting: deque[PickJob] | None = None, view: StationView | None = None
    ) -> PickJob | None:
        mine = self._stays.get(picker, 0)
        for section in sorted(range(len(self._queues)), key=lambda n: (n != mine, -len(self._queues[n]), n)):
            job = super()._next(picker, self._queues[section], self._views[section])
            if job is not None:
                return job
        return None

    def _begun(self, order: OrderId, picker: PickerId) -> None:
        if order not in self._called:
            self._called.add(order)
            super()._begun(order, picker)

    def _tour(self, first: PickJob, picker: PickerId) -> Story:
        section = self.section[first.held[0][0]]
        self._inside[section] += 1
        yield from super()._tour(first, picker)
        self._inside[section] -= 1

    def _takes(self, jobs: Sequence[PickJob], picker: PickerId) -> Took:
        section = self.section[jobs[0].held[0][0]]
        return self.pace.tour(jobs, picker, (self._inside[section] - 1) * self._closer[section])

    def _skip(self, job: PickJob) -> None:
        if self._done(job.order):
            self._handoff.drop(job.order)

    def _done(self, order: OrderId) -> bool:
        """A part of an order is done with; whether it was the last."""
        self._parts[order] -= 1
        if self._parts[order]:
            return False
        del self._parts[order]
        self._called.discard(order)
        return True

    def _hand_on(self, order: OrderId, picker: PickerId) -> Story:
        if not self._done(order):
            return
        if self._office.wanted(order):
            yield from self._spend(order, picker, PickStage.PACKING, self._consolidate_s)
        yield from super()._hand_on(order, picker)
