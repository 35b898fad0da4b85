"""Laws 6 and 7, over a whole log: it rebuilds the final state exactly, time never goes back, nobody knows too early."""

import numpy as np

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
    return found + _knowledge(archive)


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
    ):
        before = dict(zip(archive.rows(first)["order"][::-1].tolist(), archive.seq(first)[::-1].tolist(), strict=True))
        rows, seq = archive.rows(then), archive.seq(then)
        late = [o for o, s in zip(rows["order"].tolist(), seq.tolist(), strict=True) if before.get(o, np.inf) > s]
        if late:
            found.append(Breach("knowledge", float("inf"), f"{then} of order {late[0]} came before its {first}"))
    return found
