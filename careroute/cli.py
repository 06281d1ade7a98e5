"""The operator's command line: every command in one screen; the work is in the module of the same name."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from careroute import dead as parked
from careroute import demo as demonstration
from careroute import network, redecide, rekey, replay, reviews, tokens, up
from careroute import rights as kafka_rights
from careroute import roster as rosters
from careroute.checks import reconcile
from careroute.host import databases
from careroute.host import keys as host_keys
from careroute.local.environment import SERVICES
from careroute.local.errors import StackError
from careroute.policy import commands, overrides
from careroute.referral_files import submit
from careroute.watch import follow
from shared.errors import CarerouteError
from shared.web.auth import Role

app = typer.Typer(
    name="careroute",
    help="Mental-health referrals, seen through to a person. Begin with `careroute demo`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 well; 1 something failed or was found, and is named; 2 wrong usage; 130 Ctrl-C.",
)
roster_app = typer.Typer(help="Therapists and their places.", no_args_is_help=True)
dead_app = typer.Typer(help="What was parked because it could not be taken.", no_args_is_help=True)
app.add_typer(roster_app, name="roster")
app.add_typer(dead_app, name="dead")
policy_app = typer.Typer(
    help="The clinical policy: rules, clocks, and what they decide.", no_args_is_help=True
)
app.add_typer(policy_app, name="policy")

out = Console()

Folder = Annotated[
    Path, typer.Option(help="The stack's folder: data, logs, keys.", envvar="CAREROUTE_FOLDER")
]


@app.command("up")
def up_command(folder: Folder = network.DEFAULT_FOLDER) -> None:
    """Start Kafka, Postgres and the four services here, and keep them up until Ctrl-C."""
    up.run(folder, out)


@app.command("demo")
def demo_command(
    keep: Annotated[bool, typer.Option(help="Leave data and logs in ./.careroute/demo.")] = False,
    running: Annotated[
        bool, typer.Option("--running", help="On the network that the environment names; start nothing.")
    ] = False,
) -> None:
    """Route 60 made-up referrals from the clinic's door to a person, then prove that none was lost."""
    if running:
        raise typer.Exit(demonstration.run_on(network.find(), out))
    raise typer.Exit(demonstration.run(out, keep=keep))


@app.command("submit")
def submit_command(
    file: Annotated[Path, typer.Argument(help="JSON, NDJSON or CSV; see examples/.", exists=True)],
    clinic: Annotated[str, typer.Option(help="The clinic that refers.")],
    folder: Folder = network.DEFAULT_FOLDER,
) -> None:
    """Submit referrals. Safe to run twice: each line has an idempotency key."""
    here = network.find(folder)
    raise typer.Exit(submit.run(here, file, here.clinic(clinic), out))


@app.command("watch")
def watch_command(
    referral: Annotated[str | None, typer.Argument(help="One referral's id; all of them without it.")] = None,
    once: Annotated[bool, typer.Option(help="Show the present state and leave.")] = False,
    folder: Folder = network.DEFAULT_FOLDER,
) -> None:
    """Follow referrals as they move."""
    follow.run(network.find(folder), referral, out, once=once)


@app.command("token")
def token_command(
    role: Annotated[Role, typer.Option(help="What the bearer may do.")],
    clinic: Annotated[str | None, typer.Option(help="For the role clinic: which one.")] = None,
    subject: Annotated[str, typer.Option(help="Who: a code, not a name.")] = "operator",
    hours: Annotated[float, typer.Option(help="How long it holds.", min=0.01, max=24 * 366)] = 12,
    folder: Folder = network.DEFAULT_FOLDER,
) -> None:
    """Make a bearer token, signed with the network's key."""
    here = network.find(folder)
    code = here.clinic(clinic) if clinic else None
    token = tokens.sign(here.key, role=role, subject=subject, clinic=code, now=datetime.now(UTC), hours=hours)
    sys.stdout.write(token + "\n")


@roster_app.command("import")
def roster_import(
    file: Annotated[Path, typer.Argument(help="CSV; see examples/therapists.csv.", exists=True)],
    areas: Annotated[Path | None, typer.Option(help="CSV of postal areas and where they are.")] = None,
    folder: Folder = network.DEFAULT_FOLDER,
) -> None:
    """Load or update therapists. Every bad line is named; the good ones are taken."""
    raise typer.Exit(rosters.run(network.find(folder), file, areas, out))


