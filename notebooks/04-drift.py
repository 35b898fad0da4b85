# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What is counting worth?
#
# **Stock records drift away from the shelves. How fast, by what, and how much of it is worth counting away?**
#
# A record says what can be sold; the shelf says what can be picked. Theft, breakage, wrong deliveries and wrong picks change the shelf and
# not the record. The worst of it is *phantom stock*: units on record of which the shelf holds none. They are sold, not found, and, worse,
# not ordered again, for the record says that there is plenty.
#
# `months` plays goods and records only, without roads or platform: here a month of two stores with 600 articles each, beginning with
# records that are right. Four rules about counting face the same month: the same customers, the same thieves.

# %%
import matplotlib.pyplot as plt
import pandas as pd

import sim

month = {"horizon_h": 24 * 28, "stores.count": 2, "catalogue.skus": 600}
rules = {
    "never": "never",
    "what was not found": "count_on_short_pick",
    "a part each day": "abc_cycle",
    "everything, each night": "full_count",
}
runs = {name: sim.run("months", seed=1, set=month, policies={"reconciliation": rule}) for name, rule in rules.items()}

# %% [markdown]
# ## How fast records drift
#
# `drift` has, for every look, store and category of goods, how many records there are, how many are wrong, and by which cause.


# %%
def by_day(run, column):
    """A column of the drift table over all stores and categories, by days since the start."""
    looks = run.drift.groupby("t_s")[[column, "records"]].sum()
    looks.index = looks.index / 86_400
    return looks[column] / looks["records"]


figure, axes = plt.subplots(1, 2, figsize=(10, 3.2))
for ax, column, title in zip(axes, ("inaccurate", "phantom"), ("Records that are wrong", "Phantom stock")):
    for name, run in runs.items():
        ax.plot(100 * by_day(run, column), label=name)
    ax.set(title=title, xlabel="days", ylabel="% of records")
axes[0].legend(fontsize=8)
plt.show()

# %% [markdown]
# Without counting most records are wrong within a week. Counting what a picker did not find keeps most phantoms away, for a phantom is found
# out as soon as somebody wants it, but it leaves all the records that are wrong by a unit or two. Even after a full count each night a
# day's selling, stealing and mispicking puts some records wrong again by the evening. Phantoms come in waves: they are most where much is sold
# and the record, which says that there is plenty, does not order.
#
# ## By what
#
# Whose fault is the gap when nobody counts? Units by which records and shelves differ, by the cause that moved them apart:

# %%
looks = runs["never"].drift
causes = [name for name in looks.columns if name.startswith("units_") and name not in ("units_abs", "units_net")]
units = looks.groupby("t_s")[causes].sum().rename(columns=lambda name: name.removeprefix("units_").replace("_", " "))
units.index = units.index / 86_400
axes = units.loc[:, units.max() > 0.01 * units.to_numpy().max()].plot.area(figsize=(9, 3), lw=0, colormap="viridis")
axes.set(xlabel="days", ylabel="units off", title="Counting never: what the gap comes from")
axes.legend(loc="upper left", fontsize=8)
plt.show()

# %% [markdown]
# ## What it costs, and what it is worth
#
# Counting is paid by the hour. What it brings is goods that are there when somebody wants them. Gross margin less all costs puts both on one
# scale; the difference to *never* is what a rule is worth.

# %%
def figures(run):
    """What a month came to: service, and money in USD."""
    summary, cost = run.summary, run.summary["cost"]["by_kind"]
    return {
        "fill rate, %": 100 * summary["fill_rate"],
        "records wrong at the end, %": 100 * summary["drift"]["records_inaccurate_share"],
        "units not found": summary["sales"]["units_short"],
        "counting, USD": (cost["counting"] + cost["reviewing"]) / 100,
        "lost to stock-outs, USD": summary["goods"]["stockout_cents"] / 100,
        "margin less costs, USD": (summary["goods"]["gross_margin_cents"] - summary["cost"]["total_cents"]) / 100,
    }


table = pd.DataFrame({name: figures(run) for name, run in runs.items()}).T
table["worth, USD"] = table["margin less costs, USD"] - table.loc["never", "margin less costs, USD"]
table.round(1)

# %%
axes = table["worth, USD"].plot.barh(figsize=(9, 2.4), color="teal")
axes.set(xlabel="USD in four weeks, two stores, more than without counting")
axes.invert_yaxis()
plt.show()

# %% [markdown]
# ## What it means
#
# Accuracy is no end in itself. The step from nothing to *something* is worth most, and costs least: a picker who finds an empty shelf is
# standing in front of it anyway. Going through the articles by turn, those that sell most most often, finds what no pick has shown yet. The
# full count has by far the best records and is not the best business: each night it counts a thousand shelves that were right. Where that balance
# lies hangs on how much is stolen and on what a counter's hour costs: try `set={"shrinkage.theft_share": 0.04}`, or the
# scenario `shrink`, where stores leak thrice as much. `darkstore explain drift` says what each figure means.
