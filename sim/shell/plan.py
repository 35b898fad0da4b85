"""``darkstore plan``: how much demand, how many people, where the next store, what if things are worse."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console

from sim.shell.errors import FINE
from sim.shell.options import (
    Cluster,
    Code,
    Force,
    How,
    Json,
    Out,
    Policy,
    Quiet,
    ScenarioName,
    Seed,
    Set,
    Workers,
    families,
    settings,
    share,
)
from sim.vocabulary import InputError

if TYPE_CHECKING:
    from sim.experiments.trials import Trials
    from sim.report.leaf import Leaf
    from sim.scenario import Scenario

plan_app = typer.Typer(
    help="Plan how much demand a network takes, how many people it needs, where the next store goes, what breaks under stress.",
    no_args_is_help=True,
)

LAST = "plan.json"
Reps = Annotated[int, typer.Option("--reps", min=1, help="Days for everything that is tried, the same for all.")]


@contextmanager
def trying(console: Console, *, quiet: bool) -> Iterator[tuple[Callable[[int], None], Callable[[str], None]]]:
    """Show how many runs there have been, and what is being tried; silent where nobody looks on."""
    if quiet or not console.is_terminal:
        yield (lambda runs: None), (lambda what: None)
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    said = {"runs": "0 runs", "what": ""}
    with Progress(*columns, console=console, transient=True) as display:
        task = display.add_task("")

        def show() -> None:
            display.update(task, description=f"{said['runs']}{', ' if said['what'] else ''}{said['what']}")

        def ran(runs: int) -> None:
            said["runs"] = f"{runs:,} runs"
            show()

        def trying_now(what: str) -> None:
            said["what"] = what
            show()

        yield ran, trying_now


def planned(
    kind: str,
    scenario: "Scenario",
    work: Callable[["Trials", Callable[[str], None]], dict[str, Any]],
    show: Callable[[dict[str, Any]], "Leaf"],
    asked: tuple[Any, ...],
    reps: int,
    how: How,
    also: Callable[[dict[str, Any], Path], None] | None = None,
) -> None:
    """What every plan does: try, write a folder, print."""
    from sim import __version__
    from sim.experiments.beacon import both, tried
    from sim.experiments.comparison import write_json
    from sim.experiments.place import named, whole_folder
    from sim.experiments.pool import Crew
    from sim.experiments.trials import Trials
    from sim.report.leaf import print_leaf, write_leaf

    if scenario.mode == "goods_only":
        raise InputError(
            f"plan {kind}: expected a scenario of mode: full, which has orders and people; got goods_only."
        )
    folder = how.out or named(f"plan-{kind}", scenario.name, asked, reps, scenario.seed)
    with whole_folder(folder, force=how.force, last=LAST) as place:
        display = trying(Console(stderr=True), quiet=how.silent)
        with display as (ran, now), tried(place, scenario, f"plan of {kind}") as said, redirect_stdout(sys.stderr):
            trials = Trials(reps, Crew(how.workers, how.cluster, how.allow_code), both(ran, said.ran))
            found = work(trials, both(now, said.trying))
        result = {
            "schema": 1, "darkstore": __version__, "kind": kind, "scenario": scenario.name, "seed": scenario.seed,
            "replications": reps, "runs": trials.runs, "currency": scenario.costs.currency, "command": sys.argv, kind: found,
        }  # fmt: skip
        leaf = show(result)
        if also is not None:
            also(result, place)
        write_leaf(leaf, place)
        write_json(result, place / LAST)
    if how.as_json:
        typer.echo(json.dumps(result, indent=1))
    else:
        print_leaf(leaf, Console(), folder)
    raise typer.Exit(FINE)


@plan_app.command("capacity")
def capacity_command(
    scenario: ScenarioName = "default",
    reps: Reps = 2,
    most: Annotated[
        float, typer.Option("--up-to", min=1.0, max=100.0, help="The largest multiple of the demand to try.")
    ] = 3.0,
    seed: Seed = None,
    setting: Set = None,
    policy: Policy = None,
    workers: Workers = None,
    cluster: Cluster = None,
    out: Out = None,
    force: Force = False,
    allow_code: Code = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find the demand at which each service level breaks, which breaks first, and what is full there."""
    from sim.experiments.capacity import capacity
    from sim.report.planned import capacity_leaf
    from sim.scenario import load

    loaded = load(scenario, settings(setting, seed), families(policy))
    planned(
        "capacity", loaded,
        lambda trials, now: capacity(loaded, trials, lambda low, high: now(f"between x{low:g} and x{high:g}"), most),
        capacity_leaf,
        (setting, policy, most), reps, How(workers, cluster, allow_code, out, force, as_json, quiet),
    )  # fmt: skip


