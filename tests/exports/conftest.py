"""One small noon with a bit of everything, exported in every format."""

import pytest

from sim.exports import FORMATS


@pytest.fixture(scope="session")
def folder(noon_folder):
    return noon_folder


@pytest.fixture(scope="session")
def run(noon):
    return noon


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
