"""Location problems for tests, drawn here, and their optima by the plainest integer program there is, all variables in it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, hstack, identity, kron
from scipy.sparse.csgraph import shortest_path

Array = NDArray[np.float64]


def plane(seed: int, points: int, candidates: int) -> tuple[Array, Array]:
    """Distances on a square of 5 km and weights, float64 (points, candidates) and (points,)."""
    rng = np.random.default_rng(seed)
    at, sites = rng.uniform(0, 5000, (points, 2)), rng.uniform(0, 5000, (candidates, 2))
    return np.hypot(*(at[:, None] - sites[None]).transpose(2, 0, 1)), rng.gamma(1.0, 50.0, points)


def graph(seed: int, nodes: int) -> Array:
    """Shortest ways between the nodes of a random graph with edges of 1 to 100, whole numbers, float64 (nodes, nodes)."""
    rng = np.random.default_rng(seed)
    ring = np.column_stack([np.arange(nodes), (np.arange(nodes) + 1) % nodes])
    edges = np.vstack([ring, rng.integers(0, nodes, (nodes, 2))])
    lengths = np.zeros((nodes, nodes))
    for (a, b), length in zip(edges, rng.integers(1, 101, len(edges)), strict=True):
        if a != b:
            lengths[a, b] = lengths[b, a] = length
    return np.asarray(shortest_path(lengths, directed=False))


def best_cost(
    costs: Array, *, p: int | None, weights: Array | None = None, opening: Array | None = None, held: Any = ()
) -> float:
    """The least cost of all choices: x_ij <= y_j and the sum of x_ij is 1, for each demand point i and candidate j."""
    points, candidates = costs.shape
    weighted = costs * (np.ones(points) if weights is None else weights)[:, None]
    opens = np.zeros(candidates) if opening is None else opening
    served = hstack([coo_array((points, candidates)), kron(identity(points), np.ones((1, candidates)))])
    by_open = hstack([kron(np.ones((points, 1)), identity(candidates)), -identity(points * candidates)])
    sites = np.concatenate([np.ones(candidates), np.zeros(points * candidates)])
    low = np.zeros(len(sites))
    low[list(held)] = 1.0
    number = LinearConstraint(sites[None, :], 1 if p is None else p, candidates if p is None else p)
    answer = milp(
        np.concatenate([opens, weighted.ravel()]), integrality=sites, bounds=Bounds(low, np.ones(len(sites))),
        constraints=[LinearConstraint(served.tocsr(), 1, 1), LinearConstraint(by_open.tocsr(), 0, np.inf), number],
        options={"mip_rel_gap": 0.0},
    )  # fmt: skip
    assert answer.status == 0
    return float(answer.fun)


def most_covered(costs: Array, radius: float, *, p: int, weights: Array, held: Any = ()) -> float:
    """The greatest weight that p sites cover: z_i <= the sum of y_j over the candidates j within the radius of i."""
    points, candidates = costs.shape
    within = np.hstack([(costs <= radius).astype(float), -np.eye(points)])
    sites = np.concatenate([np.ones(candidates), np.zeros(points)])
    low = np.zeros(len(sites))
    low[list(held)] = 1.0
    answer = milp(
        np.concatenate([np.zeros(candidates), -weights]), integrality=sites, bounds=Bounds(low, np.ones(len(sites))),
        constraints=[LinearConstraint(within, 0, np.inf), LinearConstraint(sites[None, :], p, p)],
        options={"mip_rel_gap": 0.0},
    )  # fmt: skip
    assert answer.status == 0
    return float(-answer.fun)
