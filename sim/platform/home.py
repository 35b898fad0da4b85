"""The home screen, where nobody simulates a view: what one takes, by the services it asks as monitoring last saw them.

The screen asks its parts at once and waits for the slowest: for required ones however long, for optional ones until the
deadline. A part's latency is taken to fall off exponentially through its service's p50 and p99 and the parts to be
independent, so a view is there in time when each part is: the shares multiply (David, Nagaraja 2003, *Order Statistics*,
2.1).
"""

from collections.abc import Callable, Sequence
from math import exp, log
from typing import NamedTuple

from sim.platform.front import FEATURE_OF, SERVICE_OF
from sim.platform.gateway import Degradation
from sim.platform.meter import Sample
from sim.scenario.gateway import Screens
from sim.vocabulary import Svc

_LOG_HALF = log(0.5)
_LOG_SPAN = log(0.01) - log(0.5)
_HALF, _MOST = log(-log(0.5)), log(-log(0.99))
_SURE, _RARE = 1.5, 1e-3
"""Where the deadline is so many times the p99, a part is late in less than one view of so many: that is never."""
_SHARP_S = 1e-6
"""Percentiles nearer to each other are those of a single call, seconds."""
_STEP = 0.3
"""Newton's method leaves some two hundredths at most behind a step of this share of the whole."""


class _Part(NamedTuple):
    """Parts that ask a service for the same work have one latency: how many there are, and of these how many required.

    `page`: they read the catalogue, which the cache answers while the breaker is open.
    """

    service: Svc
    work: float
    page: bool
    alike: int
    required: int


_Curve = tuple[float, float, int]
"""A part's p50, seconds; the exponent of its tail from there on, a second; how many parts are like it."""


