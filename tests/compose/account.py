"""`careroute reconcile` on the host, read."""

import re
from dataclasses import dataclass

from tests.compose.host import Host

TRIES = 12


@dataclass(frozen=True)
class Account:
    clean: bool
    counts: dict[str, int]
    text: str


def account(host: Host) -> Account:
    """Once nothing is on its way any more, or as it is after a dozen tries."""
    for _ in range(TRIES):
        found = _once(host)
        if found.clean and found.counts["facts waiting to be sent"] == 0:
            break
    return found


def _once(host: Host) -> Account:
    answer = host.careroute("reconcile", "--grace", "0")
    counts = {
        name.strip(): int(count) for name, count in re.findall(r"│ ([a-z -]+?) +│ (\d+) +│", answer.stdout)
    }
    assert counts, answer.stdout + answer.stderr
    return Account(answer.returncode == 0, counts, answer.stdout)
