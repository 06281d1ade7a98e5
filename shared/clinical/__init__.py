"""Clinical data that intake and triage must agree on, read once from the files beside this one."""

import hashlib
import tomllib
from pathlib import Path
from typing import Final

from shared.clinical.signals import Encounter as Encounter
from shared.clinical.signals import Signal as Signal
from shared.clinical.signals import Signals as Signals
from shared.clinical.signals import parse

FILE: Final = Path(__file__).with_name("diagnoses.toml")
_TEXT: Final = FILE.read_bytes()

DIAGNOSES: Final[Signals] = parse(tomllib.loads(_TEXT.decode()))
DIGEST: Final = hashlib.sha256(_TEXT).hexdigest()
