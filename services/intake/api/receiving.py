"""From a body to what is taken of it.

A code that nobody knows is set aside, and the rest is taken. Anything else that cannot be read refuses the
whole, unless something on it cannot wait: then it is taken as far as it can be read, and a person reads the
rest.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from pydantic import Field, ValidationError

from services.intake.api.code_spellings import Codes
from services.intake.api.fields import FlagCode
from services.intake.api.form_mapping import languages_of
from services.intake.api.parsing import MOST_FAULTS, lenient, problem_of, read_object, refused, sheet_of
from services.intake.api.requests import Form, ReferralForm, ScreeningForm, ScreeningsForm
from services.intake.api.rules import Rules
from services.intake.api.salvage import NO_NAME, Merge, Salvage, attempt
from services.intake.api.spelling import plain_name
from services.intake.domain.acceptance import PRIORITY, Filled, Verdict
from services.intake.domain.screening_notes import Note
from services.intake.domain.unread import CUT, DEEPEST, Path, Unread, parts, storable
from shared.vocabulary import NETWORK_ROTA
from shared.web.problems import Problem

F = TypeVar("F", bound=Form)
R = TypeVar("R", bound=ReferralForm)
Judge = Callable[[F], Verdict]

MOST_PARTS: Final = 50
LARGE: Final = 200_000
"""Of a form with more characters, if it cannot be read at once, only what cannot wait is read."""
SIGNALS: Final = frozenset(
    map(plain_name, ("red_flags", "screenings", "express", "requested_priority", "diagnoses"))
)
"""Fields that can say that something cannot wait."""
LEAST: Final = SIGNALS | set(map(plain_name, ("client", "consent", "idempotency_key")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Received(Generic[F]):
    """`said` is what was sent, as far as it was plainly meant, `unread` what the form does not hold of it.
    `read_again` are the parts that nobody understood although the form holds them. `notes` say what was read
    as something else, and `sheets` where the answer sheets of the form stood, if some were set aside."""

    form: F
    verdict: Verdict
    said: Mapping[str, Any]
    unread: tuple[Unread, ...] = ()
    notes: tuple[Note, ...] = ()
    sheets: tuple[int, ...] = ()
    read_again: tuple[str, ...] = ()

    def told(self, verdict: Verdict) -> Verdict:
        """With every warning there is, each at its place in what was sent."""
        said = [each.note for each in self.unread if each.note]
        if len(said) > MOST_FAULTS:
            what = f"{len(said) - MOST_FAULTS} more could not be read. A clinician looks at them."
            said = [*said[:MOST_FAULTS], Note("/", what, "not_understood")]
        judged = (_placed(note, self.sheets) for note in verdict.warnings)
        return dataclasses.replace(
            verdict,
            warnings=(*said, *self.notes, *judged),
            not_understood=(*parts(self.unread), *self.read_again),
        )


class ManySheets(ScreeningsForm):
    """Answer sheets of which some were set aside, and what cannot wait beside them."""

    screenings: tuple[ScreeningForm, ...] = Field(default=(), max_length=20)
    red_flags: tuple[FlagCode, ...] = Field(default=(), max_length=50)
    express: bool = False


def receive(model: type[R], body: bytes, *, rules: Rules, now: datetime) -> Received[R]:
    """Raises `Problem` 400 for what is not JSON and 422 for what is not taken."""
    return _receive(model, body, lambda form: rules.verdict(form, now=now), rules=rules, now=now)


def receive_sheets(body: bytes, *, rules: Rules, now: datetime) -> Received[ScreeningsForm]:
    """Raises `Problem` as `receive` does. The verdict is about the sheets alone."""

    def judge(form: ScreeningsForm) -> Verdict:
        return rules.verdict_of(filled_with(form), now=now)

    return _receive(ScreeningsForm, body, judge, rules=rules, now=now)


def filled_with(form: ScreeningsForm, *, age: int | None = None) -> Filled:
    return Filled(
        age=age,
        sheets=tuple(sheet_of(sheet) for sheet in form.screenings),
        red_flags=flags_beside(form),
        languages=tuple(languages_of(form.screenings)),
        cannot_wait=insists(form),
    )


def insists(form: ScreeningsForm) -> bool:
    """That it cannot wait was said with answer sheets, where only sheets belong."""
    return isinstance(form, ManySheets) and form.express


def flags_beside(form: ScreeningsForm) -> tuple[str, ...]:
    """Red flags that were sent with answer sheets, where only sheets belong."""
    return form.red_flags if isinstance(form, ManySheets) else ()


def read_patch(body: bytes, *, rules: Rules, now: datetime) -> dict[str, Any]:
    """A JSON object. Raises `Problem` 400 for what is not JSON and 422 for what is no object."""
    try:
        return read_object(body, now=now)
    except Problem:
        raw = storable(shallow(lenient(body)))
        if isinstance(raw, dict) and signals(raw, rules=rules, now=now):
            return raw
        raise


def receive_patch(
    patch: Mapping[str, Any], merge: Merge, *, rules: Rules, now: datetime
) -> Received[ReferralForm]:
    """The stored form as `merge` patches it. What cannot be read of the patch leaves what is stored as it is.
    Raises `Problem` 422."""
    body = json.dumps(merge(patch)).encode()
    try:
        form = ReferralForm.model_validate_json(body)
    except ValidationError:
        pass
    else:
        verdict = rules.verdict(form, now=now)
        if not verdict.faults:
            return _received(form, verdict, patch, {})
    reading = _Reading(
        ReferralForm,
        dict(patch),
        lambda form: rules.verdict(form, now=now),
        rules,
        now,
        merge=merge,
        patches=True,
    )
    return reading.take()


def _receive(model: type[F], body: bytes, judge: Judge[F], *, rules: Rules, now: datetime) -> Received[F]:
    try:
        form = model.model_validate_json(body)
    except ValidationError as error:
        found: list[Any] = list(error.errors(include_url=False, include_context=False, include_input=False))
    else:
        verdict = judge(form)
        if not verdict.faults:
            return _received(form, verdict, {}, {})
        found = []
    raw = shallow(lenient(body))
    if not isinstance(raw, dict):
        raise advised(problem_of(found, body, now), raw, rules=rules, now=now)
    return _Reading(model, raw, judge, rules, now).take()


@dataclass
class _Reading(Generic[F]):
    """One body that could not be read at once."""

    model: type[F]
    raw: dict[str, Any]
    judge: Judge[F]
    rules: Rules
    now: datetime
    merge: Merge = lambda raw: raw
    patches: bool = False

    def take(self) -> Received[F]:
        raw = _copy(self.raw)
        unread = Codes(raw).unread
        model = self._model(self.model, unread)
        form = attempt(model, raw, unread, self.merge)
        if isinstance(form, Form):
            verdict = self.judge(form)
            if not verdict.faults:
                return _received(form, verdict, raw, unread)
            faults = verdict.faults
            return self._beside_a_signal(lambda: refused(faults))
        return self._beside_a_signal(lambda: self._problem(raw))

    def _model(self, model: type[F], unread: Mapping[Path, Unread]) -> type[F]:
        """Of answer sheets none may be left."""
        return ManySheets if unread and issubclass(ManySheets, model) else model  # type: ignore[return-value]  # a subclass

    def _problem(self, raw: dict[str, Any]) -> Problem:
        """Everything that is wrong with it, the unknown codes too."""
        body = json.dumps(self.merge(raw)).encode()
        try:
            self.model.model_validate_json(body)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
            return problem_of(list(found), body, self.now)
        return problem_of([], body, self.now)

    def _beside_a_signal(self, problem: Callable[[], Problem]) -> Received[F]:
        """Raises the problem where nothing on the form cannot wait, or the client has no name."""
        if not signals(self.raw, rules=self.rules, now=self.now):
            raise advised(problem(), self.raw, rules=self.rules, now=self.now)
        large = len(json.dumps(self.raw)) > LARGE
        least = self._least()
        salvage, form = self._salvaged(least if large else self.raw)
        if form is None and salvage.named:
            large = True
            salvage, form = self._salvaged(least)
        if large:
            rest = {name: value for name, value in self.raw.items() if least.get(name) != value}
            salvage.leave_out_rest(rest)
        if form is None or not salvage.named:
            raise advised(problem(), self.raw, rules=self.rules, now=self.now)
        return _received(form, self.judge(form), salvage.raw, salvage.unread, salvage.notes)

    def _salvaged(self, raw: dict[str, Any]) -> tuple[Salvage[F], F | None]:
        raw = storable(raw)
        model: Any = ManySheets if issubclass(ManySheets, self.model) else self.model
        salvage: Salvage[F] = Salvage(model, raw, self.now.date(), merge=self.merge, patches=self.patches)
        return salvage, salvage.read(lambda form: [fault.where for fault in self.judge(form).faults])

    def _least(self) -> dict[str, Any]:
        """Who it is and what cannot wait, if no more can be read."""
        least = {name: value for name, value in self.raw.items() if plain_name(name) in LEAST}
        client = self.raw.get("client")
        if isinstance(client, dict):
            least["client"] = {name: client[name] for name in ("name", "region") if name in client}
        return least


def _received(
    form: F,
    verdict: Verdict,
    raw: Mapping[str, Any],
    unread: Mapping[Path, Unread],
    notes: Sequence[Note] = (),
) -> Received[F]:
    """A priority that nobody understands is unread, and its sender is told by the verdict."""
    found = tuple(unread.values())
    if PRIORITY in verdict.not_understood and isinstance(form, ReferralForm):
        found = (*found, Unread(path=(PRIORITY,), part=PRIORITY, value=form.requested_priority))
    sheets = raw.get("screenings")
    count = len(sheets) if isinstance(sheets, list) else 0
    left = tuple(place for place in range(count) if ("screenings", place) not in unread)
    received = Received(
        form=form,
        verdict=verdict,
        said=raw,
        unread=found,
        notes=tuple(notes),
        sheets=left,
        read_again=tuple(part for part in verdict.not_understood if part != PRIORITY),
    )
    return dataclasses.replace(received, verdict=received.told(verdict))


def _placed(note: Note, sheets: Sequence[int]) -> Note:
    names = note.where.split("/")
    if names[1:2] != ["screenings"] or len(names) < 3 or not names[2].isdecimal():
        return note
    if int(names[2]) >= len(sheets):
        return note
    names[2] = str(sheets[int(names[2])])
    return dataclasses.replace(note, where="/".join(names))


def signals(part: Mapping[str, Any], *, rules: Rules, now: datetime) -> tuple[str, ...]:
    """What cannot wait among the fields of a form, whatever else is in it."""
    alone = {name: value for name, value in part.items() if plain_name(name) in SIGNALS}
    if not alone:
        return ()
    who = {"client": {"name": NO_NAME, "region": NETWORK_ROTA}, "consent": {"share_with_network": False}}
    salvage = Salvage(ReferralForm, storable({**alone, **who}), now.date())
    form = salvage.read(lambda form: [fault.where for fault in rules.verdict(form, now=now).faults])
    if form is not None:
        return rules.verdict(form, now=now).because
    each = [signals({name: value}, rules=rules, now=now) for name, value in alone.items() if len(alone) > 1]
    return tuple(dict.fromkeys(because for found in each for because in found))


def seen(raw: Any, *, rules: Rules, now: datetime) -> tuple[str, ...]:
    """What cannot wait, wherever in a body it stands: for a body that is not taken."""
    found = [because for part in _objects(raw) for because in signals(part, rules=rules, now=now)]
    return tuple(dict.fromkeys(found))


def _objects(raw: Any) -> Iterator[Mapping[str, Any]]:
    waiting = [raw]
    for _ in range(MOST_PARTS):
        if not waiting:
            return
        part = waiting.pop(0)
        if isinstance(part, dict):
            yield part
        inside = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        waiting += [each for each in inside if isinstance(each, dict | list)][:MOST_PARTS]


def advised(problem: Problem, raw: Any, *, rules: Rules, now: datetime) -> Problem:
    """The same refusal with what to do now, if something that cannot wait was seen."""
    because = seen(raw, rules=rules, now=now)
    return rules.refusal(problem, because, region=_region(raw)) if because else problem


def _region(raw: Any) -> str:
    client = raw.get("client") if isinstance(raw, dict) else None
    region = client.get("region") if isinstance(client, dict) else None
    return region if isinstance(region, str) else NETWORK_ROTA


def _copy(raw: dict[str, Any]) -> dict[str, Any]:
    copied: dict[str, Any] = json.loads(json.dumps(raw))
    return copied


def shallow(raw: Any, depth: int = 0) -> Any:
    """Nothing nested so deeply that reading it could fail."""
    if depth > DEEPEST:
        return CUT if isinstance(raw, dict | list) else raw
    if isinstance(raw, dict):
        return {name: shallow(value, depth + 1) for name, value in raw.items()}
    if isinstance(raw, list):
        return [shallow(value, depth + 1) for value in raw]
    return raw
