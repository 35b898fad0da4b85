"""A scenario laid out for people and editors: every key with its value and source, the JSON Schema, a file to start from."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel

from sim.scenario.tree import Scenario

STARTER = """\
# yaml-language-server: $schema=scenario.schema.json   (darkstore scenario schema > scenario.schema.json)
name: {name}
extends: default            # start from a shipped scenario and say only what differs
description: What this scenario asks
# map: gothenburg           # darkstore map list; or bring your own: darkstore map import city.osm.pbf
# stores: {{count: 8}}
# drivers: {{count: 300}}
# demand:
#   orders_per_day: 9000
#   surges: [{{at: "19:00", minutes: 40, factor: 3}}]
# policies: {{dispatch: "nearest(ride_s_max=600)"}}
slo:
  - within_s.1800 >= 0.95
  - on_time >= 0.9 (warn)
"""


class Row(NamedTuple):
    """One key of a scenario."""

    path: str
    value: str
    source: str


def rows(scenario: Scenario) -> Iterator[Row]:
    """Every key of a scenario, its value, and where that comes from: a file's line, an option, or the default's source."""
    yield from _rows(scenario, "", scenario.origins)


def _rows(branch: BaseModel, prefix: str, origins: dict[str, str]) -> Iterator[Row]:
    for name, field in type(branch).model_fields.items():
        value, path = getattr(branch, name), f"{prefix}{name}"
        if isinstance(value, BaseModel):
            yield from _rows(value, f"{path}.", origins)
            continue
        extra = field.json_schema_extra
        default = str(extra.get("source", "-")) if isinstance(extra, dict) else "-"
        given = origins.get(path) or next((o for known, o in origins.items() if known.startswith(f"{path}.")), None)
        yield Row(path, _text(value), given or default)


def _text(value: Any) -> str:
    if isinstance(value, BaseModel):
        return "{" + ", ".join(f"{name}: {_text(part)}" for name, part in value if part is not None) + "}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_text(part) for part in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_text(part)}" for name, part in value.items()) + "}"
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"
    return "-" if value is None else str(value)


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a scenario file, with descriptions and sources."""
    schema = Scenario.model_json_schema()
    schema["properties"]["extends"] = {"type": "string", "description": "a scenario's name or file to start from"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
