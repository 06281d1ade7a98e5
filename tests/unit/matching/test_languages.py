"""Language tags against ISO 639 (`iso639-lang`, an independent list) and the IANA registry."""

from collections import defaultdict
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iso639 import Lang, iter_langs
from langcodes.registry_parser import parse_registry

from services.matching.domain.client_needs import client_of
from services.matching.domain.eligibility import Reason, reasons
from services.matching.domain.eligibility_columns import eligible
from services.matching.domain.profiles import Wish
from services.matching.domain.roster_columns import Roster
from services.matching.domain.therapist_entry import therapist_of
from services.matching.incoming_events import needs_of
from shared.languages import LONGEST, Language, canonical, language, spoken
from tests.integration.matching.stage import entry, triaged
from tests.unit.matching.samples import CLIENT, THERAPIST

ISO: Final[list[Lang]] = [one for one in iter_langs() if one.pt3]
REGISTRY: Final = list(parse_registry())  # type: ignore[no-untyped-call]  # has no annotations
NEWER: Final = ("san",)
"""Macrolanguages that the registry of `langcodes` does not have as such yet."""
NO_LANGUAGE: Final = ("mis", "mul", "und", "zxx")
ONE_BY_CLDR: Final = [{"cnr", "srp"}, {"fil", "tgl"}, {"pes", "prs"}, {"suj", "xsj"}, {"swc", "swh"}]
"""Codes of ISO 639 that CLDR calls one language."""


def codes(one: Lang) -> list[str]:
    return [code for code in (one.pt1, one.pt2t, one.pt2b, one.pt3) if code]


def records(kind: str) -> list[dict[str, str]]:
    return [record for record in REGISTRY if record["Type"] == kind]


def test_two_and_three_letter_codes_of_a_language_are_one() -> None:
    for one in ISO:
        expected = canonical(codes(one)[0])
        assert {canonical(code) for code in codes(one)} == {expected}, one
        if one.pt1 or one.pt2b:
            assert (expected is None) == (one.pt3 in NO_LANGUAGE), one
        if one.pt1:
            assert expected == one.pt1, one


def test_two_languages_of_iso_639_are_one_only_where_cldr_says_so() -> None:
    same = defaultdict(set)
    for one in ISO:
        if not one.individuals() and (key := spoken(one.pt3)):
            same[key].add(one.pt3)
    assert sorted(sorted(each) for each in same.values() if len(each) > 1) == sorted(map(sorted, ONE_BY_CLDR))


def test_a_macrolanguage_is_compared_with_itself_and_one_of_its_own_members_at_most() -> None:
    for group in (one for one in ISO if one.individuals() and one.pt3 not in NEWER):
        found = language(group.pt3)
        assert found is not None and found.is_group, group.pt3
        members = {one.pt3 for one in group.individuals()}
        same = {one.pt3 for one in ISO if spoken(one.pt3) == found.spoken and not one.individuals()}
        if found.spoken in codes(group):
            assert same <= members and len(same) <= (2 if group.pt3 in ("fas", "swa") else 1), group.pt3


def test_an_extended_language_is_the_language_itself() -> None:
    for record in records("extlang"):
        code = record["Subtag"]
        prefix = record["Prefix"][0]
        assert canonical(f"{prefix}-{code}") == canonical(code)
        assert canonical(f"{prefix}_{code}_us".upper()) == f"{canonical(code)}-US"
        assert canonical(f"en-{code}") is None, "stands after a language it is no part of"


def test_a_preferred_value_of_the_registry_takes_the_place_of_the_old_one() -> None:
    old = [each for each in REGISTRY if each["Type"] in ("language", "redundant", "grandfathered")]
    replaced = {each.get("Subtag") or each["Tag"]: each.get("Preferred-Value") for each in old}
    wrong = {c: new for c, new in replaced.items() if new and canonical(c) != canonical(new) is not None}
    assert wrong == {} and sum(map(bool, replaced.values())) > 100


def test_what_is_registered_and_not_deprecated_stays_what_it_is() -> None:
    for record in records("language"):
        code, special = record["Subtag"], record.get("Scope") in ("special", "private-use")
        if "Deprecated" not in record:
            assert canonical(code) == (None if special else code)


