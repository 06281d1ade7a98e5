"""Python's garbage collector, spared what stays: looking through it again and again stops everything for a
tenth of a second (docs/decisions/0012)."""

import gc
from typing import Final

USUAL: Final = gc.get_threshold()


def relax() -> None:
    """What is there by now stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


def restore() -> None:
    """For whoever starts another service in the same process."""
    gc.unfreeze()
    gc.set_threshold(*USUAL)
