"""Where to mend what is wrong with keys that do not go together."""

from collections.abc import Mapping, Sequence


def culprit(origins: Mapping[str, str], keys: Sequence[str]) -> str | None:
    """Where the one of some keys was given that is to be mended; None when none of them was.

    What the command line set at or below one of them comes before what stands in files: of the first key that has any, the
    last such. The user has just typed it, and the file was sound without it. Else where the first key stands that was given.

    Parameters
    ----------
    origins
        Where each given value stands, by its path.
    keys
        Paths, the likeliest first.
    """
    for key in keys:
        typed = [
            origin
            for path, origin in origins.items()
            if origin.startswith("--") and (path == key or path.startswith(f"{key}."))
        ]
        if typed:
            return typed[-1]
    return next((origins[key] for key in keys if key in origins), None)
