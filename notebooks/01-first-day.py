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
# # A first day
#
# **What happens on an evening, and why did somebody's order come late?**
#
# `small` is an evening of about 500 orders from three stores on the roads of La Serena and Coquimbo, Chile. It takes some
# seconds. The result holds the evening three times over: figures in `summary`, tables such as `orders`, and under both the event log,
# in which every single thing that happened is one fact.

# %%
import matplotlib.pyplot as plt
import pandas as pd

import sim

result = sim.run("small", seed=1)
result

# %% [markdown]
# The table above is what a manager asks for first. *Click to door* is the time from tapping the button to the handover. *On time*
# holds it against what that customer had been promised, which is another question: a promise is made from what the platform believes of
# pickers, drivers and roads at that moment.
#
# ## The evening at a glance
#
# `series` has the state of the whole operation every few minutes. Orders that are open are somewhere on the way: waiting for a
# picker, being picked, waiting for a driver, riding.

# %%
series = result.series.set_index(result.clock(result.series.t_s).dt.tz_localize(None))
places = ["waiting_pick", "being_picked", "waiting_driver", "riding"]
axes = series[places].plot.area(figsize=(9, 3.2), lw=0, colormap="viridis")
axes.set(ylabel="open orders", xlabel="", title="Where the open orders are")
axes.legend(loc="upper right", fontsize=8)
plt.show()

# %% [markdown]
# Most of the area is riding. Nobody waits long for a picker or a driver in this scenario: it has people enough, and what makes
# an order late must be something else.
#
# ## Where the time goes
#
# The stages telescope: checkout, waiting for a picker, picking, waiting for a driver, and the ride add up to click to door. So the means
# of late and punctual orders can be laid side by side.

# %%
orders = result.orders
late_by_s = (orders.delivered_s - orders.promised_s).rename("late_by_s")
stages = pd.DataFrame(
    {
        "checkout": orders.confirmed_s - orders.entered_s,
        "wait for picker": orders.pick_start_s - orders.confirmed_s,
        "pick": orders.packed_s - orders.pick_start_s,
        "wait for driver": orders.picked_up_s - orders.packed_s,
        "ride and door": orders.delivered_s - orders.picked_up_s,
    }
)
by_verdict = (stages / 60).groupby(late_by_s.gt(0).map({True: "late", False: "on time"})).mean()
axes = by_verdict.plot.barh(stacked=True, figsize=(9, 2.4), colormap="viridis")
axes.set(xlabel="minutes, mean", ylabel="", title=f"{(late_by_s > 0).sum()} of {late_by_s.notna().sum()} delivered orders were late")
axes.legend(loc="lower right", fontsize=8)
plt.show()
by_verdict.round(1)

# %% [markdown]
# ## One late order
#
# Means hide what happened to a person. `story` tells of one order, by its number or, without one, of the order that was latest of all:
# where its time went, and which of that made it late. What made it late is held against what its stages usually take, so the
# second column adds up to how late it was.

# %%
story = result.story()
worst = orders.set_index("order").loc[story["order"]]
print(
    f"Order {story['order']}, placed {result.clock(worst.entered_s):%H:%M}, promised for {story['promised']}, "
    f"handed over at {story['delivered']}: {story['late_s'] / 60:.0f} minutes late."
)
pd.DataFrame({"spent, min": story["spent_s"], "made it late by, min": story["late_by_s"]}).div(60).round(1)

# %% [markdown]
# The log says what befell it, thing by thing.

# %%
pd.DataFrame(story["events"])[["at", "told"]].style.hide().set_properties(**{"text-align": "left"})

# %% [markdown]
# These are sentences made of facts. `facts` has the facts themselves, of a kind, of an order, or both; this is what dispatch did for it:

# %%
befell = result.facts(order=story["order"])
offers = befell[befell.kind.isin(["offer_made", "offer_answered", "driver_at_store", "leg_started", "goods_delivered"])]
offers.assign(clock=result.clock(offers.t_s).dt.strftime("%H:%M:%S"))[["clock", "kind", "driver", "answer"]].astype(object).fillna("")

# %% [markdown]
# The time is in the last leg. On what vehicle was it, and how long are such legs on others?

# %%
leg = befell[befell.kind == "leg_started"].iloc[-1]
driver = result.drivers.set_index("driver").loc[worst.driver]
pace = result.facts("leg_started").query("trip == 'to_customer'").merge(result.drivers[["driver", "vehicle"]], on="driver")
pace["ride_min"] = (pace.arrive_s - pace.t_s) / 60
print(f"The last leg took {(leg.arrive_s - leg.t_s) / 60:.0f} minutes by {driver.vehicle}; of all legs to customers:")
pace.groupby("vehicle").ride_min.describe()[["count", "50%", "max"]].round(1)

# %% [markdown]
# ## What it means
#
# The store's nearest driver got the order, as the policy `dispatch=nearest` says: whoever is at the *store* soonest. It does not
# ask how that driver will ride on, and a far customer on a slow vehicle is late however early the driver was at the counter. A share
# of the late orders of this evening came by slow vehicles:

# %%
vehicles = result.drivers.set_index("driver").vehicle
shares = pd.DataFrame(
    {"all orders": orders.driver.map(vehicles).value_counts(normalize=True),
     "late orders": orders.driver[late_by_s > 0].map(vehicles).value_counts(normalize=True)}
)
shares.mul(100).round(0).fillna(0).astype(int).add_suffix(", %")

# %% [markdown]
# So the remedy is not more people but another rule, which is what [02-compare-dispatch](02-compare-dispatch.py) tries. The whole
# evening as a page to look through, with every order's story, and a replay beside it, is what `result.report()` writes and names.

# %%
result.report().name
