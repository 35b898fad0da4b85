"""Goods and records of a large chain: 500 stores with 4,000 SKUs each, in memory; what a reservation costs there."""

import gc
import time
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from sim.clock import Clock
from sim.facts import Facts
from sim.operations.shelves import Shelves
from sim.platform.inventory import Inventory
from sim.platform.stock_desk import StockDesk
from sim.recording import Log, NoArchive
from sim.vocabulary import StockCause

pytestmark = pytest.mark.benchmark

STORES, SKUS = 500, 4000


def test_a_large_chain_fits_and_a_reservation_is_cheap(capsys):
    env = Clock()
    nothing = np.zeros((STORES, SKUS), dtype=np.int64)
    gc.collect()
    tracemalloc.start()
    inventory = Inventory(Facts(), STORES, SKUS, env=env)
    desk = StockDesk(env, Facts(), inventory, None, None)
    shelves = Shelves(Facts(), nothing, nothing)
    held_mb = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    every = np.arange(SKUS)
    log = Log(env)
    inventory._facts = log
    for store in range(STORES):
        inventory.adjust_many(store, every, np.full(SKUS, 100), StockCause.OPENING)
    log.flush(NoArchive())
    rng = np.random.default_rng(1)
    orders = [
        SimpleNamespace(
            id=number, store=int(rng.integers(STORES)), skus=rng.choice(SKUS, 5, replace=False).tolist(), units=[1] * 5, held=[],
            committed=False, unheld=False,
        )
        for number in range(50_000)
    ]  # fmt: skip
    start = time.process_time()
    for order in orders:
        inventory.write(order, None)
    reserve_us = (time.process_time() - start) / len(orders) * 1e6
    start = time.process_time()
    for order in orders:
        inventory.commit(order)
    commit_us = (time.process_time() - start) / len(orders) * 1e6
    with capsys.disabled():
        print(
            f"\n{STORES} stores x {SKUS} SKUs: {held_mb:.0f} MB of shelves, scan log and records (target 200); an order of"
            f" 5 lines: {reserve_us:.1f} us to reserve, {commit_us:.1f} us to commit, log included"
        )
    assert held_mb < 200
    assert reserve_us < 100.0, "microseconds, with room for a slow machine"
    assert shelves.stores * shelves.skus == STORES * SKUS == desk.on_order.size
