"""What a network says to senders: its policy, its words, its links; and the judgement of a form by them."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.intake.api.form_mapping import filled_of
from services.intake.api.parsing import NOT_TAKEN, refused
from services.intake.api.requests import ReferralForm
from services.intake.api.responses import Accepted, CrisisLine, Links, SafetyAdvice, Warned
from services.intake.db.cipher import Keyring
from services.intake.domain.acceptance import Filled, Verdict, accept
from services.intake.domain.status import FHIR_STATUS, State
from services.intake.policy import Policy
from shared.network import NOTHING_CHECKED, Network
from shared.vocabulary import NETWORK_ROTA
from shared.web.problems import Problem


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
