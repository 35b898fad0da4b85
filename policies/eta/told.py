"""Travel times: as the map and the traffic of a while ago say."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sim.contracts import Trips


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Believe the estimates as they are (the default)."""

    every_s: ClassVar[float] = 3600.0
    nothing: ClassVar[bool] = True

    def __call__(self, trips: Trips) -> NDArray[Any]:
        return np.ones((trips.vehicles, 24))
