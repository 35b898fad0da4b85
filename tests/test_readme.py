"""What the README shows runs as it stands there."""

import re
from pathlib import Path
from typing import Any

from tests.conftest import lawful_day

README = Path(__file__).parent.parent / "README.md"


def test_the_example_policy_dispatches_a_day(two_stores: Any, play: Any, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (policy,) = [block for block in blocks if "class FreshestFirst" in block]
    assert policy.count("\n") < 30
    (tmp_path / "freshest.py").write_text(policy, encoding="utf-8")
    played = lawful_day(play, two_stores(f"policies.dispatch={tmp_path}/freshest.py:FreshestFirst(ride_s_max=600)"))
    assert len(played.rows("goods_delivered")) > 0.8 * played.world.trace.orders
    assert len(played.rows("proposal_refused")) == 0


def test_the_example_in_python_runs(monkeypatch: Any, tmp_path: Path) -> None:
    import sim

    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (example,) = [block for block in blocks if "import sim\n" in block]
    short = {"horizon_h": 0.5, "drain_h": 1.0}
    run, compare = sim.run, sim.compare
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        sim, "run", lambda name, **more: run(name, **more | {"set": more["set"] | short}), raising=False
    )
    monkeypatch.setattr(
        sim,
        "compare",
        lambda name, variants, reps: compare(name, variants, reps=2, workers=1, set=short),
        raising=False,
    )
    space: dict[str, Any] = {}
    exec(example, space)
    assert len(space["better"].table)
    assert not list(tmp_path.iterdir())
