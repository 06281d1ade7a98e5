"""Every instrument we can read, by key. A new one is a new entry of data, no new code."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.instruments.mood import GAD7, PHQ2, PHQ9, PHQA
from shared.instruments.safety import CSSRS
from shared.instruments.sheet import Instrument

_ALL: Final = (PHQ9, PHQ2, PHQA, GAD7, CSSRS)

INSTRUMENTS: Final[Mapping[str, Instrument]] = MappingProxyType({each.key: each for each in _ALL})

SAFETY_INSTRUMENTS: Final = frozenset(each.key for each in _ALL if each.safety_items)
"""Those that ask at least one safety question."""
