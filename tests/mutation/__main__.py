"""`make mutation`: changes the code that reads answer sheets and says how soon; does a test notice?

Prints docs/mutation.md. Ends with 1 when fewer than 95 of 100 changes are noticed, or when one that is not
noticed is not named in `survivors.py` with its reason.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from typing import Final

from tests.mutation.survivors import REASONS

ENOUGH: Final = 0.95
NOTICED: Final = frozenset({"killed", "timeout"})
MUTMUT: Final = (sys.executable, "-m", "mutmut")

PAGE: Final = """\
# Mutation test

Made by `.venv/bin/python -m tests.mutation > docs/mutation.md`; `make mutation` installs what
`requirements/mutation.txt` pins and runs the same.

mutmut changes one thing at a time in `services/triage/domain/urgency.py` and `shared/instruments/` (a
comparison, a number, a word of a sentence, an argument) and runs the unit tests that reach it, until one
fails. The data of the instruments are not code; `tests/unit/shared/test_instrument_notices.py` changes each
of them and sees that the golden answer sheets notice.

{table}

{noticed} of {all} changes are noticed: {share:.1%}, where {enough:.0%} are asked for.

## Not noticed

{survivors}"""


def main() -> int:
    os.nice(5)
    if "--no-run" not in sys.argv:
        shutil.rmtree("mutants", ignore_errors=True)  # what was copied there is not copied again
        subprocess.run([*MUTMUT, "run", "--max-children", "1"], stdout=sys.stderr, check=True)
    found = dict(results())
    survivors = {name: change(name) for name, status in found.items() if status not in NOTICED}
    print(page(found, survivors))
    unexplained = [what for what in survivors.values() if what not in REASONS]
    for what in unexplained:
        print(f"Not noticed, and without a reason in tests/mutation/survivors.py: {what}", file=sys.stderr)
    return int(bool(unexplained) or 1 - len(survivors) / len(found) < ENOUGH)


def results() -> list[tuple[str, str]]:
    said = asked("results", "--all", "true")
    return [(name, status) for name, _, status in (line.strip().partition(": ") for line in said) if status]


def change(name: str) -> str:
    """The changed line, before and after."""
    lines = [line for line in asked("show", name) if line[:1] in "-+" and line[:3] not in ("---", "+++")]
    before, after = (" ".join(line[1:].strip() for line in lines if line[0] == sign) for sign in "-+")
    return f"{before} -> {after}"


def asked(*arguments: str) -> list[str]:
    said = subprocess.run([*MUTMUT, *arguments], capture_output=True, text=True, check=True).stdout
    return said.splitlines()


def page(found: dict[str, str], survivors: dict[str, str]) -> str:
    every = Counter(module(name) for name in found)
    missed = Counter(module(name) for name in survivors)
    rows = [f"| `{file}` | {every[file]} | {every[file] - missed[file]} |" for file in sorted(every)]
    named = [f"- `{what}`\n  {REASONS.get(what, 'no reason yet')}" for what in sorted(survivors.values())]
    return PAGE.format(
        table="\n".join(["| file | changes | noticed |", "| --- | ---: | ---: |", *rows]),
        noticed=len(found) - len(survivors),
        all=len(found),
        share=1 - len(survivors) / len(found),
        enough=ENOUGH,
        survivors="\n".join(named) or "None.",
    )


def module(name: str) -> str:
    return name.split(".x")[0].replace(".", "/") + ".py"


if __name__ == "__main__":
    sys.exit(main())
