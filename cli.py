"""The ``darkstore`` command: parse, call one function, print, exit code. Nothing heavy is imported before it is needed."""

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from sim import __version__
from sim.shell.errors import FINE, INCONCLUSIVE, MISSED, guarded
from sim.shell.maps import map_app
from sim.shell.mdrp import mdrp_app
from sim.shell.scenarios import scenario_app
from sim.shell.storm import storm_command
from sim.vocabulary import InputError

app = typer.Typer(
    help="Simulate quick commerce: dark stores, pickers, drivers and the platform behind them, on real roads.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
app.add_typer(scenario_app, name="scenario")
app.add_typer(map_app, name="map")
app.add_typer(mdrp_app, name="mdrp")
app.command("storm")(storm_command)

ScenarioName = Annotated[str, typer.Argument(help="A scenario file, or a shipped name (darkstore scenario list).")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, max=2**64 - 1, help="Seed of all chance.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Override a key; may be given often.")
]
Policy = Annotated[
    list[str] | None,
    typer.Option("--policy", metavar="FAMILY=SPEC", help="name, name(param=value) or file.py:Class(...)."),
]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes (default: one per core).")]
Out = Annotated[Path | None, typer.Option("--out", help="The run's own folder (default: under results/).")]
Force = Annotated[bool, typer.Option("--force", help="Replace a finished run.")]
Code = Annotated[bool, typer.Option("--allow-code", help="Let the scenario file load policies from Python files.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]


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
    reps: Annotated[int, typer.Option("--reps", min=1, help="Independent replications, with intervals.")] = 1,
    setting: Set = None,
    policy: Policy = None,
    workers: Workers = None,
    out: Out = None,
    force: Force = False,
    allow_code: Code = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run a scenario: a simulated day, its figures, its report. Exit 1: a service level was missed; 3: unseen."""
    from rich.console import Console

    from sim.experiments.slo import failed, unobserved
    from sim.experiments.whole import run_scenario
    from sim.report.page import write_report
    from sim.report.terminal import print_summary, progress_bar
    from sim.scenario import load
    from sim.shell.errors import note_unheard

    settings = list(setting or ()) + ([f"seed={seed}"] if seed is not None else [])
    loaded = load(scenario, settings, _families(policy))
    if not quiet:
        note_unheard(loaded)
    # Whatever a policy prints is not the result, so it goes where the progress goes.
    console = Console(stderr=True)
    bar = progress_bar(console, start=loaded.start_at, quiet=quiet or as_json, replications=reps)
    with bar as progress, redirect_stdout(sys.stderr):
        result = run_scenario(
            loaded,
            out,
            reps=reps,
            workers=workers,
            force=force,
            command=sys.argv,
            allow_code=allow_code,
            progress=progress,
            done=progress.done,
            finish=write_report,
        )
    if as_json:
        typer.echo(json.dumps(result.summary, indent=1))
    else:
        assert result.folder is not None
        print_summary(result.summary, Console(), report=result.folder / "report.html", folder=result.folder)
    verdicts = result.summary["slo"]
    raise typer.Exit(MISSED if failed(verdicts) else INCONCLUSIVE if unobserved(verdicts) else FINE)


@app.command()
def report(folder: Annotated[Path, typer.Argument(help="A finished run's folder.")]) -> None:
    """Write a run's report.html again."""
    from sim.experiments.folder import read_summary
    from sim.report.page import write_report

    typer.echo(write_report(folder, read_summary(folder)))


@app.command()
def replay(folders: Annotated[list[Path], typer.Argument(help="Folders of finished runs.")]) -> None:
    """Rebuild a run's final state from its log alone and hold it against what the run wrote. Exit code 1 if they differ."""
    from sim.experiments.folder import verify

    whole = True
    for folder in folders:
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
    """List the menu of policies: what each decides, its parameters and their defaults."""
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
        print_menu(rows, Console())


@app.command()
def explain(metric: Annotated[str, typer.Argument(help="A key of summary.json, such as within_s.1800.")]) -> None:
    """Say what a figure means."""
    from sim.report.explain import explain as meaning

    typer.echo(meaning(metric))


@app.command()
def doctor() -> None:
    """Check the installation: versions, shipped files, where caches lie, a tiny run. Exit code 1 if something is wrong."""
    from sim.experiments.doctor import examine

    fine = True
    for good, line in examine():
        fine = fine and good
        typer.echo(f"{'ok ' if good else 'BAD'}  {line}")
    raise typer.Exit(FINE if fine else MISSED)


def _families(specs: list[str] | None) -> dict[str, str]:
    from sim.contracts import FAMILIES

    chosen: dict[str, str] = {}
    for spec in specs or ():
        family, equals, name = spec.partition("=")
        if not equals or family not in FAMILIES:
            raise InputError(f"--policy {spec}: expected FAMILY=SPEC with a family of: {', '.join(FAMILIES)}.")
        chosen[family] = name
    return chosen


def main() -> None:
    """Run the command and leave with its exit code."""
    sys.exit(guarded(app))


if __name__ == "__main__":
    main()
