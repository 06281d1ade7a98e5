"""Apache Kafka's jars, fetched by Maven once into the ignored `.cache/`, and the Java that runs them."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from careroute.local.errors import StackError

_POM = Path(__file__).with_name("pom.xml")
_CACHE = Path(__file__).parents[2] / ".cache"
_OLDEST_JAVA = 17


def version() -> str:
    """Of Apache Kafka, as the pom pins it."""
    found = ElementTree.parse(_POM).findtext("{*}properties/{*}kafka.version")
    assert found
    return found


def java() -> str:
    """The program to run; Kafka's servers need Java 17 or newer."""
    advice = f"Install Java {_OLDEST_JAVA} (Debian: openjdk-17-jre-headless) or point JAVA_HOME at one."
    home = os.environ.get("JAVA_HOME")
    program = shutil.which("java", path=f"{home}/bin" if home else None)
    if program is None:
        raise StackError(f"Apache Kafka needs Java {_OLDEST_JAVA} or newer and none was found. {advice}")
    told = subprocess.run([program, "-version"], capture_output=True, text=True).stderr
    major = re.search(r'version "(?:1\.)?(\d+)', told)
    if major is None or int(major[1]) < _OLDEST_JAVA:
        raise StackError(f"Apache Kafka needs Java {_OLDEST_JAVA} or newer; {program} is older. {advice}")
    return program


def libraries() -> Path:
    """The folder of the jars, which is there when this returns."""
    folder = _CACHE / f"kafka-{version()}"
    if not _complete(folder):
        _fetch(folder)
    return folder


def _complete(folder: Path) -> bool:
    """The pom comes last, and is the one they were fetched by."""
    pom = folder / _POM.name
    return pom.is_file() and pom.read_bytes() == _POM.read_bytes()


def _fetch(folder: Path) -> None:
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".kafka-") as name:
        fetched = Path(name) / "jars"
        _run_maven(fetched)
        shutil.copy(_POM, fetched)
        if not _complete(folder):  # another run may have been faster
            shutil.rmtree(folder, ignore_errors=True)
            fetched.rename(folder)


def _run_maven(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise StackError(
            f"Apache Kafka {version()} comes through Maven and 'mvn' was not found: install Maven."
        )
    java()  # Maven needs one too, and says less clearly so
    command = (
        *(maven, "--batch-mode", "--quiet", "--strict-checksums", "-Dstyle.color=never"),
        *("--file", str(_POM), "dependency:copy-dependencies", "-DincludeScope=runtime"),
        f"-DoutputDirectory={folder}",
    )
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900)
    except subprocess.TimeoutExpired:
        raise StackError(f"Maven did not fetch Apache Kafka {version()} within 15 minutes.") from None
    if done.returncode != 0:
        why = next((line for line in done.stdout.splitlines() if "ERROR" in line), done.stderr.strip())
        raise StackError(f"Maven could not fetch Apache Kafka {version()}: {why.removeprefix('[ERROR] ')}")
