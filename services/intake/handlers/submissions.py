"""Taking referrals in: what is stored, announced and answered is made ready first, then many go at once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.intake.api.network_terms import terms_of
from services.intake.api.parsing import NOT_TAKEN, refused
from services.intake.api.requests import Form, ReferralForm
from services.intake.api.responses import Accepted, CrisisLine, Links, SafetyAdvice, Warned
from services.intake.api.stated_parts import SAID_IN, stated_in
from services.intake.db import referrals as store
from services.intake.db.cipher import Keyring
from services.intake.db.records import NewReferral, Remembered
from services.intake.domain.acceptance import Filled, Verdict, accept
from services.intake.domain.identity import case_of, filled_of, identity_of
from services.intake.domain.policy import Policy
from services.intake.domain.status import FHIR_STATUS, State
from services.intake.domain.unread import Unread, sealable, storable
from shared.db import outbox
from shared.db.postgres import Connection
from shared.events import ReferralSubmitted
from shared.ids import new_id
from shared.network import NOTHING_CHECKED, Network
from shared.vocabulary import NETWORK_ROTA
from shared.web.problems import Problem


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer to a request that was stored, now or the first time it came."""

    status: int
    body: bytes
    referral_id: UUID


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What making a referral ready needs to know."""

    policy: Policy
    keyring: Keyring
    network: Network = NOTHING_CHECKED
    public_url: str = ""
    time_zone: str = "UTC"

    def today(self, region: str, now: datetime) -> date:
        """Ages and days turn at the region's midnight."""
        known = self.network.canonical("regions", region)
        return now.astimezone(self.network.zone(known, otherwise=self.time_zone)).date()

    def links(self, referral_id: UUID) -> Links:
        path = f"{self.public_url}/v1/referrals/{referral_id}"
        return Links(
            self=path,
            amendments=f"{path}/amendments",
            screenings=f"{path}/screenings",
            withdrawal=f"{path}/withdrawal",
            events=f"{path}/events",
        )

    def advice(self, because: tuple[str, ...], region: str) -> SafetyAdvice | None:
        """What to do now about what was taken."""
        if not because:
            return None
        safety = self.policy.safety
        return SafetyAdvice(
            text=f"{safety.text} {safety.being_told}" if safety.being_told else safety.text,
            lines=self._lines(region),
            because=because,
        )

    def refusal(self, problem: Problem, because: tuple[str, ...], *, region: str) -> Problem:
        """The same problem with what to do now about what cannot wait and was not taken."""
        safety = self.policy.safety
        advice = SafetyAdvice(text=safety.text_not_taken, lines=self._lines(region), because=because)
        detail = problem.detail.removeprefix(NOT_TAKEN).strip()
        return Problem(
            problem.status,
            problem.code,
            f"{NOT_TAKEN} {safety.text_not_taken} {detail}".strip(),
            faults=problem.faults,
            headers=problem.headers,
            members={**problem.members, "safety_advice": advice.model_dump(mode="json")},
        )

    def _lines(self, region: str) -> tuple[CrisisLine, ...]:
        lines = self.policy.safety.lines_of(region)
        return tuple(CrisisLine(name=line.name, contact=line.contact, how=line.how) for line in lines)

    def answer(
        self,
        referral_id: UUID,
        *,
        state: State,
        revision: int,
        express: bool,
        region: str,
        verdict: Verdict,
    ) -> bytes:
        """The body of a 202."""
        accepted = Accepted(
            id=referral_id,
            state=state,
            fhir_status=FHIR_STATUS[state],
            revision=revision,
            express=express,
            warnings=tuple(
                Warned(where=note.where, what=note.what, code=note.code) for note in verdict.warnings
            ),
            safety_advice=self.advice(verdict.safety, region),
            links=self.links(referral_id),
        )
        return accepted.model_dump_json().encode()

    def judge(self, form: ReferralForm, *, now: datetime) -> Verdict:
        """Raises `Problem` 422 with every fault."""
        verdict = self.verdict(form, now=now)
        if verdict.faults:
            raise refused(verdict.faults)
        return verdict

    def verdict(self, form: ReferralForm, *, now: datetime) -> Verdict:
        return self.verdict_of(filled_of(form), region=form.client.region, now=now)

    def verdict_of(self, filled: Filled, *, region: str = NETWORK_ROTA, now: datetime) -> Verdict:
        return accept(
            filled,
            age_of_majority=self.policy.age_of_majority,
            today=self.today(region, now),
            who_diagnosis_codes=self.network.who_diagnosis_codes,
            words=self.network.priorities,
        )


