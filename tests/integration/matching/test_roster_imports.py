"""Importing the roster and areas from CSV by HTTP."""

from uuid import UUID, uuid4

import pytest

from shared.events import TherapistChanged
from shared.web.auth import Role
from tests.integration.matching.api import IMPORT_LIMIT, Call, codes
from tests.integration.matching.stage import Stage, entry

HEADER = "id,name,region,languages,payers,modalities,age_groups,settings,places_total,hours,perinatal"


def line(id_: UUID, **cells: str) -> str:
    boring = {
        "name": "R. Alvarez",
        "region": "north",
        "languages": "en; es",
        "payers": "harbor",
        "modalities": "cbt;act",
        "age_groups": "adult;older",
        "settings": "in_person",
        "places_total": "4",
        "hours": "",
        "perinatal": "",
    }
    return ",".join((str(id_), *(boring | cells).values()))


async def test_an_import_takes_the_good_lines_and_names_every_bad_one(stage: Stage, call: Call) -> None:
    good, quoted = uuid4(), uuid4()
    file = "\n".join(
        (
            "\ufeff" + HEADER,
            line(good, perinatal="yes", hours="mon-09;tue-17"),
            line(uuid4(), languages="", places_total="many", hours="mon-09;mon-25"),
            "",
            line(quoted, name='"Alvarez, R."'),
            line(good),
            "not-an-id," + line(uuid4()).split(",", 1)[1],
            "too,few,cells",
            line(uuid4(), name='"never closed'),
        )
    )
    answer = await call("POST", "/v1/therapists/import", csv=file)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["created"], body["updated"], body["unchanged"]) == (2, 0, 0)
    found = {bad["line"]: [(e["column"], e["code"]) for e in bad["errors"]] for bad in body["rejected"]}
    assert found == {
        3: [("languages", "missing"), ("hours.1", "unknown_code"), ("places_total", "int_parsing")],
        6: [("id", "twice")],
        7: [("id", "uuid")],
        8: [("line", "wrong_number_of_cells")],
        9: [("line", "not_csv")],
    }
    kept = (await call("GET", f"/v1/therapists/{good}")).json()
    assert (kept["languages"], kept["hours"], kept["perinatal"]) == (["en", "es"], ["mon-09", "tue-17"], True)
    assert (await call("GET", f"/v1/therapists/{quoted}")).json()["name"] == "Alvarez, R."
    assert len(await stage.published(TherapistChanged)) == 2


async def test_a_language_is_kept_in_its_canonical_form_and_one_of_several_is_asked_about(call: Call) -> None:
    one, other = uuid4(), uuid4()
    file = "\n".join((HEADER, line(one, languages="spa; ENG;Spanish"), line(other, languages="es;zho")))
    answer = (await call("POST", "/v1/therapists/import", csv=file)).json()
    assert (answer["created"], answer["rejected"]) == (2, [])
    assert [
        (each["line"], [(w["column"], w["code"]) for w in each["warnings"]]) for each in answer["warnings"]
    ] == [(3, [("languages.1", "spoken_language")])]
    kept = (await call("GET", f"/v1/therapists/{one}")).json()
    assert (kept["languages"], "warnings" in kept) == (["en", "es"], False)
    kept = (await call("GET", f"/v1/therapists/{other}")).json()
    assert (kept["languages"], [w["column"] for w in kept["warnings"]]) == (["es", "zh"], ["languages.1"])


async def test_an_entry_of_long_ago_in_a_code_nobody_knows_can_be_read(stage: Stage, call: Call) -> None:
    (id_,) = await stage.roster(entry())
    await stage.pool.execute("""update therapist set entry = jsonb_set(entry, '{languages}', '["xx"]')""")
    answer = await call("GET", f"/v1/therapists/{id_}")
    assert (answer.status_code, answer.json()["languages"]) == (200, ["xx"])


async def test_an_import_sent_twice_changes_nothing_the_second_time(call: Call) -> None:
    ids = [uuid4() for _ in range(30)]
    file = "\n".join((HEADER, *(line(id_) for id_ in ids)))
    first = (await call("POST", "/v1/therapists/import", csv=file)).json()
    again = (await call("POST", "/v1/therapists/import", csv=file, role=Role.OPS)).json()
    changed = file.replace(line(ids[0]), line(ids[0], places_total="5"))
    third = (await call("POST", "/v1/therapists/import", csv=changed)).json()
    assert [(b["created"], b["updated"], b["unchanged"]) for b in (first, again, third)] == [
        (30, 0, 0),
        (0, 0, 30),
        (0, 1, 29),
    ]


@pytest.mark.parametrize(
    ("file", "status", "found"),
    [
        (
            "id,name,nickname,name\n",
            422,
            [
                ("region", "missing_column"),
                ("languages", "missing_column"),
                ("modalities", "missing_column"),
                ("age_groups", "missing_column"),
                ("settings", "missing_column"),
                ("places_total", "missing_column"),
                ("column 3", "unknown_column"),
                ("name", "column_twice"),
            ],
        ),
        (HEADER.encode() + b"\nx\n\xff\xfe\n", 422, [("line 3", "not_utf8")]),
        ("x" * (IMPORT_LIMIT + 1), 413, None),
    ],
)
async def test_files_of_which_nothing_is_taken(
    call: Call, file: str | bytes, status: int, found: list[tuple[str, str]] | None
) -> None:
    answer = await call("POST", "/v1/therapists/import", csv=file)
    assert answer.status_code == status
    assert found is None or codes(answer) == found


async def test_only_csv_is_imported(call: Call) -> None:
    answer = await call("POST", "/v1/therapists/import", {"id": 1})
    assert (answer.status_code, answer.json()["code"]) == (415, "not_csv")


async def test_areas(stage: Stage, call: Call) -> None:
    file = "area,latitude,longitude\nN1,42.36,-71.06\nN2,91,0\nN3,nan,0\nN4,42.1,-71\n"
    answer = (await call("POST", "/v1/areas/import", csv=file)).json()
    assert (answer["changed"], answer["unchanged"]) == (2, 0)
    assert [(b["line"], b["errors"][0]["column"]) for b in answer["rejected"]] == [
        (3, "latitude"),
        (4, "latitude"),
    ]
    again = (await call("POST", "/v1/areas/import", csv=file)).json()
    assert (again["changed"], again["unchanged"]) == (0, 2)
