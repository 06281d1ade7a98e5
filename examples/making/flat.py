"""Five referrals as a front desk without an EHR would keep them: one row each in a spreadsheet."""

from typing import Final

from examples.making.places import CLINICS

COLUMNS: Final = (
    "idempotency_key",
    "client.name",
    "client.birth_date",
    "client.region",
    "client.postal_area",
    "client.languages",
    "client.interpreter_ok",
    "client.contact.phone",
    "client.guardian.name",
    "client.guardian.present",
    "consent.share_with_network",
    "referrer.name",
    "problems",
    "diagnoses",
    "goals",
    "screening.phq9",
    "screening.phq9.taken_on",
    "screening.phqa",
    "screening.phqa.taken_on",
    "requested_priority",
    "payer",
    "wish.setting",
    "must.therapist_gender",
    "notes",
)

_ROWS: Final[tuple[dict[str, str], ...]] = (
    {
        "idempotency_key": "desk-2026-001",
        "client.name": "Mona Sample",
        "client.birth_date": "1984-05-17",
        "problems": "depression;insomnia",
        "diagnoses": "F32.1",
        "goals": "sleep;feel_better",
        "screening.phq9": "2;2;3;2;1;1;1;0;0",
        "wish.setting": "telehealth;in_person",
        "requested_priority": "routine",
    },
    {
        "idempotency_key": "desk-2026-002",
        "client.name": "Nuria Ejemplo",
        "client.birth_date": "1992-11-03",
        "client.languages": "es;en",
        "client.interpreter_ok": "true",
        "problems": "anxiety",
        "screening.phq9": "1;1;1;1;0;1;1;0;refused",
        "must.therapist_gender": "woman",
        "requested_priority": "soonish",
    },
    {
        "idempotency_key": "desk-2026-003",
        "client.name": "Odin Muster",
        "client.birth_date": "2012-09-14",
        "client.guardian.name": "Oda Muster",
        "client.guardian.present": "true",
        "problems": "child_depression",
        "screening.phqa": "1;1;2;1;0;1;1;0;0;0;0;0;0",
        "requested_priority": "routine",
    },
    {
        "idempotency_key": "desk-2026-004",
        "client.name": "Peer Exemple",
        "client.birth_date": "1957-02-08",
        "problems": "grief",
        "screening.phq9": "1;1;1;1;1;0;0;0;",
        "requested_priority": "",
        "notes": "Hard of hearing; please write, do not call.",
    },
    {
        "idempotency_key": "desk-2026-005",
        "client.name": "Runa Beispiel",
        "client.birth_date": "2001-07-22",
        "problems": "stress",
        "screening.phq9": "0;0;1;1;0;0;0;0;0",
        "requested_priority": "routine",
    },
)


def rows() -> list[dict[str, str]]:
    """The rows of `referrals.csv`."""
    clinic = CLINICS[0]
    everywhere = {
        "client.region": clinic.regions[0],
        "client.languages": "en",
        "consent.share_with_network": "true",
        "referrer.name": clinic.referrer,
        "payer": "public_plan",
    }
    return [
        everywhere
        | {"client.postal_area": f"OT-{n:02d}", "client.contact.phone": f"+1 555 01{80 + n}"}
        | {
            f"{sheet}.taken_on": "2026-03-01"
            for sheet in ("screening.phq9", "screening.phqa")
            if sheet in row
        }
        | row
        for n, row in enumerate(_ROWS, 1)
    ]
