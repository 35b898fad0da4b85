"""Breaks and newcomers: what people's day does to the pickers."""

from typing import Any

import numpy as np
import pytest

from sim.laws import all_laws, verdict
from sim.metrics.tables import spans
from sim.opening import ready_world

# A day from six in the morning: early and late shift, and a short one without a break.
DAY = (
    "start=2026-11-20T06:00+00:00", "horizon_h=18", "drain_h=1", "demand.orders_per_day=600", "pickers.per_store=6",
    "pickers.shifts=[{at: '06:00', hours: 9, share: 0.4}, {at: '15:00', hours: 9, share: 0.4}, "
    "{at: '11:00', hours: 4, share: 0.2}]",
    "drivers.shifts=[{at: '06:00', hours: 9, share: 0.5}, {at: '15:00', hours: 9, share: 0.5}]", "pickers.noise=none",
)  # fmt: skip


def test_everybody_with_a_long_shift_has_a_break(two_stores: Any, play: Any) -> None:
    world = ready_world(two_stores(*DAY, "pickers.break_minutes=40"))
    laws = all_laws(world)
    day = play(world, laws=laws)
    assert verdict(laws) == []
    begins = []
    for picker in world.pickers:
        hours = [(off - on) / 3600.0 for on, off in picker.shifts if on >= 0]
        if sum(hours) == 4.0:
            assert len(hours) == 1
            continue
        for (_, off), (on, _) in zip(picker.shifts[::2], picker.shifts[1::2], strict=True):
            assert on - off == pytest.approx(2400.0)
            begins.append(off)
    assert len(set(begins)) > 3, "not all at once"
    # A break that comes while an order is in hand begins when it is packed, and is shorter for it.
    people, on_s, off_s = spans(day.rows("picker_on"), day.rows("picker_off"), "picker", world.scenario.end_s)
    for number, picker in enumerate(world.pickers):
        worked = (off_s - on_s)[people == number].sum()
        meant = sum(off - on for on, off in picker.shifts)
        assert 0.0 <= worked - meant < 1200.0
    plain = ready_world(two_stores(*DAY))
    paid = [sum(off - on for picker in w.pickers for on, off in picker.shifts) for w in (plain, world)]
    assert paid[0] - paid[1] == pytest.approx(2400.0 * len(begins))


def test_newcomers_are_slower_and_learn(two_stores: Any, play: Any) -> None:
    """A quarter is new: on the first day each pick takes half as long again, after ten days a third of that is missing."""
    learnt = {}
    for start_days, learn in (("fast", 0.05), ("slow", 1000.0)):
        day = play(two_stores(*DAY, "pickers.new_share=0.25", "pickers.new_slower=0.5", f"pickers.learn_days={learn}"))
        plain = play(two_stores(*DAY))
        assert 0.1 < np.mean([picker.new for picker in day.world.pickers]) < 0.4
        begun, ended = day.rows("pick_started"), day.rows("pick_ended")
        took = dict(zip(ended["order"].tolist(), ended["t_s"].tolist(), strict=True))
        orders, pickers = day.world.scenario.pickers, day.world.pickers
        ratios: dict[bool, list[float]] = {False: [], True: []}
        lines = dict(zip(day.study.orders["order"].tolist(), day.study.orders["lines"].tolist(), strict=True))
        units = dict(zip(day.study.orders["order"].tolist(), day.study.orders["units"].tolist(), strict=True))
        short = {*day.rows("hold_reduced")["order"].tolist(), *day.rows("line_missing")["order"].tolist()}
        for row in begun.tolist():
            t_s, order, picker = row[:3]
            if order in short or order not in took:
                continue
            usual = orders.base_s + orders.per_line_s * lines[order] + orders.per_unit_s * units[order]
            ratios[pickers[picker].new].append((took[order] - t_s) / usual)
        assert np.mean(ratios[False]) == pytest.approx(1.0, abs=1e-3)
        learnt[start_days] = float(np.mean(ratios[True]))
        assert day.study.summary["stages_s"]["pick"] > plain.study.summary["stages_s"]["pick"]
    assert learnt["slow"] == pytest.approx(1.5, abs=0.01)
    assert 1.0 < learnt["fast"] < 1.1
