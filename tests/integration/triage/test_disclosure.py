"""In an emergency a named clinician shares what consent withholds; the decision says who, when and why."""

from typing import Any
from uuid import UUID, uuid4

from shared.db.postgres import Pool
from shared.events import Consent, ReferralTriaged, ReviewRequested
from tests.integration.triage.support import fact, last, take
from tests.integration.triage.test_reviews import Call, back, decide, keys, triage
from tests.unit.triage.test_consent import NO, WHOLE

__all__ = ["keys", "triage"]  # fixtures


async def refused(call: Call, referral_id: UUID, **body: Any) -> list[str]:
    answer = await decide(call, referral_id, **body)
    assert answer.status_code == 422, answer.text
    return [error["code"] for error in answer.json()["errors"]]


async def test_an_emergency_lets_it_through_and_says_who_when_and_why(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = uuid4()
    await take(pool, fact(referral_id, **WHOLE, consent=NO))
    answer = await decide(
        call, referral_id, action="confirm", reason="assessed", emergency_disclosure="medical_emergency"
    )
    assert answer.status_code == 200, answer.text
    decision = await last(pool, ReferralTriaged)
    assert decision.needs.problems == WHOLE["problems"]
    assert "alcohol" in {indication.problem for indication in decision.indications}
    fired = decision.rules[-1]
    assert fired.rule == "emergency-disclosure"
    at = decision.occurred_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert fired.datum == f"by=dr-grey, at={at}, why=medical_emergency"
    history = (await call("GET", f"/v1/referrals/{referral_id}/decisions")).json()["decisions"]
    assert history[-1]["rules"][-1]["rule"] == "emergency-disclosure"


async def test_it_is_for_that_decision_alone(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = uuid4()
    await take(pool, fact(referral_id, **WHOLE, consent=NO))
    await decide(
        call, referral_id, action="confirm", reason="assessed", emergency_disclosure="serious_threat"
    )
    await take(pool, fact(referral_id, kind="amended", revision=2, **WHOLE, consent=NO))
    decision = await last(pool, ReferralTriaged)
    assert decision.needs.problems == ("depression",)
    assert "emergency-disclosure" not in {rule.rule for rule in decision.rules}


async def test_without_it_a_clinicians_decision_withholds_too(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    referral_id = uuid4()
    await take(pool, fact(referral_id, **WHOLE, consent=NO))
    assert (await decide(call, referral_id, action="confirm", reason="assessed")).status_code == 200
    decision = await last(pool, ReferralTriaged)
    assert decision.needs.problems == ("depression",)
    assert "alcohol" not in decision.model_dump_json()


async def test_consent_given_later_shares_the_whole(triage: tuple[Pool, Call]) -> None:
    pool, _ = triage
    referral_id = uuid4()
    await take(pool, fact(referral_id, **WHOLE, consent=NO))
    given = Consent(share_with_network=True, share_substance_use=True)
    await take(pool, fact(referral_id, kind="amended", revision=2, **WHOLE, consent=given))
    assert (await last(pool, ReferralTriaged)).needs.problems == WHOLE["problems"]


async def test_consent_taken_back_later_withholds_from_then_on(triage: tuple[Pool, Call]) -> None:
    pool, _ = triage
    referral_id = uuid4()
    given = Consent(share_with_network=True, share_substance_use=True)
    await take(pool, fact(referral_id, **WHOLE, consent=given))
    assert (await last(pool, ReferralTriaged)).needs.problems == WHOLE["problems"]
    await take(pool, fact(referral_id, kind="amended", revision=2, **WHOLE, consent=NO))
    decision = await last(pool, ReferralTriaged)
    assert decision.revision == 2
    assert decision.needs.problems == ("depression",)
    assert "alcohol" not in decision.model_dump_json()


async def test_consent_to_the_network_taken_back_holds_the_referral(triage: tuple[Pool, Call]) -> None:
    pool, _ = triage
    referral_id = uuid4()
    await take(pool, fact(referral_id, problems=("depression",), consent=NO))
    await take(
        pool,
        fact(
            referral_id,
            kind="amended",
            revision=2,
            problems=("depression",),
            consent=Consent(share_with_network=False),
        ),
    )
    asked = await last(pool, ReviewRequested)
    assert asked.holds
    assert "no-consent" in {rule.rule for rule in asked.reasons}


async def test_an_emergency_that_discloses_nothing_is_refused(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    plain, returned = uuid4(), uuid4()
    await take(pool, fact(plain, consent=NO))
    await take(pool, fact(returned, **WHOLE, consent=NO))
    emergency = {"emergency_disclosure": "medical_emergency"}
    codes = await refused(call, plain, action="confirm", reason="assessed", **emergency)
    assert codes == ["nothing_to_disclose"]
    codes = await refused(
        call,
        returned,
        action="return",
        **back("advice_call", days=0.01),
        **emergency,
    )
    assert codes == ["nothing_to_disclose"]
    unknown = await decide(
        call, returned, action="confirm", reason="assessed", emergency_disclosure="curiosity"
    )
    assert unknown.status_code == 422
