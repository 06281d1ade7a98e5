"""What intake and triage must decide by alike: each writes it down, `careroute reconcile` compares."""

import pytest

from careroute.checks.reconcile import disagreeing
from shared.db import agreed
from shared.db.postgres import Pool
from tests.support import NewDatabase

Values = dict[str, str]
OLD: Values = {"diagnoses.toml": "aaa", "who_diagnosis_codes": "false"}
NEW: Values = OLD | {"diagnoses.toml": "bbb"}
WHO: Values = OLD | {"who_diagnosis_codes": "true"}


@pytest.mark.parametrize(
    ("intake", "triage", "named"),
    [
        ([OLD], [OLD], []),
        ([OLD, OLD], [OLD], []),
        ([], [], []),
        ([OLD], [NEW], ["diagnoses.toml: intake uses aaa, triage uses bbb; they must be the same"]),
        ([OLD], [WHO], ["who_diagnosis_codes: intake uses false, triage uses true; they must be the same"]),
        (
            [OLD, NEW],  # a replica that was not upgraded
            [NEW],
            ["diagnoses.toml: intake uses aaa and bbb, triage uses bbb; they must be the same"],
        ),
        (
            [OLD],
            [],
            [
                "diagnoses.toml: intake uses aaa, triage uses nothing; they must be the same",
                "who_diagnosis_codes: intake uses false, triage uses nothing; they must be the same",
            ],
        ),
    ],
)
async def test_reconcile_names_what_differs(
    database: NewDatabase, intake: list[Values], triage: list[Values], named: list[str]
) -> None:
    databases: dict[str, Pool] = {"intake": await database("intake"), "triage": await database("triage")}
    for service, processes in (("intake", intake), ("triage", triage)):
        for values in processes:
            await agreed.note(databases[service], values)
    assert await disagreeing(databases) == named


async def test_what_was_in_use_before_an_upgrade_is_past(database: NewDatabase) -> None:
    databases: dict[str, Pool] = {"intake": await database("intake"), "triage": await database("triage")}
    for pool in databases.values():
        await agreed.note(pool, OLD)
        await pool.execute("update agreed set seen_at = now() - interval '1 min'")
        await agreed.note(pool, NEW)
    assert await disagreeing(databases) == []


async def test_a_database_of_the_version_before_has_nothing_to_compare(database: NewDatabase) -> None:
    databases: dict[str, Pool] = {"intake": await database("intake"), "triage": await database("triage")}
    await agreed.note(databases["intake"], OLD)
    await databases["triage"].execute("drop table agreed")
    assert len(await disagreeing(databases)) == 2
