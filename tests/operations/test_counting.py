"""Counting: what a count finds, leaves and costs; by plan and on suspicion."""

from typing import Any

import numpy as np
import pytest

from sim.menu import build_policies
from sim.vocabulary import InputError
from tests.conftest import lawful_day

LEAKY = ("stores.inaccurate_share=0.4", "shrinkage={theft_share: 0.3, damage_share: 0.1}", "pickers.mispick_share=0.05")
# The day starts at noon; after 15:00 nothing goes missing any more.
BY_PLAN = "policies.reconciliation=full_count(count_at='15:50')"


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_a_full_count_leaves_only_its_own_error(two_stores: Any, play: Any, share: float) -> None:
    played = lawful_day(play, two_stores(*LEAKY, BY_PLAN, f"stores.count_error_share={share}"))
    drift, state = played.study.summary["drift"], played.outcome.state
    assert drift["by_cause"]["count"] == drift["units_abs"]
    counted = played.rows("shelf_counted")
    by_plan = counted[counted["t_s"] > (3 * 60 + 50) * 60.0]
    by_plan = by_plan[np.argsort(by_plan["store"], kind="stable")]
    assert len(by_plan) == 2 * 60
    assert played.rows("crew_counted")["lines"].sum() == 2 * 60
    np.testing.assert_array_equal(by_plan["units"].reshape(2, 60), state.available + state.reserved)
    np.testing.assert_array_equal(state.scan, state.available + state.reserved)
    wrong = np.abs(by_plan["units"].reshape(2, 60) - state.shelf)
    assert wrong.max() <= 1
    full = state.shelf > 0
    assert (wrong > 0)[~full].sum() == 0
    assert (wrong > 0)[full].mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / full.sum()) + 1e-9)


def test_a_crew_is_paid_and_pickers_are_kept(two_stores: Any, play: Any) -> None:
    played = play(two_stores(*LEAKY, BY_PLAN, "stores.count_s=30"))
    cost = played.study.summary["cost"]["by_kind"]["counting"]
    assert cost == pytest.approx(2 * 60 * 30 / 3600 * played.world.scenario.costs.picker_hour_cents, abs=1)

    def busy(seconds: int) -> Any:
        day = play(two_stores(*LEAKY, "supply={units_min: 1, cover_days: 0.1}", f"stores.count_s={seconds}"))
        assert day.study.summary["cost"]["by_kind"]["counting"] == 0
        return day

    quick, slow = busy(0), busy(120)
    assert slow.study.summary["utilisation"]["pickers"] > quick.study.summary["utilisation"]["pickers"]
    ends = slow.rows("pick_ended")["t_s"]
    packed = slow.study.orders["packed_s"][slow.rows("pick_ended")["order"]]
    waits = ends - packed
    counted = waits[waits > 0]
    assert len(counted) > 10
    assert (counted % 120 == 0).all(), "two minutes for each shelf"


def test_with_leaking_shelves_and_no_counting_drift_grows_and_fill_rate_falls(two_stores: Any, play: Any) -> None:
    def after(hours: int, policy: str) -> Any:
        settings = ("stores.inaccurate_share=0", "pickers.mispick_share=0", "supply={units_min: 4, cover_days: 0.3}")
        shifts = "shifts: [{at: '00:00', hours: 12, share: 0.5}, {at: '12:00', hours: 12, share: 0.5}]"
        people = (f"pickers={{per_store: 12, {shifts}}}", f"drivers={{count: 60, {shifts}}}")
        often = "policies.replenishment=order_up_to(every_s=14400.0, units_min=4)"
        leak = "shrinkage={theft_share: 0.1, damage_share: 0}"
        name = f"policies.reconciliation={policy}"
        plain = ("platform.profile=minimal", f"horizon_h={hours}")
        return play(two_stores(*settings, *people, often, leak, name, *plain)).study.summary

    day, days = after(24, "never"), after(96, "never")
    assert 0 < day["drift"]["records_inaccurate_share"] < days["drift"]["records_inaccurate_share"]
    assert 0 < day["drift"]["units_abs"] < days["drift"]["units_abs"]
    assert day["drift"]["units_short"] / 24 < days["drift"]["units_short"] / 96, "more and more is not found"
    assert days["fill_rate"] < 0.9 * day["fill_rate"], "what is not there is not ordered anew, for the record has it"
    counted = after(96, "full_count(count_at='04:00')")
    assert counted["fill_rate"] > 0.97 * day["fill_rate"]
    assert counted["drift"]["records_inaccurate_share"] < days["drift"]["records_inaccurate_share"]
    assert counted["drift"]["units_abs"] < 0.5 * days["drift"]["units_abs"]
    assert counted["drift"]["units_short"] < 0.5 * days["drift"]["units_short"]
    cycle = after(96, "abc_cycle(count_at='04:00', a_days=1, b_days=4, c_days=8)")
    assert counted["drift"]["units_abs"] < cycle["drift"]["units_abs"] < days["drift"]["units_abs"]
    assert 0 < cycle["cost"]["by_kind"]["counting"] < counted["cost"]["by_kind"]["counting"]


def test_a_plan_that_names_what_is_not_sold_is_refused(two_stores: Any, play: Any, tmp_path: Any) -> None:
    policy = tmp_path / "odd.py"
    policy.write_text(
        "import numpy as np\n\n\nclass Odd:\n    count_at = '13:00'\n\n    def __call__(self, view):\n        return False\n\n"
        "    def plan(self, view):\n        return np.array([60])\n\n\nclass Never(Odd):\n    count_at = 'never'\n\n\n"
        "class Twice(Odd):\n    def plan(self, view):\n        return np.array([3, 3])\n"
    )
    scenario = two_stores()

    def counting(name: str) -> Any:
        specs = scenario.policies.model_dump() | {"reconciliation": f"{policy}:{name}"}
        bases = dict.fromkeys(specs, tmp_path)
        return build_policies(specs, dict.fromkeys(specs, "here"), bases, allow_code=frozenset(specs))

    for name in ("Odd", "Twice"):
        with pytest.raises(
            InputError, match=r"policies\.reconciliation: expected SKUs to count, integers below 60, each"
        ):
            play(scenario, policies=counting(name))
    with pytest.raises(InputError, match=r"policies\.reconciliation: expected count_at as a time .*, got 'never'"):
        play(scenario, policies=counting("Never"))
