"""Marker names, numbers and sentences are planted in referrals, then looked for everywhere but in intake."""

import json
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer

from shared.web.auth import Role
from tests.journey.conftest import Town
from tests.journey.town import crisis, referral

NAME = "Zephyrine Quackenbush"
PHONE = "555-0173-8842"
MAIL = "zephyrine@marker.example"
WORDS = "marmalade skies over the harbour"
BIRTH = "1987-03-19"
PLANTED = (NAME, "Zephyrine", "Quackenbush", PHONE, MAIL, WORDS, BIRTH, "Oliphant", "Brambleford")


def planted(body: dict[str, Any]) -> dict[str, Any]:
    body["client"] |= {
        "name": NAME,
        "birth_date": BIRTH,
        "contact": {"phone": PHONE, "email": MAIL, "address": "7 Brambleford Row", "how": WORDS},
        "guardian": {"name": "Tobias Oliphant", "present": True, "contact": {"phone": PHONE}},
        "gender": WORDS,
        "pronouns": "Zephyrine/self",
    }
    who = {"name": "Dr. Oliphant", "phone": PHONE, "organisation": "Brambleford Practice"}
    return body | {
        "referrer": who,
        "primary_care": who,
        "goals": [{"code": "sleep", "words": WORDS}],
        "strengths": [{"code": "friends", "words": WORDS}],
        "history": {"words": WORDS},
        "notes": f"{NAME} {PHONE} {WORDS}",
        "requested_priority": WORDS,
    }


def bad(body: dict[str, Any]) -> list[Any]:
    """Requests that cannot be read as they are, each with a planted word where it does not belong."""
    return [
        body | {WORDS: NAME},
        body | {"problems": [WORDS]},
        body | {"diagnoses": [NAME]},
        body | {"consent": NAME},
        body | {"client": body["client"] | {"birth_date": WORDS}},
        body | {"client": body["client"] | {"languages": [NAME]}},
        body | {"client": body["client"] | {"region": WORDS}},
        body | {"screenings": [{"instrument": "phq9", "taken_on": WORDS, "answers": [NAME]}]},
        body | {"preferences": [{"criterion": "faith", "values": [WORDS]}]},
        body | {"notes": WORDS + "\x00"},
        [NAME],
        NAME,
    ]


async def test_words_and_identity_are_found_nowhere_but_in_intake(town: Town) -> None:
    places: dict[str, str] = {}
    for number, body in enumerate([planted(referral()), planted(crisis())]):
        taken = await town.submit(body)
        places[f"answer {number}"] = json.dumps(taken)
        await town.is_in(taken["id"], "offered", "in_review", "crisis_handover")
        await town.api.post(
            "intake",
            f"/v1/referrals/{taken['id']}/amendments",
            {"notes": WORDS},
            role=Role.CLINIC,
            clinic="clinic-1",
        )
        places[f"standing {number}"] = json.dumps(await town.referral(taken["id"]))
    wrongs = [*bad(planted(referral())), *bad(planted(crisis()))]
    for number, wrong in enumerate(wrongs):
        answer = await town.api.call(
            "POST", "intake", "/v1/referrals", role=Role.CLINIC, clinic="clinic-1", json=wrong
        )
        assert answer.status_code in (202, 400, 422), number
        places[f"wrong {number}"] = answer.text
    batch = await town.api.call(
        "POST",
        "intake",
        "/v1/referrals/batch",
        role=Role.CLINIC,
        clinic="clinic-1",
        headers={"Content-Type": "application/x-ndjson"},
        content="\n".join(json.dumps(wrong) for wrong in bad(planted(referral()))) + f"\n{{{NAME}",
    )
    places["batch"] = batch.text
    await town.account()
    places["webhooks"] = json.dumps([one.body for one in town.endpoints.deliveries])
    places |= await topics(town) | await databases(town) | await metrics(town) | logs(town)
    assert {"intake.express.v1", "triage.decisions.v1", "notify", "intake.log"} <= places.keys()
    found = {(place, word) for place, text in places.items() for word in PLANTED if word in text}
    assert not found


async def test_the_search_can_find_what_it_looks_for(town: Town) -> None:
    """Intake itself gives the words back to whoever may read them, and its database holds none in clear."""
    taken = await town.submit(planted(referral()))
    identity = await town.api.get("intake", f"/v1/referrals/{taken['id']}/identity", role=Role.CLINICIAN)
    text = json.dumps(identity, ensure_ascii=False)
    assert all(word in text for word in (NAME, PHONE, WORDS))
    rows = (await databases(town, "intake"))["intake"]
    assert taken["id"] in rows
    assert not [word for word in PLANTED if word in rows]


async def topics(town: Town) -> dict[str, str]:
    """Every record of every topic, dead letters included, headers too."""
    lookup = AIOKafkaConsumer(bootstrap_servers=town.network.kafka)
    await lookup.start()
    names = sorted(await lookup.topics())
    await lookup.stop()
    consumer = AIOKafkaConsumer(*names, bootstrap_servers=town.network.kafka, auto_offset_reset="earliest")
    await consumer.start()
    found = dict.fromkeys(names, "")
    try:
        partitions = consumer.assignment()
        assert {one.topic for one in partitions} == set(names)
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(one) < ends[one] for one in partitions]):
            for one, records in (await consumer.getmany(timeout_ms=500)).items():
                found[one.topic] += repr([(r.key, r.value, r.headers) for r in records])
    finally:
        await consumer.stop()
    return found


async def databases(town: Town, *services: str) -> dict[str, str]:
    """Every row of every table, bytes as the text they would be."""
    found = {}
    for service in services or ("triage", "matching", "notify"):
        connection = await asyncpg.connect(town.network.database(service))
        tables = await connection.fetch(
            "select tablename from pg_tables where schemaname = 'public' order by tablename"
        )
        rows = [row for (table,) in tables for row in await connection.fetch(f'select * from "{table}"')]
        found[service] = "\n".join(repr(tuple(row.values())) for row in rows)
        found[service] += "\n".join(str(value) for row in rows for value in row.values())
        await connection.close()
    return found


async def metrics(town: Town) -> dict[str, str]:
    return {
        f"metrics {service}": (await town.api.call("GET", service, "/metrics", role=Role.OPS)).text
        for service in ("intake", "triage", "matching", "notify")
    }


def logs(town: Town) -> dict[str, str]:
    return {
        file.name: file.read_text(errors="replace") for file in (town.stack.folder / "logs").glob("*.log")
    }
