"""How ``darkstore --help`` lists the commands: by what people want, in the order in which they come to want it."""

from typing import Any, Final

import typer
from typer.core import TyperGroup

PANELS: Final[dict[str, tuple[str, ...]]] = {
    "Run": ("run", "watch", "scenario", "map"),
    "Compare and plan": ("compare", "sweep", "plan", "check"),
    "Look": ("report", "story", "explain", "policies", "export"),
    "Verify and set up": ("replay", "storm", "mdrp", "compile", "doctor"),
}
"""Commands and groups of them, by panel."""

_ORDER: Final = {name: place for place, name in enumerate(name for names in PANELS.values() for name in names)}


class InOrder(TyperGroup):
    """Commands in the order of the panels; any that is in none comes last."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of the commands."""
        return sorted(self.commands, key=lambda name: _ORDER.get(name, len(_ORDER)))


def into_panels(app: typer.Typer) -> None:
    """Put an app's commands, once it has all of them, into their panels."""
    panels = {name: panel for panel, names in PANELS.items() for name in names}
    for command in app.registered_commands:
        name = str(command.name or getattr(command.callback, "__name__", ""))
        command.rich_help_panel = panels[name]
    for group in app.registered_groups:
        group.rich_help_panel = panels[str(group.name)]