@pytest.mark.parametrize(
    ("text", "tag", "compared"),
    [
        ("spa", "es", "es"),
        ("ger", "de", "de"),
        ("per", "fa", "fa"),
        ("pes", "pes", "fa"),
        ("cmn", "cmn", "zh"),
        ("zh-cmn-Hans-CN", "cmn-Hans-CN", "zh"),
        ("zho_Hant_TW", "zh-Hant-TW", "zh"),
        ("zh-yue", "yue", "yue"),
        ("zho-yue", "yue", "yue"),
        ("zh-min-nan", "nan", "nan"),
        ("iw", "he", "he"),
        ("in", "id", "id"),
        ("mol", "ro", "ro"),
        ("sh", "sh", "sr"),
        ("hbs", "sh", "sr"),
        ("scr", "hr", "hr"),
        ("nor", "no", "no"),
        ("twi", "tw", "tw"),
        ("sgn-US", "ase", "ase"),
        ("sgn-GB", "bfi", "bfi"),
        ("sgn-BE-FR", "sfb", "sfb"),
        ("sgn-AU", "sgn-AU", "sgn-AU"),
        ("sgn-NZ", "sgn-NZ", "sgn-NZ"),
        ("EN", "en", "en"),
        ("es_MX", "es-MX", "es"),
        (" Es ", "es", "es"),
        ("es-419", "es-419", "es"),
        ("ca-valencia", "ca-valencia", "ca"),
        ("de-1996", "de-1996", "de"),
        ("es-u-co-trad", "es", "es"),
        ("es-x-home", "es", "es"),
        ("Spanish", "es", "es"),
        ("haitian creole", "ht", "ht"),
        ("American Sign Language", "ase", "ase"),
    ],
)
def test_a_tag(text: str, tag: str, compared: str) -> None:
    found = language(text)
    assert found is not None and (found.tag, found.spoken) == (tag, compared)


@pytest.mark.parametrize(
    "text",
    [
        *NO_LANGUAGE,
        *("qaa", "qtz", "qaa-US", "xyz", "jp", "i-default", "zh-min", "x-home", "root", "en-yue", "es-mex"),
        *(
            "",
            " ",
            "-",
            "e",
            "es-",
            "-es",
            "es--MX",
            "es MX",
            "espanol",
            "Mandarin",
            "es;en",
            "ſpa",
            "es\x00",
        ),
        "a" * (LONGEST + 1),
        "es" + "-aaaaa" * 30,
    ],
)
def test_what_names_no_language(text: str) -> None:
    assert language(text) is None


@pytest.mark.parametrize(
    "text", ["zh", "zho", "ar", "ku", "kur", "fa", "qu", "no", "sh", "sgn", "myn", "ber"]
)
def test_a_code_of_several_languages(text: str) -> None:
    found = language(text)
    assert found is not None and found.is_group


@pytest.mark.parametrize("text", ["es", "yue", "cmn", "pes", "prs", "kmr", "ckb", "ase", "sgn-US", "sgn-AU"])
def test_a_code_of_one_language(text: str) -> None:
    found = language(text)
    assert found is not None and not found.is_group


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *[("yue", "cmn"), ("yue", "zh"), ("zh-yue", "zh-cmn"), ("nan", "zh"), ("kmr", "ckb"), ("ku", "ckb")],
        *[("ase", "en"), ("bfi", "en"), ("ase", "bfi"), ("sgn-AU", "sgn-NZ"), ("sgn-AU", "en-AU")],
        *[("emk", "mnk"), ("tw", "fat"), ("hr", "sr"), ("arz", "ar"), ("se", "sv"), ("ltg", "lv")],
    ],
)
def test_two_languages(one: str, other: str) -> None:
    assert None not in (spoken(one), spoken(other)) and spoken(one) != spoken(other)


SOME: Final = sorted(
    {code for one in ISO if one.pt1 for code in codes(one)}
    | {"yue", "cmn", "kmr", "ckb", "ase", "bfi", "pes", "prs", "zh-yue", "sgn-us", "iw", "in", "xyz", "zxx"}
)
TAGS: Final = st.builds(
    lambda code, rest, shout: f"{code}{rest}".upper() if shout else f"{code}{rest}",
    st.sampled_from(SOME),
    st.sampled_from(["", "", "-US", "_mx", "-Latn", "-hant-tw", "-419"]),
    st.booleans(),
)


@given(TAGS | st.text(max_size=12))
def test_a_canonical_tag_is_its_own_canonical_form(tag: str) -> None:
    found = language(tag)
    if found is not None:
        again = language(found.tag)
        assert again is not None and again == Language(found.tag, found.spoken, again.is_group)
        assert again.is_group == found.is_group
        assert language(f" {tag.upper()} ") == found or not tag.isascii()


@given(st.lists(TAGS, max_size=4), st.lists(TAGS, max_size=4), st.lists(TAGS, max_size=2), st.booleans())
def test_both_sides_are_read_alike_one_by_one_and_over_columns(
    client: list[str], therapist: list[str], wish: list[str], must: bool
) -> None:
    """What was stored or sent in any form, by whatever version."""
    wishes = (Wish("language", tuple(wish), must),) if wish else ()
    needs = replace(needs_of(triaged()), languages=tuple(client), wishes=wishes)
    stored = replace(entry().stated(), languages=tuple(therapist))
    them = client_of(CLIENT.id, "north", needs, (), {})
    other = therapist_of(THERAPIST.id, stored, version=1, places_taken=0, areas={})
    found = reasons(them, other)
    asked, offered = ({spoken(tag) for tag in tags} - {None} for tags in (client, therapist))
    assert (Reason.LANGUAGE in found) == bool(asked and not asked & offered)
    wanted = {spoken(tag) for tag in wish} - {None}
    assert (Reason.MUST_LANGUAGE in found) == bool(must and wanted and not wanted & offered)
    assert (len(eligible(them, Roster([other]))) == 1) == (not found)
