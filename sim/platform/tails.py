"""Latencies by a sample's p50 and p99: a tail that falls like an exponential through both, and mixtures of such."""

from math import exp, log
from typing import NamedTuple

from sim.platform.meter import Sample

SLOW = 0.01
"""A percentile 99 is exceeded by this share."""

_HALVINGS = 30
_LOG_HALF = log(0.5)
_LOG_SPAN = log(SLOW) - log(0.5)


def share_failed(sample: Sample) -> float:
    """Share of a service's calls that failed."""
    calls, errors = sample[0], sample[1]
    return 0.0 if not errors else min(errors / calls, 1.0) if calls else 1.0


def known(seconds: float) -> float:
    """A latency, or nothing where nobody asked."""
    return seconds if seconds == seconds else 0.0


def tail_s(sample: Sample, tail: float) -> float:
    """Latency that a share of the calls exceed, seconds."""
    p50_s, p99_s = sample.p50_s, sample.p99_s
    if p99_s != p99_s:
        return 0.0
    if tail >= 0.5:
        return p50_s * log(tail) / _LOG_HALF
    return p50_s + (p99_s - p50_s) * (log(tail) - _LOG_HALF) / _LOG_SPAN


def beyond(sample: Sample, seconds: float) -> float:
    """Share of the calls that take longer, the inverse of `tail_s`."""
    p50_s, p99_s = sample.p50_s, sample.p99_s
    if seconds <= 0.0:
        return 1.0
    if p99_s != p99_s:
        return 0.0
    if seconds < p50_s:
        return exp(_LOG_HALF * seconds / p50_s)
    return exp(_LOG_HALF + _LOG_SPAN * (seconds - p50_s) / (p99_s - p50_s)) if p99_s > p50_s else 0.0


class Shared(NamedTuple):
    """Reads of which some wait for an answer that others have asked for: they come in at any moment of its time.

    Attributes
    ----------
    way_s
        Of a read that asks, beside the catalogue's part, seconds.
    fill_s
        Time of an answer, seconds.
    missed, joined
        Share that the cache did not answer, and the part of it that waits for others.
    """

    gateway: Sample
    catalogue: Sample
    way_s: float
    fill_s: float
    missed: float
    joined: float

    def exceeded_by_s(self, tail: float) -> float:
        """Latency that a share `tail` of the reads exceed, seconds."""
        low_s, high_s = 0.0, self.way_s + self.fill_s + tail_s(self.gateway, 1e-6) + tail_s(self.catalogue, 1e-6)
        for _ in range(_HALVINGS):
            middle_s = 0.5 * (low_s + high_s)
            hit, asked = beyond(self.gateway, middle_s), beyond(self.catalogue, middle_s - self.way_s)
            waiting = max(1.0 - middle_s / self.fill_s, hit)
            slower = (1.0 - self.missed) * hit + (self.missed - self.joined) * asked + self.joined * waiting
            if slower > tail:
                low_s = middle_s
            else:
                high_s = middle_s
        return high_s
