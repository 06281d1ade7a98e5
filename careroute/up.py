"""The whole system on this machine, until it is interrupted."""

import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from careroute import tokens
from careroute.local import FIXED_PORTS, Stack, unwinding_on_signals
from careroute.local.errors import StackError
from careroute.network import EXAMPLE_NETWORK
from shared.web.auth import Role

CLINIC = "clinic-riverside"


def run(folder: Path, out: Console) -> None:
    """Returns when interrupted; raises `StackError` when one of the services ends by itself."""
    try:
        with unwinding_on_signals(), _stack(folder) as stack:
            with out.status("Starting Postgres and Kafka ..."):
                if left := stack.open():
                    out.print(f"Ended what an earlier run left behind: {', '.join(left)}.")
                stack.start_infrastructure()
            with out.status("Starting intake, triage, matching and notify ..."):
                stack.start_services()
            _say(stack, out)
            while not (ended := stack.ended()):
                time.sleep(1)  # until Ctrl-C
            raise StackError("; ".join(ended.values()))
    except KeyboardInterrupt:
        out.print("Stopped.")


def _stack(folder: Path) -> Stack:
    return Stack(folder, preferred_ports=FIXED_PORTS, network_file=EXAMPLE_NETWORK)


def _say(stack: Stack, out: Console) -> None:
    table = Table("service", "API", "health")
    for name, url in stack.urls.items():
        table.add_row(name, f"{url}/docs", f"{url}/health/ready")
    out.print(table)
    token = tokens.sign(
        stack.keys.signing_key,
        role=Role.CLINIC,
        subject="front-desk",
        clinic=CLINIC,
        now=datetime.now(UTC),
        hours=12,
    )
    out.print(f"Data, logs and keys: {stack.folder}")
    out.print(f"A token of the clinic {CLINIC}, good for 12 hours:")
    out.print(token, soft_wrap=True, highlight=False)
    out.print("Submit:  python -m careroute submit examples/referrals.ndjson --clinic clinic-riverside")
    out.print("Ctrl-C stops everything.")
