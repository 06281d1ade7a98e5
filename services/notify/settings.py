"""`NOTIFY_*`: the clocks of alerts, and how notices are delivered."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from services.notify.domain.ladder import Clocks, Pace
from services.notify.domain.retry import RetryPolicy
from shared.settings import ServiceSettings
from shared.vocabulary import Lane

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

    step_share: Annotated[
        float,
        Field(
            gt=0,
            le=0.6,
            description="Emergency and very urgent: share of the time left to respond after which the next "
            "person is called. To be confirmed by a clinician.",
        ),
    ] = 0.3
    patient_step_share: Annotated[
        float,
        Field(gt=0, le=0.6, description="The same for what is less urgent. To be confirmed by a clinician."),
    ] = 0.25
    alarm_share: Annotated[
        float,
        Field(
            gt=0,
            lt=1,
            description="Share of the time left to respond after which an alert not acknowledged is an "
            "alarm. To be confirmed by a clinician.",
        ),
    ] = 0.8
    step_at_least_seconds: Annotated[
        Seconds,
        Field(
            description="A step is never shorter, and the alarm never sooner than two of it: for deadlines "
            "that are near or past."
        ),
    ] = 60
    emergency_step_at_most_seconds: Annotated[
        Seconds, Field(description="A step is never longer, emergency.")
    ] = 300
    emergency_alarm_at_most_seconds: Annotated[
        Seconds, Field(description="The alarm is never later, emergency.")
    ] = 900
    very_urgent_step_at_most_seconds: Annotated[
        Seconds, Field(description="A step is never longer, very urgent.")
    ] = 900
    very_urgent_alarm_at_most_seconds: Annotated[
        Seconds, Field(description="The alarm is never later, very urgent.")
    ] = 3600
    step_at_most_seconds: Annotated[
        Seconds, Field(description="A step is never longer, whatever the urgency.")
    ] = 14_400
    overdue_step_seconds: Annotated[
        Seconds,
        Field(
            description="A review past its time that is neither emergency nor very urgent: silence after "
            "which the next clinician is called."
        ),
    ] = 900
    overdue_alarm_seconds: Annotated[
        Seconds, Field(description="A call about it not acknowledged in this time is an alarm.")
    ] = 3600
    emergency_outcome_seconds: Annotated[
        Seconds,
        Field(
            description="An acknowledged emergency without a recorded outcome is called again after this "
            "time. To be confirmed by a clinician."
        ),
    ] = 1800
    very_urgent_outcome_seconds: Annotated[
        Seconds,
        Field(
            description="The same for very urgent; never before its response time is over. To be confirmed "
            "by a clinician."
        ),
    ] = 14_400

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
        Seconds, Field(description="A notice not delivered in this time is published as failed.")
    ] = 72

    @property
    def clocks(self) -> Clocks:
        return Clocks(
            step_share=self.step_share,
            patient_step_share=self.patient_step_share,
            alarm_share=self.alarm_share,
            step_at_least=timedelta(seconds=self.step_at_least_seconds),
            emergency=_pace(self.emergency_step_at_most_seconds, self.emergency_alarm_at_most_seconds),
            very_urgent=_pace(self.very_urgent_step_at_most_seconds, self.very_urgent_alarm_at_most_seconds),
            longest_step=timedelta(seconds=self.step_at_most_seconds),
            overdue=_pace(self.overdue_step_seconds, self.overdue_alarm_seconds),
            outcome_emergency=timedelta(seconds=self.emergency_outcome_seconds),
            outcome_very_urgent=timedelta(seconds=self.very_urgent_outcome_seconds),
        )

    def retry_policy(self, lane: Lane) -> RetryPolicy:
        express = lane is Lane.EXPRESS
        first = self.express_first_pause_seconds if express else self.first_pause_seconds
        longest = self.express_longest_pause_seconds if express else self.longest_pause_seconds
        return RetryPolicy(
            first_pause=timedelta(seconds=first),
            longest_pause=timedelta(seconds=longest),
            give_up_after=timedelta(hours=self.give_up_after_hours),
        )


def _pace(step: float, alarm: float) -> Pace:
    return Pace(timedelta(seconds=step), timedelta(seconds=alarm))
