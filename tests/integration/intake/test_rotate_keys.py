"""A new encryption key takes over without anybody noticing."""

import base64

from services.intake.api.request_examples import REFERRAL
from services.intake.db.cipher import Keyring
from services.intake.jobs.rotate_keys import rekey
from tests.integration.intake.support import KEYS, intake_on
from tests.support import NewDatabase

NEW = "k2:" + base64.b64encode(b"2" * 32).decode()


async def test_what_old_keys_sealed_is_sealed_again_and_the_old_key_can_go(database: NewDatabase) -> None:
    pool = await database("intake")
    async with intake_on(pool) as before:
        takens = [await before.submit(REFERRAL | {"red_flags": ["noose"]}) for _ in range(7)]
    both = Keyring.parse(f"{NEW},{KEYS}")
    told: list[int] = []
    assert await rekey(pool, both, at_once=3, told=told.append) == 7
    assert told == [3, 6, 7] and await rekey(pool, both) == 0
    async with intake_on(pool, encryption_keys=NEW) as after:
        for taken in takens:
            answer = await after.call("GET", f"/v1/referrals/{taken['id']}/identity")
            assert answer.json()["referral"]["client"] == REFERRAL["client"]
            assert [each["value"] for each in answer.json()["not_understood"]] == ["noose"]


async def test_between_two_keys_referrals_of_both_are_read_and_changed(database: NewDatabase) -> None:
    pool = await database("intake")
    async with intake_on(pool) as before:
        taken = await before.submit(REFERRAL, Idempotency_Key="key-1")
    async with intake_on(pool, encryption_keys=f"{NEW},{KEYS}") as during:
        assert (await during.submit(REFERRAL, Idempotency_Key="key-1"))["id"] == taken["id"]
        path = f"/v1/referrals/{taken['id']}"
        assert (await during.call("POST", f"{path}/amendments", {"payer": "payer-b"})).status_code == 202
        keys = await pool.fetch("select key_id from referral")
        assert [row["key_id"] for row in keys] == ["k2"]
        form = (await during.call("GET", f"{path}/identity")).json()["referral"]
        assert form["client"] == REFERRAL["client"] and form["payer"] == "payer-b"
