"""Where things lie on this machine: what the package ships, what the user brought, what can be computed again."""

import os
from pathlib import Path
from typing import Final

HOME_VARIABLE: Final = "DARKSTORE_HOME"
"""Environment variable that puts the user's data and cache under one folder of their choice."""


def shipped_root() -> Path:
    """Folder of the shipped scenarios and maps.

    An installed wheel carries them inside the package; in a checkout they lie in ``scenarios`` beside it.
    """
    package = Path(__file__).resolve().parent
    installed = package / "_shipped"
    return installed if installed.is_dir() else package.parent / "scenarios"


def user_data_dir() -> Path:
    """Folder of what the user brought, such as imported maps; it need not exist yet."""
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(home).expanduser()
    from platformdirs import user_data_path

    return user_data_path("darkstore", appauthor=False)


def user_cache_dir() -> Path:
    """Folder of what can be computed or fetched again; it need not exist yet."""
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(home).expanduser() / "cache"
    from platformdirs import user_cache_path

    return user_cache_path("darkstore", appauthor=False)