class HomeScreen:
    """The home screen of one run.

    Parameters
    ----------
    degradation
        Says which features are off: their parts are not asked.
    answers
        Whether a service answers at all, or in place of it the cache: asked where nobody called it, of the service and of
        whether it is for a page.
    """

    def __init__(self, screens: Screens, degradation: Degradation, answers: Callable[[Svc, bool], bool]) -> None:
        self._screens, self._degradation, self._answers = screens, degradation, answers
        self._deadline_s = screens.deadline_s
        self._asked: dict[int, list[_Part]] = {}  # by how many features are off
        self._last_s = (0.0, 0.0)  # p50 and p99, where the next look begins to search

    def look(self, samples: Sequence[Sample]) -> tuple[float, float, float, float]:
        """Work out what views met, by the newest sample of each service.

        From one quarter of a minute to the next little changes: one step of Newton's method from the last answer, for the
        median by the logarithm of the product and for the p99 by the sum of the tails, is nearly always enough.

        Returns
        -------
        tuple
            Median and p99 of the time until everything is there that is waited for, seconds, over the views that are shown;
            the share of views that are not, because a required part got no answer; the mean number of optional parts that
            a view is shown without because they were late.
        """
        off = self._degradation.off
        asked = self._asked.get(off)
        if asked is None:
            asked = self._asked[off] = self._parts()
        half_s, most_s = self._last_s
        product, slope, tail, fall_s = 1.0, 0.0, 0.0, 0.0
        for service, work, page, alike, _ in asked:
            sample = samples[service]
            p50_s, p99_s = sample[4], sample[5]
            if sample[1]:
                return self._searched(asked, samples)
            if p50_s != p50_s:
                if self._answers(service, page):
                    continue  # nobody asked: there is no telling, and no wait
                return self._searched(asked, samples)
            if work != 1.0:
                p50_s, p99_s = _scaled(p50_s, p99_s, sample[9], work)
            span_s = p99_s - p50_s
            if p50_s >= half_s or span_s < _SHARP_S:
                return self._searched(asked, samples)
            fall = _LOG_SPAN / span_s
            beyond = exp(_LOG_HALF + (half_s - p50_s) * fall)
            rest = 1.0 - beyond
            product *= rest if alike == 1 else rest**alike
            slope -= alike * fall * beyond / rest
            beyond = alike * exp(_LOG_HALF + (most_s - p50_s) * fall)
            tail += beyond
            fall_s -= fall * beyond
        if product < 1.0 and tail > 0.0:
            logarithm = log(product)
            step_s = (_HALF - log(-logarithm)) * logarithm / slope
            far_s = (log(tail) - _MOST) * tail / fall_s
            if abs(step_s) < _STEP * half_s and abs(far_s) < _STEP * most_s:
                half_s, most_s = self._last_s = half_s + step_s, most_s + far_s
                if _SURE * most_s < self._deadline_s:
                    return half_s, most_s, 0.0, 0.0
        return self._searched(asked, samples)

    def _parts(self) -> list[_Part]:
        found: dict[tuple[Svc, float, bool], list[int]] = {}
        for part in self._screens.home:
            feature = FEATURE_OF.get(part.service)
            if feature is None or self._degradation.enabled(feature):
                key = SERVICE_OF[part.service], part.work, part.service == "catalogue"
                counts = found.setdefault(key, [0, 0])
                counts[0] += 1
                counts[1] += part.required
        return [_Part(*key, *counts) for key, counts in found.items()]

    def _searched(self, asked: list[_Part], samples: Sequence[Sample]) -> tuple[float, float, float, float]:
        """The whole answer: with parts that fail or are late, and wherever the last one was."""
        deadline_s, shown, complete, dropped = self._deadline_s, 1.0, 1.0, 0.0
        whole, needed = list[_Curve](), list[_Curve]()
        for service, work, page, alike, required in asked:
            sample, optional = samples[service], alike - required
            calls, errors = sample.calls, sample.errors
            if errors:
                failed = errors / calls if calls > errors else 1.0
            else:
                failed = 0.0 if calls or self._answers(service, page) else 1.0
            shown *= (1.0 - failed) ** required
            complete *= (1.0 - failed) ** optional
            late = failed
            if sample.p99_s == sample.p99_s:  # else nobody was answered
                p50_s, p99_s = _scaled(sample.p50_s, sample.p99_s, sample.backlog_s, work)
                fall = _LOG_SPAN / max(p99_s - p50_s, _SHARP_S)
                whole.append((p50_s, fall, alike))
                if required:
                    needed.append((p50_s, fall, required))
                late += (1.0 - failed) * _beyond(p50_s, fall, deadline_s)
            dropped += optional * late

        def by_s(share: float) -> float:
            # Before the deadline a view is there when all of its parts are, after it when the required ones are.
            if share < complete - 1e-9:
                found_s = _slowest_s(whole, share / complete)
                if found_s <= deadline_s:
                    return found_s
            return max(_slowest_s(needed, share), deadline_s)

        p50_s, p99_s = self._last_s = by_s(0.5), by_s(0.99)
        return p50_s, p99_s, 1.0 - shown, dropped if dropped > _RARE else 0.0


def _scaled(p50_s: float, p99_s: float, ahead_s: float, work: float) -> tuple[float, float]:
    """Percentiles of calls of `work` times the usual: the work grows, the wait for those ahead does not."""
    more = work - 1.0
    return (
        p50_s + more * (p50_s - ahead_s) if p50_s > ahead_s else p50_s,
        p99_s + more * (p99_s - ahead_s) if p99_s > ahead_s else p99_s,
    )


def _beyond(p50_s: float, fall: float, t_s: float) -> float:
    """Share of calls that take longer than a time."""
    return exp(min(_LOG_HALF + (t_s - p50_s) * fall, 0.0))


def _slowest_s(curves: Sequence[_Curve], share: float) -> float:
    """Time by which all parts are there in a share (half or more) of the cases, seconds; 0 without parts.

    It lies past every part's median, so only the tails matter.
    """
    low_s = max((p50_s for p50_s, _, _ in curves), default=0.0)
    high_s = max(
        (p50_s + log(2.0 * (1.0 - share) / (len(curves) * n)) / fall for p50_s, fall, n in curves), default=0.0
    )
    target = log(share)
    while high_s - low_s > 1e-3 * high_s:
        t_s = (low_s + high_s) / 2.0
        found = sum(n * log(1.0 - exp(_LOG_HALF + (t_s - p50_s) * fall)) for p50_s, fall, n in curves)
        low_s, high_s = (t_s, high_s) if found < target else (low_s, t_s)
    return high_s
