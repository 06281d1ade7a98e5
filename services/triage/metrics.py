"""What triage measures: what waits for a clinician."""

from typing import Final

from prometheus_client import Gauge

REVIEWS: Final = Gauge("careroute_reviews_open", "Reviews that wait for a clinician.", ["urgency"])
ASKED: Final = Gauge(
    "careroute_reviews_asked", "Of these, those that wait for the referrer's answer.", ["urgency"]
)
CLAIMED: Final = Gauge("careroute_reviews_claimed", "Of these, those a clinician has taken.", ["urgency"])
OLDER_RULES: Final = Gauge(
    "careroute_referrals_decided_by_older_rules",
    "Open referrals that the present rules have not been asked about: `careroute redecide`.",
)
OVERDUE: Final = Gauge("careroute_reviews_overdue", "Of these, those past their time.", ["urgency"])
