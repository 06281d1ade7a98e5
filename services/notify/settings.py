"""`NOTIFY_*`: who is told how, and how patiently."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from services.notify.ladder import Clocks, Pace
from services.notify.retry import Patience
from shared.events import Lane
from shared.settings import ServiceSettings

Seconds = Annotated[float, Field(gt=0)]


class NotifySettings(ServiceSettings):
    model_config = SettingsConfigDict(
        env_prefix="NOTIFY_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    referral_url: Annotated[
        str, Field(pattern=r"^https?://", description="Where intake is reached; a notice links there.")
    ] = "http://127.0.0.1:8001"
    public_url: Annotated[
        str,
        Field(
            pattern=r"^https?://",
            description="Where this service is reached; a notice is acknowledged there.",
        ),
    ] = "http://127.0.0.1:8004"
    require_https: Annotated[
        bool, Field(description="Take only https endpoints. On wherever notices leave the host.")
    ] = False
    encryption_keys: Annotated[
        SecretStr | None,
        Field(
            description="`keyid:base64` of 32 bytes, comma separated, the current one first: seals the "
            "secrets of endpoints. Without it they lie in the database as they are."
        ),
    ] = None

    emergency_step_seconds: Annotated[
        Seconds, Field(description="Silence after which the next is called, emergency.")
    ] = 300
    emergency_alarm_seconds: Annotated[
        Seconds, Field(description="An emergency not acknowledged in this time is an alarm.")
    ] = 900
    very_urgent_step_seconds: Annotated[
        Seconds, Field(description="Silence after which the next is called, very urgent.")
    ] = 900
    very_urgent_alarm_seconds: Annotated[
        Seconds, Field(description="A very urgent alert not acknowledged in this time is an alarm.")
    ] = 3600
    review_step_fraction: Annotated[
        float,
        Field(gt=0, le=1, description="Share of a review's time after which the next clinician is asked."),
    ] = 0.25
    review_step_at_least_seconds: Annotated[Seconds, Field(description="But not sooner than this.")] = 900
    overdue_step_seconds: Annotated[
        Seconds,
        Field(description="A review past its time: silence after which the next clinician is called."),
    ] = 900
    overdue_alarm_seconds: Annotated[
        Seconds, Field(description="A call about it not acknowledged in this time is an alarm.")
    ] = 3600

    timeout_seconds: Annotated[
        Seconds, Field(le=60, description="Limit for one delivery, from connecting to the last byte.")
    ] = 10
    concurrency: Annotated[
        int, Field(ge=1, le=1000, description="Ordinary deliveries under way at once.")
    ] = 48
    per_host: Annotated[int, Field(ge=1, le=1000, description="Of these, most to one host.")] = 4
    express_concurrency: Annotated[
        int, Field(ge=1, le=1000, description="Alerts under way at once, beside the ordinary ones.")
    ] = 64
    express_per_host: Annotated[int, Field(ge=1, le=1000, description="Of these, most to one host.")] = 8
    first_pause_seconds: Annotated[
        Seconds, Field(description="Pause after a first failed delivery; doubles each time.")
    ] = 5
    longest_pause_seconds: Annotated[Seconds, Field(description="Longest pause between two tries.")] = 3600
    express_first_pause_seconds: Annotated[Seconds, Field(description="The same for alerts.")] = 2
    express_longest_pause_seconds: Annotated[Seconds, Field(description="The same for alerts.")] = 60
    give_up_after_hours: Annotated[
        Seconds, Field(description="A notice not delivered in this time is announced as failed.")
    ] = 72

    @property
    def clocks(self) -> Clocks:
        return Clocks(
            emergency=_pace(self.emergency_step_seconds, self.emergency_alarm_seconds),
            very_urgent=_pace(self.very_urgent_step_seconds, self.very_urgent_alarm_seconds),
            overdue=_pace(self.overdue_step_seconds, self.overdue_alarm_seconds),
            review_fraction=self.review_step_fraction,
            review_at_least=timedelta(seconds=self.review_step_at_least_seconds),
        )

    def patience(self, lane: Lane) -> Patience:
        express = lane is Lane.EXPRESS
        first = self.express_first_pause_seconds if express else self.first_pause_seconds
        longest = self.express_longest_pause_seconds if express else self.longest_pause_seconds
        return Patience(
            first_pause=timedelta(seconds=first),
            longest_pause=timedelta(seconds=longest),
            give_up_after=timedelta(hours=self.give_up_after_hours),
        )


def _pace(step: float, alarm: float) -> Pace:
    return Pace(timedelta(seconds=step), timedelta(seconds=alarm))
