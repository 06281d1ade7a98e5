"""A scenario: one made-up referral, what it is there to show, and how soon somebody must respond at least."""

from dataclasses import dataclass
from typing import Any, Final

from examples.making.places import CLINICS
from examples.making.sheets import DAY

Json = dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """`key` is the idempotency key. `written` adds who refers, and a phone number."""

    key: str
    title: str
    clinic: str
    at_least: str
    look_for: str
    form: Json

    def catalogued(self) -> Json:
        return {
            "title": self.title,
            "clinic": self.clinic,
            "expect_at_least": self.at_least,
            "look_for": self.look_for,
        }

    def written(self, number: int) -> Json:
        """As one line of a batch."""
        clinic = next(clinic for clinic in CLINICS if clinic.code == self.clinic)
        who = {"organisation": clinic.name, "phone": clinic.phone}
        client = {**self.form["client"]}
        client["contact"] = {"phone": f"+1 555 01{number:02d}", **client.get("contact", {})}
        return {
            "idempotency_key": self.key,
            **self.form,
            "client": client,
            "referrer": {"name": clinic.referrer, "role": clinic.role, **who},
            "primary_care": who,
        }


def scenario(key: str, title: str, *, clinic: str, at_least: str, look_for: str, **form: Any) -> Scenario:
    """What is not said is the usual: routine is asked for, and sharing with the network is agreed to."""
    usual: Json = {
        "requested_priority": "routine",
        "consent": {"share_with_network": True, "version": "2026-01"},
    }
    said = {name: value for name, value in (usual | form).items() if value is not None}
    return Scenario(key, title, f"clinic-{clinic}", at_least, look_for, said)


def client(name: str, age: int | None, region: str, area: int = 1, /, **more: Any) -> Json:
    """Nobody of this name exists. `age` is in whole years on the day; None leaves the birth date out."""
    born = (
        {}
        if age is None
        else {"birth_date": DAY.replace(year=DAY.year - age - 1, month=9, day=14).isoformat()}
    )
    email = name.lower().replace(" ", ".").encode("ascii", "ignore").decode() + "@example.org"
    contact = {"email": email, **more.pop("contact", {})}
    return {
        "name": name,
        **born,
        "region": region,
        "postal_area": f"{region[:2].upper()}-{area:02d}",
        "languages": ["en"],
        "contact": contact,
        **more,
    }


def guardian(name: str, relationship: str = "mother", *, present: bool = True) -> Json:
    return {"name": name, "relationship": relationship, "present": present}


def wish(criterion: str, *values: str | int) -> Json:
    return {"criterion": criterion, "values": list(values), "strength": "wish"}


def must(criterion: str, *values: str | int) -> Json:
    return {"criterion": criterion, "values": list(values), "strength": "must"}


def said(code: str, words: str | None = None) -> Json:
    """A goal or a strength, by its code and in the client's words."""
    return {"code": code, **({"words": words} if words else {})}


WORKDAYS: Final = ("mon", "tue", "wed", "thu", "fri")
EVENINGS: Final = tuple(f"{day}-{hour}" for day in WORKDAYS for hour in (17, 18, 19))
