"""The waitlist by HTTP."""

from datetime import timedelta

from shared.vocabulary import Urgency
from tests.integration.matching.api import Call, codes
from tests.integration.matching.stage import Stage, triaged


async def test_the_waitlist_is_in_order_and_read_page_by_page(stage: Stage, call: Call) -> None:
    old, new = triaged(ago=timedelta(days=3)), triaged()
    urgent = triaged(urgency=Urgency.URGENT)
    await stage.receive(new, old, urgent)
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        path = "/v1/waitlist?limit=1" + (f"&cursor={cursor}" if cursor else "")
        page = (await call("GET", path)).json()
        seen += [one["referral_id"] for one in page["referrals"]]
        cursor = page["next_cursor"]
    assert seen == [str(f.referral_id) for f in (urgent, old, new)]
    assert cursor is None
    assert page["referrals"][0]["reason"] == "to_be_matched"
    for wrong, code in (("cursor", "wrong_cursor"), ("after", "renamed")):
        answer = await call("GET", f"/v1/waitlist?{wrong}=elsewhere")
        assert (answer.status_code, codes(answer)) == (422, [(f"query.{wrong}", code)])
