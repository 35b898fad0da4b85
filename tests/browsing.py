"""A real headless browser without a network, for tests of pages. Skips with a message where there is none."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")


@dataclass
class Shown:
    """A page in the browser, and what went wrong on it: console errors, exceptions, requests to anywhere else."""

    page: Any
    wrong: list[str] = field(default_factory=list)

    def ask(self, script: str) -> Any:
        """What a piece of JavaScript gives."""
        return self.page.evaluate(script)


@contextmanager
def shown(
    path: Path, *, width: int = 1200, height: int = 900, dark: bool = False, options: Sequence[str] = OPTIONS
) -> Iterator[Shown]:
    """Open a file in a browser that has no network."""
    found = next((name for name in map(shutil.which, NAMES) if name), None)
    if found is None:
        pytest.skip(f"no headless browser found (looked for {', '.join(NAMES)})")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox", *options])
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", offline=True
        )
        page = context.new_page()
        told = Shown(page)
        page.on("console", lambda said: told.wrong.append(said.text) if said.type in ("error",) else None)
        page.on("pageerror", lambda error: told.wrong.append(str(error)))
        page.on(
            "request",
            lambda asked: None if asked.url.startswith(("file:", "data:", "blob:")) else told.wrong.append(asked.url),
        )
        try:
            page.goto(path.resolve().as_uri())
            yield told
        finally:
            browser.close()
