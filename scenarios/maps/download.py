"""What the conversion scripts share: one member out of one pinned package, thinner shapes, and the figures to print.

The packages are read, never installed: their ordinary client fetches the archive, its SHA-256 must be the one we know,
and only the member asked for is unpacked.
"""

import hashlib
import io
import math
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from shapely import LineString

from sim.world.graphml import write_graphml
from sim.world.roadtable import RoadTable

HERE = Path(__file__).resolve().parent

SHAPE_TOLERANCE_M = 2.0
"""How far a thinned shape may stray from the surveyed one, metres: less than half a carriageway."""

METRES_PER_DEGREE = 111_195.0


def wheel_member(package: str, version: str, sha256: str, member: str, *, pip_options: Sequence[str] = ()) -> bytes:
    """Bytes of one file inside a wheel on PyPI.

    Parameters
    ----------
    package, version, sha256
        The pinned wheel.
    member
        Path of the file inside it.
    pip_options
        What pins a wheel that exists for several platforms.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", *pip_options, "--dest", folder, f"{package}=={version}"]
        subprocess.run(command, check=True)
        archive = _verified(folder, sha256)
    with zipfile.ZipFile(io.BytesIO(archive)) as wheel:
        return wheel.read(member)


def npm_member(package: str, version: str, sha256: str, member: str) -> bytes:
    """Bytes of one file inside a package on npm; parameters as for `wheel_member`."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", "--pack-destination", folder, f"{package}@{version}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        archive = _verified(folder, sha256)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tarball:
        file = tarball.extractfile(member)
        if file is None:
            raise SystemExit(f"expected a file {member} in {package} {version}, got a folder")
        return file.read()


def thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points between a line's ends that its shape needs, to `SHAPE_TOLERANCE_M` (Douglas-Peucker); degrees."""
    if len(points) < 3:
        return []
    shrink = math.cos(math.radians(points[0][1]))
    flat = LineString([(lon * shrink, lat) for lon, lat in points])
    thin = flat.simplify(SHAPE_TOLERANCE_M / METRES_PER_DEGREE, preserve_topology=False)
    return [(x / shrink, y) for x, y in thin.coords][1:-1]


def ship(name: str, table: RoadTable) -> None:
    """Write the largest strongly connected component beside the scripts, and say what was kept."""
    kept = table.largest_scc()
    path = HERE / f"{name}.graphml.gz"
    write_graphml(kept, path)
    sys.stdout.write(
        f"{path.name}: kept {kept.nodes:,} of {table.nodes:,} nodes, {kept.edges:,} of {table.edges:,} edges, "
        f"{kept.km:,.0f} of {table.km:,.0f} km, {int(table.components().max()) + 1} components; "
        f"tagged speeds {kept.speed_share:.1%}, names {(kept.name >= 0).mean():.1%}; {path.stat().st_size:,} bytes\n"
    )


def _verified(folder: str, sha256: str) -> bytes:
    (archive,) = Path(folder).iterdir()
    content = archive.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise SystemExit(f"expected {archive.name} with SHA-256 {sha256}, got {found}")
    return content
