"""What holds for every chart: worse never lowers, order does not matter, nothing is passed over."""

import random
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.triage.domain.chart import EVERYTHING, Chart, Sheet, Stated
from services.triage.domain.pathway import what_care
from services.triage.domain.policy import LEVELS, Policy
from services.triage.domain.urgency import Before, Verdict, settle
from services.triage.policy.checks import POLICIES, load
from shared.clinical import DIAGNOSES
from shared.instruments import INSTRUMENTS, SAFETY_INSTRUMENTS, Answer, Circumstances, read
from shared.vocabulary import EXPRESS_RED_FLAGS, EXTERNAL_LEVELS, PROBLEMS, RED_FLAGS, Priority, Sex, Urgency
from tests.unit.triage.samples import ASKED_AT, CHART, DAY, decided, rank

RawSheet = tuple[str, tuple[Answer, ...], date]


@st.composite
def raw_sheets(draw: st.DrawFn) -> RawSheet:
    key = draw(st.sampled_from(sorted(INSTRUMENTS)))
    answers: tuple[Answer, ...] = tuple(
        draw(st.one_of(st.integers(item.low, item.high), st.sampled_from([None, "refused", "unknown"])))
        for item in INSTRUMENTS[key].items
    )
    return key, answers, DAY - timedelta(days=draw(st.integers(-3, 60)))


def to_sheet(raw: RawSheet, age: int | None = None) -> Sheet:
    """As of one day, so that some are out of date, of one person, so that some are for another age."""
    key, answers, taken_on = raw
    circumstances = Circumstances(taken_on=taken_on, as_of=DAY, age=age)
    return Sheet(taken_on, read(key, answers, circumstances=circumstances))


def sometimes(codes: frozenset[str] | set[str], most: int = 3) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(sorted(codes)), max_size=most)


EXAMPLES = {example for signal in DIAGNOSES.signals.values() for example in signal.examples}

CHARTS = st.builds(
    Chart,
    age=st.one_of(st.none(), st.integers(0, 100)),
    sex=st.sampled_from(Sex),
    perinatal=st.sampled_from([None, True, False]),
    guardian=st.sampled_from(["present", "absent", "not_needed"]),
    requested_priority=st.sampled_from(Priority),
    problems=sometimes(PROBLEMS | {"a_new_problem"}),
    diagnoses=sometimes({"F32.1", "F31.0", *EXAMPLES, "T39.1X1A", "X61", "Y87.0"}, 2),
    red_flags=sometimes(RED_FLAGS | {"a_new_flag"}, 2),
    past_attempt=st.sampled_from([None, True, False]),
    treatments_without_benefit=st.integers(0, 4),
    external_levels=sometimes(EXTERNAL_LEVELS, 2),
    shares_with_network=st.booleans(),
    problems_withheld=st.booleans(),
)
SHIPPED = st.sampled_from(
    [
        load(POLICIES / f"{name}.toml", who_diagnosis_codes=who)
        for name in ("network-default", "uk-response-times", "us-access-standards")
        for who in (False, True)
    ]
)


def with_sheets(chart: Chart, raw: list[RawSheet]) -> Chart:
    return replace(chart, sheets=tuple(to_sheet(one, chart.age) for one in raw))


def shown(urgency: Urgency) -> int:
    """Preventive has to be earned by knowing everything, so it counts as routine where less was known."""
    return rank(Urgency.ROUTINE if urgency is Urgency.PREVENTIVE else urgency)


def safety_known(raw: list[RawSheet]) -> bool:
    return any(one[0] in SAFETY_INSTRUMENTS and to_sheet(one).reading.current for one in raw)


