"""What every route of intake needs, made once in `app.py`."""

from collections.abc import Sequence

from services.intake.api.event_watch import Watch
from services.intake.api.request_limit import RequestLimit
from services.intake.api.rules import Rules
from services.intake.db import referrals as store
from services.intake.db.records import NewReferral
from services.intake.domain.refusal import KeyUsed
from services.intake.domain.status import State
from services.intake.handlers import amendments, submissions
from services.intake.handlers.group_commit import GroupCommit
from services.intake.handlers.submissions import StoredResponse
from services.intake.settings import IntakeSettings
from shared.db.postgres import Pool, transaction
from shared.ids import now
from shared.runtime.service import Service
from shared.telemetry import trace
from shared.vocabulary import Lane


class ApiContext:
    """Group commits of the express lane are apart from those of the routine lane."""

    def __init__(self, service: Service, settings: IntakeSettings, rules: Rules) -> None:
        self.service = service
        self.settings = settings
        self.rules = rules
        self.watch = Watch(lambda: self.pool, most=settings.max_streams)
        self._group_commits: dict[Lane, GroupCommit[NewReferral, StoredResponse | KeyUsed]] = {
            lane: GroupCommit(self.submit_all, most=settings.gather_most) for lane in Lane
        }
        self.request_limit = RequestLimit(most=settings.max_under_way)

    @property
    def pool(self) -> Pool:
        return self.service.pool

    async def submit(self, referral: NewReferral) -> StoredResponse:
        return _or_raise(await self._group_commits[referral.submitted.lane].do(referral))

    async def submit_all(
        self, referrals: Sequence[NewReferral], *, again: bool = False
    ) -> list[StoredResponse | KeyUsed]:
        """In one transaction. `again` after a try of which nobody knows whether it was committed."""
        causes = {each.id: each.traceparent for each in referrals if each.traceparent}
        with trace.causes(causes):
            async with transaction(self.pool) as connection:
                taken = await submissions.submit(
                    connection, referrals, keyring=self.rules.keyring, now=now(), again=again
                )
        self.service.wake()
        return taken

    async def change(self, request: amendments.Request, decide: amendments.Decide) -> StoredResponse:
        """Raises `Refusal`."""
        async with transaction(self.pool) as connection:
            response = await amendments.change(
                connection, request, decide, keyring=self.rules.keyring, respond=self._respond, now=now()
            )
        self.service.wake()
        return response

    def _respond(self, changed: amendments.Change, state: State) -> bytes:
        fact = changed.fact
        return self.rules.answer(
            fact.referral_id,
            state=state,
            revision=fact.revision,
            express=fact.express,
            region=fact.region,
            verdict=changed.verdict,
        )

    async def forget_keys(self) -> None:
        async with transaction(self.pool) as connection:
            await store.forget_keys(connection, days=self.settings.idempotency_days)


def _or_raise(response: StoredResponse | KeyUsed) -> StoredResponse:
    if isinstance(response, KeyUsed):
        raise response
    return response
