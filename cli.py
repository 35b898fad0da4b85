"""The ``darkstore`` command: parse, call one function, print, exit code. Nothing heavy is imported before it is needed."""

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from sim import __version__
from sim.shell.check import check_command
from sim.shell.compare import compare_command
from sim.shell.compile import compile_command
from sim.shell.errors import FINE, INCONCLUSIVE, MISSED, guarded
from sim.shell.export import export_command
from sim.shell.help import InOrder, into_panels
from sim.shell.maps import map_app
from sim.shell.mdrp import mdrp_app
from sim.shell.options import (
    Cluster,
    Code,
    Force,
    Json,
    Out,
    Policy,
    Quiet,
    ScenarioName,
    Seed,
    Set,
    Workers,
    families,
    hours,
    settings,
    share,
)
from sim.shell.plan import plan_app
from sim.shell.scenarios import scenario_app
from sim.shell.storm import storm_command
from sim.shell.story import story_command
from sim.shell.sweep import sweep_command
from sim.shell.watch import watch_command
from sim.vocabulary import InputError

app = typer.Typer(
    help="Simulate quick commerce: dark stores, pickers, drivers and the platform behind them, on real roads.",
    cls=InOrder,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
app.add_typer(scenario_app, name="scenario")
app.add_typer(map_app, name="map")
app.add_typer(mdrp_app, name="mdrp")
app.add_typer(plan_app, name="plan")
app.command("compare")(compare_command)
app.command("sweep")(sweep_command)
app.command("check")(check_command)
app.command("export")(export_command)
app.command("story")(story_command)
app.command("storm")(storm_command)
app.command("compile")(compile_command)
app.command("watch")(watch_command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"darkstore {__version__}")
        raise typer.Exit(FINE)


@app.callback()
def _root(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False) -> None:
    """Simulate quick commerce."""


@app.command()
def run(
    scenario: ScenarioName = "default",
    seed: Seed = None,
    reps: Annotated[int | None, typer.Option("--reps", min=1, help="Independent replications, with intervals.")] = None,
    precision: Annotated[
        str | None,
        typer.Option("--precision", metavar="P%", help="As many as it takes for an interval of the mean +- P %."),
    ] = None,
    warmup: Annotated[
        str | None,
        typer.Option("--warmup", metavar="HOURS|auto", help="Leave so much out of the figures; auto: as MSER-5 finds."),
    ] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", help="Whose interval that is (default: click_to_door_s.mean).")
    ] = None,
    reps_max: Annotated[
        int | None, typer.Option("--max-reps", min=2, help="Give --precision up after so many (default: 200).")
    ] = None,
    setting: Set = None,
    policy: Policy = None,
    workers: Workers = None,
    cluster: Cluster = None,
    out: Out = None,
    force: Force = False,
    allow_code: Code = False,
    pages: Annotated[
        bool,
        typer.Option(
            "--pages/--no-pages", help="Whether to write its pages, half of a small run's time; report does so later."
        ),
    ] = True,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run a scenario: a simulated day, its figures, its report. Exit 1: a service level was missed; 3: unseen."""
    from rich.console import Console

    from sim.experiments.figures import known_metric
    from sim.experiments.pool import Crew, check_crew
    from sim.experiments.slo import failed, unobserved
    from sim.experiments.warming import find_warmup
    from sim.experiments.whole import Asked, run_scenario
    from sim.report.pages import write_pages
    from sim.report.terminal import print_summary, progress_bar
    from sim.scenario import load
    from sim.shell.errors import note_unheard

    if reps is not None and precision is not None:
        raise InputError("run: expected --reps or --precision, got both.")
    if precision is None and (metric is not None or reps_max is not None):
        raise InputError("run: expected --precision with --metric and --max-reps, got none.")
    asked = Asked(reps or 1)
    if precision is not None:
        asked = Asked(1, share(precision, "--precision"), known_metric(metric or asked.metric), reps_max or asked.most)
    asked_h = [f"warmup_h={hours(warmup, '--warmup')}"] if warmup not in (None, "auto") else []
    loaded = load(scenario, [*settings(setting, seed), *asked_h], families(policy))
    if not quiet:
        note_unheard(loaded)
    crew = Crew(workers, cluster, allow_code)
    check_crew(crew)
    if warmup == "auto":
        with redirect_stdout(sys.stderr):
            found = find_warmup(loaded, crew)
        loaded = loaded.model_copy(update={"warmup_h": found.hours})
        if not quiet:
            typer.echo(f"darkstore: warm-up of {found.hours:.2f} h by MSER-5 over {found.pilots} pilot days.", err=True)
    # Whatever a policy prints is not the result, so it goes where the progress goes.
    console = Console(stderr=True)
    bar = progress_bar(console, start=loaded.start_at, quiet=quiet or as_json, replications=asked.reps)
    with bar as progress, redirect_stdout(sys.stderr):
        result = run_scenario(
            loaded,
            out,
            asked=asked,
            crew=crew,
            force=force,
            command=sys.argv,
            progress=progress,
            done=progress.done,
            finish=write_pages if pages else None,
        )
    if as_json:
        typer.echo(json.dumps(result.summary, indent=1))
    else:
        assert result.folder is not None
        page = result.folder / "report.html" if pages else None
        print_summary(result.summary, Console(), report=page, folder=result.folder)
    precise = result.summary.get("precision", {"reached": True})["reached"]
    if not precise:
        said = result.summary["precision"]["half_width_share"]
        half = "no interval at all" if said is None else f"a half-width of {100 * said:.1f} %"
        typer.echo(
            f"darkstore: --precision {precision}: expected it within {asked.most} replications (--max-reps), "
            f"got {half} of {asked.metric}.",
            err=True,
        )
    verdicts = result.summary["slo"]
    raise typer.Exit(MISSED if failed(verdicts) else INCONCLUSIVE if unobserved(verdicts) or not precise else FINE)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="A finished folder: of a run, a comparison, a sweep or a plan.")],
) -> None:
    """Write the pages of a finished folder again: a run's report and replay; of a comparison, a sweep or a plan its report."""
    from sim.reading.files import read_summary
    from sim.report.again import write_page_of
    from sim.report.pages import write_pages

    typer.echo(write_page_of(folder) or write_pages(folder, read_summary(folder)))


@app.command()
def replay(folders: Annotated[list[Path], typer.Argument(help="Folders of finished runs.")]) -> None:
    """Rebuild a run's final state from its log alone and hold it against what the run wrote. Exit code 1 if they differ."""
    from sim.experiments.folder import verify, worth_verifying

    whole = True
    runs, others = worth_verifying(folders)
    for other in others:
        typer.echo(f"{other}: no run, left out", err=True)
    for folder in runs:
        found = verify(folder)
        whole = whole and found.whole
        for line in (str(folder), *found.lines) if len(folders) > 1 else found.lines:
            typer.echo(line)
    raise typer.Exit(FINE if whole else MISSED)


@app.command()
def policies(
    family: Annotated[str | None, typer.Argument(help="Show one family of decisions only.")] = None,
    as_json: Json = False,
) -> None:
    """List the menu of policies: what each decides, its parameters with their defaults, and its source."""
    from difflib import get_close_matches

    from rich.console import Console

    from sim.contracts import FAMILIES
    from sim.report.menu import menu_rows, print_menu

    if family is not None and family not in FAMILIES:
        close = get_close_matches(family, FAMILIES, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise InputError(f"policies: expected a family, one of: {', '.join(FAMILIES)}; got {family!r}{hint}.")
    rows = menu_rows(family)
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
    else:
        print_menu(rows, Console(), whole=family is not None)


@app.command()
def explain(
    metric: Annotated[
        list[str],
        typer.Argument(
            metavar="METRIC",
            help="A figure's key (within_s.1800) or its name on a page (at the counter), or a group (floor); a kind of fault, "
            "or all of them (faults).",
        ),
    ],
) -> None:
    """Say what a figure means, by which formula, in which unit and where it is worked out."""
    from sim.report.explain import explain as meaning

    typer.echo(meaning(" ".join(metric)))


@app.command()
def doctor() -> None:
    """Check the installation: versions, shipped files, where caches lie, a tiny run. Exit code 1 if something is wrong."""
    from sim.experiments.doctor import examine

    fine = True
    for good, line in examine():
        fine = fine and good
        typer.echo(f"{'ok ' if good else 'BAD'}  {line}")
    raise typer.Exit(FINE if fine else MISSED)


into_panels(app)


def main() -> None:
    """Run the command and leave with its exit code."""
    sys.exit(guarded(app))


if __name__ == "__main__":
    main()