@given(SHIPPED, CHARTS, st.lists(raw_sheets(), max_size=3), st.data())
def test_a_worse_answer_never_lowers(
    policy: Policy, chart: Chart, raw: list[RawSheet], data: st.DataObject
) -> None:
    """0 to 1 to 2 to 3; and an open safety answer counts as positive until it is answered with zero."""
    places = [
        (s, i)
        for s, (key, answers, _) in enumerate(raw)
        for i, answer in enumerate(answers)
        if INSTRUMENTS[key].items[i].low < INSTRUMENTS[key].items[i].high
        if not isinstance(answer, int)
        or INSTRUMENTS[key].items[i].score(answer) < INSTRUMENTS[key].items[i].high
    ]
    if not places:
        return
    s, i = data.draw(st.sampled_from(places))
    key, answers, day = raw[s]
    item = INSTRUMENTS[key].items[i]
    now = answers[i]
    if isinstance(now, int):
        score = data.draw(st.integers(item.score(now) + 1, item.high))
    else:
        score = data.draw(st.integers(1 if item.safety or item.asked_if else item.low, item.high))
    worse = (*answers[:i], item.score(score), *answers[i + 1 :])
    before = decided(with_sheets(chart, raw), policy=policy)
    after = decided(with_sheets(chart, [*raw[:s], (key, worse, day), *raw[s + 1 :]]), policy=policy)
    assert shown(after.urgency) >= shown(before.urgency)


@given(SHIPPED, CHARTS, st.lists(raw_sheets(), max_size=2), raw_sheets())
def test_one_more_sheet_never_lowers(
    policy: Policy, chart: Chart, raw: list[RawSheet], another: RawSheet
) -> None:
    """Once a safety question was asked; the first one to ask it may end that doubt."""
    if safety_known(raw):
        before = decided(with_sheets(chart, raw), policy=policy)
        after = decided(with_sheets(chart, [*raw, another]), policy=policy)
        assert shown(after.urgency) >= shown(before.urgency)


@given(
    SHIPPED,
    CHARTS,
    st.lists(raw_sheets(), max_size=2),
    sometimes(RED_FLAGS | {"a_new_flag"}),
    sometimes(PROBLEMS),
    sometimes({"F31.0", *EXAMPLES, "T39.1X1A", "X61", "Y87.0"}),
)
def test_a_flag_a_problem_or_a_diagnosis_more_never_lowers(
    policy: Policy,
    chart: Chart,
    raw: list[RawSheet],
    flags: frozenset[str],
    problems: frozenset[str],
    diagnoses: frozenset[str],
) -> None:
    less = with_sheets(chart, raw)
    more = replace(
        less,
        red_flags=less.red_flags | flags,
        problems=less.problems | problems,
        diagnoses=less.diagnoses | diagnoses,
    )
    before, after = decided(less, policy=policy), decided(more, policy=policy)
    assert shown(after.urgency) >= shown(before.urgency)
    if flags - less.red_flags:
        assert len(after.findings) > len([f for f in before.findings if f.rule != "routine"])
    level = LEVELS.index(what_care(less, policy, before.urgency).level_of_care)
    assert LEVELS.index(what_care(more, policy, after.urgency).level_of_care) >= level


@given(SHIPPED, CHARTS, st.lists(raw_sheets(), max_size=3), st.randoms())
def test_order_does_not_matter_and_asked_twice_is_answered_alike(
    policy: Policy, chart: Chart, raw: list[RawSheet], chance: random.Random
) -> None:
    shuffled = list(raw)
    chance.shuffle(shuffled)
    one, other = with_sheets(chart, raw), with_sheets(chart, shuffled)
    assert decided(one, policy=policy) == decided(other, policy=policy)
    urgency = decided(one, policy=policy).urgency
    assert what_care(one, policy, urgency) == what_care(other, policy, urgency)


@given(SHIPPED, CHARTS, st.lists(raw_sheets(), max_size=3))
def test_every_chart_has_an_answer_with_a_reason_and_a_deadline(
    policy: Policy, chart: Chart, raw: list[RawSheet]
) -> None:
    verdict = decided(with_sheets(chart, raw), policy=policy)
    assert verdict.findings
    assert all(finding.text and finding.datum for finding in verdict.findings)
    assert ASKED_AT < verdict.respond_by == ASKED_AT + policy.clocks[verdict.urgency]
    assert (verdict.review_by is None) == (not verdict.reviews)
    assert verdict.reviews or not verdict.holds
    pathway = what_care(chart, policy, verdict.urgency)
    assert "therapist" in pathway.team
    assert all(rule.problem in chart.problems for rule in pathway.indications)


