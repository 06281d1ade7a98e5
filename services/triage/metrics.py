"""The metrics of triage: reviews that wait for a clinician."""

from typing import Final

from prometheus_client import Gauge

REVIEWS: Final = Gauge("careroute_reviews_open", "Reviews that wait for a clinician.", ["urgency"])
ASKED: Final = Gauge(
    "careroute_reviews_asked", "Of these, those that wait for the referrer's response.", ["urgency"]
)
CLAIMED: Final = Gauge("careroute_reviews_claimed", "Of these, those a clinician has claimed.", ["urgency"])
OLDER_RULES: Final = Gauge(
    "careroute_referrals_decided_by_older_rules",
    "Open referrals that the present rules have not decided: `careroute redecide`.",
)
OVERDUE: Final = Gauge("careroute_reviews_overdue", "Of these, those past their time.", ["urgency"])
