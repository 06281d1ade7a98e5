"""`docker compose` on one project of the engine, as an operator calls it."""

import json
import os
import shlex
import subprocess
import time
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

from careroute.local.environment import SERVICES
from careroute.local.ports import free_port
from careroute.network import Network

ROOT: Final = Path(__file__).parents[2]
INSIDE: Final = Path(__file__).parent / "inside"
PATIENCE: Final = 300


class Failed(AssertionError):
    """A command did not end with 0; its output is in the text."""


@dataclass
class Host:
    """One compose project: `files` beside docker-compose.yml, `settings` as an operator's .env would say."""

    project: str
    folder: Path
    files: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    image: str = "careroute:test"

    def __post_init__(self) -> None:
        taken: list[int] = []
        for name in (*SERVICES, "prometheus", "grafana"):
            taken.append(free_port(taken))
            self.settings[f"{name.upper()}_PORT"] = str(taken[-1])
        self.settings |= {"LOG_LEVEL": "INFO", "NOTIFY_EXPRESS_FIRST_PAUSE_SECONDS": "0.5"}

    def compose(self, *arguments: str, seconds: float = PATIENCE, stdin: str | None = None) -> str:
        """What it printed on standard output. Raises `Failed` for anything but success."""
        answer = self.try_compose(*arguments, seconds=seconds, stdin=stdin)
        if answer.returncode:
            raise Failed(f"docker compose {shlex.join(arguments)}\n{answer.stdout}\n{answer.stderr}")
        return answer.stdout

    def try_compose(
        self, *arguments: str, seconds: float = PATIENCE, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *arguments],
            cwd=ROOT,
            env=self.environment,
            input=stdin or "",
            text=True,
            capture_output=True,
            timeout=seconds,
        )

    @property
    def command(self) -> list[str]:
        """How compose is called for this host."""
        program = shlex.split(os.environ.get("CAREROUTE_COMPOSE", "docker compose"))
        files = [part for file in ("docker-compose.yml", *self.files) for part in ("--file", file)]
        return [*program, "--project-name", self.project, *files]

    @property
    def environment(self) -> dict[str, str]:
        return dict(os.environ) | self.settings | {"CAREROUTE_IMAGE": self.image} | _PROJECT_ALONE

    def build(self) -> None:
        self.compose("build", "--quiet", "intake", seconds=900)

    def up(self, *options: str) -> None:
        said = self.try_compose("up", "--wait", "--no-build", "--wait-timeout", "240", *options)
        # Compose has been seen to end with 0 when a step had failed.
        sick = [one["Name"] for one in self.containers() if not _is_well(one)]
        if said.returncode or sick:
            raise Failed(f"{sick} are not well\n{said.stderr}\n{self.compose('logs', '--tail', '20')}")

    def remove(self) -> None:
        """Containers and volumes."""
        self.compose("--profile", "*", "down", "--volumes", "--timeout", "10", "--remove-orphans")

    def containers(self, *services: str) -> list[dict[str, Any]]:
        """Those of the services, or all; also those that have ended."""
        lines = self.compose("ps", "--all", "--format", "json", *services).splitlines()
        return [json.loads(line) for line in lines if line.strip()]

    def careroute(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The operator's command line."""
        return self.try_compose("run", "--rm", "--no-deps", "-T", "careroute", *arguments)

    def run_inside(self, script: str, service: str, **told: str) -> Any:
        """The JSON that a script of `inside/` prints, in the container of a service or of the operator."""
        text = (INSIDE / f"{script}.py").read_text()
        said = [part for name, value in told.items() for part in ("--env", f"{name}={value}")]
        if service in SERVICES:
            command = ("exec", "-T", *said, service, "python", "-")
        else:
            command = ("run", "--rm", "--no-deps", "-T", *said, "--entrypoint", "python", service, "-")
        return json.loads(self.compose(*command, stdin=text))

    def read(self, path: str) -> str:
        """A file that the operator's container sees."""
        return self.compose("run", "--rm", "--no-deps", "-T", "--entrypoint", "cat", "careroute", path)

    def restart(self, container: str, *, seconds: float = 90) -> None:
        """Stops and starts one, and waits until it is healthy."""
        engine("restart", "--time", "45", container)
        until = time.monotonic() + seconds
        while engine("inspect", "--format", "{{.State.Health.Status}}", container).strip() != "healthy":
            if time.monotonic() > until:
                raise Failed(f"{container} is not healthy {seconds:g} s after its restart")
            time.sleep(0.3)

    def address_of_this_machine(self) -> str:
        """As containers reach it: on the engine's own bridge, which stays when a project's networks go."""
        found = json.loads(engine("network", "inspect", "bridge"))
        config = found[0]["IPAM"]["Config"][0]
        return str(config.get("Gateway") or next(ip_network(config["Subnet"]).hosts()))

    def network(self) -> Network:
        """The APIs as a caller on this machine reaches them, with the operator's signing key."""
        key = self.folder / "signing-key.json"
        key.write_text(self.read("/run/secrets/keys/signing-key.json"))
        ports = {service: self.settings[f"{service.upper()}_PORT"] for service in SERVICES}
        return Network({name: f"http://127.0.0.1:{port}" for name, port in ports.items()}, {}, key)

    def complaints(self) -> str:
        """What the services logged as errors."""
        lines = self.try_compose("logs", "--no-color", *SERVICES, "databases", "keys").stdout.splitlines()
        return "\n".join([line for line in lines if '"error"' in line or '"critical"' in line][-30:])


def _is_well(container: dict[str, Any]) -> bool:
    """Healthy; or a step that has done its part."""
    return container["Health"] == "healthy" or (container["State"], container["ExitCode"]) == ("exited", 0)


def engine(*arguments: str, seconds: float = PATIENCE) -> str:
    """`docker` itself."""
    answer = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=seconds)
    if answer.returncode:
        raise Failed(f"docker {shlex.join(arguments)}\n{answer.stderr}")
    return answer.stdout


_PROJECT_ALONE: Final = {"COMPOSE_FILE": "", "COMPOSE_PROFILES": ""}
