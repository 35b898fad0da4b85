"""Forecast: gradient boosted trees that learned from another run's sales."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from policies.forecast import WEEK, check_belief, with_belief
from sim.contracts import ForecastView, SalesHistory
from sim.vocabulary import InputError

DAYS: Final = 4 * WEEK
"""Days that a forecast looks back."""

LEAST_BACK: Final = 2 * WEEK
"""Days that every example looks back on; who has seen fewer goes by the belief in part."""

LEAST_DAYS: Final = LEAST_BACK + WEEK
"""Whole days that a run must have to be learned from: a week to foresee beside."""

ROWS: Final = 200_000
"""Examples that are learned from at most, spread evenly over days, stores and SKUs: some seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientBoosting:
    """Expect what boosted regression trees make of a SKU's level, its last week, and the weekday, learned from another run.

    Poisson loss on the ratio of sales to level, weighted by level, which is Poisson regression with the level as exposure: so
    what is learned of fast sellers serves slow ones, and stores of another size (scikit-learn's HistGradientBoostingRegressor;
    Ke et al. 2017, *LightGBM*). Needs the extra `darkstore[forecast]`. It is there for what weekly factors cannot say, such as
    how far to trust a good week of a slow seller; without such structure `exponential_smoothing` is as good. Whoever learns
    from empty shelves learns to leave them empty: train on a run that sold nearly all that was wanted, and on one with the
    same week, for that is learned too. `trained_on`: the
    run's folder, of three weeks or more, with as many SKUs. `trees`: how many. `learning_rate`: of each tree, above 0, at
    most 1. `belief_units`: how much the office's first belief weighs, as if so many units had been sold at its rate.
    """

    trained_on: str = ""
    trees: int = 80
    learning_rate: float = 0.1
    belief_units: float = 1.0

    def __post_init__(self) -> None:
        if not self.trees >= 1:
            raise ValueError(f"Expected trees >= 1, got {self.trees}.")
        if not 0 < self.learning_rate <= 1:
            raise ValueError(f"Expected 0 < learning_rate <= 1, got {self.learning_rate}.")
        check_belief(self.belief_units)

    @property
    def history_days(self) -> int:
        """Four weeks."""
        return DAYS

    def __call__(self, view: ForecastView) -> NDArray[np.float64]:
        raise InputError(
            "policies.forecast: expected gradient_boosting to be trained before it is asked, got it untrained."
        )

    def trained(self, history: SalesHistory) -> "Boosted":
        """Learn from another run.

        Raises
        ------
        InputError
            The extra is not installed, or the run is too short.
        """
        try:
            from sklearn.ensemble import HistGradientBoostingRegressor
            from threadpoolctl import ThreadpoolController  # scikit-learn needs it itself
        except ImportError as error:
            raise InputError(
                "policies.forecast: expected scikit-learn for gradient_boosting, which is not installed:"
                " pip install 'darkstore[forecast]'."
            ) from error
        whole = history.open_share > 1.0 - 1e-9
        days = int(whole.sum())
        if days < LEAST_DAYS:
            raise InputError(
                f"policies.forecast: trained_on: expected a run of {LEAST_DAYS} whole days or more, got one of {days}."
            )
        weekdays, sold = history.weekdays[whole], history.sold[whole].astype(np.float64)
        seen, came, levels = [], [], []
        for day in range(LEAST_BACK, days):
            past = slice(max(day - DAYS, 0), day)
            level, signs = _signs(weekdays[past], sold[past], np.ones(past.stop - past.start), int(weekdays[day]))
            seen.append(signs.reshape(-1, signs.shape[-1]))
            came.append((sold[day] / level).ravel())
            levels.append(level.ravel())
        x, y, weight = np.concatenate(seen), np.concatenate(came), np.concatenate(levels)
        few = min(len(y), ROWS)
        chosen = np.arange(few) * len(y) // few
        # Nothing is drawn: no early stopping on a random part. One thread: the trees are the same with more, but a tree takes
        # microseconds, and threads that wait for each other at every one of them cost tenfold where cores are busy.
        model = HistGradientBoostingRegressor(
            loss="poisson", learning_rate=self.learning_rate, max_iter=self.trees, max_leaf_nodes=15, min_samples_leaf=100,
            categorical_features=[_WEEKDAY], early_stopping=False, random_state=0,
        )  # fmt: skip
        threads = ThreadpoolController()
        with threads.limit(limits=1, user_api="openmp"):
            model.fit(x[chosen], y[chosen], sample_weight=weight[chosen])
        return Boosted(model=model, threads=threads, belief_units=self.belief_units)


_WEEKDAY: Final = 4
"""Column of the weekday in what trees see."""


def _signs(
    weekdays: NDArray[Any], sold: NDArray[Any], share: NDArray[Any], weekday: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What is seen of each SKU on the eve of a `weekday`: its level, units a day (..., skus), and signs (..., skus, 5).

    `sold` is (days, ..., skus), of days of which `share` was open. Signs: the level's logarithm; last week, and the same
    weekdays, to the level; the same weekdays of the whole store to its mean; the weekday.
    """
    days = share.sum()
    level = (sold.sum(axis=0) + 0.5) / (days + 1.0)  # above nothing, so that there is something to be a ratio to
    last = sold[-WEEK:].sum(axis=0) / max(share[-WEEK:].sum(), 1e-9)
    same = weekdays == weekday
    on_such = sold[same].sum(axis=0) / max(share[same].sum(), 1e-9) if same.any() else np.full(level.shape, np.nan)
    store = on_such.sum(axis=-1, keepdims=True) / np.maximum(level.sum(axis=-1, keepdims=True), 1e-9)
    parts = (np.log(level), last / level, on_such / level, store, float(weekday))
    return level, np.stack(np.broadcast_arrays(*parts), axis=-1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Boosted:
    """The forecast that has learned; see `GradientBoosting`. `threads` keeps `model` to one."""

    model: Any
    threads: Any
    belief_units: float

    @property
    def history_days(self) -> int:
        """Four weeks."""
        return DAYS

    def __call__(self, view: ForecastView) -> NDArray[np.float64]:
        days = float(view.open_share.sum())
        if not days:
            return np.tile(view.believed, (len(view.ahead), 1))
        weekdays, row = np.unique(view.ahead, return_inverse=True)
        seen = [_signs(view.weekdays, view.sold, view.open_share, weekday) for weekday in weekdays.tolist()]
        with self.threads.limit(limits=1, user_api="openmp"):
            ratio = self.model.predict(np.concatenate([signs for _, signs in seen]))
        rate = np.stack([level for level, _ in seen]) * ratio.reshape(len(seen), -1)
        found = with_belief(rate * days, days, view.believed, self.belief_units)
        learned = min(days / LEAST_BACK, 1.0)
        return np.asarray(learned * found[row] + (1.0 - learned) * view.believed)
