"""The 200 therapists of `therapists.csv`: each of one kind of practice, the rest of it by seeded chance."""

from typing import Final
from uuid import UUID, uuid5

from examples.making.chance import Chance
from examples.making.languages import CULTURES, FAITHS, OTHER_LANGUAGES, RARE
from examples.making.places import AREAS_PER_REGION, REGIONS, Region
from examples.making.practices import PRACTICES, Practice

Row = dict[str, str]

NAMESPACE: Final = UUID("6f1d7c1e-5a0b-4f57-9a55-0c0ffee00001")
SEED: Final = 20260302

GIVEN: Final = (
    "Ada Amal Ana Ari Bao Bea Ben Chi Cleo Dara Dev Eli Ema Eva Farah Fay Gil Hana Ida Imani Ines Ivo Jia "
    "Jo Kai Kofi Lea Leo Linh Luz Mara Mei Mila Nadia Nia Noa Ola Omar Pia Quinn Rafa Remy Rosa Sol Tam Tea "
    "Uma Vera Wren Yara Zoe"
)
FAMILY: Final = (
    "Ashbrook Birchwell Cloudmere Dewhollow Elmsworth Fernhollow Glimmerby Hazelwick Inkwater Juniperly "
    "Kettlebeck Larkspurn Mossgrove Nettlecombe Oakenfell Pebblewade Quillmere Rainford Silverthaw "
    "Thistledown Umberfield Vellumstead Willowmarch Yarrowby"
)

PAYERS: Final = {
    "public_plan": 0.80,
    "commons_care": 0.60,
    "harbor_mutual": 0.50,
    "guild_health": 0.40,
    "veterans_fund": 0.30,
    "self_pay": 0.55,
}
"""What share of therapists take each."""

BY_HAND: Final = {
    9: {"perinatal": "true", "payers": "public_plan;guild_health"},
    21: {"genders": "woman", "cultures": "eritrean", "culture_familiarity": "eritrean"},
    76: {
        "genders": "woman",
        "languages": "ar;en",
        "cultures": "arab",
        "faiths": "muslim",
        "payers": "public_plan;commons_care",
    },
    80: {
        "cultures": "deaf",
        "payers": "public_plan;commons_care",
        "telehealth_regions": "otter;willow;salmon;reed",
        "settings": "in_person;telehealth",
    },
    119: {
        "genders": "woman",
        "cultures": "eritrean",
        "payers": "public_plan;self_pay",
        "settings": "in_person;telehealth",
    },
}
"""The few whom a scenario is about, by number: cells that are not left to chance."""

MORNING: Final = [f"{day}-{hour:02d}" for day in ("mon", "tue", "wed", "thu", "fri") for hour in (9, 10, 11)]
AFTERNOON: Final = [
    f"{day}-{hour:02d}" for day in ("mon", "tue", "wed", "thu", "fri") for hour in (13, 14, 15, 16)
]
EVENING: Final = [f"{day}-{hour:02d}" for day in ("mon", "tue", "wed", "thu") for hour in (17, 18, 19)]
SATURDAY: Final = ["sat-09", "sat-10", "sat-11"]


def therapist_id(number: int) -> str:
    """The same number has the same id for ever."""
    return str(uuid5(NAMESPACE, f"therapist-{number:03d}"))


def therapists() -> list[Row]:
    """The rows of `therapists.csv`."""
    places = [(region, n) for region in REGIONS for n in range(region.therapists)]
    rows = [_row(Chance(SEED + number), number, region, n) for number, (region, n) in enumerate(places, 1)]
    return [row | BY_HAND.get(number, {}) for number, row in enumerate(rows, 1)]


def _name(number: int) -> str:
    given, family = GIVEN.split(), FAMILY.split()
    return f"{given[number * 7 % len(given)]} {family[(number * 5 + number // 24) % len(family)]}"


def _row(chance: Chance, number: int, region: Region, place: int) -> Row:
    practice = PRACTICES[place % len(PRACTICES)]
    languages = _languages(chance, number)
    settings = _settings(chance)
    gender = chance.one(["woman"] * 11 + ["man"] * 7 + ["nonbinary"] * 2)
    return {
        "id": therapist_id(number),
        "name": _name(number),
        "region": region.code,
        "area": region.area(chance.between(1, AREAS_PER_REGION)),
        "active": "true",
        "telehealth_regions": _list(_remote(chance, region) if "telehealth" in settings else []),
        "languages": _list(languages),
        "works_with_interpreter": _flag(chance.yes(0.4)),
        "payers": _list(_payers(chance, practice)),
        "modalities": _list(practice.modalities),
        "problems": _list(practice.problems),
        "age_groups": _list(practice.age_groups),
        "perinatal": _flag(practice.perinatal or chance.yes(0.20)),
        "genders": gender,
        **_cultural(chance, languages, practice),
        "settings": _list(settings),
        "hours": _list(_hours(chance)),
        "places_total": str(chance.between(*practice.places)),
    }


def _languages(chance: Chance, number: int) -> list[str]:
    """Nearly all speak English, three in ten Spanish; the rare ones are given out by number."""
    spoken = (["en"] if chance.yes(0.97) else []) + (["es"] if chance.yes(0.30) else [])
    spoken += chance.each(OTHER_LANGUAGES)[:2]
    spoken += [language for language, numbers in RARE.items() if number in numbers]
    return spoken or ["es"]


def _settings(chance: Chance) -> list[str]:
    both = ["in_person", "telehealth"]
    return chance.one((["in_person"], both, both, ["telehealth"], ["in_person"]))


def _remote(chance: Chance, region: Region) -> list[str]:
    others = [other.code for other in REGIONS if other is not region]
    return chance.some(others, chance.between(0, len(others)))


def _payers(chance: Chance, practice: Practice) -> list[str]:
    taken = chance.each({**PAYERS, **practice.payers})
    return taken or ["self_pay"]


def _cultural(chance: Chance, languages: list[str], practice: Practice) -> dict[str, str]:
    """What therapists say of themselves, and with whom they know their way; many say nothing."""
    own = [culture for language in languages for culture in CULTURES.get(language, ()) if chance.yes(0.6)]
    own += chance.each({"black": 0.12, "indigenous": 0.03, "lgbtq": 0.12, "rural": 0.10, "veteran": 0.05})
    familiar = chance.each({"lgbtq": 0.25, "rural": 0.20, "veteran": 0.12, "black": 0.20, "latino": 0.25})
    familiar += [*practice.familiar, *own]
    faith = chance.one(FAITHS) if chance.yes(0.30) else ""
    return {
        "cultures": _list(sorted(set(own))),
        "culture_familiarity": _list(sorted(set(familiar))),
        "faiths": faith,
    }


def _hours(chance: Chance) -> list[str]:
    """Free hours of the week. A third work evenings; some only those."""
    hours = chance.some(MORNING, chance.between(2, 6)) if chance.yes(0.75) else []
    hours += chance.some(AFTERNOON, chance.between(3, 8)) if chance.yes(0.75) else []
    hours += chance.some(EVENING, chance.between(2, 6)) if chance.yes(0.35) or not hours else []
    return hours + (SATURDAY if chance.yes(0.08) else [])


def _list(values: list[str] | tuple[str, ...]) -> str:
    return ";".join(values)


def _flag(true: bool) -> str:
    return "true" if true else "false"
