"""The scenario's message bus."""

from typing import Annotated, Literal

from pydantic import Field

from sim.scenario.fields import JUDGEMENT, AboveZero, Branch, NonNegative, Positive, Share, given


class BusSpec(Branch):
    """How messages travel between services, and what happens to them."""

    partitions: Annotated[Positive, Field(le=10_000)] = given(
        12, JUDGEMENT, "partitions of each topic; messages of one key share one"
    )
    loss: Share = given(0.0005, JUDGEMENT, "chance that a delivery is lost and has to be made again")
    duplicates: Share = given(0.0005, JUDGEMENT, "chance that an acknowledgement is lost and a message comes twice")
    redeliver_s: AboveZero = given(5.0, JUDGEMENT, "time until a lost message is sent again, seconds")
    deliveries_max: Annotated[int, Field(strict=True, ge=1, le=20)] = given(
        5, JUDGEMENT, "deliveries before a message goes to the dead-letter queue"
    )
    replay_s: AboveZero = given(900.0, JUDGEMENT, "time until the dead-letter queue is replayed by hand, seconds")
    deduplicate: bool = given(True, "-", "consumers drop a message whose id they know")
    remember_s: NonNegative = given(600.0, JUDGEMENT, "how long a consumer remembers the ids of messages, seconds")
    acks: Literal["all", "leader"] = given(
        "all",
        "Kafka's default since 3.0",
        "who must have a message before it counts as sent: all in-sync replicas or the leader",
    )
    replicas: Positive = given(3, "three zones", "copies of each partition, the leader's included")
    election_s: NonNegative = given(8.0, JUDGEMENT, "time until a dead broker's partitions have a new leader, seconds")
    unreplicated_s: NonNegative = given(
        2.0,
        "judgement; Kafka puts a copy out of sync after 30",
        "with acks: leader, messages of so long die with a broker, seconds",
    )
    outbox_s: AboveZero = given(60.0, JUDGEMENT, "time until a sender sends again what no broker has any more, seconds")