@given(SHIPPED, CHARTS, st.lists(raw_sheets(), max_size=3))
def test_a_positive_or_open_safety_item_is_never_diluted(
    policy: Policy, chart: Chart, raw: list[RawSheet]
) -> None:
    """Each fired or open safety item means a day at most and a person, whatever surrounds it."""
    verdict: Verdict = decided(with_sheets(chart, raw), policy=policy)
    open_or_positive = [
        reading for reading in (to_sheet(r).reading for r in raw) if reading.fired or reading.not_assessed
    ]
    if open_or_positive:
        assert rank(verdict.urgency) >= rank(Urgency.URGENT)
        assert verdict.reviews


@given(
    SHIPPED,
    CHARTS,
    st.lists(raw_sheets(), max_size=2),
    st.sampled_from(list(Urgency)),
    st.integers(-100, 900),
)
def test_asked_again_never_lowers(
    policy: Policy, chart: Chart, raw: list[RawSheet], urgency: Urgency, hours: int
) -> None:
    before = Before(urgency=urgency, respond_by=ASKED_AT + timedelta(hours=hours))
    verdict = decided(with_sheets(chart, raw), before, policy=policy)
    assert rank(verdict.urgency) >= rank(urgency)
    assert shown(verdict.urgency) >= shown(decided(with_sheets(chart, raw), policy=policy).urgency)
    if before.respond_by > ASKED_AT:
        assert verdict.respond_by <= before.respond_by


CATEGORIES = st.sampled_from([*(f"T{number}" for number in range(36, 66)), "T71"])
ANY = st.sampled_from("0123456789ABX")
SEVENTH = st.sampled_from(["A", "D", "S", ""])
BY_INTENT = {
    "2": {"": "very_urgent", "A": "very_urgent", "D": "urgent", "S": "soon"},
    "4": {"": "urgent", "A": "urgent", "D": "urgent", "S": "soon"},
}


@st.composite
def codes_with_intent(draw: st.DrawFn, intents: str) -> tuple[str, str, str]:
    """A code of a poisoning, a toxic effect or an asphyxiation, its intent and its encounter."""
    category, fourth, seventh = draw(CATEGORIES), draw(ANY), draw(SEVENTH)
    intent = draw(st.sampled_from(intents))
    fifth_and_sixth = f"{intent}X" if draw(st.booleans()) else f"{draw(ANY)}{intent}"
    return f"{category}.{fourth}{fifth_and_sixth}{seventh}", intent, seventh


@given(SHIPPED, codes_with_intent("24"), CHARTS, st.lists(raw_sheets(), max_size=2))
def test_an_intent_of_self_harm_or_an_undetermined_one_is_answered_by_the_table_whatever_else(
    policy: Policy, coded: tuple[str, str, str], chart: Chart, raw: list[RawSheet]
) -> None:
    code, intent, seventh = coded
    alone = decided(replace(CHART, diagnoses=frozenset({code})), policy=policy)
    assert alone.urgency == BY_INTENT[intent][seventh]
    assert alone.reviews
    among = with_sheets(replace(chart, diagnoses=chart.diagnoses | {code}), raw)
    verdict = decided(among, policy=policy)
    assert rank(verdict.urgency) >= rank(alone.urgency) and verdict.reviews


@given(SHIPPED, codes_with_intent("1356"))
def test_another_intent_asks_for_nothing(policy: Policy, coded: tuple[str, str, str]) -> None:
    verdict = decided(replace(CHART, diagnoses=frozenset({coded[0]})), policy=policy)
    assert (verdict.urgency, verdict.reviews) == (Urgency.ROUTINE, ())


