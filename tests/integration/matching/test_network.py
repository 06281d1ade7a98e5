"""Matching in the network's codes: what is entered, what triage says, and what was stored before."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.matching.app import create_app
from services.matching.db.json_columns import entry_json
from services.matching.jobs.stored_terms import migrate_stored_terms
from shared.db.migrate import OWN_TABLES, migrate
from shared.db.postgres import Pool, open_pool, transaction
from shared.events import ReferralTriaged, ReferralWaitlisted, Wish
from shared.network import Network
from tests import databases
from tests.integration.matching.api import Call
from tests.integration.matching.stage import Stage, entry, needs, triaged
from tests.support import NewDatabase

MIGRATIONS = Path(__file__).parents[3] / "services" / "matching" / "db" / "migrations"
NETWORK = Network.model_validate(
    {
        "regions": {"otter": {"aliases": ["Otter Valley"]}, "heron": {}},
        "payers": {"public_plan": {"aliases": ["medicaid"]}, "self_pay": {}},
        "communities": {"latino": {"aliases": ["latinx"]}, "muslim": {}, "rural": {}},
    }
)
ENTRY: dict[str, Any] = {
    "name": "R. Alvarez",
    "region": "Otter",
    "telehealth_regions": ["HERON"],
    "languages": ["en"],
    "payers": ["Public-Plan", "self_pay", "SELF-PAY"],
    "modalities": ["cbt"],
    "age_groups": ["adult"],
    "cultures": ["latinx"],
    "culture_familiarity": ["Rural"],
    "faiths": ["MUSLIM"],
    "settings": ["telehealth"],
    "places_total": 1,
}
NAMED = {
    "region": "otter",
    "telehealth_regions": ["heron"],
    "payers": ["public_plan", "self_pay"],
    "cultures": ["latino"],
    "culture_familiarity": ["rural"],
    "faiths": ["muslim"],
}
UNKNOWN = ENTRY | {
    "region": "narnia",
    "telehealth_regions": ["heron", "mordor"],
    "payers": ["dragon_gold"],
    "cultures": ["atlantean"],
    "culture_familiarity": ["rural", "hobbit"],
    "faiths": ["jedi"],
}
PLACES = {
    ("region", "unknown_region"),
    ("telehealth_regions.1", "unknown_region"),
    ("payers.0", "unknown_payer"),
    ("cultures.0", "unknown_community"),
    ("culture_familiarity.1", "unknown_community"),
    ("faiths.0", "unknown_community"),
}


@pytest.fixture
async def stage(database: NewDatabase) -> Stage:
    return Stage(await database("matching"), network=NETWORK)


def csv_of(*entries: dict[str, Any]) -> str:
    def cell(value: Any) -> str:
        return ";".join(value) if isinstance(value, list) else str(value)

    header = ",".join(["id", *ENTRY])
    return "\n".join([header, *(",".join([str(uuid4()), *map(cell, e.values())]) for e in entries)]) + "\n"


async def test_an_entry_is_kept_in_the_codes_of_the_network(call: Call) -> None:
    answer = await call("PUT", f"/v1/therapists/{uuid4()}", body=ENTRY)
    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in NAMED} == NAMED
    found = await call("GET", "/v1/therapists?region=OTTER")
    assert len(found.json()["therapists"]) == 1


async def test_an_entry_that_names_what_nobody_knows_is_refused_whole(stage: Stage, call: Call) -> None:
    answer = await call("PUT", f"/v1/therapists/{uuid4()}", body=UNKNOWN)
    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert {(e["where"], e["code"]) for e in errors} == {(f"/{w.replace('.', '/')}", c) for w, c in PLACES}
    assert "Known are: heron, otter." in errors[0]["what"]
    for said in ("narnia", "mordor", "dragon", "atlantean", "hobbit", "jedi"):
        assert said not in answer.text
    assert await stage.pool.fetchval("select count(*) from therapist") == 0


async def test_a_file_is_taken_in_the_codes_of_the_network_and_bad_lines_are_named(
    stage: Stage, call: Call
) -> None:
    answer = (await call("POST", "/v1/therapists/import", csv=csv_of(ENTRY, UNKNOWN))).json()
    assert answer["created"] == 1
    (rejected,) = answer["rejected"]
    assert rejected["line"] == 3
    assert {(error["column"], error["code"]) for error in rejected["errors"]} == PLACES
    kept = await stage.pool.fetchval("select entry from therapist")
    assert {name: kept[name] for name in NAMED} == NAMED


@pytest.mark.parametrize("given", ["ot-03", "OT-03", " Ot-03 "])
async def test_a_postal_area_is_the_same_in_either_case(stage: Stage, call: Call, given: str) -> None:
    await call("POST", "/v1/areas/import", csv=f"area,latitude,longitude\n{given},40.1,-30.76\n")
    body = ENTRY | {"area": given.strip(), "settings": ["in_person"], "telehealth_regions": []}
    assert (await call("PUT", f"/v1/therapists/{uuid4()}", body=body)).json()["area"] == "OT-03"
    near = Wish(criterion="distance_km", values=("1",), must=True)
    fact = named(region="otter", area=given.strip(), payer="self_pay", wishes=(near,))
    await stage.receive(fact)
    await stage.settle()
    assert await stage.offers(fact.referral_id)


def named(*, region: str, **changes: Any) -> ReferralTriaged:
    return triaged(**changes).model_copy(update={"region": region})


async def test_what_triage_says_is_matched_in_the_codes_of_the_network(stage: Stage, call: Call) -> None:
    await call("PUT", f"/v1/therapists/{uuid4()}", body=ENTRY)
    must = Wish(criterion="culture", values=("Latinx",), must=True)
    fact = named(region="Otter Valley", payer="medicaid", wishes=(must,))
    await stage.receive(fact)
    await stage.settle()
    assert await stage.offers(fact.referral_id)
    assert (await stage.referral(fact.referral_id)).region == "otter"


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"payer": "dragon_gold"}, "payer"),
        ({"wishes": (Wish(criterion="faith", values=("not_understood",), must=True),)}, "must_faith"),
    ],
    ids=["a payer that no therapist takes", "a must that nobody understood"],
)
async def test_who_waits_is_told_which_limit_keeps_everybody_away(
    stage: Stage, call: Call, changes: dict[str, Any], limit: str
) -> None:
    await call("PUT", f"/v1/therapists/{uuid4()}", body=ENTRY)
    fact = named(region="otter", **{"payer": "self_pay"} | changes)
    await stage.receive(fact)
    await stage.settle()
    (waits,) = await stage.published(ReferralWaitlisted, fact.referral_id)
    assert waits.reason == "no_eligible_therapist"
    assert [(r.limit, r.opens) for r in waits.relaxations] == [(limit, 1)]


async def test_of_an_unknown_region_nobody_is_offered_and_who_waits_is_told(stage: Stage, call: Call) -> None:
    await call("PUT", f"/v1/therapists/{uuid4()}", body=ENTRY)
    fact = named(region="network", payer="self_pay")
    await stage.receive(fact)
    await stage.settle()
    (waits,) = await stage.published(ReferralWaitlisted, fact.referral_id)
    assert waits.reason == "no_eligible_therapist" and not await stage.offers(fact.referral_id)


# ---- what is stored --------------------------------------------------------------------------------


async def migrate_terms(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await migrate_stored_terms(connection, NETWORK)


async def test_who_waits_since_before_the_network_file_is_offered_a_therapist_from_before(
    database: NewDatabase,
) -> None:
    before = Stage(await database("matching"))
    (therapist,) = await before.roster(entry(**{k: v for k, v in ENTRY.items() if k != "name"}))
    fact = named(
        region="otter valley".replace(" ", "-"),
        payer="medicaid",
        wishes=(
            Wish(criterion="faith", values=("Muslim",), must=True),
            Wish(criterion="hours", values=("mon-09",)),
        ),
    )
    await before.receive(fact)
    await before.settle()
    assert not await before.offers(fact.referral_id)

    await migrate_terms(before.pool)
    once = await before.pool.fetch("select id, version, entry, changed from therapist")
    await migrate_terms(before.pool)
    assert await before.pool.fetch("select id, version, entry, changed from therapist") == once

    after = Stage(before.pool, network=NETWORK)
    await after.settle()
    assert [offer.therapist_id for offer in await after.offers(fact.referral_id)] == [therapist]
    referral = await after.referral(fact.referral_id)
    assert referral.needs is not None
    assert (referral.region, referral.needs.payer) == ("otter", "public_plan")
    assert [wish.values for wish in referral.needs.wishes] == [("muslim",), ("mon-09",)]
    (kept,) = once
    assert {name: kept["entry"][name] for name in NAMED} == NAMED


async def test_a_service_puts_it_in_order_when_it_starts(
    database: NewDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "network.toml"
    file.write_text("[regions]\notter = {}\n")
    monkeypatch.setenv("CAREROUTE_NETWORK_FILE", str(file))
    before = Stage(await database("matching"))
    await before.roster(entry(region="Otter"))
    await create_app().state.service.run_at_start(before.pool)
    row = await before.pool.fetchrow("select region, reaches from therapist")
    assert row and tuple(row) == ("otter", ["otter"])


async def test_what_nobody_knows_stays_as_it_was_stored(database: NewDatabase) -> None:
    before = Stage(await database("matching"))
    await before.roster(entry(region="narnia", payers=["dragon_gold", "Self-Pay"]))
    await before.receive(named(region="mordor", payer="dragon_gold"))
    await migrate_terms(before.pool)
    kept = await before.pool.fetchval("select entry from therapist")
    assert (kept["region"], kept["payers"]) == ("narnia", ["dragon_gold", "self_pay"])
    assert await before.pool.fetchval("select region from referral") == "mordor"


async def test_areas_as_the_version_before_stored_them_are_put_in_capitals(
    postgres_url: str, tmp_path: Path
) -> None:
    older = tmp_path / "matching" / "db" / "migrations"
    older.mkdir(parents=True)
    for name in ("0001_matching.sql", "0002_measured.sql"):
        shutil.copy(MIGRATIONS / name, older / name)
    name = await databases.create(postgres_url, "matching_areas")
    pool = await open_pool(databases.at(postgres_url, name), size=4)
    try:
        await migrate(pool, OWN_TABLES, older)
        therapist, waiting = await _as_before(pool)
        await migrate(pool, OWN_TABLES, MIGRATIONS)
        areas = await pool.fetch("select code, latitude from area order by code")
        assert [tuple(row) for row in areas] == [("OT-01", 1.0), ("OT-03", 4.0)]
        row = await pool.fetchrow("select area, entry, version from therapist where id = $1", therapist)
        assert row and (row["area"], row["entry"]["area"], row["version"]) == ("OT-03", "OT-03", 2)
        assert await pool.fetchval("select needs ->> 'area' from referral where id = $1", waiting) == "OT-03"
        assert await pool.fetchval("select count(*) from vacancy where therapist_id = $1", therapist) == 1
    finally:
        await pool.close()
        await databases.drop(postgres_url, name)


async def _as_before(pool: Pool) -> tuple[UUID, UUID]:
    """A therapist and a client of `ot-03`, of which there are two spellings; the newer is in capitals."""
    await pool.execute("insert into area (code, latitude, longitude) values ('ot-01', 1, 1), ('ot-03', 3, 3)")
    await pool.execute("insert into area (code, latitude, longitude) values ('OT-03', 4, 4)")
    therapist, waiting = uuid4(), uuid4()
    await pool.execute(
        "insert into therapist (id, version, name, region, area, active, reaches, entry, places_total, "
        "places_ceiling) values ($1, 1, 'A', 'otter', 'ot-03', true, '{otter}', $2, 1, 1)",
        therapist,
        entry_json(entry(region="otter").stated()) | {"area": "ot-03"},
    )
    await pool.execute(
        "insert into referral (id, clinic, region, revision, decision, state, express, urgency, "
        "waiting_since, target, needs, try_at) "
        "values ($1, 'clinic-1', 'otter', 1, 1, 'waiting', false, 'routine', now(), $2, $3, now())",
        waiting,
        timedelta(days=1),
        needs(area="ot-03").model_dump(mode="json"),
    )
    return therapist, waiting
