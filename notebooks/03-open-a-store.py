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
# # Where does the next store go?
#
# **Which place is best for a fourth store, whom would it serve, and does it pay?**
#
# The three stores of `small` leave some customers outside every delivery zone. `plan_sites` looks at the cells of the map that have a
# road, solves three location problems (least ride for all, most customers within reach, least cost), and then simulates the best
# choices against today's network with the same customers. Here two choices on the first four hours of two evenings, so that it stays
# quick; a decision about money deserves whole days, and more of them.

# %%
import h3
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import sim

evening = {"horizon_h": 4}
plan = sim.plan_sites("small", open=1, simulate=2, reps=2, set=evening)
plan

# %% [markdown]
# The same as a table, to go on with. `gain_cents` is what the network earns a day more than today's, after rent, pickers and what else
# running it costs, with its 95 % interval; `payback_months` is the fit-out divided by that, where it is above zero.

# %%
plan.table

# %% [markdown]
# ## Before and after, on the map
#
# `plan.stores()` are today's stores, `plan.stores(0)` those with the first choice: what `sim.run` is told to run either network. The
# customers are the same (one seed, one evening), and so are the drivers; only the new store's pickers come on top.

# %%
networks = {"today": plan.stores(), "with the new store": plan.stores(0)}
runs = {name: sim.run("small", seed=1, set=evening | {"stores.place": stores}) for name, stores in networks.items()}

cells = np.array([h3.cell_to_latlng(cell) for cell in plan.found["sites"]["cells"]])
figure, axes = plt.subplots(1, 2, figsize=(10, 6), sharex=True, sharey=True)
for ax, (name, run) in zip(axes, runs.items()):
    orders, stores = run.orders, pd.DataFrame(networks[name])
    minutes = (orders.delivered_s - orders.entered_s) / 60
    away = run.facts("order_rejected").query("reject == 'out_of_zone'")
    ax.scatter(cells[away.cell, 1], cells[away.cell, 0], s=18, marker="x", color="crimson", label="turned away: outside")
    dots = ax.scatter(orders.lon, orders.lat, c=minutes, s=9, cmap="viridis_r", vmin=5, vmax=30)
    ax.scatter(stores.lon, stores.lat, marker="*", s=190, color="black", edgecolor="white", label="store")
    ax.set(title=f"{name}: {len(orders)} orders, {minutes.mean():.1f} min", aspect=1.15)
    ax.locator_params(nbins=5)
    ax.tick_params(labelsize=7)
axes[0].legend(loc="lower left", fontsize=8)
figure.colorbar(dots, ax=axes, label="click to door, minutes", shrink=0.7)
plt.show()

# %% [markdown]
# ## Whom it serves, and from whom it takes
#
# Not every order of a new store is a new order. Some it takes from its neighbours, who then stand idle: planners call them
# *cannibalised*.

# %%
counts = pd.DataFrame({name: run.orders.store.value_counts().sort_index() for name, run in runs.items()}).fillna(0).astype(int)
counts.index = [store["name"] for store in plan.stores(0)]
counts["change"] = counts["with the new store"] - counts["today"]
counts

# %%
after = runs["with the new store"].summary
before = runs["today"].summary
pd.DataFrame(
    {
        name: {
            "turned away": summary["orders"]["rejected"],
            "delivered": summary["orders"]["delivered"],
            "click to door, min": round(summary["click_to_door_s"]["mean"] / 60, 1),
            "on time, %": round(100 * summary["on_time"], 1),
            "pickers busy, %": round(100 * summary["utilisation"]["pickers"], 1),
            "cost per order, USD": round(summary["cost"]["per_order_cents"] / 100, 2),
        }
        for name, summary in (("today", before), ("with the new store", after))
    }
)

# %% [markdown]
# ## What it means
#
# The new store reaches customers whom nobody served. But most of its orders may come from the neighbours' zones, its pickers are paid whether
# there is something to pick or not, and the new customers live further out, so the mean ride need not get shorter. Whether it pays is decided by
# how many *new* orders there are: look at the interval of `gain_cents` before the mean. A
# plan with every cell and ten days is `darkstore plan sites default --reps 10`; places that somebody has looked at go in by
# `candidates=`, a table with name, lat, lon, rent_cents and fit_out_cents.
