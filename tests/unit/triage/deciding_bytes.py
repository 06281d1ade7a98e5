"""Prints what triage decides on some full cases, for test_same_bytes: `python -m
tests.unit.triage.deciding_bytes`.

Only what is new each time by its nature is left out: the id of the fact.
"""

from datetime import timedelta
from functools import cache
from uuid import UUID

from services.triage.db.referrals import Referral
from services.triage.domain.state import TriageState
from services.triage.handlers.intake import decide
from services.triage.policy.checks import POLICIES, load
from shared.events import Case, Consent, PastTreatment, ReferralSubmitted, Screening, Wish
from shared.instruments import INSTRUMENTS
from shared.vocabulary import PROBLEMS, RED_FLAGS, Priority, Sex
from tests.unit.triage.samples import ASKED_AT, DAY

POLICY_NAMES = ("network-default", "uk-response-times", "us-access-standards")


def cases() -> tuple[Case, ...]:
    """Everything at once, everything at once without consent for all of it, and next to nothing."""
    full = Case(
        as_of=DAY,
        age=17,
        sex=Sex.OTHER,
        perinatal=True,
        guardian="absent",
        languages=("es", "en"),
        requested_priority=Priority.URGENT,
        problems=tuple(sorted(PROBLEMS)),
        diagnoses=("F31.0", "F10.230", "R45.851", "T14.91XA", "F05", "Z91.5"),
        red_flags=tuple(sorted(RED_FLAGS)),
        screenings=tuple(
            Screening(
                instrument=key,
                taken_on=DAY - timedelta(days=20 * place),
                answers=tuple(item.high for item in instrument.items),
            )
            for place, (key, instrument) in enumerate(INSTRUMENTS.items())
        ),
        past_treatments=(PastTreatment(modality="cbt", helped=False),) * 3,
        past_attempt=True,
        goals=("safety", "reduce_substance_use"),
        strengths=("friends",),
        wishes=(Wish(criterion="modality", values=("dbt", "cbt")),),
        consent=Consent(share_with_network=True, share_substance_use=True),
    )
    narrow = Consent(share_with_network=True)
    return full, full.model_copy(update={"consent": narrow}), Case(consent=narrow)


policy = cache(lambda name: load(POLICIES / f"{name}.toml"))


def said(case: Case, policy_name: str) -> str:
    one = ReferralSubmitted(
        event_id=UUID(int=1),
        occurred_at=ASKED_AT,
        referral_id=UUID(int=2),
        revision=1,
        region="north",
        clinic="clinic-1",
        express=False,
        case=case,
    )
    new = Referral(TriageState(referral_id=one.referral_id, region=one.region, clinic=one.clinic))
    events = decide(one, new, policy(policy_name), now=ASKED_AT).events
    return "\n".join(event.model_dump_json(exclude={"event_id"}) for event in events)


def main() -> None:
    for name in POLICY_NAMES:
        for case in cases():
            print(said(case, name))


if __name__ == "__main__":
    main()
