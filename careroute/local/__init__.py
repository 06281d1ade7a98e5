"""The local stack: embedded Kafka, Postgres and the four services, as child processes of one supervisor."""

from careroute.local.environment import SERVICES, Running, running
from careroute.local.errors import ChildEnded, StackError
from careroute.local.signals import unwinding_on_signals
from careroute.local.stack import FIXED_PORTS, Stack

__all__ = [
    "FIXED_PORTS",
    "SERVICES",
    "ChildEnded",
    "Running",
    "Stack",
    "StackError",
    "running",
    "unwinding_on_signals",
]
