"""Changes that no test can notice, as "before -> after", each with the reason."""

from typing import Final

NOT_STRICT: Final = "means the same: not strict is what it is without being said"

REASONS: Final = {
    "return sum(values.get(key, -1) >= cluster.counts_from for key in cluster.items) -> "
    "return sum(values.get(key, -2) >= cluster.counts_from for key in cluster.items)": (
        "means the same: what was not answered counts for less than any answer"
    ),
    "return any(values.get(key, 1) > 0 for key in item.asked_if) -> "
    "return any(values.get(key, 2) > 0 for key in item.asked_if)": (
        "means the same: an opening question left open counts as positive, whatever its value"
    ),
    "pairs = zip(instrument.items, answers, strict=False) -> "
    "pairs = zip(instrument.items, answers, strict=None)": NOT_STRICT,
    "pairs = zip(instrument.items, answers, strict=False) -> "
    "pairs = zip(instrument.items, answers, )": NOT_STRICT,
    "*(p for i, a in zip(instrument.items, answers, strict=False) for p in _answer(instrument, i, a)), -> "
    "*(p for i, a in zip(instrument.items, answers, strict=None) for p in _answer(instrument, i, a)),": (
        NOT_STRICT
    ),
    "*(p for i, a in zip(instrument.items, answers, strict=False) for p in _answer(instrument, i, a)), -> "
    "*(p for i, a in zip(instrument.items, answers, ) for p in _answer(instrument, i, a)),": NOT_STRICT,
}