@dead_app.command("list")
def dead_list(folder: Folder = network.DEFAULT_FOLDER) -> None:
    """Everything parked, oldest first. Exit code 1 if there is any."""
    found = asyncio.run(parked.read_all(network.find(folder).kafka_settings()))
    table = Table("id", "reason", "parked at", "bytes")
    for one in found:
        table.add_row(one.id, one.reason, f"{one.parked_at:%F %T}Z", str(len(one.record.value or b"")))
    out.print(table if found else "Nothing is parked.")
    raise typer.Exit(bool(found))


@dead_app.command("show")
def dead_show(id: str, folder: Folder = network.DEFAULT_FOLDER) -> None:
    """One parked message: why, where it stood, its headers and its bytes."""
    (one,) = _chosen(folder, id)
    for name, value in one.record.headers:
        out.print(f"{name}: {value.decode('utf-8', 'backslashreplace')}", markup=False, highlight=False)
    out.print((one.record.value or b"").decode("utf-8", "backslashreplace"), markup=False, highlight=False)


@dead_app.command("replay")
def dead_replay(
    id: Annotated[str, typer.Argument(help="An id of `dead list`, or `all`.")],
    folder: Folder = network.DEFAULT_FOLDER,
) -> None:
    """Send parked messages to their topic again, once what was wrong is mended."""
    count = asyncio.run(parked.replay(network.find(folder).kafka_settings(), _chosen(folder, id)))
    out.print(f"Sent again: {count}.")


@policy_app.command("check")
def policy_check(
    file: Annotated[Path, typer.Argument(help="A policy file; see services/triage/policies/.", exists=True)],
) -> None:
    """Say whether triage would load this policy. Every fault is named; exit code 1 if there is any."""
    raise typer.Exit(commands.check(file, out))


@policy_app.command("explain")
def policy_explain(referral: str, folder: Folder = network.DEFAULT_FOLDER) -> None:
    """Everything triage decided about a referral, with each rule and the datum it fired on."""
    commands.explain(network.find(folder), referral, out)


@policy_app.command("replay")
def policy_replay(
    file: Annotated[Path, typer.Argument(help="The policy that might come into force.", exists=True)],
    since: Annotated[str, typer.Option(help="Referrals changed since this time, or in a span such as 90d.")],
    folder: Folder = network.DEFAULT_FOLDER,
) -> None:
    """Who would have been triaged differently under this policy. Reads only; nothing is decided anew."""
    asyncio.run(commands.replay(network.find(folder), file, _moment(since), out))


@policy_app.command("overrides")
def policy_overrides(
    since: Annotated[str, typer.Option(help="Decisions since this time, or in a span such as 90d.")] = "90d",
    folder: Folder = network.DEFAULT_FOLDER,
) -> None:
    """What clinicians made of each rule: confirmed, raised, lowered, returned, so that a bad rule is seen."""
    overrides.run(network.find(folder), _moment(since), out)


@app.command("reviews")
def reviews_command(folder: Folder = network.DEFAULT_FOLDER) -> None:
    """What waits for a clinician, who has taken what. Exit code 1 if anything is past its time."""
    raise typer.Exit(reviews.run(network.find(folder), out))


@app.command("replay")
def replay_command(
    since: Annotated[str, typer.Option(help="A time such as 2026-11-23T17:00Z or a span such as 90m.")],
    service: Annotated[
        list[str] | None, typer.Option(help=f"Only these: {', '.join(SERVICES)}. All without it.")
    ] = None,
    wait: Annotated[
        float, typer.Option(help="Seconds to see it through: until everybody has acted on everything.")
    ] = 120,
    folder: Folder = network.DEFAULT_FOLDER,
) -> None:
    """Send again from Postgres what was said since a time, for a Kafka that lost it. Nobody acts twice."""
    chosen = tuple(service or SERVICES)
    if unknown := set(chosen) - set(SERVICES):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: the services are {', '.join(SERVICES)}.")
    found = network.find(folder)
    for name, count in asyncio.run(replay.replay(found, chosen, _moment(since))).items():
        out.print(f"{name}: {count} facts are sent again")
    if wait:
        missing = asyncio.run(replay.until_acted_on(found, seconds=wait))
        out.print(
            f"{missing} facts have not been acted on" if missing else "Everybody has acted on everything."
        )
        raise typer.Exit(bool(missing))


