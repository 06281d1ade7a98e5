"""The screening instruments as data, and the reading of an answer sheet against them."""

from shared.instruments.catalogue import INSTRUMENTS, SAFETY_INSTRUMENTS
from shared.instruments.problems import Circumstances, Problem
from shared.instruments.reading import Fired, Reading, read, safety_fired
from shared.instruments.sheet import (
    CONFIRMED,
    TO_CONFIRM,
    UNANSWERED,
    Answer,
    Band,
    Instrument,
    Item,
    Status,
    Tier,
)

__all__ = [
    "CONFIRMED",
    "INSTRUMENTS",
    "SAFETY_INSTRUMENTS",
    "TO_CONFIRM",
    "UNANSWERED",
    "Answer",
    "Band",
    "Circumstances",
    "Fired",
    "Instrument",
    "Item",
    "Problem",
    "Reading",
    "Status",
    "Tier",
    "read",
    "safety_fired",
]
