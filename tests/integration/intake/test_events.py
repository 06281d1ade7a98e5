"""A referral is followed as server-sent events, over a real connection."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.intake.api.request_examples import MINIMAL
from shared.web.auth import Role
from tests.integration.intake.support import Intake, bearer, intake_on, served
from tests.integration.intake.test_facts import proposed, triaged
from tests.support import NewDatabase, eventually


@pytest.fixture
async def intake(database: NewDatabase) -> AsyncIterator[Intake]:
    async with intake_on(await database("intake")) as intake:
        yield intake


class Stream:
    """What came over one connection, event by event."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()

    async def next(self) -> tuple[str, str | None, dict[str, Any]]:
        fields: dict[str, str] = {}
        async with asyncio.timeout(10):
            async for line in self._lines:
                if line and not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif "event" in fields:
                    return fields["event"], fields.get("id"), json.loads(fields["data"])
                else:
                    fields = {}
        raise EOFError

    async def heartbeat(self) -> None:
        async with asyncio.timeout(10):
            async for line in self._lines:
                if line.startswith(":"):
                    return

    async def until(self, name: str) -> list[str]:
        names: list[str] = []
        while not names or names[-1] != name:
            names.append((await self.next())[0])
        return names


async def test_what_is_known_then_what_is_new_and_at_the_end_the_end(intake: Intake) -> None:
    taken = await intake.submit(MINIMAL)
    path = f"/v1/referrals/{taken['id']}"
    async with (
        served(intake.app) as address,
        httpx.AsyncClient(base_url=address, headers=bearer()) as http,
        http.stream("GET", f"{path}/events") as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        stream = Stream(response)
        assert (await stream.next())[0] == "ReferralSubmitted"
        assert (await stream.next())[2]["state"] == "received"
        await intake.hear(triaged(taken))
        name, number, data = await stream.next()
        assert (name, data["reasons"][0]["rule"]) == ("ReferralTriaged", "item9")
        assert number and (await stream.next())[2]["state"] == "triaged"
        await intake.call("POST", f"{path}/withdrawal", {"reason": "duplicate"})
        assert await stream.until("end") == ["ReferralWithdrawn", "state", "end"]
        with pytest.raises(EOFError):
            await stream.next()

        async with http.stream("GET", f"{path}/events", headers={"Last-Event-ID": number}) as response:
            assert await Stream(response).until("end") == ["ReferralWithdrawn", "state", "end"]


async def test_whoever_waits_hears_that_it_is_alive_and_holds_no_connection(intake: Intake) -> None:
    taken = await intake.submit(MINIMAL)
    path = f"/v1/referrals/{taken['id']}/events"
    async with served(intake.app) as address, httpx.AsyncClient(base_url=address, headers=bearer()) as http:
        async with http.stream("GET", path) as one, http.stream("GET", path) as other:
            streams = [Stream(one), Stream(other)]
            for stream in streams:
                await stream.until("state")

            async def idle() -> bool:
                return intake.pool.get_idle_size() == intake.pool.get_size()

            await eventually(idle, what="every connection being back in the pool")
            for stream in streams:
                await stream.heartbeat()
            await intake.hear(proposed(taken))
            for stream in streams:
                assert (await stream.next())[0] == "MatchProposed"

        async def gone() -> bool:
            return not intake.app.state.context.watch._listeners

        await eventually(gone, what="noticing that the readers have gone")


async def test_one_stream_too_many_is_asked_to_come_back(database: NewDatabase) -> None:
    async with intake_on(await database("intake"), max_streams=1) as intake:
        taken = await intake.submit(MINIMAL)
        path = f"/v1/referrals/{taken['id']}/events"
        async with (
            served(intake.app) as address,
            httpx.AsyncClient(base_url=address, headers=bearer()) as http,
            http.stream("GET", path) as first,
        ):
            await Stream(first).until("state")
            answer = await http.get(path)
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")


async def test_a_stream_ends_in_time_and_is_taken_up_again(database: NewDatabase) -> None:
    async with intake_on(await database("intake"), stream_seconds=0.3) as intake:
        taken = await intake.submit(MINIMAL)
        async with served(intake.app) as address, httpx.AsyncClient(base_url=address) as http:
            answer = await http.get(f"/v1/referrals/{taken['id']}/events", headers=bearer(Role.OPS))
        assert "event: ReferralSubmitted" in answer.text and "event: end" not in answer.text


async def test_a_place_to_go_on_from_that_is_none_is_refused(intake: Intake) -> None:
    taken = await intake.submit(MINIMAL)
    for wrong in ("x", "-1", "9" * 40):
        answer = await intake.call("GET", f"/v1/referrals/{taken['id']}/events", Last_Event_ID=wrong)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["where"] == "header.Last-Event-ID"
