"""Run in a service's container: who it is, what it can write, which secrets it sees. Prints JSON."""

import json
import os
from pathlib import Path

SECRET = ("_DATABASE_URL", "_ENCRYPTION_KEYS", "_PASSWORD")


def writable(folder: str) -> bool:
    try:
        (Path(folder) / "probe").write_text("x")
    except OSError:
        return False
    return True


print(
    json.dumps(
        {
            "uid": os.getuid(),
            "writable": [folder for folder in ("/", "/app", "/run/secrets") if writable(folder)],
            "files": sorted(path.name for path in Path("/run/secrets").iterdir()),
            "told": sorted(name for name, value in os.environ.items() if value and name.endswith(SECRET)),
        }
    )
)
