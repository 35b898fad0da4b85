"""Waits in many independent M/M/c queues at once, by the recursion of Kiefer and Wolfowitz (1955)."""

from math import factorial

import numpy as np
from numpy.typing import NDArray


def erlang_wait(servers: int, rho: float) -> float:
    """Mean wait in M/M/c with mean service 1 (Erlang 1917)."""
    load = rho * servers
    top = load**servers / factorial(servers) / (1.0 - rho)
    wait = top / (sum(load**k / factorial(k) for k in range(servers)) + top)
    return wait / (servers - load)


def mean_waits(servers: int, rho: float, queues: int, warm: int, customers: int, seed: int) -> NDArray[np.float64]:
    """Mean wait of `customers` after `warm` others, in each of so many queues that started empty, float64 (queues,)."""
    rng = np.random.default_rng(seed)
    work = np.zeros((queues, servers))
    total = np.zeros(queues)
    for number in range(warm + customers):
        if number >= warm:
            total += work[:, 0]
        work[:, 0] += rng.exponential(1.0, queues)
        work -= rng.exponential(1.0 / (rho * servers), queues)[:, None]
        np.maximum(work, 0.0, out=work)
        work.sort(axis=1)
    return total / customers


def mean_wait_by_customer(rho: float, customers: int, queues: int, seed: int) -> NDArray[np.float64]:
    """Waits in M/M/1 queues that started empty, by Lindley's (1952) recursion, over so many of them, float64 (customers,)."""
    rng = np.random.default_rng(seed)
    wait, found = np.zeros(queues), np.zeros(customers)
    for number in range(1, customers):
        wait = np.maximum(wait + rng.exponential(1.0, queues) - rng.exponential(1.0 / rho, queues), 0.0)
        found[number] = wait.mean()
    return found
