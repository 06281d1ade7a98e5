"""Every instrument we can read, by key. A new one is a new entry of data, no new code."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.instruments.general import CORE10, MDQ, WHODAS12
from shared.instruments.mood import EPDS, GAD7, PHQ2, PHQ9, PHQA
from shared.instruments.safety import ASQ, CSSRS
from shared.instruments.sheet import Instrument
from shared.instruments.substance import AUDITC, DAST10
from shared.instruments.trauma import PCL5, PCPTSD5

_ALL: Final = (
    PHQ9,
    PHQ2,
    PHQA,
    GAD7,
    CSSRS,
    ASQ,
    PCPTSD5,
    PCL5,
    AUDITC,
    DAST10,
    EPDS,
    CORE10,
    MDQ,
    WHODAS12,
)

INSTRUMENTS: Final[Mapping[str, Instrument]] = MappingProxyType({each.key: each for each in _ALL})

SAFETY_INSTRUMENTS: Final = frozenset(each.key for each in _ALL if each.safety_items)
"""Those that ask at least one safety question."""
