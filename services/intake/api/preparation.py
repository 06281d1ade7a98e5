"""From a form to everything that is stored, published and answered when it is taken in."""

import json
from collections.abc import Sequence
from datetime import datetime

from services.intake.api.form_mapping import case_of, identity_of
from services.intake.api.network_terms import terms_of
from services.intake.api.requests import Form, ReferralForm
from services.intake.api.rules import Rules
from services.intake.api.stated_parts import SAID_IN, stated_in
from services.intake.db.records import NewReferral
from services.intake.domain.acceptance import Verdict
from services.intake.domain.status import State
from services.intake.domain.unread import Unread, sealable, storable
from shared.events import ReferralSubmitted
from shared.ids import new_id


def canonical(route: str, form: Form, unread: Sequence[Unread] = ()) -> bytes:
    """The same for the same form, and what came with it unread, however it was written down."""
    said = form.model_dump_json(exclude_defaults=True, exclude={"idempotency_key"})
    beside = [[each.where, storable(each.value)] for each in unread if each.note]
    more = f"\n{json.dumps(beside, sort_keys=True)}" if beside else ""
    return f"{route}\n{said}{more}".encode()


def prepare(
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
