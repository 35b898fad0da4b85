"""Keyed randomness: what the world does to us depends on the seed and on what is asked, never on who asks first.

Two tools. A *stream* is a NumPy generator keyed by (seed, replication, purpose), for vectors of draws made before the
clock starts. A *die* is an integer hash keyed the same way, for the few draws that can only be made on the way (does
driver 17 accept order 230 at the second asking?); its value depends on the entities named, not on the order of calls.
So two policies under one seed face the same day, and adding a driver changes no customer.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.vocabulary import TICK_S

_MASK = 0xFFFFFFFFFFFFFFFF
_GOLDEN = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class Die:
    """A keyed integer hash (SplitMix64's finaliser; Steele, Lea, Flood 2014) with a uniform on top."""

    key: int

    def _bits(self, a: int, b: int) -> int:
        x = (self.key + a * _GOLDEN + b * 0xD1B54A32D192ED03) & _MASK
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
        x = ((x ^ (x >> 31)) * _GOLDEN) & _MASK
        return x ^ (x >> 29)

    def uniform(self, a: int, b: int = 0) -> float:
        """Uniform on [0, 1) for the pair of entities (a, b): the same pair always gives the same value."""
        return (self._bits(a, b) >> 11) * 2.0**-53

    def _many_bits(self, a: NDArray[np.int64], b: int) -> NDArray[np.uint64]:
        x = a.astype(np.uint64) * np.uint64(_GOLDEN)
        x += np.uint64((self.key + b * 0xD1B54A32D192ED03) & _MASK)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = (x ^ (x >> np.uint64(31))) * np.uint64(_GOLDEN)
        return x ^ (x >> np.uint64(29))

    def uniforms(self, a: NDArray[np.int64], b: int = 0) -> NDArray[np.float64]:
        """`uniform` of many entities at once: the same values, float64 (n,)."""
        return (self._many_bits(a, b) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def pairs(self, a: NDArray[np.int64], b: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """`pair` of many entities at once: the same values, float64 (n,) each."""
        bits = self._many_bits(a, b)
        return (bits >> np.uint64(32)).astype(np.float64) * 2.0**-32, (bits & np.uint64(0xFFFFFFFF)).astype(
            np.float64
        ) * 2.0**-32

    def pair(self, a: int, b: int = 0) -> tuple[float, float]:
        """Two independent uniforms on [0, 1) of 32 bits each for the price of one."""
        bits = self._bits(a, b)
        return (bits >> 32) * 2.0**-32, (bits & 0xFFFFFFFF) * 2.0**-32


@dataclass(frozen=True, slots=True)
class Streams:
    """All the randomness of one replication.

    `seed` is the user's; `replication` counts from zero, and replication 0 of any number of replications is the run
    without replications.
    """

    seed: int
    replication: int = 0

    def _words(self, purpose: str) -> list[int]:
        # Keys of fixed length: SeedSequence([1]) equals SeedSequence([1, 0]).
        digest = blake2b(purpose.encode(), digest_size=16).digest()
        words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
        return [self.seed & 0xFFFFFFFF, (self.seed >> 32) & 0xFFFFFFFF, self.replication, *words]

    def generator(self, purpose: str) -> np.random.Generator:
        """Return a fresh generator for a purpose; the same purpose always starts at the same place."""
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(self._words(purpose))))

    def die(self, purpose: str) -> Die:
        """Return a keyed hash for a purpose."""
        text = f"{self.seed}/{self.replication}/{purpose}"
        return Die(int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little"))


def quantised(draws: NDArray[Any]) -> NDArray[np.float64]:
    """Round a vector of durations to multiples of `TICK_S`, seconds, so that their sums are exact."""
    return np.asarray(np.rint(np.asarray(draws, dtype=np.float64) / TICK_S) * TICK_S)


def lognormal(generator: np.random.Generator, mean: float, cv: float, size: int) -> NDArray[np.float64]:
    """Draw lognormal values given their mean and coefficient of variation (cv 0 gives the mean itself)."""
    if cv == 0:
        return np.full(size, float(mean))
    sigma2 = np.log1p(cv * cv)
    return np.asarray(mean * generator.lognormal(-sigma2 / 2, np.sqrt(sigma2), size))


def pick(chances: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Turn uniform draws (n,) into places in `weights`, each as likely as its weight, int64 (n,)."""
    if not len(chances):
        return np.empty(0, dtype=np.int64)
    cumulative = np.cumsum(weights)
    found = np.searchsorted(cumulative, chances * cumulative[-1], side="right")
    # A weight of zero is never picked: rounding at the very end must not step past the last one above zero.
    return np.asarray(np.minimum(found, int(np.flatnonzero(weights)[-1])), dtype=np.int64)


def quick(column: NDArray[Any]) -> Any:
    """A column for reading one value at a time as a plain Python number: three times faster than from the array."""
    return memoryview(np.ascontiguousarray(column))  # type: ignore[arg-type]
