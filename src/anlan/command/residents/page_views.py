"""What the public page shows, in the reader's language: services, places, a case, its steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from anlan.cases.clocks import Phase
from anlan.cases.definition import Field, FieldKind, Transition
from anlan.command.residents import georeport
from anlan.command.residents.door import Residents
from anlan.command.residents.georeport import facts, in_words, said
from anlan.kernel.areas import AreaTree
from anlan.matters.public import Followed, Offer, PublicCase, offers

INPUTS = {
    FieldKind.TEXT: "text", FieldKind.NUMBER: "number", FieldKind.INTEGER: "number", FieldKind.DATE: "date",
    FieldKind.MOMENT: "datetime-local",
}  # fmt: skip


def groups(residents: Residents, lang: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return what can be reported, by group, with what each service asks."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in offers(residents.district.matters).values():
        shown = {
            "code": one.code,
            "name": said(one.name, lang),
            "about": said(one.service.about, lang),
            "asks": [ask(one.kind.fields[name], lang, needed=name in one.service.needs) for name in one.service.asks],
        }
        found.setdefault(said(one.service.group, lang), []).append(shown)
    return list(found.items())


def ask(field: Field, lang: str, *, needed: bool) -> dict[str, Any]:
    """Return how a field is asked for."""
    options = georeport.YES_NO if field.kind is FieldKind.BOOLEAN else field.options
    return {
        "id": field.field_id,
        "label": said(field.label, lang),
        "needed": needed,
        "type": INPUTS.get(field.kind, "text"),
        "options": [(key, said(label, lang)) for key, label in options.items()],
        "least": field.least,
        "most": field.most,
    }


def places(residents: Residents, lang: str, title: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return where something may be: named places, then the areas above the smallest, by the area that holds them."""
    pack = residents.district.pack
    found = [(title, [(f"p:{one.place_id}", said(one.name, lang)) for one in pack.places])] if pack.places else []
    level = pack.areas.levels[-2 if len(pack.areas.levels) > 2 else -1].key
    by_parent: dict[str, list[tuple[str, str]]] = {}
    for area in pack.areas.of_level(level):
        holder = pack.areas.path(area.area_id)[1 if len(pack.areas.levels) > 2 else 0]
        by_parent.setdefault(holder.area_id, []).append((f"a:{area.area_id}", said(area.name, lang)))
    return found + [(said(pack.areas.area(one).name, lang), choices) for one, choices in by_parent.items()]


def place(areas: AreaTree, area_id: str, lang: str) -> str:
    """Return the name of an area with that of the one below the top that holds it."""
    path = areas.path(area_id)
    names = [said(one.name, lang) for one in (path[1:2] + path[-1:] if len(path) > 2 else path[-1:])]
    return " · ".join(dict.fromkeys(names))


def moment(residents: Residents, at: datetime, lang: str) -> str:
    """Return a moment as it is read."""
    local = at.astimezone(residents.zone)
    if lang == "zh":
        return f"{local.year} 年 {local.month} 月 {local.day} 日 {local:%H:%M}"
    return f"{local.day} {local:%b %Y, %H:%M}"


def brief(residents: Residents, case: PublicCase, lang: str, t: Mapping[str, str]) -> dict[str, Any]:
    """Return what anybody may know of a case, in words."""
    areas = residents.district.pack.areas
    return {
        "id": case.request_id,
        "name": said(case.offer.name, lang),
        "state": said(case.state.label, lang),
        "since": moment(residents, case.steps[-1][1], lang),
        "ended": case.ended_at is not None,
        "place": place(areas, case.area_id, lang),
        "owner": place(areas, case.owner_area_id, lang),
        "reported_at": moment(residents, case.reported_at, lang),
        "facts": facts(case, lang, (case.offer.side.by,)),
        "clocks": [made for one in case.clocks if (made := _clock(residents, one, lang, t)) is not None],
        "history": [(said(state.label, lang), moment(residents, at, lang)) for state, at in case.steps],
    }


def _clock(residents: Residents, one: Any, lang: str, t: Mapping[str, str]) -> dict[str, Any] | None:
    """Return a promise as it stands: by when, whether that has moved, or whether it was kept."""
    rule, reading = one
    first = ""
    if reading.phase is Phase.STOPPED:
        text = t["kept"] if reading.kept else t["late"]
    elif reading.phase is Phase.RESTING or reading.due_at is None:
        text = t["resting"]
    else:
        text = t["due"].format(at=moment(residents, reading.due_at, lang))
        if reading.kept is False:
            text = f"{text}{'，' if lang == 'zh' else ', '}{t['late']}"
    if reading.first_due_at is not None and reading.first_due_at != reading.due_at:
        first = t["first_due"].format(at=moment(residents, reading.first_due_at, lang))
    return {"label": said(rule.label, lang), "text": text, "first": first}


def told(followed: Followed, lang: str) -> list[tuple[str, str]]:
    """Return what the holder of the code may read beside what is public."""
    fields = followed.case.offer.kind.fields
    return [
        (said(fields[name].label, lang), in_words(fields[name], value, lang)) for name, value in followed.told.items()
    ]


def shown(followed: Followed, lang: str) -> list[tuple[str, str]]:
    """Return the pictures that the holder of the code may see."""
    labels = followed.case.offer.kind.evidence
    return [(said(labels[name], lang), digest) for name, digest in followed.shown]


def steps(followed: Followed, lang: str) -> list[dict[str, Any]]:
    """Return what the holder of the code may do, and what each step takes."""
    return [_step(followed.case.offer, one, lang) for one in followed.steps]


def _step(offer: Offer, one: Transition, lang: str) -> dict[str, Any]:
    asked = [ask(offer.kind.fields[name], lang, needed=name in one.anew) for name in one.fills]
    return {
        "id": one.transition_id, "label": said(one.label, lang), "asks": asked, "note": one.note,
        "words": one.note or not asked,
    }  # fmt: skip


def answers(fields: Iterable[Field], given: Mapping[str, str], residents: Residents) -> dict[str, Any]:
    """Return what was filled in, as its fields hold it; what is empty was not filled in."""
    found: dict[str, Any] = {}
    for field in fields:
        text = given.get(field.field_id, "").strip()
        if text:
            found[field.field_id] = _value(field, text, residents)
    return found


def _value(field: Field, text: str, residents: Residents) -> Any:
    if field.kind is FieldKind.MOMENT:
        try:
            return datetime.fromisoformat(text).replace(tzinfo=residents.zone).isoformat()
        except ValueError:
            return text
    return georeport.value_of(field, [text])
