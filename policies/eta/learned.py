"""Travel times: corrected by what rides have taken so far."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.ranges import hold_to
from sim.contracts import Trips
from sim.vocabulary import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Correct the estimates by boosted regression trees of what rides took to what was believed, by vehicle and hour.

    Every `every_s` the ratio is learned anew from all rides so far, weighted by their length, so that it is a ratio of sums
    (scikit-learn's HistGradientBoostingRegressor; needs the extra `darkstore[forecast]`), and tabulated: nobody asks a tree for
    one ride. Rain, a map that is too fast and the hour's traffic, which the platform knows of an hour late, are all in it.
    `rides`: as if so many had taken just what was believed (judgement). `trees`: how many.
    """

    every_s: float = 1800.0
    rides: int = 50
    trees: int = 30

    def __post_init__(self) -> None:
        hold_to(self, 60.0, 86_400.0, "every_s")
        hold_to(self, 0, 1_000_000, "rides")
        hold_to(self, 1, 1000, "trees")

    def __call__(self, trips: Trips) -> NDArray[Any]:
        factors = np.ones((trips.vehicles, 24))
        known = trips.believed_s > 0.0
        if known.sum() < 20:
            return factors
        try:
            from sklearn.ensemble import HistGradientBoostingRegressor
            from threadpoolctl import ThreadpoolController  # scikit-learn needs it itself
        except ImportError as error:
            raise InputError(
                "policies.eta: expected scikit-learn for learned, which is not installed: pip install 'darkstore[forecast]'."
            ) from error
        seen = np.column_stack([trips.vehicle, trips.hour])[known]
        believed_s = trips.believed_s[known]
        model = HistGradientBoostingRegressor(
            max_iter=self.trees, max_leaf_nodes=15, min_samples_leaf=20, early_stopping=False, random_state=0
        )
        vehicle, hour = (axis.ravel() for axis in np.indices(factors.shape))
        with ThreadpoolController().limit(limits=1, user_api="openmp"):
            model.fit(seen, trips.rode_s[known] / believed_s, sample_weight=believed_s)
            ratio = model.predict(np.column_stack([vehicle, hour]))
        trust = known.sum() / (known.sum() + self.rides)
        return np.asarray(np.clip(1.0 + trust * (ratio - 1.0), 0.25, 4.0).reshape(factors.shape))
