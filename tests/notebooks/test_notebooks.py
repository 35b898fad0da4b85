"""The notebooks run from top to bottom as they lie in git, and draw what they say."""

from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"
NAMES = ("01-first-day", "02-compare-dispatch", "03-open-a-store", "04-drift")


def test_these_are_all_and_the_readme_names_each() -> None:
    assert tuple(sorted(path.stem for path in NOTEBOOKS.glob("*.py"))) == NAMES
    readme = (NOTEBOOKS / "README.md").read_text(encoding="utf-8")
    assert all(f"({name}.py)" in readme for name in NAMES)


@pytest.fixture
def own_kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The kernel of this environment, whatever else is installed for this user, and none of his settings."""
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path / "jupyter"))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    return "python3"


@pytest.mark.parametrize("name", NAMES)
def test_it_runs(name: str, own_kernel: str, tmp_path: Path) -> None:
    jupytext = pytest.importorskip("jupytext")
    nbclient = pytest.importorskip("nbclient")
    notebook: Any = jupytext.read(NOTEBOOKS / f"{name}.py")
    working = tmp_path / "working"
    working.mkdir()
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name=own_kernel, resources={"metadata": {"path": str(working)}}
    )
    client.execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output for cell in code for output in cell.outputs]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    kinds = [kind for output in outputs for kind in output.get("data", {})]
    assert kinds.count("image/png") >= 1
    assert kinds.count("text/html") >= 1
    assert list(working.iterdir()) == []
