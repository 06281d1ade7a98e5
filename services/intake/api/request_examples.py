"""One example of every form, shown in the API's description and used in its tests. Nobody here exists."""

from typing import Any, Final

Body = dict[str, Any]

CONTACT: Final[Body] = {
    "phone": "+1 555 0100",
    "email": "alex@example.org",
    "address": "1 Example Street, Springfield",
    "how": "after 17:00; leave no message",
}

SHEET: Final[Body] = {
    "instrument": "phq9",
    "taken_on": "2025-03-03",
    "answers": [2, 2, 1, 1, 0, 1, 1, 0, 1, None],
    "language": "es",
    "stated_total": 9,
}

REFERRAL: Final[Body] = {
    "client": {
        "name": "Alex Example",
        "region": "otter",
        "birth_date": "1990-05-17",
        "contact": CONTACT,
        "languages": ["es", "en"],
        "interpreter_ok": True,
        "sex": "female",
        "gender": "woman",
        "pronouns": "she/her",
        "perinatal": False,
        "postal_area": "OT-03",
        "guardian": None,
    },
    "consent": {"share_with_network": True, "share_substance_use": False, "version": "2025-01"},
    "referrer": {
        "name": "Dr. Sam Sample",
        "organisation": "Sample Family Practice",
        "role": "primary care physician",
        "phone": "+1 555 0101",
        "email": "sam@example.org",
    },
    "primary_care": {"organisation": "Sample Family Practice", "phone": "+1 555 0101"},
    "problems": ["depression", "insomnia"],
    "diagnoses": ["F33.1"],
    "goals": [{"code": "sleep", "words": "I would like to sleep through again."}, {"code": "feel_better"}],
    "strengths": [{"code": "friends", "words": "My friends from the choir."}],
    "history": {
        "past_treatments": [{"modality": "cbt", "helped": True}],
        "past_attempt": False,
        "words": "CBT in 2019, which helped for two years.",
    },
    "screenings": [SHEET],
    "red_flags": [],
    "external_levels": ["iar_3"],
    "requested_priority": "urgent",
    "express": False,
    "preferences": [
        {"criterion": "language", "values": ["es"], "strength": "must"},
        {"criterion": "modality", "values": ["cbt", "act"], "strength": "wish"},
        {"criterion": "setting", "values": ["in_person"], "strength": "wish"},
        {"criterion": "distance_km", "values": [15], "strength": "wish"},
        {"criterion": "hours", "values": ["tue-17", "thu-17"], "strength": "wish"},
    ],
    "payer": "public_plan",
    "read_notes": False,
    "notes": "Works night shifts; mornings are hard.",
}

MINIMAL: Final[Body] = {
    "client": {"name": "Alex Example", "region": "otter"},
    "consent": {"share_with_network": True},
}

BATCH_LINE: Final[Body] = MINIMAL | {"idempotency_key": "ehr-2025-0001"}

AMENDMENT: Final[Body] = {
    "client": {"contact": {"phone": "+1 555 0199"}},
    "red_flags": ["clinician_concern"],
    "payer": None,
}

SCREENINGS: Final[Body] = {
    "screenings": [{"instrument": "gad7", "taken_on": "2025-03-10", "answers": [1, 2, 1, 0, 0, 1, 0]}]
}

WITHDRAWAL: Final[Body] = {"reason": "found_other_care"}
