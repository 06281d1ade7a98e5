"""How one of the four services is run, and when it is ready."""

import http.client
import sys
from collections.abc import Mapping
from pathlib import Path

from careroute.local.child import Spec
from careroute.local.ports import HOST


def spec(name: str, application: str, port: int, environment: Mapping[str, str], project: Path) -> Spec:
    command = (
        *(sys.executable, "-m", "uvicorn", "--factory", application),
        *("--host", HOST, "--port", str(port)),
        *("--log-level", "warning", "--no-access-log"),
        *("--timeout-graceful-shutdown", "10"),  # an open event stream would never end by itself
    )
    return Spec(name=name, command=command, env=environment, cwd=project)


def is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
