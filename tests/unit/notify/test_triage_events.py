"""What a batch of triage's events comes to: a frozen verdict, from values alone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from services.notify.domain.batch import EscalatingAlert, Situation, UnsettledAlert, Verdict
from services.notify.domain.call_state import Known
from services.notify.domain.directory import Directory, Recipient
from services.notify.domain.events import ReviewRequested, Triaged, TriageEvent
from services.notify.domain.triage_events import decide
from services.notify.settings import NotifySettings
from shared.vocabulary import Urgency

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
REFERRAL = UUID(int=1)
PEOPLE = Directory(
    [
        Recipient(id=f"{audience}-{n}", audience=audience, hosts=("host",))
        for audience in ("psychiatrist", "clinician", "coordinator", "ops")
        for n in (1, 2)
    ]
    + [Recipient(id="desk", audience="clinic", hosts=("host",), clinic="clinic-1")]
)
TRIAGED = Triaged(
    id=UUID(int=100),
    type="ReferralTriaged",
    occurred_at=NOW,
    referral_id=REFERRAL,
    revision=1,
    clinic="clinic-1",
    region="north",
    express=True,
    decision=1,
    urgency=Urgency.EMERGENCY,
    respond_by=NOW + timedelta(hours=1),
    team=("therapist",),
)
REVIEW = ReviewRequested(
    id=UUID(int=101),
    type="ReviewRequested",
    occurred_at=NOW,
    referral_id=REFERRAL,
    revision=1,
    clinic="clinic-1",
    region="north",
    express=False,
    decision=1,
    urgency=Urgency.URGENT,
    review_by=NOW + timedelta(hours=1),
)


def situation(known: Known | None = None) -> Situation:
    return Situation(directory=PEOPLE, known={REFERRAL: known or Known()})


def decided(*events: TriageEvent, at: Situation | None = None) -> Verdict:
    ids: Iterator[UUID] = (UUID(int=n) for n in count(1000))
    return decide(events, at or situation(), NotifySettings().clocks, now=NOW, new_id=lambda: next(ids))


def called(verdict: Verdict, audience: str) -> list[str]:
    alerts = {notice.id for notice in verdict.notices if notice.is_alert and notice.audience == audience}
    return [delivery.recipient for delivery in verdict.deliveries if delivery.notice_id in alerts]


def test_the_same_values_give_the_same_verdict() -> None:
    assert decided(TRIAGED) == decided(TRIAGED)


def test_an_emergency_is_an_alert_on_its_ladder_and_a_notice() -> None:
    verdict = decided(TRIAGED)
    assert called(verdict, "psychiatrist") == ["psychiatrist-1"]
    assert [one.notice.audience for one in verdict.alerts] == ["psychiatrist"]
    assert [notice.audience for notice in verdict.notices] == ["psychiatrist", "clinic"]
    assert verdict.known[REFERRAL].referrer_notified is Urgency.EMERGENCY
    assert (verdict.failures, verdict.acknowledged) == ((), ())


def test_whom_an_earlier_arrival_of_the_event_notified_is_not_notified_again() -> None:
    before = replace(situation(), notified=frozenset({(TRIAGED.id, "psychiatrist")}))
    verdict = decided(TRIAGED, at=before)
    assert [notice.audience for notice in verdict.notices] == ["clinic"]
    assert (verdict.alerts, called(verdict, "psychiatrist")) == ((), [])


def test_what_is_stated_again_beside_a_repeated_event_still_calls() -> None:
    """The alert of the repeated event is over, whatever became of it."""
    before = replace(situation(), notified=frozenset({(TRIAGED.id, "psychiatrist")}))
    again = replace(TRIAGED, id=UUID(int=102), decision=2, revision=2, restates=Urgency.EMERGENCY)
    assert called(decided(TRIAGED, again, at=before), "psychiatrist") == ["psychiatrist-1"]


def test_a_decision_settles_a_review_of_the_same_batch_and_one_stored_before() -> None:
    asked = decided(REVIEW)
    [alert] = asked.alerts
    word = replace(TRIAGED, id=UUID(int=103), decision=2, urgency=Urgency.SOON, decided_by="clinician-2")
    stored = replace(
        situation(asked.known[REFERRAL]),
        reviews=(UnsettledAlert(alert.notice, None, ("clinician-2", "clinician-1")),),
    )
    here, before = decided(REVIEW, word), decided(word, at=stored)
    for verdict, recipient in ((here, "clinician-1"), (before, "clinician-2")):
        [acknowledged] = verdict.acknowledged
        assert (acknowledged.by, acknowledged.recipient) == ("clinician-2", recipient)
        assert verdict.settled == {acknowledged.notice.id: "clinician-2"}


def test_whoever_else_was_called_hears_that_a_part_is_acknowledged() -> None:
    word = replace(TRIAGED, id=UUID(int=103), decision=2, decided_by="clinician-2")
    verdict = decided(REVIEW, word)
    [shown] = [notice for notice in verdict.notices if notice.about == "NoticeAcknowledged"]
    assert shown.audience == "psychiatrist" and shown.event_id == verdict.acknowledged[0].id
    assert "Yours is still open" in shown.text
    assert [d.recipient for d in verdict.deliveries if d.notice_id == shown.id] == ["psychiatrist-1"]


def test_nobody_on_call_is_an_alarm_and_is_reported() -> None:
    nobody = replace(situation(), directory=Directory([r for r in PEOPLE.recipients if r.id == "ops-1"]))
    verdict = decided(TRIAGED, at=nobody)
    assert [failure.reason for failure in verdict.failures] == ["nobody_on_call", "no_recipient"]
    [alert] = verdict.alarmed(NOW)
    assert isinstance(alert, EscalatingAlert) and alert.alarms == 1
    assert [one.audience for one in verdict.nobody_in_region] == ["psychiatrist"]
    assert [d.recipient for d in verdict.deliveries] == ["ops-1"]
