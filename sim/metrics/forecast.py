"""How good the forecasts were: what reviews were told of whole days, against what was sold on them."""

from typing import Any

from sim.recording import Archive
from sim.scenario.fields import DAY_S


def forecast(archive: Archive, warmup_s: float) -> dict[str, Any]:
    """Errors of the forecasts of whole days after a time, as shares of the units sold; None without such a day.

    `wape` is the sum over SKUs and days of what the forecast was off, either way, `total_wape` that of each store's whole day,
    and `bias` what was expected beyond what was sold (Hyndman, Athanasopoulos, *Forecasting: Principles and Practice*, 3rd ed.,
    sec. 5.8, on errors of series with zeros; Kolassa, Schütz 2007, *Foresight* 6). What was not there was not sold, so an
    empty shelf counts as an error of whoever expected sales.
    """
    rows = archive.rows("forecast_judged")
    rows = rows[rows["t_s"] - DAY_S >= warmup_s]
    sold, expected = float(rows["units"].sum()), float(rows["expected"].sum())
    if not sold:
        return {"wape": None, "total_wape": None, "bias": None}
    return {
        "wape": float(rows["off"].sum()) / sold,
        "total_wape": float(abs(rows["expected"] - rows["units"]).sum()) / sold,
        "bias": expected / sold - 1.0,
    }
