"""A store that keeps a base stock of one SKU is Erlang's loss system: the lead times are the calls, the stock is the lines."""

from math import sqrt
from typing import Any

import numpy as np

from sim.scenario import load_text
from sim.vocabulary import CancelReason, OrderState

ORDERS_A_DAY, UNITS_IN_LEAD, LEVEL = 2000, 15.0, 20
LEAD_S, REVIEW_S = UNITS_IN_LEAD / ORDERS_A_DAY * 86_400.0, 20.0

SHOP = f"""
name: base-stock
start: 2026-11-18T00:00+00:00
horizon_h: 384
drain_h: 1
seed: 11
map: {{width_m: 0, height_m: 0, points: 1, speed_kmh: 30}}
stores: {{count: 1, open: "00:00-24:00", zone: {{radius_m: 1000}}, inaccurate_share: 0}}
pickers: {{per_store: 40, shifts: [{{at: "00:00", hours: 12, share: 0.5}}, {{at: "12:00", hours: 12, share: 0.5}}],
           base_s: 0, per_line_s: 0, per_unit_s: 0, noise: none, mispick_share: 0}}
drivers: {{count: 40, vehicles: {{car: 1}}, accept_share: 1, respond_s: 0, handoff_s: 0, door_s: 0, noise: none,
           shifts: [{{at: "00:00", hours: 12, share: 0.5}}, {{at: "12:00", hours: 12, share: 0.5}}]}}
catalogue: {{skus: 1}}
shrinkage: {{theft_share: 0, damage_share: 0}}
demand: {{orders_per_day: {ORDERS_A_DAY}, basket: {{lines_mean: 1, units_mean: 1}},
          profile: [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1], weekday: [1,1,1,1,1,1,1]}}
customers: {{patience_s: null}}
payments: {{decline_share: 0}}
platform: {{profile: minimal, give_up_s: 1.0e+7}}
supply: {{miscount_share: 0, late_share: 0, cover_days: 0.0001,
          units_min: {LEVEL}, review_at: "00:00", lead_h: {(LEAD_S - REVIEW_S / 2) / 3600}}}
travel: {{noise_cv: 0, traffic: false}}
policies: {{replenishment: "r_q(every_s={REVIEW_S}, z=0, pack=1, units_min={LEVEL - 1})"}}
"""


def erlang_b(lines: int, load: float) -> float:
    """Share of calls that find all lines taken; `load` in erlangs (Erlang 1917)."""
    blocked = 1.0
    for busy in range(1, lines + 1):
        blocked = load * blocked / (busy + load * blocked)
    return blocked


def test_lost_sales_of_a_base_stock(play: Any) -> None:
    """Demand 5 a day, lead time 3 days, S = 20 (in whatever unit of time): 4.5593 % of the demand is lost.

    Each sale sends for a unit that comes after a lead time, and a customer who finds none goes away: Erlang's loss
    formula, whatever the lead times' distribution. A unit waits half a review on average before it is ordered; the lead
    time is shorter by as much.
    """
    expected = erlang_b(LEVEL, UNITS_IN_LEAD)
    assert round(expected, 6) == 0.045593
    orders = play(load_text(SHOP)).study.orders
    warm = orders["entered_s"] > 10 * LEAD_S
    state, reason = orders["state"][warm], orders["cancel_reason"][warm]
    assert set(reason[state == OrderState.CANCELLED].tolist()) == {int(CancelReason.OUT_OF_STOCK)}
    lost = (state == OrderState.CANCELLED).astype(float)
    # Losses come in spells, so the interval is that of means over batches much longer than a lead time.
    means = np.array([batch.mean() for batch in np.array_split(lost, 40)])
    spread = means.std(ddof=1) / sqrt(len(means))
    assert spread < 0.1 * expected
    assert abs(means.mean() - expected) < 4.0 * spread
