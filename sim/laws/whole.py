"""Laws 6 and 7, over a whole log: it rebuilds the final state exactly, time never goes back, nobody knows too early."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.facts import SIGNATURES
from sim.laws.base import Breach
from sim.recording import Archive, State, replay


def whole_log(archive: Archive, state: State) -> list[Breach]:
    """Check an archive against the final state that the live objects showed."""
    found = [Breach("replay", float("inf"), text) for text in replay(archive, state.shelf.shape).differences(state)]
    seqs = np.concatenate([archive.seq(kind) for kind in SIGNATURES])
    times = np.concatenate([archive.rows(kind)["t_s"] for kind in SIGNATURES])
    order = np.argsort(seqs)
    if not np.array_equal(seqs[order], np.arange(len(seqs))):
        found.append(Breach("time", float("inf"), "the log has gaps or doubles"))
    backwards = np.flatnonzero(np.diff(times[order]) < 0)
    if len(backwards):
        found.append(Breach("time", float(times[order][backwards[0]]), f"time went back {len(backwards)} times"))
    return found + _knowledge(archive) + _paid_back_twice(archive)


def _knowledge(archive: Archive) -> list[Breach]:
    """Each of these can only follow the other: answers follow offers, picks confirmations, rides packing."""
    found = []
    for first, then in (
        ("order_entered", "order_promised"),
        ("order_promised", "pick_started"),
        ("pick_started", "pick_ended"),
        ("task_opened", "offer_made"),
        ("offer_made", "offer_answered"),
        ("driver_at_store", "goods_left"),
        ("goods_left", "goods_delivered"),
        ("goods_left", "handover_failed"),
        ("goods_left", "goods_returned"),
        ("charge_made", "payment_captured"),
        ("goods_delivered", "contact_made"),
        ("contact_made", "contact_answered"),
    ):
        before = dict(zip(archive.rows(first)["order"][::-1].tolist(), archive.seq(first)[::-1].tolist(), strict=True))
        rows, seq = archive.rows(then), archive.seq(then)
        late = [o for o, s in zip(rows["order"].tolist(), seq.tolist(), strict=True) if before.get(o, np.inf) > s]
        if late:
            found.append(Breach("knowledge", float("inf"), f"{then} of order {late[0]} came before its {first}"))
    return found


def _paid_back_twice(archive: Archive) -> list[Breach]:
    """Of each line that is given back as wrong: what lay in the bag, and what went back of it, are no more than was held.

    What was found missing went back when the hold was reduced, and what a driver kept when it was returned.
    """
    disputed = archive.rows("line_disputed")
    if not len(disputed):
        return []
    skus = 1 + max(
        int(archive.rows(kind)["sku"].max(initial=0)) for kind in ("stock_reserved", "goods_picked", "line_disputed")
    )
    asked = np.unique(disputed["order"].astype(np.int64) * skus + disputed["sku"])

    def units(kind: str) -> NDArray[Any]:
        rows = archive.rows(kind)
        line = rows["order"].astype(np.int64) * skus + rows["sku"]
        mine = np.isin(line, asked)
        return np.bincount(np.searchsorted(asked, line[mine]), weights=rows["units"][mine], minlength=len(asked))

    held = units("stock_reserved") - units("hold_reduced") - units("line_returned")
    over = np.flatnonzero(
        (units("stock_reserved") > 0) & (units("line_disputed") > held - np.minimum(units("goods_picked"), held))
    )
    return [
        Breach(
            "money",
            float("inf"),
            f"order {asked[i] // skus}: more of sku {asked[i] % skus} was given back than was wrong",
        )
        for i in over[:5].tolist()
    ]
