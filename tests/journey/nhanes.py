"""Real answer sheets as referrals: NHANES 2015-2016 (CDC/NCHS, public use), read where they lie."""

import csv
from pathlib import Path
from typing import Any

from shared.ids import now
from tests.journey.town import phq9, referral

SHEETS = Path(__file__).parents[3] / "shared" / "data" / "nhanes" / "phq9_2015_2016.csv"
ITEMS = [f"DPQ0{n}0" for n in range(1, 10)]
MEANING: dict[str, Any] = {"": None, "7": "refused", "9": "unknown"}

Row = dict[str, str]


def rows() -> list[Row]:
    with SHEETS.open() as file:
        return list(csv.DictReader(file))


def answer(raw: str) -> Any:
    raw = raw.removesuffix(".0")
    return MEANING.get(raw, int(raw) if raw.isdigit() and raw not in MEANING else None)


def answers(row: Row) -> tuple[Any, ...]:
    return tuple(answer(row[item]) for item in ITEMS)


def age(row: Row) -> int:
    return int(float(row["RIDAGEYR"]))


def is_spanish(row: Row) -> bool:
    return row["SIALANG"].startswith("2")


def line(row: Row) -> dict[str, Any]:
    """One line of a batch: a routine referral for depression with this sheet, filled in yesterday."""
    language = "es" if is_spanish(row) else "en"
    body = referral(screenings=[phq9(*answers(row), language=language)])
    body["client"] |= {
        "name": f"Respondent {row['SEQN']}",
        "birth_date": f"{now().year - age(row)}-01-01",
        "languages": [language],
        "sex": "male" if row["RIAGENDR"].startswith("1") else "female",
    }
    return body | {"idempotency_key": f"nhanes-{row['SEQN']}"}
