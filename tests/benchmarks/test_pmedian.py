"""The p-median instances pmed1-pmed20 of the OR-Library: are their optima found, are they proven, and in what time?

The folder with `pmed1.txt` to `pmed20.txt` and `pmedopt.txt` is named by the environment variable DARKSTORE_PMEDIAN
(J. Beasley 1990, "OR-Library: distributing test problems by electronic mail", Journal of the Operational Research Society 41).
"""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse.csgraph import shortest_path

from sim.siting import p_median

pytestmark = pytest.mark.benchmark

MOST_S = 180.0
"""All twenty together, seconds: "within minutes"."""


def read_instance(path: Path) -> tuple[NDArray[np.float64], int]:
    """The shortest ways between all nodes, float64 (nodes, nodes), and p. Of edges that are there twice the last one counts."""
    numbers = np.array(path.read_text().split(), dtype=np.int64)
    (nodes, _, p), edges = numbers[:3], numbers[3:].reshape(-1, 3)
    lengths = np.zeros((nodes, nodes))
    for a, b, length in edges.tolist():
        lengths[a - 1, b - 1] = lengths[b - 1, a - 1] = length
    return np.asarray(shortest_path(lengths, directed=False)), int(p)


def test_the_optima_of_the_or_library(capsys: pytest.CaptureFixture[str]) -> None:
    named = os.environ.get("DARKSTORE_PMEDIAN")
    if not named or not (Path(named) / "pmedopt.txt").is_file():
        pytest.skip(
            "Set DARKSTORE_PMEDIAN to the folder with the OR-Library's pmed1.txt to pmed20.txt and pmedopt.txt."
        )
    folder = Path(named)
    known = dict(line.split()[:2] for line in (folder / "pmedopt.txt").read_text().splitlines()[1:] if line.strip())
    lines, missed, unproven, took_s = [], [], [], 0.0
    for name in (f"pmed{number}" for number in range(1, 21)):
        costs, p = read_instance(folder / f"{name}.txt")
        begun_s = time.perf_counter()
        found = p_median(costs, p)
        s = time.perf_counter() - begun_s
        took_s += s
        is_found = found.value == float(known[name])
        missed += [] if is_found else [name]
        unproven += [] if found.proven else [name]
        lines.append(
            f"{name:7} {len(costs):4} nodes  p {p:3}  optimum {known[name]:>5}  found {found.value:7.0f} "
            f" bound {found.bound:7.0f}  {'proven' if found.proven else 'open':6} {s:6.2f} s"
        )
    with capsys.disabled():
        print("\n" + "\n".join(lines) + f"\nall {took_s:.1f} s (target {MOST_S:.0f})")
    assert not missed
    assert not unproven
    assert took_s < MOST_S
