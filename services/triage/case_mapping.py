"""From a case, as it came from intake, to what triage decides on and to what matching and the network may
know of it."""

from services.triage.domain import substance_use
from services.triage.domain.chart import EVERYTHING, NOTHING, Chart, Charts, Sheet, Stated
from services.triage.domain.rules_decision import Reported, Withdrawn
from shared.events import (
    Case,
    IntakeFact,
    Needs,
    PastTreatment,
    ReferralAmended,
    ReferralSubmitted,
    ReferralWithdrawn,
    Screening,
    ScreeningRecorded,
    Wish,
)
from shared.instruments import Circumstances, read
from shared.vocabulary import UNKNOWN_PROBLEM, Criterion

CaseFact = ReferralSubmitted | ReferralAmended | ScreeningRecorded


def change_of(event: IntakeFact) -> Reported | Withdrawn | None:
    """None for an event that triage does not act on."""
    match event:
        case ReferralSubmitted() | ReferralAmended() | ScreeningRecorded():
            return Reported(
                revision=event.revision,
                region=event.region,
                clinic=event.clinic,
                express=event.express,
                asked_at=event.occurred_at,
                charts=charts_of(event.case),
                stated=_stated(event),
                insists="express" in event.stated.parts if event.stated else False,
            )
        case ReferralWithdrawn():
            return Withdrawn(
                revision=event.revision,
                region=event.region,
                clinic=event.clinic,
                express=event.express,
                reason=event.reason,
            )
    return None


def _stated(event: CaseFact) -> Stated:
    """A writer of before `stated` shows only by its submissions what a request states."""
    if isinstance(event, ReferralSubmitted):
        return EVERYTHING
    if event.stated is None:
        return NOTHING
    return Stated(frozenset(event.stated.parts) & EVERYTHING.parts, sheets=event.stated.sheets)


def needs_of(case: Case) -> Needs:
    """The part of a case that matching may know. A problem that nobody knows is no therapist's specialism."""
    known = tuple(problem for problem in case.problems if problem != UNKNOWN_PROBLEM)
    return Needs(**{name: getattr(case, name) for name in Needs.model_fields} | {"problems": known})


def charts_of(case: Case) -> Charts:
    part = shareable_part(case)
    return Charts(whole=chart_of(case), shareable=None if part == case else chart_of(part))


def chart_of(case: Case) -> Chart:
    """The part of a case that the rules read, its answer sheets scored."""
    return Chart(
        age=case.age,
        sex=case.sex,
        perinatal=case.perinatal,
        guardian=case.guardian,
        requested_priority=case.requested_priority,
        problems=frozenset(case.problems),
        diagnoses=frozenset(case.diagnoses),
        red_flags=frozenset(case.red_flags),
        sheets=tuple(_sheet(screening, case) for screening in case.screenings),
        past_attempt=case.past_attempt,
        external_levels=frozenset(case.external_levels),
        treatments_without_benefit=sum(past.helped is False for past in case.past_treatments),
        shares_with_network=case.consent.share_with_network,
        read_notes=case.read_notes,
        problems_withheld=_problems_withheld(case),
        not_understood=case.not_understood,
    )


def _sheet(screening: Screening, case: Case) -> Sheet:
    reading = read(
        screening.instrument,
        screening.answers,
        stated_total=screening.stated_total,
        circumstances=Circumstances(taken_on=screening.taken_on, as_of=case.as_of, age=case.age),
    )
    return Sheet(screening.taken_on, reading)


def _problems_withheld(case: Case) -> bool:
    """Matching would have nothing to match on."""
    withheld = bool(case.problems) and substance_use.PROBLEMS.issuperset(case.problems)
    return withheld and not case.consent.share_substance_use


def shareable_part(case: Case) -> Case:
    """The case as far as the network may know it; the same one where nothing has to be withheld."""
    if case.consent.share_substance_use:
        return case
    return case.model_copy(
        update={
            "problems": tuple(p for p in case.problems if p not in substance_use.PROBLEMS),
            "diagnoses": tuple(d for d in case.diagnoses if not d.startswith(substance_use.DIAGNOSES)),
            "red_flags": tuple(f for f in case.red_flags if f not in substance_use.RED_FLAGS),
            "goals": tuple(g for g in case.goals if g not in substance_use.GOALS),
            "screenings": tuple(filter(_sheet_is_shareable, case.screenings)),
            "past_treatments": tuple(filter(_treatment_is_shareable, case.past_treatments)),
            "wishes": tuple(wish for each in case.wishes for wish in _wish(each)),
        }
    )


def _sheet_is_shareable(sheet: Screening) -> bool:
    return sheet.instrument not in substance_use.INSTRUMENTS


def _treatment_is_shareable(treatment: PastTreatment) -> bool:
    return treatment.modality not in substance_use.MODALITIES


def _wish(wish: Wish) -> tuple[Wish, ...]:
    """Without the modalities that would reveal it; nothing is left of a wish for only these."""
    if wish.criterion != Criterion.MODALITY:
        return (wish,)
    values = tuple(value for value in wish.values if value not in substance_use.MODALITIES)
    return (wish.model_copy(update={"values": values}),) if values else ()
