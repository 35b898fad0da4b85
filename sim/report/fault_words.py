"""What each kind of fault does, in a sentence."""

from typing import Final

from sim.scenario.faults import OF_KIND, OWN_LENGTH

FAULT_WORDS: Final[dict[str, str]] = {
    "provider_outage": "The payment provider answers nobody: charges fail or end unknown, until the breaker spares it.",
    "bus_slowdown": "Every message takes `factor` times as long from who sends it to who hears it.",
    "instance_crash": "`instances` of a service die with their work; until health checks notice, calls still go to them.",
    "zone_outage": "One of the three zones goes, with every service's instances in it; they start elsewhere.",
    "service_slowdown": "A service takes `factor` times as long for everything: queues grow, callers give up.",
    "cache_flush": "The cache beside the gateway loses all its pages at once: every read asks the services behind it.",
    "replica_lag": "What browsers are shown of the stock is `factor` times as old as usual.",
    "bus_partition": "One partition of every topic stands still: its messages wait until it is over.",
    "consumer_rebalance": "No consumer reads any message while they share the partitions out anew.",
    "orchestrator_crash": "Whoever leads orders through their saga stops between two steps, and takes up from its own log.",
    "database_crash": "The stock records cannot be had until a standby has taken over; one that is behind lacks the last writes.",
    "broker_crash": "A broker dies: messages wait for a new leader, and those that it alone had are lost.",
    "corrupted_records": "A `share` of the stock records turns to zeros: nothing of it can be sold until they are rebuilt.",
    "store_partition": "A store is cut off from its records: it refuses orders, or sells unseen (`on_partition`).",
    "expired_certificate": "Every call to a service fails at once.",
    "exhausted_pool": "A `share` of the connections to the payment provider is taken: charges wait for the others, or fail.",
    "region_outage": "Everything is gone until another region serves, with what its copies hold: younger orders are forgotten.",
    "app_connection_loss": "The phones of a `share` of the drivers are out of reach: no positions, no offers.",
    "scanner_failure": "Pickers of one store, or of all, take `factor` times as long.",
    "login_attack": "Strangers guess passwords, `per_second` from so many `addresses`: hashing is work for the gateway.",
    "request_flood": "Strangers read pages, `per_second` from so many `addresses`; rate limits turn most away.",
    "push_outage": "Push notifications reach nobody: only who has the app open hears.",
    "revoked_sessions": "Everybody is logged out at once, customers and people at work.",
}
"""By the `kind` of the scenario's `faults`."""


def fault_said(kind: str) -> str:
    """What a kind of fault does, what it takes in a scenario, and how long it lasts."""
    takes = ", ".join(sorted(OF_KIND.get(kind, ()))) or "nothing of its own"
    own = OWN_LENGTH.get(kind)
    lasts = f"as long as {own} say" if own and " and " in own else f"as long as {own} says" if own else "minutes"
    return (
        f"{kind.replace('_', ' ')}: {FAULT_WORDS[kind]}\n"
        f'  scenario: faults: [{{kind: {kind}, at: "20:00", ...}}], or rate_per_day in place of at\n'
        f"  takes:    {takes}\n"
        f"  lasts:    {lasts}\n"
        "  says:     platform.faults in summary.json, over all of them platform.fault_totals"
    )
