"""The map of the page: roads, demand cells, stores, late orders."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.report.canvas import ALERT, CARD, FIRST, HALO, INK, MUTED, POINTS, ROADS, WIDTH_IN, Picture, drawn
from sim.report.words import number
from sim.vocabulary import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ATTRIBUTION: Final = "© OpenStreetMap contributors"
_METRES_PER_DEGREE: Final = 111_195.0
_KEY_PT: Final = 50.0
"""Height of the key above the map."""
_VECTOR_MOST: Final = 1500
"""More polygons or points than this are drawn as pixels."""


RINGS_MIN: Final = (4.0, 8.0, 12.0, 16.0)
"""Isochrones: up to so many minutes' ride, and beyond."""

Step = tuple[float, str]
"""Opacity, and what it stands for."""


def _lines(manifest: Mapping[str, Any]) -> NDArray[np.float64] | None:
    """The map's streets as (edges, 2, 2) lon-lat, one of each pair of directions; None where the map cannot be had."""
    from sim.world.maps import find_map
    from sim.world.roads import load_roads

    if not isinstance(manifest["scenario"]["map"], str):
        return None
    try:
        roads = load_roads(find_map(manifest["scenario"]["map"]))
    except (InputError, OSError, ValueError):
        return None
    if roads.key != manifest["world"]["map_key"]:
        return None  # another map of that name: its streets are not those of the run
    pairs = np.unique(np.sort(np.column_stack((roads.tail, roads.head)), axis=1), axis=0)
    return np.stack(
        (np.column_stack((roads.lon, roads.lat))[pairs[:, 0]], np.column_stack((roads.lon, roads.lat))[pairs[:, 1]]),
        axis=1,
    )


def _polygons(cells: list[str]) -> list[NDArray[np.float64]]:
    import h3

    return [np.array([(lon, lat) for lat, lon in h3.cell_to_boundary(cell)]) for cell in cells]


