"""What the sender's word for urgency means: one of the network's own levels, or nothing that anybody knows.

Two closed lists and one open question. A word of the lists means what it says there, whatever its case,
spaces and punctuation. In a longer text the most urgent words count by themselves, unless something beside
them says that they may be about something else. Every other text is not understood, and a person reads it as
soon as if it said `urgent`. Nothing becomes slower than asked, and nothing becomes routine by a guess.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from shared.vocabulary import Priority

EXPRESS: Final = frozenset({Priority.STAT, Priority.ASAP})

MISSING: Final = frozenset({"", "unknown", "none", "null", "n a", "not given", "not stated"})
"""Says that nothing is said. It stays unknown, as where the field is left out."""

# Sources: FHIR R4 request-priority; HL7 v3 ActPriority (emergency, urgent, asap, elective, routine); levels
# of this network (shared/vocabulary.py, Urgency). A line marked "own rule" is this network's reading of a
# word of the field. Status of all lines but FHIR's four: to be confirmed by a clinician.
_WORDS: Final[Mapping[Priority, tuple[str, ...]]] = {
    Priority.STAT: (
        "stat",  # FHIR
        "emergency",  # level of this network; HL7 v3 ActPriority EM
        "emergent",  # triage scales (ESI level 2, CTAS level 2); own rule: as emergency
        "crisis", "immediate", "immediately", "immediate response",  # own rule
        "right now", "at once", "life threatening",  # own rule
        "911", "999", "112",  # emergency numbers: US and Canada, UK, EU; own rule
        "emergencia", "emergencias", "inmediato", "inmediata", "inmediatamente",  # Spanish; own rule
        "de inmediato", "ya mismo", "ahora mismo",  # Spanish; own rule
    ),
    Priority.ASAP: (
        "asap", "as soon as possible",  # FHIR
        "very urgent",  # level of this network
        "extremely urgent", "most urgent", "top priority", "highest",  # own rule
        "highest priority", "cannot wait", "can not wait", "can t wait", "same hour",  # own rule
        "muy urgente", "lo antes posible", "cuanto antes", "no puede esperar",  # Spanish; own rule
    ),
    Priority.URGENT: (
        "urgent",  # FHIR; level of this network
        "urgently", "same day", "today", "within 24 hours",  # own rule
        "urgente", "urgentemente", "hoy", "hoy mismo",  # Spanish; own rule
    ),
    Priority.ROUTINE: (
        "routine",  # FHIR; level of this network
        "preventive", "preventative",  # level of this network; FHIR has none that is later than routine
        "elective",  # HL7 v3 ActPriority EL
        "non urgent", "nonurgent", "not urgent", "no urgency",  # own rule
        "normal", "low", "low priority", "normal priority", "routine priority", "standard",  # own rule
        "rutina", "rutinario", "rutinaria", "de rutina", "no urgente", "preventivo", "preventiva",  # Spanish
        "electivo", "electiva", "baja", "prioridad baja",  # Spanish; own rule
    ),
    # A level of this network for which FHIR has no word: unknown is answered as `soon`, and reviewed.
    Priority.UNKNOWN: ("soon", "pronto"),
}  # fmt: skip

# In a text with one of these beside it, an urgent word may say the contrary or be about something else ("not
# an emergency", "emergency contact", "crisis resolved"). Own rule, to be confirmed by a clinician.
_ASIDE: Final = frozenset(
    {
        *("not", "no", "non", "none", "never", "without", "isn", "isnt", "aren", "wasn", "cannot", "less"),
        *("below", "instead", "unless", "if", "contact", "contacts", "phone", "number", "department", "dept"),
        *("room", "ed", "er", "visit", "visits", "plan", "planning", "line", "team", "house"),
        *("resolved", "past", "post", "previous", "previously", "former", "history", "historic", "after"),
        *("follow", "followup", "since", "prior", "discharge", "discharged", "stable", "over", "ended"),
        *("stabilized", "stabilised"),
        *("sin", "nunca", "ningun", "ninguna", "contacto", "anterior", "previa", "previo", "resuelta"),
        *("pasada", "antes", "despues", "menos"),
    }
)

_CLAUSE: Final = re.compile(r"[,.;:!?()/\n|]+|\s[-\u2013\u2014]+\s|[\u2013\u2014]")


@dataclass(frozen=True, slots=True)
class Meaning:
    """`understood` is False for a text that is on no list; then `priority` is unknown. `plain`: it is FHIR's
    own word, so nothing need be said about it. `given` is False where nothing was said."""

    priority: Priority
    understood: bool = True
    plain: bool = False
    given: bool = True


NOT_GIVEN: Final = Meaning(Priority.UNKNOWN, given=False)
NOT_UNDERSTOOD: Final = Meaning(Priority.UNKNOWN, understood=False)


def meaning(said: str | None, own: Mapping[str, Priority]) -> Meaning:
    """`own` are the network's words; they come first."""
    words = _spoken(said or "")
    for word, priority in own.items():
        if words and words == _spoken(word):
            return Meaning(priority, plain=words == priority.value)
    if words in MISSING:
        return NOT_GIVEN
    if (listed := _LISTED.get(words.replace(" ", ""))) is not None:
        return Meaning(listed, plain=words == listed.value)
    found = _most_urgent(said or "", own)
    return Meaning(found) if found else NOT_UNDERSTOOD


def _most_urgent(said: str, own: Mapping[str, Priority]) -> Priority | None:
    """What the clauses of a longer text ask for that is sooner than a review of the text itself."""
    found = {priority for clause in _CLAUSE.split(said) for priority in _loud(clause, own)}
    return next((priority for priority in (Priority.STAT, Priority.ASAP) if priority in found), None)


def _loud(clause: str, own: Mapping[str, Priority]) -> Iterator[Priority]:
    text = f" {_spoken(clause)} "
    for priority in (Priority.ASAP, Priority.STAT):
        mine = (word for word, means in own.items() if means is priority)
        for word in (*_WORDS[priority], *mine):
            rest = text.replace(f" {_spoken(word)} ", "  ")
            if rest != text and _ASIDE.isdisjoint(rest.split()):
                yield priority


def _spoken(text: str) -> str:
    """Words in lower case with one space between them, without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = (each if each.isalnum() else " " for each in plain if not unicodedata.combining(each))
    return " ".join("".join(letters).split())


_LISTED: Final = {
    _spoken(word).replace(" ", ""): priority for priority, words in _WORDS.items() for word in words
}