def canonical(route: str, form: Form, unread: Sequence[Unread] = ()) -> bytes:
    """The same for the same form, and what came with it unread, however it was written down."""
    said = form.model_dump_json(exclude_defaults=True, exclude={"idempotency_key"})
    beside = [[each.where, storable(each.value)] for each in unread if each.note]
    more = f"\n{json.dumps(beside, sort_keys=True)}" if beside else ""
    return f"{route}\n{said}{more}".encode()


def make_ready(
    form: ReferralForm,
    *,
    rules: Rules,
    clinic: str,
    key: str | None,
    traceparent: str | None,
    now: datetime,
    verdict: Verdict | None = None,
    unread: Sequence[Unread] = (),
) -> NewReferral:
    """`verdict` if there is one already; `unread` is what the form does not hold of what was sent. Raises
    `Problem` 422 with every fault."""
    terms = terms_of(form, rules.network)
    verdict = terms.added_to(verdict or rules.judge(form, now=now))
    region = terms.form.client.region
    case = case_of(terms.form, verdict, not_understood=terms.not_understood)
    submitted = ReferralSubmitted(
        event_id=new_id(),
        occurred_at=now,
        region=region,
        referral_id=new_id(),
        revision=1,
        clinic=clinic,
        express=verdict.express,
        case=case,
        stated=stated_in(form.model_dump(include=SAID_IN, exclude_unset=True), case),
    )
    identity = identity_of(form, terms.unknown, sealable(unread, revision=1))
    body = canonical("submit", form, unread)
    return NewReferral(
        submitted=submitted,
        owner=clinic,
        key=key,
        said=body,
        fingerprint=rules.keyring.fingerprint(body),
        key_id=rules.keyring.current,
        sealed=rules.keyring.seal_all(identity, referral_id=submitted.referral_id),
        answer=rules.answer(
            submitted.referral_id,
            state=State.RECEIVED,
            revision=1,
            express=verdict.express,
            region=region,
            verdict=verdict,
        ),
        traceparent=traceparent,
    )


async def take(
    connection: Connection,
    referrals: Sequence[NewReferral],
    *,
    keyring: Keyring,
    now: datetime,
    again: bool = False,
) -> list[Taken | Problem]:
    """Claim and save, announce; for keys that came before, the answer they were given. `again`: these very
    referrals may be there already."""
    there = await store.lock(connection, [each.id for each in referrals]) if again else set()
    missing = [each for each in referrals if each.id not in there]
    stored = await store.accept(connection, missing, now=now)
    await outbox.publish(connection, [each.submitted for each in missing if each.id in stored])
    known = await _known(connection, [each for each in missing if each.id not in stored])
    return [
        Taken(202, each.answer, each.id)
        if each.id in stored | there
        else repeated(known[(each.owner, each.key or "")], each.said, keyring)
        for each in referrals
    ]


async def _known(
    connection: Connection, referrals: Sequence[NewReferral]
) -> Mapping[tuple[str, str], Remembered]:
    keys = [(each.owner, each.key) for each in referrals if each.key is not None]
    return await store.remembered(connection, keys) if keys else {}


def repeated(remembered: Remembered, said: bytes, keyring: Keyring) -> Taken | Problem:
    """The same request again gets the same answer; another one under the same key is a conflict."""
    if keyring.is_fingerprint(remembered.fingerprint, said, key_id=remembered.key_id):
        return Taken(remembered.status, remembered.answer, remembered.referral_id)
    return Problem(
        409,
        "key_used",
        "This Idempotency-Key was used for another request. Nothing was taken. Send a new key, or the "
        "request as it was.",
    )
