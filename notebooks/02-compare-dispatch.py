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
# # Which dispatch rule?
#
# **Is a rule that I write myself better than those on the menu?**
#
# Who is offered an order is one of nineteen decisions that can be swapped (`darkstore policies` lists the menu). The first notebook
# found late orders on slow vehicles: `nearest` asks who is at the store soonest, and not who is at the customer's door soonest. Here
# is the rule that does.

# %%
from collections.abc import Iterator
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np

import sim
from sim.contracts import DispatchView, Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class SoonestAtTheDoor:
    """Give each waiting order, oldest first, to the idle driver who is believed to be at its door soonest."""

    ride_s_max: float = 420.0

    def __call__(self, view: DispatchView) -> Iterator[Offer]:
        for order in view.waiting:
            fleet = view.fleet(0.0)  # asked anew for each order: whoever was offered the last one is no longer idle
            free = fleet.idle & ~np.isin(fleet.driver, list(order.declined or ()))
            drivers, vehicles = fleet.driver[free], fleet.vehicle[free]
            if not len(drivers):
                continue
            to_store_s = view.ride_s(drivers, order.store)
            on_s = {kind: view.to_customer_s(order.store, order.node, kind) for kind in set(vehicles.tolist())}
            leave_s = np.maximum(view.now_s + to_store_s, order.ready_s)  # nobody leaves before it is packed
            door_s = leave_s + np.array([on_s[kind] for kind in vehicles.tolist()])
            door_s[to_store_s > self.ride_s_max] = np.inf
            best = int(door_s.argmin())
            if np.isfinite(door_s[best]):
                yield Offer(order.id, int(drivers[best]))


# %% [markdown]
# A policy is a frozen dataclass: its fields are its parameters, and one call turns a read-only view into proposals. All that it sees is
# what the platform *believes*: positions by the last ping that arrived, rides as its own estimator has them. The platform accepts each
# proposal or refuses it, and says why in the log.
#
# First a single evening, to see that it works.

# %%
mine = sim.run("small", seed=1, policies={"dispatch": SoonestAtTheDoor()})
mine

# %% [markdown]
# ## Against the menu, on the same days
#
# One evening proves little: another seed, another verdict. `compare` runs every variant on the *same* days (the same customers,
# baskets, handling times and traffic), so that what differs between them is the rule alone, and the differences day by day vary far less
# than the days do. `matching` is the menu's best: it matches all waiting orders with all drivers at once. To stay quick these are
# the first four hours of four evenings.

# %%
found = sim.compare(
    "small",
    {"nearest": {"dispatch": "nearest"}, "mine": {"dispatch": SoonestAtTheDoor}, "matching": {"dispatch": "matching"}},
    reps=4,
    set={"horizon_h": 4},
    metrics=["click_to_door_s.mean", "click_to_door_s.p95", "on_time", "orders_per_driver_hour", "cost.per_order_cents"],
)
found

# %% [markdown]
# Each row holds a variant against `nearest`. The change comes with the half-width of its 95 % interval; the verdict asks for more, for
# with many rows looked at some would seem sure by luck (Holm's rule). *Unclear* does not mean *the same*: more days would tell.

# %%
table = found.table.set_index(["metric", "variant"])
figure, axes = plt.subplots(1, 2, figsize=(10, 1.8), sharey=True)
for ax, metric, scale, unit in zip(axes, ("click_to_door_s.mean", "on_time"), (1, 100), ("seconds", "percentage points")):
    rows = scale * table.loc[metric][["difference", "low", "high"]]
    around = [rows.difference - rows.low, rows.high - rows.difference]
    ax.errorbar(rows.difference, range(len(rows)), xerr=around, fmt="o", capsize=4, color="teal")
    ax.axvline(0, color="grey", lw=0.8)
    ax.set_yticks(range(len(rows)), rows.index)
    ax.set(title=metric, xlabel=f"{unit} more than nearest, 95 % interval", ylim=(len(rows) - 0.5, -0.5))
plt.show()

# %% [markdown]
# ## Day by day
#
# Why the same days: they go up and down together. What an order costs differs by dollars from day to day, and between the rules
# of one day by a cent or so; the difference is the question, and independent days would have drowned it.

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 2.8))
for ax, metric, scale, label in zip(
    axes, ("click_to_door_s.mean", "cost.per_order_cents"), (1 / 60, 0.01), ("click to door, minutes", "cost per order, USD")
):
    days = scale * found.days.query("metric == @metric").pivot(index="replication", columns="variant", values="value")
    days.plot(marker="o", ax=ax, legend=ax is axes[1])
    ax.set(xlabel="day", ylabel=label, xticks=days.index)
    apart = (days["mine"] - days["nearest"]).std()
    print(f"{label}: spread of days {days['nearest'].std():.3f}, of the differences between mine and nearest {apart:.3f}")
plt.show()

# %% [markdown]
# ## What it means
#
# Asking for the door instead of the counter sends fast vehicles to far customers, and costs nothing: the drivers on shift are the same, and so
# is what they are paid. On evenings as calm as these twenty lines do what the menu's matching does. What
# a rule saves where drivers are plenty it may lose where they are short, for the driver who is best for this order may be the only one for
# the next. Try `set={"drivers.count": 50}`, or the scenario `surge`, and see whether the verdict holds. For a rule to keep, save the
# class as `soonest.py` and name it to every command: `darkstore run small --policy dispatch=soonest.py:SoonestAtTheDoor`.
