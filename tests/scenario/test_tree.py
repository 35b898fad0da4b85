"""The tree itself: sources of its defaults, its schema, what is shipped, and the name a run gets from it."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from sim.scenario import Scenario, fingerprint, load, load_text
from sim.scenario.loading import resolved, shipped_scenarios


def branches(model: type[BaseModel], place: str = "", seen: tuple[type, ...] = ()) -> Any:
    """Every key of the tree: (path, field)."""
    for name, field in model.model_fields.items():
        yield f"{place}{name}", field
        for inner in _models(field.annotation):
            if inner not in seen:
                yield from branches(inner, f"{place}{name}.", (*seen, inner))


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models(part)]


def test_every_default_has_a_source_and_every_key_a_meaning() -> None:
    keys = list(branches(Scenario))
    assert len(keys) > 120
    for path, field in keys:
        if field.is_required():
            continue
        extra = field.json_schema_extra
        assert isinstance(extra, dict), path
        assert extra.get("source"), f"{path}: expected a source of the default"
        assert field.description, f"{path}: expected what the key means"


def test_the_tree_is_frozen() -> None:
    scenario = load_text("")
    with pytest.raises(Exception, match="frozen"):
        scenario.seed = 3
    with pytest.raises(Exception, match="frozen"):
        scenario.drivers.count = 3


@pytest.mark.parametrize("name", sorted(shipped_scenarios()))
def test_shipped_scenarios_load_and_resolve_to_themselves(name: str) -> None:
    scenario = load(name)
    assert scenario.name == name
    assert scenario.description
    again = load_text(json.dumps(resolved(scenario)))
    assert again.model_dump() == scenario.model_dump()
    assert fingerprint(again) == fingerprint(scenario)


def test_the_schema_is_one_and_knows_every_key() -> None:
    schema = Scenario.model_json_schema()
    assert set(schema["properties"]) == set(Scenario.model_fields)
    assert schema["additionalProperties"] is False
    definitions = schema["$defs"]
    json.dumps(schema)

    def keys(node: Any) -> Any:
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "$ref":
                    assert value.removeprefix("#/$defs/") in definitions
                else:
                    keys(value)
        elif isinstance(node, list):
            for value in node:
                keys(value)

    keys(schema)


def test_a_fingerprint_names_what_is_simulated_and_not_the_seed(tmp_path: Path) -> None:
    base = fingerprint(load_text(""))
    assert len(base) == 12
    assert int(base, 16) >= 0
    assert fingerprint(load_text("seed: 77")) == base
    assert fingerprint(load_text("description: other words")) == base
    assert fingerprint(load_text("drivers: {count: 410}")) == base, "a default that is written out is the default"
    changed = {
        fingerprint(load_text(text))
        for text in (
            "drivers: {count: 411}",
            "horizon_h: 23",
            "map: cairo",
            "costs: {packaging_cents: 26}",
            "policies: {dispatch: nearest(ride_s_max=3)}",
        )
    }
    assert len(changed) == 5
    assert base not in changed
    one, two = (fingerprint(load_text(""), {"demand.trace": content}) for content in (b"1", b"2"))
    assert len({base, one, two}) == 3
    assert fingerprint(load_text(""), {"a": b"1", "b": b"2"}) == fingerprint(load_text(""), {"b": b"2", "a": b"1"})


def test_a_named_file_that_changes_changes_the_runs_name(one_store: Any, tmp_path: Path) -> None:
    from sim.world.build import build_world

    path = tmp_path / "orders.csv"
    names = set()
    for content in ("entered_s,node,skus\n1,2,3\n", "entered_s,node,skus\n1,2,4\n"):
        path.write_text(content)
        world = build_world(one_store(f"demand.trace={path}"))
        names.add(fingerprint(world.scenario, world.files))
    assert len(names) == 2
