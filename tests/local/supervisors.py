"""Programs that start children, run as processes of their own, to be ended in every way there is.

Each prints one JSON line when all is up and then sleeps: `python -m tests.local.supervisors NAME FOLDER`.
"""

import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import psutil

from careroute.local import Stack, child, unwinding_on_signals
from careroute.local.child import Spec
from careroute.local.postgres_home import account
from careroute.local.processes import Processes

DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(600)
"""


def sleeper(name: str, folder: Path, *, deaf: bool = False, as_nobody: bool = False) -> Spec:
    command = (sys.executable, "-c", DEAF) if deaf else ("sleep", "600")
    return Spec(
        name=name,
        command=command,
        env=dict(os.environ),
        cwd=Path(os.sep) if as_nobody else folder,
        account=account() if as_nobody else None,
        stop_seconds=0.5 if deaf else 20,
    )


def plain(folder: Path) -> NoReturn:
    children = Processes(folder)
    with unwinding_on_signals():
        try:
            children.start(sleeper("easy", folder))
            children.start(sleeper("deaf", folder, deaf=True))
            children.wait({"deaf": lambda: "up" in (folder / "logs" / "deaf.log").read_text()}, 10)
            children.start(sleeper("other-user", folder, as_nobody=True))
            _report([children.pid(name) for name in children.names()])
        finally:
            children.stop(*children.names())


def stack(folder: Path) -> NoReturn:
    """Postgres, Kafka and four stand-ins for the services."""
    with unwinding_on_signals(), Stack(folder, application="tests.local.stand_in:create_app") as running:
        running.start_infrastructure()
        running.start_services()
        _report(
            [running.processes.pid(name) for name in running.processes.names()], running.settings.databases
        )


def database(folder: Path) -> NoReturn:
    with Stack(folder, environ={"KAFKA_BOOTSTRAP_SERVERS": "elsewhere:9092"}) as running:
        running.start_infrastructure()
        _report([running.processes.pid("postgres")], running.settings.databases)


def unguarded_database(folder: Path) -> NoReturn:
    """As on a system whose kernel does not end the children of a killed parent."""
    setattr(child, "_die_with_parent", lambda _: None)  # noqa: B010 - private on purpose
    database(folder)


def _report(pids: list[int], urls: object = None) -> NoReturn:
    family = [member.pid for pid in pids for member in psutil.Process(pid).children(recursive=True)]
    print(json.dumps({"pids": [*pids, *family], "urls": urls}), flush=True)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it would be ignored
    with suppress(KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        globals()[sys.argv[1]](Path(sys.argv[2]))
