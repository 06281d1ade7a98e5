"""Changes that no test can notice, as "before -> after", each with the reason."""

from typing import Final

SAME: Final = "Means the same: "

REASONS: Final = {
    "return sum(values.get(key, -1) >= cluster.counts_from for key in cluster.items) -> "
    "return sum(values.get(key, -2) >= cluster.counts_from for key in cluster.items)": SAME
    + "what was not answered counts for less than any answer.",
}
