"""What an instrument is made of. Nothing here knows a particular instrument."""

from dataclasses import dataclass
from typing import Final, Literal

Answer = int | Literal["refused", "unknown"] | None
"""One item of an answer sheet: a value, refused, does not know, or missing. Missing is not zero."""

UNANSWERED: Final = (None, "refused", "unknown")

Status = Literal["confirmed source", "to be confirmed by a clinician"]
TO_CONFIRM: Final = "to be confirmed by a clinician"
CONFIRMED: Final = "confirmed source"

COUNTS_DAYS: Final = 30
"""How long a sheet counts as what the person says now, unless its recall window is longer (policy, to be
confirmed by a clinician)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question. `key` is its name within the instrument, `topic` a label, not the question's words.

    `asked_if` names the items of which one must be positive for this one to be asked at all; with
    `unanswered_means` an item that should have been asked and was not counts as that value.
    """

    key: str
    topic: str
    high: int
    low: int = 0
    loinc: str | None = None
    reversed: bool = False
    scored: bool = True
    optional: bool = False
    safety: bool = False
    asked_if: tuple[str, ...] = ()
    unanswered_means: int | None = None

    def score(self, answer: int) -> int:
        return self.low + self.high - answer if self.reversed else answer

    def takes(self, answer: int) -> bool:
        return self.low <= answer <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A published range of totals, both ends included."""

    key: str
    title: str
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A result that any one of these items, answered positively, is enough for. Most severe first."""

    key: str
    title: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """So many of these items must be answered with at least `counts_from`."""

    key: str
    items: tuple[str, ...]
    counts_from: int
    needs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOff:
    """A total from which the instrument calls a screen positive. `sex` limits it to one sex."""

    key: str
    at_least: int
    source: str
    status: Status
    sex: Literal["female", "male"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A questionnaire. Answers are listed in the order of `items`; optional and skippable ones at the end may
    be left off.

    `prorate_up_to` is how many missing items may be made up for by the mean of the others; a safety item
    is never made up. `max_total` is what the published form can reach, to check the data against.
    `recall_days` is the span that its questions about the present ask about, None where all ask about a
    lifetime; `ages` are the youngest and the oldest it is made for. `languages` are those in which we have
    seen it used; another translation may be as good, but somebody has to know which it was.
    `to_confirm` names what in here has no confirmed source although the instrument itself has one.
    """

    key: str
    title: str
    items: tuple[Item, ...]
    recall: str
    recall_days: int | None
    source: str
    licence: str
    status: Status
    panel_loinc: str | None = None
    total_loinc: str | None = None
    max_total: int | None = None
    bands: tuple[Band, ...] = ()
    tiers: tuple[Tier, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    cut_offs: tuple[CutOff, ...] = ()
    prorate_up_to: int = 0
    ages: tuple[int | None, int | None] = (None, None)
    languages: tuple[str, ...] = ("en",)
    to_confirm: tuple[str, ...] = ()
    answers_mean: str = "the score of each answer"

    @property
    def safety_items(self) -> tuple[str, ...]:
        return tuple(item.key for item in self.items if item.safety)

    @property
    def counts_days(self) -> int | None:
        """For how many days a sheet counts as what the person says now; None for ever."""
        return None if self.recall_days is None else max(self.recall_days, COUNTS_DAYS)

    @property
    def fewest_answers(self) -> int:
        """How many answers there are when optional and skippable items at the end are left off."""
        count = len(self.items)
        while count and (self.items[count - 1].optional or self.items[count - 1].asked_if):
            count -= 1
        return count
