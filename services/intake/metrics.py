"""What intake measures: how referrals go. No clinic and no referral is a label."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

UNTRIAGED: Final = "none"
"""The urgency of a referral that triage has not spoken of."""

REFUSED: Final = Counter(
    "careroute_refused_total",
    "Refused referrals and changes to them, by whether something on them cannot wait.",
    ["signal"],
)
for signal in ("seen", "none"):  # an alert sees the first one only if it knew of none before
    REFUSED.labels(signal)
REFERRALS: Final = Gauge(
    "careroute_referrals", "Referrals that have not ended, by state and urgency.", ["state", "urgency"]
)
OLDEST_UNTRIAGED: Final = Gauge(
    "careroute_untriaged_oldest_seconds", "Age of the oldest referral that triage has not decided."
)
MISSED: Final = Gauge(
    "careroute_deadlines_missed",
    "Referrals past the time to respond that nobody has accepted or acknowledged since a response was last "
    "asked for; at most 5000 are counted.",
    ["urgency"],
)
REACHED_SECONDS: Final = Histogram(
    "careroute_reached_seconds",
    "From submission until a referral was first triaged, offered a therapist, accepted, or acknowledged by "
    "somebody who was alerted; by the times in the facts.",
    ["step", "urgency"],
    buckets=(1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 86400, 3 * 86400, 7 * 86400, 28 * 86400),
)
