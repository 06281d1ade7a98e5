"""A signed webhook, over connections that each worker process keeps open."""

import hashlib
import hmac
import json
import time
from functools import cache

import httpx

from benchmarks.peers.models import Notice, Recipient


@cache
def _client() -> httpx.Client:
    return httpx.Client(timeout=10)


def post(notice: Notice, recipient: Recipient, *, attempt: int) -> None:
    """Raises whatever keeps it from being taken."""
    respond_by = notice.respond_by.isoformat() if notice.respond_by else None
    said = {
        "delivery_id": str(notice.id),
        "notice_id": str(notice.id),
        "type": "notice",
        "about": notice.about,
        "referral_id": str(notice.referral_id),
        "urgency": notice.urgency,
        "title": notice.title,
        "text": notice.text,
        "respond_by": respond_by,
        "occurred_at": notice.created_at.isoformat(),
        "link": f"http://127.0.0.1:8001/v1/referrals/{notice.referral_id}",
        "acknowledge_url": None,
        "attempt": attempt,
    }
    body = json.dumps(said, separators=(",", ":")).encode()
    at = str(int(time.time()))
    mac = hmac.new(recipient.secret.encode(), at.encode() + b"." + body, hashlib.sha256)
    headers = {
        "Content-Type": "application/json",
        "Timestamp": at,
        "Signature": f"v1={mac.hexdigest()}",
    }
    _client().post(recipient.url, content=body, headers=headers).raise_for_status()
