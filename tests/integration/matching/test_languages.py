"""Languages that an earlier version stored or sends: the same as today's, on both sides."""

import re
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest

from services.matching.domain.state import State
from shared.db.postgres import transaction
from shared.events import ReferralTriaged, Wish
from shared.languages import canonical, spoken
from tests.integration.matching.stage import Stage, entry, triaged
from tests.support import NewDatabase

MIGRATION: Final = Path("services/matching/db/migrations/0003_languages.sql").read_text()
ALIASES: Final = dict(re.findall(r"\('([a-z0-9-]+)', '([A-Za-z-]+)'\)", MIGRATION))


@pytest.fixture
async def stage(database: NewDatabase) -> Stage:
    return Stage(await database("matching"))


async def stored_before(stage: Stage, *languages: str, places: int = 1) -> UUID:
    """A therapist as the version before kept them: the tags as they came, and no vacancy left to look at."""
    (id_,) = await stage.roster(entry(places_total=places))
    await stage.pool.execute(
        "update therapist set entry = jsonb_set(entry, '{languages}', $2) where id = $1",
        id_,
        list(languages),
    )
    await stage.pool.execute("delete from vacancy")
    return id_


async def upgrade(stage: Stage) -> None:
    async with transaction(stage.pool) as connection:
        await connection.execute(MIGRATION)


async def kept(stage: Stage, id_: UUID) -> list[str]:
    found: list[str] = await stage.pool.fetchval(
        "select entry -> 'languages' from therapist where id = $1", id_
    )
    return found


def wants(*languages: str, must: str | None = None) -> ReferralTriaged:
    wishes = (Wish(criterion="language", values=(must,), must=True),) if must else ()
    return triaged(languages=languages, wishes=wishes)


@pytest.mark.parametrize("migrated", [True, False])
@pytest.mark.parametrize(
    ("roster", "client"),
    [(["eng", "spa"], "es"), (["spa"], "es-MX"), (["es"], "spa"), (["zh-yue"], "yue"), (["fa"], "pes")],
)
async def test_a_roster_of_the_version_before_is_found(
    stage: Stage, migrated: bool, roster: list[str], client: str
) -> None:
    therapist = await stored_before(stage, *roster)
    if migrated:
        await upgrade(stage)
    fact = wants(client, must=client)
    await stage.receive(fact)
    await stage.settle()
    assert (await stage.open_offer(fact.referral_id)).therapist_id == therapist


@pytest.mark.parametrize(
    ("roster", "client"), [("yue", "cmn"), ("ckb", "kmr"), ("en", "ase"), ("sgn-gb", "ase")]
)
async def test_another_language_stays_another(stage: Stage, roster: str, client: str) -> None:
    await stored_before(stage, roster)
    await upgrade(stage)
    fact = wants(client)
    await stage.receive(fact)
    await stage.settle()
    assert (await stage.referral(fact.referral_id)).state is State.WAITING


async def test_the_upgrade_offers_who_waits_a_therapist_of_the_same_language(stage: Stage) -> None:
    """As it stood before: a client nobody could see, tried again much later, and a roster in other codes."""
    therapist = await stored_before(stage, "de")
    fact = wants("es")
    await stage.receive(fact)
    await stage.settle()
    assert (await stage.referral(fact.referral_id)).reason == "no_eligible_therapist"
    await stage.pool.execute(
        """update therapist set entry = jsonb_set(entry, '{languages}', '["spa", "eng"]')"""
    )
    await upgrade(stage)
    await stage.settle(stage.another_matcher())
    assert (await stage.open_offer(fact.referral_id)).therapist_id == therapist
    assert await kept(stage, therapist) == ["en", "es"]


async def test_the_upgrade_tries_a_client_whose_own_codes_were_other_ones(stage: Stage) -> None:
    therapist = await stored_before(stage, "es")
    fact = wants("de", must="de")
    await stage.receive(fact)
    await stage.settle()
    await stage.pool.execute(
        """update referral set needs = needs || '{"languages": ["spa", "spa-MX", "es"]}'
               || '{"wishes": [{"criterion": "faith", "values": ["spa"], "must": false},
                               {"criterion": "language", "values": ["spa"], "must": true}]}'"""
    )
    await upgrade(stage)
    needs = (await stage.referral(fact.referral_id)).needs
    assert needs is not None and needs.languages == ("es", "es-MX")
    assert [wish.values for wish in needs.wishes] == [("spa",), ("es",)]
    await stage.pool.execute("update referral set needs = needs || '{\"wishes\": []}'")
    await stage.settle()
    assert (await stage.open_offer(fact.referral_id)).therapist_id == therapist


async def test_the_upgrade_leaves_alone_what_is_right_already(stage: Stage) -> None:
    await stored_before(stage, "en", "es-MX", "yue")
    await stage.receive(wants("vi"))
    await stage.settle()
    before = await stage.pool.fetch("select t.*, r.* from therapist as t, referral as r")
    await upgrade(stage)
    assert await stage.pool.fetch("select t.*, r.* from therapist as t, referral as r") == before
    assert await stage.pool.fetchval("select count(*) from vacancy") == 0


async def test_the_upgrade_and_the_module_say_the_same_of_every_alias(stage: Stage) -> None:
    assert len(ALIASES) > 600
    assert {alias: canonical(alias) for alias in ALIASES} == ALIASES
    tags = [*ALIASES, *(f"{alias}-US" for alias in ALIASES if "-" not in alias)]
    id_ = await stored_before(stage, *tags)
    await upgrade(stage)
    assert await kept(stage, id_) == sorted({str(canonical(tag)) for tag in tags})
    assert {spoken(tag) for tag in tags} == {spoken(tag) for tag in await kept(stage, id_)}
