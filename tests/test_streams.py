"""Keyed randomness: the same key, the same draw; another key, an independent one."""

import itertools

import numpy as np
import pytest
from scipy import stats

from sim.scenario import load_text
from sim.streams import Die, Streams, lognormal, quantised
from sim.vocabulary import TICK_S, InputError, quantise

ERROR = 1e-6


def test_a_purpose_always_starts_at_the_same_place() -> None:
    streams = Streams(5, 2)
    first = streams.generator("demand").random(10)
    streams.generator("other").random(1000)
    np.testing.assert_array_equal(streams.generator("demand").random(10), first)
    np.testing.assert_array_equal(Streams(5, 2).generator("demand").random(10), first)


def test_seed_replication_and_purpose_all_matter() -> None:
    keys = [
        (seed, replication, purpose)
        for seed in (0, 1, 2**32, 2**32 + 1, 2**63)
        for replication in (0, 1, 5)
        for purpose in ("a", "b", "")
    ]
    draws = {
        tuple(Streams(seed, replication).generator(purpose).random(2).tolist()) for seed, replication, purpose in keys
    }
    assert len(draws) == len(keys)
    dice = {Streams(seed, replication).die(purpose).uniform(3, 4) for seed, replication, purpose in keys}
    assert len(dice) == len(keys)


def test_seeds_that_the_streams_would_cut_are_refused() -> None:
    """Two seeds are two days: the key holds 64 bits, so the scenario takes no larger seed."""
    assert load_text(f"seed: {2**64 - 1}").seed == 2**64 - 1
    for seed in (2**64, 2**64 + 1, 2**70):
        with pytest.raises(InputError, match="seed"):
            load_text(f"seed: {seed}")


def test_neighbouring_streams_are_independent() -> None:
    draws = np.array([Streams(1, replication).generator("demand").random(2000) for replication in range(20)])
    correlation = np.corrcoef(draws)[np.triu_indices(20, 1)]
    assert np.abs(correlation).max() < stats.norm.isf(ERROR / len(correlation)) / np.sqrt(2000)


def pairs(die: Die) -> np.ndarray:
    return np.array([[die.uniform(a, b) for b in range(200)] for a in range(200)])


@pytest.mark.parametrize("purpose", ["drivers.answer", "reservation.jitter"])
def test_a_die_is_uniform_over_entities_in_every_direction(purpose: str) -> None:
    table = pairs(Streams(1).die(purpose))
    assert stats.kstest(table.ravel(), "uniform").pvalue > ERROR
    assert ((table >= 0) & (table < 1)).all()
    for row in itertools.islice(table, 0, 200, 20):
        assert stats.kstest(row, "uniform").pvalue > ERROR
    # No pattern between neighbours: orders and drivers are numbered densely.
    for one, other in ((table[1:], table[:-1]), (table[:, 1:], table[:, :-1])):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 6 / 200
    off = ~np.eye(200, dtype=bool)
    assert abs(np.corrcoef(table[off], table.T[off])[0, 1]) < 6 / 200


def test_a_pair_is_two_independent_uniforms() -> None:
    die = Streams(3).die("x")
    table = np.array([die.pair(a, b) for a in range(300) for b in range(60)])
    for column in table.T:
        assert stats.kstest(column, "uniform").pvalue > ERROR
    counts = np.histogram2d(table[:, 0], table[:, 1], bins=10, range=[[0, 1], [0, 1]])[0]
    assert stats.chi2.sf(((counts - 180) ** 2 / 180).sum(), 99) > ERROR


def test_draws_are_multiples_of_the_tick_and_sums_are_exact() -> None:
    draws = quantised(np.random.default_rng(1).exponential(50, 5000))
    assert (draws / TICK_S == np.rint(draws / TICK_S)).all()
    forward, backward = 0.0, 0.0
    for draw in draws:
        forward += draw
    for draw in draws[::-1]:
        backward += draw
    assert forward == backward
    assert [quantise(x) for x in (0.0, 1.0, TICK_S, 0.4 * TICK_S)] == [0.0, 1.0, TICK_S, 0.0]
    np.testing.assert_array_equal(quantised(np.array([0.1, 7.77])), [quantise(0.1), quantise(7.77)])


@pytest.mark.parametrize(("mean", "cv"), [(1.0, 0.15), (40.0, 0.5), (1.2, 0.8)])
def test_lognormal_has_its_mean_and_scatter(mean: float, cv: float) -> None:
    n = 200_000
    draws = lognormal(np.random.default_rng(4), mean, cv, n)
    assert abs(draws.mean() / mean - 1) < 5 * cv / np.sqrt(n)
    assert draws.std() / mean == pytest.approx(cv, rel=0.05)
    assert (
        stats.kstest(np.log(draws), "norm", args=(np.log(mean) - np.log1p(cv**2) / 2, np.sqrt(np.log1p(cv**2)))).pvalue
        > ERROR
    )
    np.testing.assert_array_equal(lognormal(np.random.default_rng(4), mean, 0.0, 3), [mean] * 3)


def test_many_uniforms_at_once_are_the_same_uniforms():
    die = Streams(7).die("bus")
    many = die.uniforms(np.arange(1000) * 31, 5)
    assert many.tolist() == [die.uniform(entity * 31, 5) for entity in range(1000)]
    assert die.uniforms(np.arange(3), -2).tolist() == [die.uniform(entity, -2) for entity in range(3)]
