"""Every metric that all services share, with its help text; each service's own are in its `metrics.py`.

Labels are codes of ours with few values: no id, no path, nothing that somebody wrote. What is counted in a
database is reported alike by every replica of a service: take `max()` of it; the rest is each process's own.
"""

from collections.abc import Mapping
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

BATCH_SECONDS: Final = Histogram(
    "careroute_batch_seconds",
    "Time to handle one batch of events, commit included.",
    ["group"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
BATCH_FACTS: Final = Histogram(
    "careroute_batch_facts", "Events in one batch.", ["group"], buckets=(1, 5, 20, 50, 100, 200, 500)
)
DEAD_LETTERS: Final = Counter(
    "careroute_parked_total",
    "Messages sent to the dead-letter topic, by group and reason.",
    ["group", "reason"],
)
SKIPPED: Final = Counter(
    "careroute_skipped_total",
    "Events skipped because their type, or a value that they cannot do without, is unknown to this "
    "version. Replay them after the upgrade.",
    ["group", "topic", "reason"],
)
UNKNOWN_VALUES: Final = Counter(
    "careroute_unknown_values_total",
    "Enum values unknown to this version that were read as unknown or left out; the event was handled.",
    ["group", "topic"],
)
RETRIES: Final = Counter(
    "careroute_retries_total", "Retries of a batch because Postgres or Kafka was away.", ["group"]
)
LAG: Final = Gauge(
    "careroute_consumer_lag",
    "Events in the partitions of this process that it has not handled yet.",
    ["group", "topic"],
)
PARTITIONS: Final = Gauge(
    "careroute_consumer_partitions", "Partitions assigned to this process.", ["group", "topic"]
)
STILL_SECONDS: Final = Gauge(
    "careroute_consumer_still_seconds",
    "For how long this consumer has stalled: Kafka answers and has events for it. 0 while it moves.",
    ["group", "topic"],
)
IN_HAND_SECONDS: Final = Gauge(
    "careroute_batch_in_hand_seconds",
    "For how long the present batch has been worked on; 0 between batches.",
    ["group"],
)
MEASURED_AT: Final = Gauge(
    "careroute_measured_at_seconds", "When this process last counted in its database, in Unix time."
)
TURNING: Final = Gauge(
    "careroute_turning",
    "1 while this consumer, relay or job is working or idle, 0 when it is stuck or has stopped.",
    ["work"],
)
READY: Final = Gauge("careroute_ready", "1 when this process is ready for work, as /health/ready says.")
AGREED: Final = Gauge(
    "careroute_agreed_info",
    "1 for each value that several services must share, such as the digest of a file.",
    ["setting", "value"],
)
OUTBOX_DEPTH: Final = Gauge("careroute_outbox_depth", "Events not yet sent to Kafka.", ["lane"])
OUTBOX_AGE: Final = Gauge(
    "careroute_outbox_oldest_seconds", "Age of the oldest event not yet sent.", ["lane"]
)
OUTBOX_SENT: Final = Counter(
    "careroute_outbox_sent_total", "Events that Kafka has acknowledged to this process's relay.", ["lane"]
)
RELAY_LEADS: Final = Gauge(
    "careroute_relay_leads",
    "1 where the relay of this lane is active; one replica of a service has it.",
    ["lane"],
)
POOL_CONNECTIONS: Final = Gauge(
    "careroute_pool_connections", "Connections to Postgres, by whether they are in use.", ["state"]
)
POOL_LIMIT: Final = Gauge(
    "careroute_pool_limit", "Maximum of connections to Postgres that this process opens."
)
POOL_WAIT_SECONDS: Final = Histogram(
    "careroute_pool_wait_seconds",
    "Time a transaction waited for a connection.",
    buckets=(0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 30),
)
HTTP_SECONDS: Final = Histogram(
    "careroute_http_seconds", "Time to respond to a request.", ["route", "method", "status"]
)


def fill(gauge: Gauge, found: Mapping[tuple[str, ...], float]) -> None:
    """Set these, by label values, and forget what is no more."""
    gauge.clear()
    for labels, value in found.items():
        gauge.labels(*labels).set(value)
