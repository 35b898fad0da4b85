"""A region lost twice at once: what the first loss took is not there again because a second one was shorter."""

from typing import Any

import numpy as np
import pytest

from sim.vocabulary import CancelReason, StockCause
from tests.conftest import Builder, Play, lawful_day

FIRST_S, OVER_S, RPO_S = 2400.0, 3900.0, 720.0
FIRST = "{kind: region_outage, at: '12:40', rto_h: 0.25, rpo_h: 0.2, dns_s: 0}"
"""From 12:40 to 12:55; the other region lacks what is younger than 12:28."""
SECONDS = {
    "as much": "{kind: region_outage, at: '12:50', rto_h: 0.25, rpo_h: 0.2, dns_s: 0}",
    "hardly anything": "{kind: region_outage, at: '12:50', rto_h: 0.25, rpo_h: 0.001, dns_s: 0}",
}


def taken(played: Any) -> tuple[set[int], int]:
    """Orders that nobody has heard of any more, and units by which records were put back."""
    cancelled, mended = played.rows("order_cancelled"), played.rows("record_adjusted")
    forgotten = set(cancelled["order"][cancelled["reason"] == CancelReason.FAILOVER].tolist())
    return forgotten, int(np.abs(mended["units"][mended["cause"] == StockCause.RECOVERY]).sum())


@pytest.mark.parametrize("second", sorted(SECONDS))
def test_what_the_first_of_two_losses_took_is_lost_when_the_second_is_over(
    two_stores: Builder, play: Play, second: str
) -> None:
    quiet = ("customers.patience_s=null", "drivers.count=2")
    alone = play(two_stores(*quiet, f"faults=[{FIRST}]"))
    both = lawful_day(play, two_stores(*quiet, f"faults=[{FIRST}, {SECONDS[second]}]"))
    forgotten, units = taken(both)
    assert (forgotten, units) == taken(alone)
    assert len(forgotten) > 10
    assert units > 10
    at_s = both.rows("record_adjusted")
    assert set(at_s["t_s"][at_s["cause"] == StockCause.RECOVERY].tolist()) == {OVER_S}, "once, when both are over"
    entered = both.rows("order_entered")
    when = dict(zip(entered["order"].tolist(), entered["t_s"].tolist(), strict=True))
    assert all(FIRST_S - RPO_S < when[order] <= FIRST_S for order in forgotten)


def test_a_loss_that_reaches_further_back_takes_more_though_it_came_later(two_stores: Builder, play: Play) -> None:
    quiet = ("customers.patience_s=null", "drivers.count=2")
    shallow, deep = FIRST.replace("0.2,", "0.05,"), SECONDS["as much"].replace("0.2,", "0.4,")
    forgotten, _ = taken(lawful_day(play, two_stores(*quiet, f"faults=[{shallow}, {deep}]")))
    alone, _ = taken(play(two_stores(*quiet, f"faults=[{shallow}]")))
    assert alone < forgotten
