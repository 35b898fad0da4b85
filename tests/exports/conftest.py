"""One small noon with a bit of everything, exported in every format."""

import pytest

from sim.experiments.runs import run_to_folder
from sim.exports import FORMATS
from sim.exports.run import FinishedRun
from sim.scenario import load_text
from tests.conftest import TWO_STORES

BUSY = (
    "horizon_h=0.6",
    "drain_h=0.7",
    "customers.absent_share=0.05",
    "drivers.count=9",
    "drivers.mishaps.breakdowns_per_1000h=2000",
    "policies.picking=batch",
    "policies.positioning=return_to_store",
    'faults=[{kind: provider_outage, at: "12:20", minutes: 4}]',
)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A finished run."""
    out = tmp_path_factory.mktemp("exports") / "noon"
    run_to_folder(load_text(TWO_STORES, BUSY), out)
    return out


@pytest.fixture(scope="session")
def run(folder):
    return FinishedRun(folder)


@pytest.fixture
def exported(run, tmp_path):
    """Writes the run in a format and says where."""

    def write(name):
        wanted = FORMATS[name]
        place = tmp_path / (name + wanted.ending)
        if wanted.files:
            place.mkdir()
        wanted.write(run, place)
        return place

    return write