@plan_app.command("stress")
def stress_command(
    scenario: ScenarioName = "default",
    axis: Annotated[list[str] | None, typer.Option("--axis", help="Only this assumption; may be given often.")] = None,
    reps: Reps = 2,
    seed: Seed = None,
    setting: Set = None,
    policy: Policy = None,
    workers: Workers = None,
    cluster: Cluster = None,
    out: Out = None,
    force: Force = False,
    allow_code: Code = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make each assumption worse in steps, and say which service level breaks first, and at which step."""
    from sim.experiments.stress import axes_of, stress
    from sim.report.planned import stress_leaf
    from sim.scenario import load

    loaded, axes = load(scenario, settings(setting, seed), families(policy)), axes_of(axis or ())
    planned(
        "stress", loaded, lambda trials, now: stress(loaded, trials, axes), stress_leaf,
        (setting, policy, axis), reps, How(workers, cluster, allow_code, out, force, as_json, quiet),
    )  # fmt: skip


@plan_app.command("staff")
def staff_command(
    scenario: ScenarioName = "default",
    who: Annotated[
        Literal["both", "pickers", "drivers"], typer.Option("--who", help="Whose roster is planned.")
    ] = "both",
    shift_hours: Annotated[
        str, typer.Option("--shift-hours", metavar="A,B", help="Lengths that shifts may have.")
    ] = "4,6,8",
    confidence: Annotated[
        str, typer.Option("--confidence", help="With which each service level is to hold, one-sided.")
    ] = "95%",
    fresh: Annotated[int, typer.Option("--fresh", min=2, help="Days of another seed to try the answer on.")] = 10,
    reps: Annotated[
        int, typer.Option("--reps", min=2, help="Days for everything that is tried: levels hold by intervals.")
    ] = 4,
    seed: Seed = None,
    setting: Set = None,
    policy: Policy = None,
    workers: Workers = None,
    cluster: Cluster = None,
    out: Out = None,
    force: Force = False,
    allow_code: Code = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find the cheapest rosters of pickers and drivers that keep the service levels; roster.yaml is a scenario with them."""
    from sim.experiments.roster import Lengths
    from sim.experiments.staff import staff
    from sim.report.staffed import staff_leaf
    from sim.scenario import load

    loaded, sure = load(scenario, settings(setting, seed), families(policy)), share(confidence, "--confidence")
    if sure <= 0.5:
        raise InputError(
            f"plan staff: expected a --confidence above 50 %, for levels hold by intervals; got {confidence}."
        )
    lengths = Lengths(_hours(shift_hours))

    def write(result: dict[str, Any], place: Path) -> None:
        from sim.experiments.roster import as_scenario

        (place / "roster.yaml").write_text(as_scenario(loaded, result["staff"]["rosters"]), encoding="utf-8")

    def say(line: str) -> None:
        if not (quiet or as_json):
            typer.echo(f"darkstore: {line}", err=True)

    planned(
        "staff", loaded,
        lambda trials, now: staff(
            loaded, trials, reps=reps, who=who, lengths=lengths, confidence=sure, fresh=fresh, told=now, first=say
        ),
        staff_leaf,
        (setting, policy, who, shift_hours, confidence, fresh), reps,
        How(workers, cluster, allow_code, out, force, as_json, quiet), write,
    )  # fmt: skip


def _hours(text: str) -> tuple[float, ...]:
    try:
        hours = tuple(sorted({float(part) for part in text.split(",")}))
    except ValueError:
        hours = ()
    if not hours or not all(0.5 <= each <= 16.0 and each * 2 == int(each * 2) for each in hours):
        raise InputError(
            f"--shift-hours: expected lengths from 0.5 to 16 hours in halves, such as 4,6,8; got {text!r}."
        )
    return hours


@plan_app.command("sites")
def sites_command(
    scenario: ScenarioName = "default",
    count: Annotated[int, typer.Option("--open", min=1, max=50, metavar="K", help="How many stores to open.")] = 1,
    candidates: Annotated[
        Path | None,
        typer.Option(
            "--candidates", metavar="FILE", help="CSV: name, lat, lon, rent_cents, fit_out_cents, competition."
        ),
    ] = None,
    few: Annotated[int, typer.Option("--simulate", min=1, max=20, help="How many choices are simulated.")] = 3,
    reps: Reps = 3,
    seed: Seed = None,
    setting: Set = None,
    policy: Policy = None,
    workers: Workers = None,
    cluster: Cluster = None,
    out: Out = None,
    force: Force = False,
    allow_code: Code = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Choose where the next stores go, and simulate the best few choices against today's network with the same customers."""
    from sim.experiments.candidates import from_cells, from_file
    from sim.experiments.sites import sites
    from sim.report.sited import sites_leaf
    from sim.scenario import load

    loaded = load(scenario, settings(setting, seed), families(policy))

    def say(line: str) -> None:
        if not (quiet or as_json):
            typer.echo(f"darkstore: {line}", err=True)

    planned(
        "sites", loaded,
        lambda trials, now: sites(
            loaded, trials,
            lambda world: from_cells(world, world.store_nodes) if candidates is None else from_file(candidates, world),
            count, few, now, say,
        ),
        sites_leaf,
        (setting, policy, count, str(candidates), few), reps, How(workers, cluster, allow_code, out, force, as_json, quiet),
    )  # fmt: skip
