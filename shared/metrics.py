"""Every metric that all services share, with its help text."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

BATCH_SECONDS: Final = Histogram(
    "careroute_batch_seconds",
    "Time to take one batch of facts, commit included.",
    ["group"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
BATCH_FACTS: Final = Histogram(
    "careroute_batch_facts", "Facts in one batch.", ["group"], buckets=(1, 5, 20, 50, 100, 200, 500)
)
PARKED: Final = Counter(
    "careroute_parked_total", "Messages parked, by group and reason.", ["group", "reason"]
)
RETRIES: Final = Counter(
    "careroute_retries_total", "Batches tried again because the world was not ready.", ["group"]
)
OUTBOX_DEPTH: Final = Gauge("careroute_outbox_depth", "Facts not yet sent.", ["lane"])
OUTBOX_AGE: Final = Gauge("careroute_outbox_oldest_seconds", "Age of the oldest fact not yet sent.", ["lane"])
HTTP_SECONDS: Final = Histogram(
    "careroute_http_seconds", "Time to answer a request.", ["route", "method", "status"]
)
