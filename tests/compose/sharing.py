"""Who of a consumer group has how many partitions."""

import time

from tests.compose.host import Host


def of(host: Host, group: str, *, tries: int = 10) -> dict[str, int]:
    """By member, once the group has settled."""
    shares: dict[str, int] = {}
    for _ in range(tries):
        state, shares = host.run_inside("who_shares", "careroute", GROUP=group)
        if state == "Stable":
            break
        time.sleep(1)
    return shares
