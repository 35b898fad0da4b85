"""One small noon with a bit of everything, read."""

import pytest


@pytest.fixture(scope="session")
def folder(noon_folder):
    return noon_folder


@pytest.fixture(scope="session")
def run(noon):
    return noon
