"""Every parameter of every policy on the menu refuses what makes no sense, in one line that names it."""

import dataclasses

import pytest

from sim.menu import build_policy, kind_of, menu
from sim.vocabulary import InputError

NUMBERS = [
    (family, name, field.name, kind_of(field))
    for family, names in menu().items()
    for name, entry in names.items()
    for field in (dataclasses.fields(entry.load()) if dataclasses.is_dataclass(entry.load()) else ())
    if kind_of(field).partition(" | None")[0] in ("int", "float")
]


def said(family: str, name: str, parameter: str, value: str) -> str | None:
    """What is said of a value; None where it will do."""
    try:
        build_policy(family, f"{name}({parameter}={value})", "mine.yaml:3: policies", allow_code=False)
    except InputError as error:
        return str(error)
    return None


def test_the_menu_has_numbers_to_check() -> None:
    assert len(NUMBERS) > 60
    assert {family for family, *_ in NUMBERS} > {
        "replenishment",
        "reservation",
        "picking",
        "transfer",
        "forecast",
        "fraud",
    }


@pytest.mark.parametrize(("family", "name", "parameter", "kind"), NUMBERS)
def test_what_is_no_number_a_shop_has_is_refused(family: str, name: str, parameter: str, kind: str) -> None:
    words = ["1e999", "-1e999", "'7'", "None", "True"] + (
        ["1.5", "10**9 + 1"] if kind == "int" else ["1e300", "-1e300"]
    )
    for value in (*words, str(10**30), str(-(10**30))):
        refusal = said(family, name, parameter, value)
        assert refusal is not None, value
        assert refusal.startswith("mine.yaml:3: policies: "), value
        assert parameter in refusal or "**" in value, value
        assert "\n" not in refusal


MAY_BE_NEGATIVE = {"z"}
"""A safety factor below nothing orders less than what is expected."""


@pytest.mark.parametrize(("family", "name", "parameter", "kind"), NUMBERS)
def test_nothing_is_less_than_nothing(family: str, name: str, parameter: str, kind: str) -> None:
    if parameter not in MAY_BE_NEGATIVE:
        for value in ("-1", "-0.001") if kind == "float" else ("-1",):
            refusal = said(family, name, parameter, value)
            assert refusal is not None, value
            assert parameter in refusal


@pytest.mark.parametrize(
    ("family", "name", "parameter"), [entry[:3] for entry in NUMBERS if entry[2].endswith("every_s") or entry[2] == "lease_s"]
)  # fmt: skip
def test_nothing_comes_round_at_once(family: str, name: str, parameter: str) -> None:
    """A time that a clock rounds to nothing would keep the run at the same moment for ever."""
    for value in ("0", "0.0", "1e-9", "1e-300"):
        refusal = said(family, name, parameter, value)
        assert refusal is not None, value
        assert parameter in refusal
