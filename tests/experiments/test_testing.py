"""The plugin of pytest: service levels as tests."""

from collections.abc import Callable
from typing import Any

import pytest

from sim.testing import assert_slo as plain
from sim.vocabulary import InputError

HOUR = ("horizon_h=1.5", "drain_h=1")


def test_levels_that_are_met_pass(assert_slo: Callable[..., Any]) -> None:
    found = assert_slo("small", "within_s.1800 >= 0.5", "click_to_door_s.mean <= 3600", reps=2, set=HOUR)
    assert [each.state for each in found[:2]] == ["pass", "pass"]


def test_a_level_that_is_not_met_fails_and_says_what_was_seen(assert_slo: Callable[..., Any]) -> None:
    with pytest.raises(AssertionError, match=r"Failed: within 15 minutes"):
        assert_slo("small", "within_s.900 >= 0.999", reps=2, set=[*HOUR, "drivers.count=20"])


def test_a_level_that_cannot_be_told_fails_as_open(assert_slo: Callable[..., Any]) -> None:
    mean = assert_slo("small", "click_to_door_s.mean <= 3600", reps=2, set=HOUR)[0].found.mean
    with pytest.raises(AssertionError, match="Inconclusive"):
        assert_slo("small", f"click_to_door_s.mean <= {mean:.3f}", reps=2, set=HOUR)


def test_the_same_days_are_run_once() -> None:
    known: dict[str, Any] = {}
    plain("small", "on_time >= 0", reps=2, set=HOUR, known=known)
    (days,) = known.values()
    plain("small", "fill_rate >= 0", reps=2, set=HOUR, known=known)
    assert list(known.values()) == [days]
    assert next(iter(known.values())) is days


def test_a_level_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="a metric of summary"):
        plain("small", "on_tme >= 0.9")
    with pytest.raises(InputError, match="a service level like"):
        plain("small", "on_time")
