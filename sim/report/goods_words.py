"""What the figures of goods and their money mean."""

from typing import Final

from sim.report.metric import Metric

GOODS: Final[dict[str, Metric]] = {
    "goods.sold_cents": Metric(
        "goods sold, at purchase price",
        "money",
        "What the goods that customers got were bought for; in no total of costs.",
    ),
    "goods.gross_margin_cents": Metric(
        "gross margin",
        "money",
        "What was kept for the goods that customers got, without tax and fees, less purchase price.",
    ),
    "goods.stockout_cents": Metric(
        "lost to stock-outs",
        "money",
        "Margin of the units that customers wanted and the records denied or nobody found: nobody's bill, in no total.",
    ),
    "goods.stock_cents": Metric(
        "value of the stock (mean)", "money", "What the stock was bought for, on average over time until the horizon."
    ),
}
"""Every key of the object `goods` of summary.json."""
