"""Instances of the meal delivery routing problem for tests: drawn here, in the published format."""

from pathlib import Path

import numpy as np


def write_instance(
    folder: Path, seed: int, *, orders: int = 60, restaurants: int = 12, couriers: int = 10, prepare: float = 1.0,
    speed: float = 320.0, hours: float = 4.0, spread_m: float = 8000.0,
    rush: float = 0.0, fitted: bool = False,
) -> Path:  # fmt: skip
    """Draw an instance; the same seed gives the same places and times, whatever preparation and speed are scaled by.

    `rush`: share of the orders that are placed within the middle quarter of the time. `fitted`: shifts, as long as else, lie
    about its middle instead of beginning early.
    """
    rng = np.random.default_rng(seed)
    minutes = int(hours * 60)
    r_at, c_at, o_at = (rng.integers(0, int(spread_m), (n, 2)) for n in (restaurants, couriers, orders))
    placed = np.sort(rng.integers(0, minutes, orders))
    takes = np.maximum(np.rint(rng.gamma(6.0, 2.0, orders) * prepare), 1).astype(int)
    where = rng.integers(0, restaurants, orders)
    on = rng.integers(0, minutes // 4, couriers)
    off = np.minimum(on + rng.integers(minutes // 2, minutes, couriers), minutes + 60)
    if rush:
        hurried = rng.random(orders) < rush
        placed = np.sort(np.where(hurried, minutes * 3 // 8 + placed // 4, placed))
    if fitted:
        on, off = (
            np.maximum(minutes * 9 // 16 - (off - on) // 2, 0), np.maximum(minutes * 9 // 16 - (off - on) // 2, 0) + off - on
        )  # fmt: skip
    tables = {
        "orders": (
            "order\tx\ty\tplacement_time\trestaurant\tready_time",
            [
                f"o{i + 1}\t{o_at[i, 0]}\t{o_at[i, 1]}\t{placed[i]}\tr{where[i] + 1}\t{placed[i] + takes[i]}"
                for i in range(orders)
            ],
        ),
        "restaurants": (
            "restaurant\tx\ty", [f"r{i + 1}\t{r_at[i, 0]}\t{r_at[i, 1]}" for i in range(restaurants)],
        ),
        "couriers": (
            "courier\tx\ty\ton_time\toff_time",
            [f"c{i + 1}\t{c_at[i, 0]}\t{c_at[i, 1]}\t{on[i]}\t{off[i]}" for i in range(couriers)],
        ),
        "instance_parameters": (
            "meters_per_minute\tpickup service minutes\tdropoff service minutes\ttarget click-to-door\t"
            "maximum click-to-door\tpay per order\tguaranteed pay per hour",
            [f"{speed:g}\t4\t4\t40\t90\t10\t15"],
        ),
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for name, (header, lines) in tables.items():
        (folder / f"{name}.txt").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return folder
