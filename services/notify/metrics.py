"""What notify measures. No recipient, address or referral is a label."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

DELIVERIES: Final = Counter(
    "careroute_deliveries_total", "Attempts to deliver a notice, by what became of them.", ["lane", "outcome"]
)
TOLD_SECONDS: Final = Histogram(
    "careroute_told_seconds",
    "From the decision to notify somebody until their endpoint took it.",
    ["lane"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)
ALARMS: Final = Counter(
    "careroute_alarms_total", "Alarms raised: nobody acknowledged, or nobody was there.", ["lane"]
)
NOBODY_IN_REGION: Final = Counter(
    "careroute_nobody_on_call_in_region_total",
    "Alerts of a region that had nobody on call: the network's on-call was called, or the alarm given.",
    ["audience"],
)
OPEN_ALERTS: Final = Gauge("careroute_open_alerts", "Alerts that nobody has acknowledged yet.", ["lane"])
ROTA_GAPS: Final = Gauge(
    "careroute_rota_gaps", "Regions in which fewer than two psychiatrists are on call right now."
)
AWAITING_OUTCOME: Final = Gauge(
    "careroute_crises_awaiting_outcome", "Acknowledged crises whose outcome nobody has recorded yet."
)
UNANSWERED: Final = Gauge(
    "careroute_unanswered_alerts", "Alerts past their ladder that nobody has acknowledged.", ["lane"]
)
