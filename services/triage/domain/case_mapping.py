"""What the rules, and matching, need of a case as it came from intake."""

from services.triage.domain import substance_use
from services.triage.domain.chart import Chart, Sheet
from shared.events import Case, Needs
from shared.instruments import Circumstances, read
from shared.vocabulary import UNKNOWN_PROBLEM


def needs_of(case: Case) -> Needs:
    """The part of a case that matching may know. A problem that nobody knows is no therapist's specialism."""
    known = tuple(problem for problem in case.problems if problem != UNKNOWN_PROBLEM)
    return Needs(**{name: getattr(case, name) for name in Needs.model_fields} | {"problems": known})


def chart_of(case: Case) -> Chart:
    """The part of a case that the rules ask about, its answer sheets read."""
    return Chart(
        age=case.age,
        sex=case.sex,
        perinatal=case.perinatal,
        guardian=case.guardian,
        requested_priority=case.requested_priority,
        problems=frozenset(case.problems),
        diagnoses=frozenset(case.diagnoses),
        red_flags=frozenset(case.red_flags),
        sheets=tuple(
            Sheet(
                s.taken_on,
                read(
                    s.instrument,
                    s.answers,
                    stated_total=s.stated_total,
                    circumstances=Circumstances(taken_on=s.taken_on, as_of=case.as_of, age=case.age),
                ),
            )
            for s in case.screenings
        ),
        past_attempt=case.past_attempt,
        external_levels=frozenset(case.external_levels),
        treatments_without_benefit=sum(past.helped is False for past in case.past_treatments),
        shares_with_network=case.consent.share_with_network,
        read_notes=case.read_notes,
        problems_withheld=_problems_withheld(case),
        not_understood=case.not_understood,
    )


def _problems_withheld(case: Case) -> bool:
    """Matching would have nothing to match on."""
    withheld = bool(case.problems) and substance_use.PROBLEMS.issuperset(case.problems)
    return withheld and not case.consent.share_substance_use
