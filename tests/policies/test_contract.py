"""Every policy on the menu keeps the contract: frozen, documented, checked, and of use in a run."""

import dataclasses
import inspect
import math
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import sim
from sim.contracts import FAMILIES, ReservationView, ShortPick, SubstitutionView
from sim.menu import build_policy, describe, menu
from sim.vocabulary import InputError

ROOT = Path(sim.__file__).parents[1]
ON_THE_MENU = [(family, name) for family, names in menu().items() for name in names]
SHARED = {"policies.dispatch.tours", "policies.positioning.ends"}  # what several policies use
FOLDERS = ("trained_on",)  # any text may name one; it is looked for when a run begins
NONSENSE = ("-1", "-0.5", "0", "1e999", "'x'", "None", "[1]", "{}", "1j")


def is_frozen(cls: Any) -> bool:
    return dataclasses.is_dataclass(cls) and cls.__dataclass_params__.frozen is True  # type: ignore[union-attr]


@pytest.mark.parametrize(("family", "name"), ON_THE_MENU)
def test_a_policy_is_a_frozen_dataclass_that_says_what_its_parameters_mean(family: str, name: str) -> None:
    cls: Any = menu()[family][name].load()
    assert is_frozen(cls)
    assert all(field.kw_only for field in dataclasses.fields(cls))
    doc = inspect.getdoc(cls) or ""
    assert not doc.startswith(f"{cls.__name__}("), "expected a sentence about the domain, got dataclass's own signature"
    assert doc.split(".")[0].strip()
    for field in dataclasses.fields(cls):
        assert f"`{field.name}`" in doc, f"{cls.__name__}: the docstring does not name `{field.name}`"
        assert field.default is not dataclasses.MISSING
    sentence, parameters = describe(cls)
    assert sentence
    assert [n for n, _ in parameters] == [f.name for f in dataclasses.fields(cls)]
    assert cls() == cls()
    for field in dataclasses.fields(cls):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(cls(), field.name, 1)


@pytest.mark.parametrize(("family", "name"), ON_THE_MENU)
def test_nonsense_is_refused_in_one_line_that_says_what_was_expected(family: str, name: str) -> None:
    for field in dataclasses.fields(menu()[family][name].load()):
        refused = 0
        for value in NONSENSE:
            try:
                build_policy(family, f"{name}({field.name}={value})", "here", allow_code=False)
            except InputError as error:
                text = str(error)
                assert text.startswith("here: ")
                assert "xpected" in text
                assert "not supported between" not in text
                assert "\n" not in text
                refused += 1
            else:
                folder = field.name in FOLDERS and value == "'x'"
                assert folder or value in {"0", "-1", "-0.5", "1e999"}, f"{name}({field.name}={value}) was taken"
        assert refused >= 4


def test_the_menu_is_what_pyproject_registers_and_every_file_is_on_it() -> None:
    text = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    registered = text["project"]["entry-points"]["darkstore.policies"]
    assert {f"{family}.{name}" for family, name in ON_THE_MENU} >= set(registered)
    for key, target in registered.items():
        family, _, name = key.partition(".")
        assert family in FAMILIES
        module, _, cls = target.partition(":")
        assert menu()[family][name].load() is getattr(import_module(module), cls)
        assert build_policy(family, name, "test", allow_code=False) == getattr(import_module(module), cls)()
    modules = {target.partition(":")[0] for target in registered.values()}
    files = {
        f"policies.{path.parent.name}.{path.stem}"
        for path in (ROOT / "policies").glob("*/*.py")
        if path.stem != "__init__"
    }
    assert files - SHARED == modules, "a policy that nobody can name"
    assert all(menu()[family] for family in FAMILIES), "every family has a default"


def test_policies_import_nothing_of_the_house_but_contracts_and_vocabulary() -> None:
    for path in (ROOT / "policies").glob("*/*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith(("from sim", "import sim")):
                assert line.split()[1] in ("sim.contracts", "sim.vocabulary"), f"{path.name}: {line}"


def policy(family: str, spec: str) -> Any:
    return build_policy(family, spec, "test", allow_code=False)


def test_optimistic_backs_off_exponentially_and_gives_up() -> None:
    decide = policy("reservation", "optimistic(attempts_max=5, base_s=0.1, cap_s=0.3)")
    pauses = [decide(ReservationView(0, attempt, 1.0)) for attempt in range(1, 6)]  # type: ignore[arg-type]
    assert pauses == [0.1, 0.2, 0.3, 0.3, None]
    assert decide(ReservationView(0, 2, 0.25)) == pytest.approx(0.05)  # type: ignore[arg-type]
    assert policy("reservation", "optimistic(attempts_max=1)")(ReservationView(0, 1, 0.5)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("share", "wanted", "missing", "goes_on"),
    [
        (0.5, 10, 5, True),
        (0.5, 10, 6, False),
        (0, 10, 9, True),
        (0, 10, 10, False),
        (1, 10, 0, True),
        (1, 10, 1, False),
    ],
)
def test_refund_goes_on_with_enough(share: float, wanted: int, missing: int, goes_on: bool) -> None:
    assert policy("substitution", f"refund(share_min={share})")(SubstitutionView(0, wanted, missing)) is goes_on  # type: ignore[arg-type]


def test_count_on_short_pick() -> None:
    decide = policy("reconciliation", "count_on_short_pick(units_min=2)")
    assert decide(ShortPick(0, 0, 3, 1)) is True  # type: ignore[arg-type]
    assert decide(ShortPick(0, 0, 3, 2)) is False  # type: ignore[arg-type]


def test_order_up_to_raises_the_position_to_its_level() -> None:
    import numpy as np

    class View:
        now_s, store, lead_time_s = 0.0, 0, 43_200.0
        daily_demand = np.array([0.0, 1.0, 10.0, 100.0])
        on_hand = np.array([0, 0, 3, 500], dtype=np.int64)
        on_order = np.array([0, 1, 4, 0], dtype=np.int64)

    wanted = policy("replenishment", "order_up_to(every_s=43200, z=2, units_min=3)")(View())
    mean = View.daily_demand * 1.0
    level = np.maximum(np.ceil(mean + 2 * np.sqrt(mean)), 3)
    np.testing.assert_array_equal(wanted, np.maximum(level - View.on_hand - View.on_order, 0))
    assert wanted.dtype == np.int64
    # The level covers the demand of review and lead time with the chance that z stands for.
    chance = np.random.default_rng(3).poisson(30.0, 200_000)
    level = math.ceil(30 + 2.33 * math.sqrt(30))
    assert (chance <= level).mean() > 0.985


def test_unknown_names_list_the_menu() -> None:
    with pytest.raises(InputError) as caught:
        build_policy("dispatch", "neerest", "file.yaml:3", allow_code=False)
    text = str(caught.value)
    assert text.startswith("file.yaml:3:")
    assert all(name in text for name in menu()["dispatch"])
    assert "did you mean nearest?" in text
