"""Metrics of matching, besides those of every service."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

ROUND_SECONDS: Final = Histogram(
    "careroute_matching_round_seconds",
    "Time of one round of matching, saving included, the commit not.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
OFFERED: Final = Counter("careroute_matching_offered_total", "Clients who were offered a therapist's place.")
PLACES_LOST: Final = Counter(
    "careroute_matching_places_lost_total",
    "Places that another matcher took before they were locked.",
)
WAITING: Final = Gauge("careroute_matching_waiting", "Clients on the waitlist, by reason.", ["reason"])
LONGEST_WAIT: Final = Gauge(
    "careroute_matching_longest_wait_seconds",
    "Time waited by the client waiting longest, by urgency.",
    ["urgency"],
)
PLACES: Final = Gauge("careroute_matching_places", "Places of active therapists, open or taken.", ["state"])
