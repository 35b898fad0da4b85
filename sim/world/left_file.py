"""The goods that a run leaves, in a file: how another run goes on from them, with their ages and what is on its way."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.contracts import SalesHistory
from sim.scenario.dock import Dock
from sim.world.catalogue import Haul, Load, Opening
from sim.world.roads import load_cache

LEFT: Final = "left.npz"
"""Name of the file in a run's folder."""


def packed(opening: Opening) -> dict[str, NDArray[Any]]:
    """Turn an opening into plain arrays."""
    loads, hauls, sold = opening.under_way, opening.hauls, opening.sold
    assert opening.lots is not None
    return {
        **({} if sold is None else {f"sold_{name}": column for name, column in sold._asdict().items()}),
        "shelf": opening.shelf, "record": opening.record, "scan": opening.scan, "lots": opening.lots,
        **({} if opening.dock is None else {"dock": opening.dock}),
        "haul_to": np.array([haul.to for haul in hauls], dtype=np.int64),
        "haul_at_s": np.array([haul.at_s for haul in hauls], dtype=np.float64),
        "haul_units": np.array([haul.units for haul in hauls], dtype=np.int64).reshape(len(hauls), opening.shelf.shape[1]),
        "haul_lots": np.array([haul.lots for haul in hauls], dtype=np.int64).reshape(
            len(hauls), opening.lots.shape[0], opening.lots.shape[2]
        ),
        "load_store": np.array([load.store for load in loads], dtype=np.int64),
        "load_at_s": np.array([load.at_s for load in loads], dtype=np.float64),
        "load_number": np.array([load.number for load in loads], dtype=np.int64),
        "load_units": np.array([load.units for load in loads], dtype=np.int64).reshape(len(loads), opening.shelf.shape[1]),
    }  # fmt: skip


def unpacked(arrays: dict[str, NDArray[Any]]) -> Opening:
    """Turn what `packed` made into an opening again.

    Raises
    ------
    KeyError
        Some of it is not there.
    """
    hauls = (arrays[f"haul_{name}"] for name in ("to", "at_s", "units", "lots"))
    columns = (arrays[f"load_{name}"] for name in ("store", "at_s", "number", "units"))
    sold = SalesHistory(*(arrays[f"sold_{name}"] for name in SalesHistory._fields)) if "sold_sold" in arrays else None
    return Opening(
        shelf=arrays["shelf"], record=arrays["record"], scan=arrays["scan"], lots=arrays["lots"],
        under_way=tuple(
            Load(int(store), float(at_s), int(number), units) for store, at_s, number, units in zip(*columns, strict=True)
        ),
        sold=sold,
        dock=arrays.get("dock"),
        hauls=tuple(
            Haul(int(to), float(at_s), units, lots) for to, at_s, units, lots in zip(*hauls, strict=True)
        ),
    )  # fmt: skip


def write_left(folder: Path, left: Opening, life_days: NDArray[np.int64], dock: Dock | None) -> None:
    """Write what a run left into its folder.

    Parameters
    ----------
    life_days
        Of each SKU, (skus,): whose lots these are.
    dock
        The run's docks: whether what stands there has been scanned.
    """
    scanned = np.array(dock is not None and dock.scan == "dock")
    # What was sold is read off the log, which has it for every forecast.
    arrays = packed(replace(left, sold=None)) | {"life_days": life_days, "dock_scanned": scanned}
    np.savez_compressed(folder / LEFT, **arrays)  # type: ignore[arg-type]


def read_left(path: Path, life_days: NDArray[np.int64], dock: Dock | None) -> Opening | None:
    """Read what a run left, as the opening of a run with these goods and docks; None when the file is none.

    Of goods with another shelf life than then, ages are judged from the shelves, and what is on the road counts as fresh. What
    stood at docks stands there again; where there are none any more it stands on the shelves, as what trucks bring does.
    """
    arrays = load_cache(path)
    try:
        opening = None if arrays is None else unpacked(arrays)
    except (KeyError, TypeError, ValueError):
        return None
    if arrays is None or opening is None or not {"life_days", "dock_scanned"} <= set(arrays):
        return None
    if opening.shelf.shape[1:] == life_days.shape and not np.array_equal(arrays["life_days"], life_days):
        opening = _of_no_age(opening, life_days)
    return opening if opening.dock is None else _at_docks(opening, opening.dock, bool(arrays["dock_scanned"]), dock)


def _of_no_age(opening: Opening, life_days: NDArray[np.int64]) -> Opening:
    spoils, days = np.flatnonzero(life_days), int(life_days.max(initial=1))
    hauls = []
    for haul in opening.hauls:
        lots = np.zeros((max(days, 1), len(spoils)), dtype=np.int64)
        lots[0] = haul.units[spoils]
        hauls.append(replace(haul, lots=lots))
    return replace(opening, lots=None, hauls=tuple(hauls))


def _at_docks(opening: Opening, stock: NDArray[np.int64], was_scanned: bool, dock: Dock | None) -> Opening:
    """Goods at the docks, scanned there or not when they came, as docks that scan otherwise, or none, would have them."""
    noted, there = stock
    known = opening if dock is not None else replace(opening, shelf=opening.shelf + there, dock=None)
    scanned = dock is None or dock.scan == "dock"
    if scanned == was_scanned:
        return known
    more = noted if scanned else -noted
    return replace(known, record=np.maximum(opening.record + more, 0), scan=opening.scan + more)
