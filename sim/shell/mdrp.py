"""``darkstore mdrp``: published instances of the meal delivery routing problem as the referee of dispatch policies."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from sim.shell.options import Json, Quiet, Workers

if TYPE_CHECKING:
    from sim.experiments.mdrp import Score

mdrp_app = typer.Typer(
    help="Play published instances of the meal delivery routing problem with any dispatch policy.", no_args_is_help=True
)

Policy = Annotated[
    str,
    typer.Option(
        "--policy",
        metavar="SPEC",
        help="A dispatch policy: name, name(param=value) or file.py:Class(...). Those that look no further than ride_s_max "
        "(nearest, fifo, scored, least_recently_used) need it as wide as the instance: nearest(ride_s_max=6000).",
    ),
]


def _dispatch(policy: str) -> str:
    """The policy, whether its family was said, as elsewhere, or not."""
    return policy.removeprefix("dispatch=")


@mdrp_app.command("run")
def run_command(
    instance: Annotated[
        Path, typer.Argument(help="Folder of one instance: orders, restaurants, couriers, parameters.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the three files that the official evaluator reads.")],
    policy: Policy = "matching",
    force: Annotated[bool, typer.Option("--force", help="Replace a finished run.")] = False,
    as_json: Json = False,
) -> None:
    """Play one instance, write its solution, print its figures."""
    from sim.experiments.mdrp import play, write_solution
    from sim.experiments.place import whole_folder
    from sim.recording import SUMMARY
    from sim.world.mdrp import read_instance

    read, policy = read_instance(instance), _dispatch(policy)
    with whole_folder(out, force=force) as folder:
        solution, score, _ = play(read, policy)
        write_solution(read, solution, folder)
        (folder / SUMMARY).write_text(
            json.dumps({"policy": policy, **asdict(score)}, indent=2) + "\n", encoding="utf-8"
        )
    if as_json:
        typer.echo(json.dumps({"policy": policy, **asdict(score)}))
        return
    _print([score], published=False)
    typer.echo(f"Files   {out}")


@mdrp_app.command("bench")
def bench_command(
    instances: Annotated[list[Path], typer.Argument(help="Folders of instances.")],
    policy: Policy = "matching",
    jitter: Annotated[
        int, typer.Option("--jitter", metavar="N", min=0, help="Play each N more times, with ties broken otherwise.")
    ] = 0,
    workers: Workers = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Play many instances in parallel; print each, their means, and the published means beside them."""
    from sim.experiments.mdrp import bench
    from sim.report.counting import count_bar

    jitters, policy = range(jitter + 1), _dispatch(policy)
    with count_bar(Console(stderr=True), "instances", len(instances) * len(jitters), quiet=quiet or as_json) as done:
        scores, *others = bench(instances, policy, jitters=jitters, workers=workers or os.cpu_count() or 1, done=done)
    if as_json:
        found: dict[str, Any] = {"policy": policy, "instances": [asdict(score) for score in scores]}
        if others:
            found["jittered"] = [[asdict(score) for score in played] for played in others]
        typer.echo(json.dumps(found))
        return
    _print(scores, others, published=True)


def _print(scores: Sequence["Score"], others: Sequence[Sequence["Score"]] = (), *, published: bool) -> None:
    from sim.experiments.mdrp import PUBLISHED, mean_of

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for place, name in enumerate(
        (
            "instance",
            "orders",
            "undeli-\nvered",
            "click-\nto-door",
            "p90",
            "ready-to-\npickup",
            "p90",
            "cost",
            "bundle",
            "ms",
        )
    ):
        table.add_column(name, justify="right" if place else "left", no_wrap=True)
    for score in scores:
        table.add_row(*_cells(score))
    if len(scores) > 1:
        table.add_section()
        table.add_row(*_cells(mean_of(scores)))
    for number, played in enumerate(others, 1):
        table.add_row(*_cells(replace(mean_of(played), instance=f"ties otherwise, {number}")))
    if others:
        alike = [score for played in (scores, *others) for score in played]
        table.add_row(*_cells(replace(mean_of(alike), instance=f"mean of these {len(others) + 1}")))
    if published:
        table.add_section()
        for row in PUBLISHED:
            table.add_row(*row)
    Console(width=100).print(table)
    typer.echo(
        "Minutes, means over the orders; an undelivered one counts as the longest click-to-door.\n"
        "cost: couriers' pay per order delivered; bundle: orders per bundle;\n"
        "ms: CPU of the decisions per order, milliseconds."
    )


def _cells(score: "Score") -> list[str]:
    from sim.report.words import DASH

    def shown(value: float, digits: int = 2) -> str:
        return DASH if value != value else f"{value:.{digits}f}"

    return [
        score.instance, f"{score.orders:,}", f"{100.0 * score.undelivered / max(score.orders, 1):.2f} %",
        shown(score.click_to_door), shown(score.click_to_door_p90, 1), shown(score.ready_to_pickup),
        shown(score.ready_to_pickup_p90, 1), shown(score.cost_per_order), shown(score.orders_per_bundle),
        shown(score.decision_ms),
    ]  # fmt: skip