def _shares(manifest: Mapping[str, Any], orders: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Each cell's share of the demand: of the customers, or of the orders where a trace gave them."""
    cells, world = len(manifest["world"]["cells"]), manifest["world"]
    weights = np.asarray(world.get("cell_weights") or np.zeros(cells), dtype=float)
    if manifest["scenario"]["demand"].get("trace") or not weights.sum() > 0:
        weights = np.bincount(orders["cell"], minlength=cells)[:cells].astype(float)
    return np.asarray(weights / weights.sum() if weights.sum() > 0 else weights)


def _view(points: NDArray[np.float64], stretch: float) -> tuple[float, float, float, float]:
    """West, south, east, north of the picture: everything, a margin, and not slimmer than 1 to 1.5 either way."""
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    wide, tall = max(east - west, 1e-3), max((north - south) * stretch, 1e-3)
    wide, tall = 1.06 * max(wide, tall / 1.5), 1.06 * max(tall, wide / 1.5)
    x, y = (west + east) / 2.0, (south + north) / 2.0
    return x - wide / 2.0, y - tall / stretch / 2.0, x + wide / 2.0, y + tall / stretch / 2.0


def city_map(
    manifest: Mapping[str, Any],
    orders: Mapping[str, NDArray[Any]],
    warmup_s: float,
    *,
    new: Sequence[Mapping[str, Any]] = (),
    rides_s: Sequence[float | None] | None = None,
    name: str = "map",
    title: str = "",
) -> Picture:
    """Stores, demand cells and late orders, where there are orders, over the streets where the map can be had.

    Parameters
    ----------
    new
        Stores that might be opened, marked apart.
    rides_s
        The ride to each cell from its nearest store, seconds, None where nobody lives: cells are shaded by it, as isochrones,
        instead of by demand.
    name, title
        Of the picture; by default the run's own.
    """
    world = manifest["world"]
    stores = world["stores"]
    counted = orders["entered_s"] >= warmup_s
    late = counted & (orders["delivered_s"] > orders["promised_s"])
    delivered, any_orders = int((counted & ~np.isnan(orders["delivered_s"])).sum()), len(late) > 0
    polygons, shares = _polygons(world["cells"]), _shares(manifest, orders)
    lines = _lines(manifest)
    sites, opened = (np.array([(each["lon"], each["lat"]) for each in some]).reshape(-1, 2) for some in (stores, new))
    doors = np.column_stack((orders["lon"], orders["lat"]))[late]
    peopled = [polygon for polygon, share in zip(polygons, shares, strict=True) if share > 0]
    stretch = 1.0 / np.cos(np.radians(float(sites[:, 1].mean())))
    west, south, east, north = box = _view(np.concatenate([*peopled, sites, opened, doors]), stretch)
    height_pt = WIDTH_IN * 72.0 * (north - south) * stretch / (east - west) + _KEY_PT
    road_map = isinstance(manifest["scenario"]["map"], str)
    alt = (
        f"Map of {world['map']} with {len(stores)} {'store' if len(stores) == 1 else 'stores'}, {len(peopled)} cells "
        + ("shaded by their share of the demand" if rides_s is None else _rings_said(rides_s))
        + (
            f", and the doors of {number(len(doors))} late orders out of {number(delivered)} delivered."
            if any_orders
            else "."
        )
    )

    def draw(figure: "Figure") -> None:
        from matplotlib.collections import LineCollection

        figure.set_layout_engine("none")
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0 - _KEY_PT / height_pt))
        axes.set(xlim=(west, east), ylim=(south, north), aspect=stretch, xticks=[], yticks=[])
        axes.axis("off")
        if lines is not None:
            ends = lines.reshape(-1, 4)
            seen = (ends[:, [0, 2]].max(1) > west) & (ends[:, [0, 2]].min(1) < east)
            seen &= (ends[:, [1, 3]].max(1) > south) & (ends[:, [1, 3]].min(1) < north)
            axes.add_collection(
                LineCollection(list(lines[seen]), colors=ROADS, linewidths=0.35, alpha=0.8, rasterized=True)
            )
        steps = _shade(axes, polygons, shares) if rides_s is None else _isochrones(axes, polygons, rides_s)
        if len(doors):
            many = len(doors) > _VECTOR_MOST
            size, alpha = (5.0, 0.6) if many else (9.0, 0.85)
            axes.scatter(
                doors[:, 0], doors[:, 1], s=size, color=POINTS, alpha=alpha, linewidths=0.0, rasterized=many, zorder=3
            )
        _mark_stores(axes, stores, sites)
        if new:
            _mark_stores(axes, new, opened, ALERT)
        _scale_bar(axes, box, stretch)
        _key(figure, steps, len(doors) if any_orders else None, new=bool(new))
        if road_map:
            axes.text(
                0.995,
                0.005,
                ATTRIBUTION,
                transform=axes.transAxes,
                ha="right",
                va="bottom",
                fontsize=8,
                color=MUTED,
                gid=HALO,
            )

    caption = "Cells are hexagons of the H3 grid."
    if any_orders:
        caption += " Late: handed over after the time the customer was promised."
    return Picture(
        name,
        title or ("Stores, demand and late orders" if any_orders else "Stores and demand"),
        drawn(name, height_pt, alt, draw),
        alt,
        caption,
    )


def _shade(axes: Any, polygons: list[NDArray[np.float64]], shares: NDArray[np.float64]) -> list[Step]:
    """Shade the cells in five steps; returns the opacity of each step that has cells, and what it stands for."""
    from matplotlib.collections import PolyCollection

    if not len(polygons) or not shares.max() > 0:
        return []
    steps: list[Step] = []
    # Shares differ by orders of magnitude; the square root shows the outskirts as well as the centre.
    edges = shares.max() * np.linspace(0.0, 1.0, 6) ** 2
    for step in range(5):
        mine = np.flatnonzero((shares > edges[step]) & (shares <= edges[step + 1]))
        opacity = 0.08 + 0.15 * step
        if len(mine):
            share = float(shares[mine].max())
            percent = number(100.0 * share, 2 if share < 0.01 else 1 if share < 0.1 else 0)
            steps.append((opacity, f"{'' if steps else 'demand '}up to {percent} %"))
            raster = len(polygons) > _VECTOR_MOST
            hexagons = [polygons[cell] for cell in mine]
            colour = "#2f6fd0" if raster else FIRST
            axes.add_collection(
                PolyCollection(hexagons, facecolors=colour, edgecolors="none", alpha=opacity, rasterized=raster)
            )
    return steps


