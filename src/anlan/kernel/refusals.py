"""What is refused, in Chinese too: the code writes a rule once, in English, and a table says it again."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files

from anlan.kernel.errors import AnlanError


@dataclass(frozen=True, slots=True)
class Refused:
    """The three parts of a refusal in Chinese; None where nobody has worded it yet, or it is a name and no phrase."""

    value: str | None
    rule: str | None
    next_step: str | None


def in_chinese(fault: AnlanError) -> Refused:
    """Return what a fault says, in Chinese.

    Examples
    --------
    >>> from anlan.kernel.errors import Conflict
    >>> in_chinese(Conflict("fix", "must come with photo_after", "add the file"))
    Refused(value=None, rule='须附 photo_after', next_step='附上文件')
    """
    told = parts_in_chinese(fault.rule, fault.next_step, fault.value)
    reason = (fault.because or {}).get("zh")
    return replace(told, rule=_table()["rules"]["must wait: {}"].format(reason)) if reason else told


def parts_in_chinese(rule: str, next_step: str, value: str = "") -> Refused:
    """Return the parts in Chinese, as a fault of one row of many has them; its value is a cell and stays."""
    return Refused(_said("values", value), _said("rules", rule), _said("next", next_step))


def form_of(fault: AnlanError) -> dict[str, object]:
    """Return a fault as every answer tells one."""
    return {
        "code": fault.code,
        "value": fault.value,
        "rule": fault.rule,
        "next_step": fault.next_step,
        "message": str(fault),
        "zh": asdict(in_chinese(fault)),
    }


def table() -> Mapping[str, Mapping[str, str]]:
    """Return the table: values, rules and next steps, as the code writes them, to what they are in Chinese."""
    return _table()


@cache
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("anlan.kernel").joinpath("refusals.toml").read_text(encoding="utf-8"))


@cache
def _patterns(part: str) -> list[tuple[re.Pattern[str], str]]:
    """Return what has something filled in, the most that is said first: ``must be {}`` is also like much else."""
    filled = sorted((one for one in _table()[part] if "{}" in one), key=lambda one: -len(one.replace("{}", "")))
    return [(re.compile(re.escape(one).replace(r"\{\}", "(.*)"), re.DOTALL), _table()[part][one]) for one in filled]


@lru_cache(maxsize=1024)
def _said(part: str, text: str) -> str | None:
    known = _table()[part].get(text)
    if known is not None:
        return known
    found = ((like.fullmatch(text), said) for like, said in _patterns(part))
    return next((said.format(*map(_word, match.groups())) for match, said in found if match), None)


def _word(filled: str) -> str:
    """Return what is filled in, in Chinese where it is a word of ours, or several of them."""
    words = _table()["words"]
    parts = filled.split(" or ")
    return "或".join(words[one] for one in parts) if all(one in words for one in parts) else filled
