"""What callers send: recipients and rotas. Everything wrong with one is listed at once."""

import ipaddress
from typing import Annotated, Final, Literal, Self
from uuid import UUID

import httpx
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    field_validator,
    model_validator,
)

from services.notify.domain.directory import Duty, Recipient
from services.notify.domain.words import CLINIC, PRIMARY_CARE, THERAPIST
from services.notify.handlers.recipients import GivenChannel, PutRecipient
from shared.moments import StrictMoment
from shared.vocabulary import Code

Audience = Literal["psychiatrist", "clinician", "clinic", "primary_care", "therapist", "coordinator", "ops"]

Result = Literal["reached", "handed_to_emergency_services", "not_reached"]

EXAMPLE_RECIPIENT: Final[dict[str, JsonValue]] = {
    "audience": "psychiatrist",
    "regions": ["otter"],
    "channels": [
        {"kind": "webhook", "url": "https://pager.example/careroute", "secret": "a-secret-of-16-or-more"}
    ],
}
EXAMPLE_ROTA: Final[dict[str, JsonValue]] = {
    "shifts": [
        {
            "recipient": "psychiatrist-otter-1",
            "from": "2026-03-02T08:00:00Z",
            "until": "2026-03-02T20:00:00Z",
            "order": 1,
        }
    ],
    "fallback": ["psychiatrist-otter-2"],
}


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AcknowledgementForm(Form):
    """Nothing need be sent. `takeover`: somebody else, by name, acknowledges the psychiatrist's part."""

    takeover: bool = False
    reason: (
        Literal["reached_by_other_means", "psychiatrist_unreachable", "nobody_on_call", "responds_in_person"]
        | None
    ) = None

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.takeover != (self.reason is not None):
            raise ValueError("A takeover has a `reason`, and only a takeover has one.")
        return self


class OutcomeForm(Form):
    """What came of a crisis that was acknowledged."""

    outcome: Result


class ChannelForm(Form):
    """An endpoint. Without a `secret` one is made and shown once, in the response."""

    kind: Literal["webhook"] = "webhook"
    url: Annotated[str, Field(max_length=2000)]
    secret: Annotated[SecretStr, Field(min_length=16, max_length=200)] | None = None

    @field_validator("url")
    @classmethod
    def _is_an_endpoint(cls, url: str) -> str:
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            raise ValueError("This is not a URL.") from None
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise ValueError("Only http:// and https:// addresses with a host are called.")
        if parsed.port is not None and not 0 < parsed.port < 65_536:
            raise ValueError("The port must be from 1 to 65535.")
        if parsed.userinfo or parsed.fragment:
            raise ValueError("Leave out user, password and fragment; deliveries are signed instead.")
        if _goes_nowhere(parsed.host):
            raise ValueError("This address is not an endpoint of anybody's.")
        return url

    @property
    def host(self) -> str:
        """The host that deliveries queue for."""
        return httpx.URL(self.url).netloc.decode("ascii")


class RecipientForm(Form):
    """A code, not a person: whoever watches these channels. The first channel is tried first."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"example": EXAMPLE_RECIPIENT})

    audience: Audience
    clinic: Code | None = None
    therapist: UUID | None = None
    regions: Annotated[list[Code], Field(max_length=200)] = []
    channels: Annotated[list[ChannelForm], Field(min_length=1, max_length=5)]
    active: bool = True

    @model_validator(mode="after")
    def _says_whose(self) -> Self:
        of_clinic = self.audience in (CLINIC, PRIMARY_CARE)
        if of_clinic and self.clinic is None:
            raise ValueError("A recipient of the audience clinic or primary_care names its `clinic`.")
        if not of_clinic and self.clinic is not None:
            raise ValueError("Only the audiences clinic and primary_care belong to a `clinic`.")
        if self.therapist is not None and self.audience != THERAPIST:
            raise ValueError("Only the audience therapist belongs to a `therapist`.")
        if self.regions and (of_clinic or self.therapist is not None):
            raise ValueError("What belongs to a clinic or a therapist has no `regions` of its own.")
        if len({channel.url for channel in self.channels}) < len(self.channels):
            raise ValueError("The same `url` stands twice among the `channels`.")
        return self

    def recipient(self, recipient_id: str) -> Recipient:
        return Recipient(
            id=recipient_id,
            audience=self.audience,
            hosts=tuple(channel.host for channel in self.channels),
            regions=frozenset(self.regions),
            clinic=self.clinic,
            therapist=self.therapist,
        )

    def command(self, recipient_id: str) -> PutRecipient:
        channels = tuple(
            GivenChannel(
                kind=channel.kind,
                url=channel.url,
                host=channel.host,
                secret=channel.secret.get_secret_value() if channel.secret else None,
            )
            for channel in self.channels
        )
        return PutRecipient(recipient=self.recipient(recipient_id), channels=channels, active=self.active)


class ShiftForm(Form):
    """From (included) until (not included); of those on duty the lowest `order` is called first."""

    recipient: Code
    starts_at: Annotated[StrictMoment, Field(alias="from")]
    ends_at: Annotated[StrictMoment, Field(alias="until")]
    order: Annotated[int, Field(ge=1, le=1000)] = 1

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise ValueError("`until` must be later than `from`.")
        return self


class RotaForm(Form):
    """The whole rota of a region. Who is in `fallback` is on call after those on shift."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"example": EXAMPLE_ROTA})

    shifts: Annotated[list[ShiftForm], Field(max_length=5000)] = []
    fallback: Annotated[list[Code], Field(max_length=100)] = []

    def duties(self, region: str) -> list[Duty]:
        on_shift = [
            Duty(
                region=region,
                recipient=shift.recipient,
                place=shift.order,
                starts_at=shift.starts_at,
                ends_at=shift.ends_at,
            )
            for shift in self.shifts
        ]
        behind = [Duty(region=region, recipient=r, place=n) for n, r in enumerate(self.fallback)]
        return on_shift + behind

    def places(self) -> list[tuple[str, str]]:
        """Where each recipient is named, as a JSON pointer."""
        shifts = [(f"/shifts/{n}/recipient", shift.recipient) for n, shift in enumerate(self.shifts)]
        return shifts + [(f"/fallback/{n}", recipient) for n, recipient in enumerate(self.fallback)]


def _goes_nowhere(host: str) -> bool:
    """Addresses by which a machine reaches its cloud's inner services, or many machines."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return address.is_link_local or address.is_multicast or address.is_unspecified
