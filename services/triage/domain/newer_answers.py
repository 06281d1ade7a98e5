"""Better answers lower nothing; they are shown to a clinician, who may."""

from dataclasses import replace

from services.triage.domain.chart import Chart, Sheet
from services.triage.domain.policy import Policy
from services.triage.domain.reasons import Reason
from services.triage.domain.urgency import Evaluation, evaluate, urgency_alone
from shared.vocabulary import Urgency, at_least_as_urgent


def newest(chart: Chart) -> Chart:
    """With the newest sheet of each instrument alone; of one day the one that was added last. The same chart
    where no sheet is older."""
    latest: dict[str, Sheet] = {}
    for sheet in sorted(chart.sheets, key=lambda sheet: sheet.taken_on):
        latest[sheet.reading.instrument] = sheet
    if len(latest) == len(chart.sheets):
        return chart
    sheets = tuple(sheet for sheet in chart.sheets if latest[sheet.reading.instrument] is sheet)
    return replace(chart, sheets=sheets)


def asked_by_newest(evaluation: Evaluation, policy: Policy) -> Urgency:
    """By the newest answers alone. The rules run again only where there are older ones to leave out."""
    chart = newest(evaluation.chart)
    alone = evaluation if chart is evaluation.chart else evaluate(chart, policy.rules)
    return urgency_alone(alone, policy)


def better_answers(
    policy: Policy, *, before: Urgency | None, asks_for: Urgency, current: Urgency
) -> tuple[Reason, ...]:
    """`before` and `asks_for`: what the newest answers by themselves asked for then, and ask for now."""
    if before is None or at_least_as_urgent(asks_for, before) or at_least_as_urgent(asks_for, current):
        return ()
    datum = f"newest answers={asks_for}, before={before}, stands={current}"
    return (Reason(rule=policy.better.id, datum=datum, text=policy.better.text),)
