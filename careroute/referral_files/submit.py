"""`careroute submit`: a file of referrals to intake, some at a time, until each has its answer."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from careroute.calling import calling
from careroute.network import Network
from careroute.referral_files.files import Line, read
from careroute.referral_files.rows import Fault
from careroute.referral_files.sending import Outcome, send
from shared.web.auth import Role

MOST_SHOWN = 200


def run(network: Network, file: Path, clinic: str, out: Console) -> int:
    """0 if every referral of the file was taken. Sending the same file again takes nothing twice."""
    found = list(read(file, clinic=clinic))
    lines = [item for item in found if isinstance(item, Line)]
    unreadable = [item for item in found if isinstance(item, Fault)]
    outcome = Outcome()
    with calling(network, "intake", Role.CLINIC, clinic=clinic) as client, _progress(out) as progress:
        bar = progress.add_task("submitted", total=len(lines))
        send(client, lines, outcome, on_answer=lambda: progress.advance(bar))
    tell(outcome, unreadable, out)
    return 0 if outcome.complete and not unreadable and not outcome.refused else 1


def _progress(out: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=out, transient=True, disable=not out.is_terminal)


def tell(outcome: Outcome, unreadable: list[Fault], out: Console) -> None:
    """What was taken, what must be mended, what to know; lines and ids, nothing of what was sent."""
    _tell_advice(outcome, out)
    _table(sorted([*unreadable, *outcome.refused], key=lambda fault: fault.line), "not taken", out)
    _table(outcome.warnings, "taken, but", out)
    out.print(_sum(outcome, unreadable))
    if outcome.stopped:
        left = outcome.total - outcome.answered
        out.print(
            f"{left} lines have no answer. {outcome.stopped}\n"
            "Then give the same command again: what was taken is not taken twice.",
            markup=False,
            highlight=False,
        )


def _sum(outcome: Outcome, unreadable: list[Fault]) -> str:
    lines, referrals = len(outcome.taken), len(set(outcome.taken.values()))
    total = outcome.total + len({fault.line for fault in unreadable})
    if referrals == lines:
        return f"{lines} of {total} referrals taken."
    return f"{lines} of {total} lines taken; some repeat others, and they are {referrals} in all."


def _tell_advice(outcome: Outcome, out: Console) -> None:
    for numbers, said, advice in (
        (outcome.cannot_wait_and_refused, " were NOT taken; nobody has been told", outcome.advice_of_refused),
        (outcome.cannot_wait, "", outcome.advice),
    ):
        if numbers:
            out.print(f"Lines {', '.join(map(str, sorted(numbers)))}{said}:", style="bold red")
        for text in advice:
            out.print(text, markup=False, highlight=False)


def _table(faults: list[Fault], title: str, out: Console) -> None:
    if not faults:
        return
    table = Table("line", "where", title)
    for fault in faults[:MOST_SHOWN]:
        table.add_row(str(fault.line), escape(fault.where), escape(fault.what))
    out.print(table)
    if len(faults) > MOST_SHOWN:
        out.print(f"... and {len(faults) - MOST_SHOWN} more.")
