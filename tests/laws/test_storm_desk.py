"""Storms have support desks and reviewers of every kind, and customers who write to them."""

import pytest

from sim.engine import simulate
from sim.experiments.storm_desk import AT_THE_DESK, STAFFED
from sim.experiments.storm_draws import storm_scenario
from sim.recording import MemoryArchive
from sim.streams import Streams
from sim.world.build import build_world


@pytest.fixture(scope="module")
def scenarios():
    return [storm_scenario(seed) for seed in range(80)]


def at(scenario, path):
    for name in path.split("."):
        scenario = getattr(scenario, name)
    return scenario


def test_about_as_many_storms_have_a_desk_as_they_should(scenarios):
    share = sum(scenario.support.agents > 0 for scenario in scenarios) / len(scenarios)
    assert abs(share - STAFFED) < 0.2


@pytest.mark.parametrize("path", AT_THE_DESK)
def test_every_kind_of_desk_is_drawn(scenarios, path):
    drawn = {repr(at(scenario, path)) for scenario in scenarios if scenario.support.agents}
    assert len(drawn) == len(AT_THE_DESK[path])


def test_in_a_few_storms_customers_write_agents_give_and_reviewers_adjust(scenarios):
    kinds = (
        "contact_made",
        "contact_answered",
        "goodwill_given",
        "line_disputed",
        "stock_corrected",
        "difference_flagged",
    )
    seen = set()
    for seed in [seed for seed, scenario in enumerate(scenarios) if scenario.support.agents][:12]:
        archive, streams = MemoryArchive(), Streams(seed)
        simulate(build_world(scenarios[seed], streams), archive, streams=streams)
        seen |= {kind for kind in kinds if len(archive.rows(kind))}
    assert seen == set(kinds)