@given(SHIPPED, st.sampled_from(sorted(DIAGNOSES.signals)), st.data())
def test_every_signal_is_answered_as_its_file_says(policy: Policy, signal: str, data: st.DataObject) -> None:
    code = data.draw(st.sampled_from(DIAGNOSES.signals[signal].examples))
    verdict = decided(replace(CHART, diagnoses=frozenset({code})), policy=policy)
    assert rank(verdict.urgency) >= rank(DIAGNOSES.signals[signal].level) and verdict.reviews


PARTS = st.frozensets(st.sampled_from(sorted(EVERYTHING.parts)))
STATED = st.builds(Stated, PARTS, st.integers(0, 3))


@given(SHIPPED, CHARTS, st.lists(raw_sheets(), max_size=3), STATED, st.sampled_from(list(Urgency)))
def test_what_is_stated_again_never_lowers_and_wins_no_time(
    policy: Policy, chart: Chart, raw: list[RawSheet], stated: Stated, urgency: Urgency
) -> None:
    """Whatever was settled before, and more that is stated never asks for less."""
    whole = with_sheets(chart, raw)
    settled = settle(decided(whole, policy=policy).findings)
    before = Before(
        urgency=urgency, respond_by=ASKED_AT + timedelta(hours=1), by_clinician=True, settled=settled
    )
    silent = decided(whole, before, policy=policy)
    said = decided(whole, before, policy=policy, stated=stated)
    everything = decided(whole, before, policy=policy, stated=EVERYTHING)
    assert silent.urgency == urgency and silent.restates is None and not silent.restated
    assert rank(everything.urgency) >= rank(said.urgency) >= rank(urgency)
    assert set(silent.reviews) <= set(said.reviews) <= set(everything.reviews)
    assert said.respond_by <= before.respond_by
    if said.restates:
        assert rank(said.urgency) >= rank(said.restates)
        assert everything.restates and rank(everything.restates) >= rank(said.restates)


@given(SHIPPED, CHARTS, st.lists(raw_sheets(), max_size=3))
def test_settled_safety_findings_that_are_stated_again_are_always_reviewed(
    policy: Policy, chart: Chart, raw: list[RawSheet]
) -> None:
    """Each flag by itself, and the sheets by themselves; what is not stated stays settled."""
    whole = with_sheets(chart, raw)
    before = Before(
        urgency=Urgency.ROUTINE,
        respond_by=ASKED_AT - timedelta(days=1),
        by_clinician=True,
        settled=settle(decided(whole, policy=policy).findings),
    )
    if flags := whole.red_flags & EXPRESS_RED_FLAGS:
        verdict = decided(whole, before, policy=policy, stated=Stated(frozenset({"red_flags"})))
        assert {f"red_flag={flag}" for flag in flags} <= {f.datum for f in verdict.restated}
        assert {finding.datum.split("=")[0] for finding in verdict.restated} == {"red_flag"}
        assert verdict.restates and rank(verdict.urgency) >= rank(verdict.restates) >= rank(Urgency.URGENT)
        assert verdict.review_by
    if any(sheet.reading.fired for sheet in whole.sheets):
        verdict = decided(whole, before, policy=policy, stated=Stated(frozenset(), sheets=len(raw)))
        assert verdict.restated and rank(verdict.urgency) >= rank(Urgency.URGENT)


@given(SHIPPED, CHARTS, st.lists(raw_sheets(), max_size=3), st.sampled_from(sorted(EVERYTHING.parts)))
def test_a_part_that_is_empty_states_nothing(
    policy: Policy, chart: Chart, raw: list[RawSheet], part: str
) -> None:
    """Somebody who takes a list away, or sends it empty, has stated none of the rest."""
    empty = replace(
        with_sheets(chart, raw), **{part: getattr(Chart(requested_priority=Priority.ROUTINE), part)}
    )
    verdict = decided(empty, policy=policy, stated=Stated(frozenset({part})))
    assert verdict.restates is None and not verdict.restated