def _rings_said(rides_s: Sequence[float | None]) -> str:
    """How far it is to the cells, in words."""
    known = [ride_s / 60.0 for ride_s in rides_s if ride_s is not None]
    near = sum(minutes <= RINGS_MIN[1] for minutes in known)
    return f"shaded by the ride from their nearest store: {number(near)} of {number(len(known))} within {RINGS_MIN[1]:g} minutes"


def _isochrones(axes: Any, polygons: list[NDArray[np.float64]], rides_s: Sequence[float | None]) -> list[Step]:
    """Shade cells by how far away their nearest store is, the nearest darkest; returns opacity and words of each ring."""
    from matplotlib.collections import PolyCollection

    minutes = np.array([np.nan if ride_s is None else ride_s / 60.0 for ride_s in rides_s])
    edges = (0.0, *RINGS_MIN, np.inf)
    steps: list[Step] = []
    for ring, (low, high) in enumerate(pairwise(edges)):
        mine = np.flatnonzero((minutes > low) & (minutes <= high)) if ring else np.flatnonzero(minutes <= high)
        if len(mine):
            opacity = 0.8 - 0.17 * ring
            steps.append((opacity, f"within {high:g} min" if np.isfinite(high) else f"beyond {low:g} min"))
            raster = len(polygons) > _VECTOR_MOST
            colour = "#2f6fd0" if raster else FIRST
            axes.add_collection(
                PolyCollection(
                    [polygons[cell] for cell in mine],
                    facecolors=colour,
                    edgecolors="none",
                    alpha=opacity,
                    rasterized=raster,
                )
            )
    return steps


def _mark_stores(axes: Any, stores: Sequence[Mapping[str, Any]], sites: NDArray[np.float64], colour: str = INK) -> None:
    axes.scatter(sites[:, 0], sites[:, 1], s=62.0, marker="s", color=colour, edgecolors=CARD, linewidths=1.4, zorder=5)
    if len(stores) > 25:
        return
    for store, (lon, lat) in zip(stores, sites, strict=True):
        axes.annotate(
            store["name"], (lon, lat), (7, 0), textcoords="offset points", va="center", zorder=6, gid=HALO,
            parse_math=False, fontweight="bold", annotation_clip=True,
        )  # fmt: skip


def _scale_bar(axes: Any, box: tuple[float, float, float, float], stretch: float) -> None:
    west, south, east, north = box
    per_degree = _METRES_PER_DEGREE / stretch
    room_m = (east - west) * per_degree / 4.0
    metres = max(nice for nice in (k * 10.0**e for e in range(6) for k in (1, 2, 5)) if nice <= max(room_m, 1.0))
    x, y = west + 0.02 * (east - west), south + 0.012 * (north - south)
    axes.plot([x, x + metres / per_degree], [y, y], color=INK, linewidth=2.0, solid_capstyle="butt", zorder=6)
    text = f"{metres / 1000.0:g} km" if metres >= 1000 else f"{metres:g} m"
    axes.annotate(text, (x, y), (0, 3), textcoords="offset points", va="bottom", fontsize=9, gid=HALO, zorder=6)


def _key(figure: "Figure", steps: list[Step], late: int | None, *, new: bool = False) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D([], [], marker="s", color=INK, linestyle="", markersize=7, label="store"),
    ]
    if new:
        handles.append(Line2D([], [], marker="s", color=ALERT, linestyle="", markersize=7, label="new store"))
    if late is not None:
        label = f"late order ({number(late)})"
        handles.append(Line2D([], [], marker="o", color=POINTS, linestyle="", markersize=4, label=label))
    handles += [Patch(facecolor=FIRST, alpha=opacity, label=words) for opacity, words in steps]
    figure.legend(
        handles=handles, loc="upper left", ncols=3, fontsize=9, handlelength=1.2, labelspacing=0.3, columnspacing=1.2,
        borderpad=0.1,
    )  # fmt: skip
