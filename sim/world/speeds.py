"""How fast a road may be driven: reading OpenStreetMap's ``maxspeed`` and filling in what nobody tagged, in km/h."""

import ast
import math
import re
from functools import lru_cache
from typing import Final

KMH_PER_MPH: Final = 1.60934

ABSURD_KMH: Final = 150.0
"""A tagged speed above this (or not above zero) is a typing error or "no limit", and counts as untagged."""

DEFAULT_KMH: Final[dict[str, float]] = {
    "motorway": 90.0,
    "motorway_link": 45.0,
    "trunk": 85.0,
    "trunk_link": 40.0,
    "primary": 65.0,
    "primary_link": 30.0,
    "secondary": 55.0,
    "secondary_link": 25.0,
    "tertiary": 40.0,
    "tertiary_link": 20.0,
    "unclassified": 25.0,
    "road": 25.0,
    "residential": 25.0,
    "living_street": 10.0,
    "service": 15.0,
}
"""Used where no road of a map has a tagged speed. Source: OSRM 5, ``profiles/car.lua``, table of speeds by class;
"road" (class unknown to the mapper) is our judgement, taken as "unclassified"."""

# What a country's law says where the tag names the law instead of a number.
# Source: OpenStreetMap wiki, Key:maxspeed, "Implicit maxspeed values", as tabulated by OSMnx 2.1 (MIT).
_IMPLICIT: Final = """
AR:rural=110 AR:urban=40 AR:urban:primary=60 AR:urban:secondary=60 AT:bicycle_road=30 AT:motorway=130 AT:rural=100
AT:trunk=100 AT:urban=50 BE-BRU:rural=70 BE-BRU:urban=30 BE-VLG:rural=70 BE-VLG:urban=50 BE-WAL:rural=90
BE-WAL:urban=50 BE:cyclestreet=30 BE:living_street=20 BE:motorway=120 BE:trunk=120 BE:zone30=30 BG:living_street=20
BG:motorway=140 BG:rural=90 BG:trunk=120 BG:urban=50 BY:living_street=20 BY:motorway=110 BY:rural=90 BY:urban=60
CA-AB:rural=90 CA-AB:urban=65 CA-BC:rural=80 CA-BC:urban=50 CA-MB:rural=90 CA-MB:urban=50 CA-ON:rural=80
CA-ON:urban=50 CA-QC:motorway=100 CA-QC:rural=75 CA-QC:urban=50 CA-SK:nsl=80 CH:motorway=120 CH:rural=80
CH:trunk=100 CH:urban=50 CZ:living_street=20 CZ:motorway=130 CZ:pedestrian_zone=20 CZ:rural=90 CZ:trunk=110
CZ:urban=50 CZ:urban_motorway=80 CZ:urban_trunk=80 DE:bicycle_road=30 DE:living_street=15 DE:motorway=120
DE:rural=80 DE:urban=50 DK:motorway=130 DK:rural=80 DK:urban=50 EE:rural=90 EE:urban=50 ES:living_street=20
ES:motorway=120 ES:rural=90 ES:trunk=90 ES:urban=50 ES:zone30=30 FI:motorway=120 FI:rural=80 FI:trunk=100
FI:urban=50 FR:motorway=120 FR:rural=80 FR:urban=50 FR:zone30=30 GB:nsl_restricted=48.28 GR:motorway=130 GR:rural=90
GR:trunk=110 GR:urban=50 HU:living_street=20 HU:motorway=130 HU:rural=90 HU:trunk=110 HU:urban=50 IT:motorway=130
IT:rural=90 IT:trunk=110 IT:urban=50 JP:express=100 JP:nsl=60 LT:rural=90 LT:urban=50 NO:rural=80 NO:urban=50
PH:express=100 PH:rural=80 PH:urban=30 PT:motorway=120 PT:rural=90 PT:trunk=100 PT:urban=50 RO:motorway=130
RO:rural=90 RO:trunk=100 RO:urban=50 RS:living_street=10 RS:motorway=130 RS:rural=80 RS:trunk=100 RS:urban=50
RU:living_street=20 RU:motorway=110 RU:rural=90 RU:urban=60 SE:rural=70 SE:urban=50 SI:motorway=130 SI:rural=90
SI:trunk=110 SI:urban=50 SK:living_street=20 SK:motorway=130 SK:motorway_urban=90 SK:rural=90 SK:trunk=90
SK:urban=50 TR:living_street=20 TR:motorway=130 TR:rural=90 TR:trunk=110 TR:urban=50 TR:zone30=30
UA:living_street=20 UA:motorway=130 UA:rural=90 UA:trunk=110 UA:urban=50 UK:motorway=112.65 UK:nsl_dual=112.65
UK:nsl_single=96.56 UZ:living_street=30 UZ:motorway=110 UZ:rural=100 UZ:urban=70
"""

_NUMBER: Final = re.compile(r"^([0-9][.,0-9]*?)[ ]?(?:km/h|kmh|kph|mph|knots)?$")


@lru_cache(maxsize=1)
def _implicit_kmh() -> dict[str, float]:
    return {key: float(value) for key, value in (item.split("=") for item in _IMPLICIT.split())}


@lru_cache(maxsize=4096)
def parse_maxspeed(text: str) -> float:
    """Read one ``maxspeed`` value as OSMnx does: number, unit, lanes, country code, or a list of such.

    Parameters
    ----------
    text
        The tag's value: ``"50"``, ``"30 mph"``, ``"50|80"`` (lanes: their mean), ``"SE:urban"``, or the list that OSMnx
        writes when it merges ways, ``"['50', '70']"`` (their mean).

    Returns
    -------
    float
        Speed in km/h; nan where the text says nothing usable (``"none"``, ``"signals"``, an empty tag).
    """
    text = text.strip()
    items = split_list(text)
    if items != [text]:
        speeds = [s for s in map(parse_maxspeed, items) if not math.isnan(s)]
        return sum(speeds) / len(speeds) if speeds else math.nan
    factor = KMH_PER_MPH if "mph" in text.lower() else 1.0
    lanes: list[float] = []
    for lane in text.split("|"):
        match = _NUMBER.match(lane)
        try:
            lanes.append(float(match.group(1).replace(",", ".")) * factor if match else math.nan)
        except ValueError:
            lanes.append(math.nan)
    mean = sum(lanes) / len(lanes)
    return _implicit_kmh().get(text, math.nan) if math.isnan(mean) else mean


def split_list(text: str) -> list[str]:
    """Take apart a list that OSMnx wrote as text, ``"['a', 'b']"``; any other text is a list of itself.

    Returns
    -------
    list of str
        The items as text, in the order written; never empty.
    """
    if text.startswith("[") and text.endswith("]"):
        try:
            items = ast.literal_eval(text)
        except (SyntaxError, ValueError):
            return [text]
        if isinstance(items, list) and items:
            return [str(item) for item in items]
    return [text]