@app.command("keys")
def keys_command(
    out: Annotated[Path, typer.Option(help="One folder for each container is made in it.")],
    postgres: Annotated[str, typer.Option(help="host:port of Postgres.")] = "postgres:5432",
    kafka: Annotated[str, typer.Option(help="The host name that Kafka's certificate is for.")] = "kafka",
) -> None:
    """Make keys, passwords and certificates that are missing; what is there stays."""
    host_keys.make(out, postgres=postgres, kafka_name=kafka)


@app.command("databases")
def databases_command(
    keys: Annotated[Path, typer.Option(help="The folder that `careroute keys` has made.", exists=True)],
    postgres: Annotated[str, typer.Option(help="host:port of Postgres.")] = "postgres:5432",
) -> None:
    """Make each service's role and database, closed to the others, and run the migrations."""
    admin = host_keys.admin_url(keys, postgres=postgres)
    ran = asyncio.run(databases.prepare(admin, host_keys.read(keys / "operator")))
    out.print(f"Databases are ready; migrations run now: {', '.join(ran) or 'none'}.", highlight=False)


@app.command("rights")
def rights_command(
    show: Annotated[bool, typer.Option("--show", help="Only list them; give none.")] = False,
    folder: Folder = network.DEFAULT_FOLDER,
) -> None:
    """Give each service's user on Kafka the rights it needs, as a superuser of it. Safe to run twice."""
    if show:
        table = Table("user", "may", "what", "name")
        for one in sorted(set(kafka_rights.rights())):
            table.add_row(one.user, one.operation.name.lower(), one.resource.name.lower(), one.name)
        out.print(table)
        return
    count = asyncio.run(kafka_rights.give(network.find(folder).kafka_settings()))
    out.print(f"Rights on Kafka are given: {count}.", highlight=False)


@app.command("rekey")
def rekey_command(folder: Folder = network.DEFAULT_FOLDER) -> None:
    """Seal who the clients are under the first of INTAKE_ENCRYPTION_KEYS. Safe to stop and to run twice."""
    count = asyncio.run(rekey.run(network.find(folder), out))
    out.print(f"Sealed again under the newest key: {count} referrals.")


@app.command("redecide")
def redecide_command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count who would be raised.")] = False,
    per_second: Annotated[
        float, typer.Option(help="At most this many are raised a second: each may call somebody.", min=0.01)
    ] = 1.0,
    everyone: Annotated[
        bool, typer.Option("--all", help="Also those that the present rules have been asked about.")
    ] = False,
    folder: Folder = network.DEFAULT_FOLDER,
) -> None:
    """After an upgrade or a new policy: decide all open referrals again by the present rules, and only raise.
    Those raised are called about, at a pace. Safe to stop and to run twice; triage must be running."""
    found = network.find(folder)
    work = redecide.run(found, out, per_second=per_second, dry_run=dry_run, everyone=everyone)
    raise typer.Exit(asyncio.run(work))


@app.command("reconcile")
def reconcile_command(
    grace: Annotated[float, typer.Option(help="Seconds that a fact may be on its way.")] = 60,
    folder: Folder = network.DEFAULT_FOLDER,
) -> None:
    """Check the promises against the databases; exit code 1 if anything is lost, doubled or unanswered."""
    raise typer.Exit(reconcile.run(network.find(folder), out, grace_seconds=grace))


def _chosen(folder: Path, id: str) -> list[parked.Parked]:
    found = asyncio.run(parked.read_all(network.find(folder).kafka_settings()))
    chosen = [one for one in found if id in ("all", one.id)]
    if not chosen and id != "all":
        raise StackError(f"Nothing is parked under {id}; `careroute dead list` shows what is.")
    return chosen


def _moment(text: str) -> datetime:
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    if text[-1:] in units and text[:-1].isdigit():
        return datetime.now(UTC) - timedelta(**{units[text[-1]]: int(text[:-1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("give a time such as 2026-11-23T17:00Z or a span such as 90m") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def main() -> NoReturn:
    """Known errors are a sentence, not a traceback."""
    try:
        app()
        sys.exit(0)
    except (StackError, CarerouteError) as error:
        Console(stderr=True).print(f"careroute: {error}", style="red", markup=False, highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
