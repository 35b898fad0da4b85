"""A noon of one store as a scenario's file, as somebody would have it who writes Python."""

from pathlib import Path

import pytest

from tests.conftest import ONE_STORE


@pytest.fixture(scope="session")
def noon_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file."""
    path = tmp_path_factory.mktemp("scenario") / "noon.yaml"
    path.write_text(
        ONE_STORE.replace("horizon_h: 2", "horizon_h: 0.5").replace("drain_h: 2", "drain_h: 1"), encoding="utf-8"
    )
    return path
