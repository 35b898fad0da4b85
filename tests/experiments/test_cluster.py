"""Running wide on a real Dask cluster: the same results to the bit, though a worker is killed on the way."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import app
from sim.shell.errors import guarded

distributed = pytest.importorskip("distributed")

SWEEP = [
    "sweep",
    "small",
    "--set",
    "horizon_h=1",
    "--set",
    "drain_h=1",
    "--vary",
    "drivers.count=60:84:4",
    "--reps",
    "2",
    "--quiet",
]


class Cluster:
    """A scheduler and two workers of one process each, on loopback."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "scheduler.json"
        self._folder = folder
        self.processes = [self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")]
        for _ in range(300):
            if self._file.exists() and self._file.stat().st_size:
                break
            time.sleep(0.1)
        self.address = str(json.loads(self._file.read_text())["address"])
        words = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "60")
        self.workers = [self._start("worker", *words, "--local-directory", str(folder)) for _ in range(2)]
        self.processes += self.workers
        with distributed.Client(self.address, timeout=30) as client:
            client.wait_for_workers(2, timeout=60)

    def _start(self, what: str, *words: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "distributed.cli.dask_" + what, "--scheduler-file", str(self._file), *words]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def close(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    started = Cluster(tmp_path)
    yield started
    started.close()


def test_a_sweep_survives_a_killed_worker_with_nothing_lost_or_doubled(cluster: Cluster, tmp_path: Path) -> None:
    folder, here = tmp_path / "wide", tmp_path / "here"
    command = [sys.executable, "-m", "cli", *SWEEP, "--out", str(folder), "--cluster", cluster.address]
    process = subprocess.Popen(command)
    runs = folder / "runs.jsonl"
    for _ in range(900):
        if runs.exists() and runs.read_bytes().count(b"\n") >= 3:
            break
        time.sleep(0.1)
    os.kill(cluster.workers[0].pid, signal.SIGKILL)
    assert process.wait(timeout=240) == 0
    assert len(runs.read_text().splitlines()) == 1 + 14
    assert guarded(app, [*SWEEP, "--out", str(here), "--workers", "1"]) == 0
    assert (folder / "sweep.parquet").read_bytes() == (here / "sweep.parquet").read_bytes()
