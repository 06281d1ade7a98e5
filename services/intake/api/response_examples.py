"""One example of every answer, shown in the API's description."""

from typing import Any, Final

from services.intake.api.request_examples import REFERRAL as FORM

Body = dict[str, Any]

ID: Final = "01958c4e-7a00-7c3e-9d4f-2b6a1c0e5f11"
PATH: Final = f"/v1/referrals/{ID}"

LINKS: Final[Body] = {
    "self": PATH,
    "amendments": f"{PATH}/amendments",
    "screenings": f"{PATH}/screenings",
    "withdrawal": f"{PATH}/withdrawal",
    "events": f"{PATH}/events",
}

ACCEPTED: Final[Body] = {
    "id": ID,
    "state": "received",
    "fhir_status": "received",
    "revision": 1,
    "express": True,
    "warnings": [
        {
            "where": "/screenings/0/stated_total",
            "what": "The stated total is 9; the items add up to 10, which is used.",
            "code": "total_differs",
        }
    ],
    "safety_advice": {
        "text": "Something on this form asks for a response now. Do not wait for this system.",
        "lines": [
            {"name": "988 Suicide & Crisis Lifeline", "contact": "988", "how": "call or text, at any hour"}
        ],
        "because": ["phq9.item9"],
    },
    "links": LINKS,
}

STANDING: Final[Body] = {
    "id": ID,
    "clinic": "clinic-riverside",
    "region": "otter",
    "state": "offered",
    "fhir_status": "ready",
    "urgency": "urgent",
    "due_by": "2025-03-04T09:00:00Z",
    "revision": 1,
    "express": True,
    "created_at": "2025-03-03T09:00:00Z",
    "updated_at": "2025-03-03T09:00:02Z",
    "links": LINKS,
}

TRIAGED: Final[Body] = {
    "event_id": "01958c4e-7e00-7000-8000-000000000001",
    "type": "ReferralTriaged",
    "at": "2025-03-03T09:00:01Z",
    "revision": 1,
    "what": "Triage decided how soon somebody must respond and what kind of care is meant.",
    "reasons": [
        {
            "rule": "safety_item",
            "datum": "phq9.item9=1",
            "text": "An answer about self-harm asks for a conversation the same day.",
        }
    ],
    "details": {"urgency": "urgent", "respond_by": "2025-03-04T09:00:00Z"},
}

REFERRAL: Final[Body] = STANDING | {
    "next_actions": [
        {"action": "amend", "method": "POST", "href": LINKS["amendments"]},
        {"action": "record_screening", "method": "POST", "href": LINKS["screenings"]},
        {"action": "withdraw", "method": "POST", "href": LINKS["withdrawal"]},
    ],
    "timeline": [TRIAGED],
}

PAGE: Final[Body] = {"referrals": [STANDING], "next_cursor": "WyIyMDI1LTAzLTAzVDA5OjAwOjAyKzAwOjAwIl0"}

IDENTITY: Final[Body] = {
    "id": ID,
    "revision": 1,
    "age": 34,
    "referral": FORM,
    "not_understood": [
        {"revision": 1, "where": "/red_flags/1", "part": "red_flag", "value": "firearm at home"}
    ],
}

PROBLEM: Final[Body] = {
    "type": "urn:careroute:problem:invalid",
    "title": "Unprocessable Entity",
    "status": 422,
    "code": "invalid",
    "detail": "NOT taken; nobody has been told. Every problem is listed in `errors`.",
    "errors": [
        {
            "where": "/screenings/0/answers/8",
            "what": "PHQ-9 item9 is 5; it takes 0 to 3. It counts as not answered; send it corrected.",
            "code": "out_of_range",
        },
        {
            "where": "/client/phone",
            "what": "This field is not known here. Take it out or correct its name.",
            "code": "unknown_field",
        },
    ],
}

BATCH_TAKEN: Final[Body] = {"line": 1, "status": 202, "referral": ACCEPTED}
BATCH_REFUSED: Final[Body] = {"line": 2, "status": 422, "problem": PROBLEM}

EVENTS: Final = (
    "id: 17\nevent: ReferralTriaged\n"
    f'data: {{"event_id":"{TRIAGED["event_id"]}","type":"ReferralTriaged","at":"2025-03-03T09:00:01Z"}}\n\n'
    'event: state\ndata: {"state":"triaged","fhir_status":"ready","urgency":"urgent"}\n\n'
    ": still here\n\n"
)
