"""Celery as its documentation would have it for short tasks that must not be lost.

Acknowledged late and put back when a worker process dies; no results kept; prefetched by the dozen, because
the tasks are short. A worker that is killed outright leaves what it had prefetched unacknowledged, and Redis
gives that out again after the visibility timeout: an hour by default, a minute here, so retries may pause no
longer than that.
"""

import os

from celery import Celery

app = Celery("peer", broker=os.environ["PEER_BROKER_URL"], include=["benchmarks.peers.tasks"])
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=int(os.environ.get("PEER_PREFETCH", "16")),
    broker_transport_options={"visibility_timeout": 60},
    broker_connection_retry_on_startup=True,
)
