"""Designs of experiments: which combinations of factors to try, and what a set of results says of each factor."""

from collections.abc import Sequence
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Design = Literal["grid", "lhs", "sobol"]


def unit_points(design: Design, dimensions: int, count: int, seed: int) -> NDArray[np.float64]:
    """Points of the unit cube, float64 (count, dimensions): Latin hypercube (McKay, Beckman and Conover 1979) or Sobol (1967).

    Sobol points are scrambled (Owen 1998); a power of two of them is balanced best.
    """
    from scipy.stats import qmc

    if design == "lhs":
        found: NDArray[np.float64] = qmc.LatinHypercube(dimensions, rng=np.random.default_rng(seed)).random(count)
        return found
    sobol = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(seed))
    # Drawing the next power of two and leaving the rest keeps the balance of what is drawn as good as it can be.
    return np.asarray(sobol.random_base2(max(count - 1, 0).bit_length())[:count])


class Effect(NamedTuple):
    """What part of the results' variance goes with one factor, or with two of them together beyond each alone."""

    factors: tuple[int, ...]
    share: float


def effects(levels: Sequence[Sequence[float | str]], results: Sequence[float]) -> list[Effect]:
    """Which factors matter: the share of variance that each, and each pair, explains, the largest first.

    Where every combination was tried equally often the shares are those of the analysis of variance (Fisher 1925). Elsewhere they
    are what each term explains of a linear model of the factors and their products, taken one after the other.

    Parameters
    ----------
    levels
        Of each result, the factors' values.
    results
        The means.
    """
    y = np.asarray(results, dtype=np.float64)
    total = float(((y - y.mean()) ** 2).sum())
    if not total or not levels:
        return []
    columns = [list(column) for column in zip(*levels, strict=True)]
    sizes = [len(set(column)) for column in columns]
    if len(y) == int(np.prod(sizes)) and len(set(map(tuple, levels))) == len(y):
        found = _of_a_grid(columns, y)
    else:
        found = _of_a_model(columns, y)
    shares = [Effect(factors, share / total) for factors, share in found]
    return sorted(shares, key=lambda each: (-each.share, each.factors))


def _of_a_grid(columns: list[list[float | str]], y: NDArray[np.float64]) -> list[tuple[tuple[int, ...], float]]:
    alone: dict[int, NDArray[np.float64]] = {}
    found: list[tuple[tuple[int, ...], float]] = []
    for place, column in enumerate(columns):
        alone[place] = _mean_by(column, y) - y.mean()
        found.append(((place,), float((alone[place] ** 2).sum())))
    if len(columns) > 1:
        for one, two in combinations(range(len(columns)), 2):
            both = _mean_by(list(zip(columns[one], columns[two], strict=True)), y) - y.mean()
            found.append(((one, two), float(((both - alone[one] - alone[two]) ** 2).sum())))
    return found


def _mean_by(keys: Sequence[object], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each result, the mean of all with the same key."""
    _, which = np.unique([repr(key) for key in keys], return_inverse=True)
    means: NDArray[np.float64] = (np.bincount(which, y) / np.bincount(which))[which]
    return means


def _of_a_model(columns: list[list[float | str]], y: NDArray[np.float64]) -> list[tuple[tuple[int, ...], float]]:
    single = [_terms(column) for column in columns]
    terms: list[tuple[tuple[int, ...], NDArray[np.float64]]] = [((place,), term) for place, term in enumerate(single)]
    for one, two in combinations(range(len(columns)), 2):
        products = (single[one][:, :, None] * single[two][:, None, :]).reshape(len(y), -1)
        terms.append(((one, two), products))
    basis, found, left = np.ones((len(y), 1)), [], y - y.mean()
    for factors, term in terms:
        if basis.shape[1] + term.shape[1] >= len(y):
            break  # more terms than results: nothing would be left to explain
        basis = np.hstack([basis, term])
        rest = y - basis @ np.linalg.lstsq(basis, y, rcond=None)[0]
        found.append((factors, max(float((left**2).sum() - (rest**2).sum()), 0.0)))
        left = rest
    return found


def _terms(column: Sequence[float | str]) -> NDArray[np.float64]:
    """A factor's columns in a linear model: itself, centred; or, of words, one for each but the first."""
    if all(isinstance(value, int | float) for value in column):
        data = np.asarray(column, dtype=np.float64)
        scaled: NDArray[np.float64] = (data - data.mean()) / (float(data.std()) or 1.0)
        return scaled[:, None]
    words = sorted({str(value) for value in column})
    return np.array([[float(str(value) == word) for word in words[1:]] for value in column])


def pareto(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which rows no other row beats: as good in every column and better in one; less is better, bool (rows,)."""
    as_good = (values[:, None, :] <= values[None, :, :]).all(axis=2)
    better = (values[:, None, :] < values[None, :, :]).any(axis=2)
    return np.asarray(~(as_good & better).any(axis=0))
