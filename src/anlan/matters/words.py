"""Finding a text by part of it, in Chinese and English, on any database.

What is kept of a text is a set of numbers: of each two Chinese characters that stand together, and of the beginnings
of each other word. A search asks for the numbers of what is sought, and looks at the text itself before it tells:
two numbers may meet, and what lies beside each other need not be in order.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from hashlib import blake2b

from anlan.kernel.errors import BadInput

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUNS = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}]+")
_IS_HAN = re.compile(rf"[{_HAN}]")
BEGINNINGS = (2, 4)
"""Of a word that is not Chinese, its first letters, so many, are kept."""
LONGEST = 200


def plain(text: str) -> str:
    """Return a text as it is compared: full-width forms as usual ones, no capitals.

    Examples
    --------
    >>> plain("ＬＥＤ 路灯")
    'led 路灯'
    """
    return unicodedata.normalize("NFKC", text).casefold()


def parts_of(text: str) -> set[str]:
    """Return what a text is found by.

    Examples
    --------
    >>> sorted(parts_of("豫园路 lamps"))
    ['la', 'lamp', '园路', '豫园']
    """
    found = set()
    for run in _RUNS.findall(plain(text)):
        if _IS_HAN.match(run):
            found |= {run[k : k + 2] for k in range(len(run) - 1)} or {run}
        else:
            found |= {run[:n] for n in BEGINNINGS if len(run) >= n} or {run}
    return found


def numbers_of(texts: Iterable[str]) -> set[int]:
    """Return the numbers to keep for some texts."""
    return {_number(part) for text in texts for part in parts_of(text)}


def wanted(sought: str) -> set[int]:
    """Return the numbers that a text must have to hold what is sought.

    Raises
    ------
    BadInput
        If it is too long, or has neither two Chinese characters nor the first two letters of a word.

    Examples
    --------
    >>> len(wanted("豫园")), len(wanted("路灯 lamp"))
    (1, 2)
    """
    if len(sought) > LONGEST:
        raise BadInput(f"q of {len(sought)} characters", f"must have at most {LONGEST}", "shorten it")
    found = set()
    for run in _RUNS.findall(plain(sought)):
        if len(run) < 2:
            continue
        if _IS_HAN.match(run):
            found |= {run[k : k + 2] for k in range(len(run) - 1)}
        else:
            found.add(run[: max(n for n in BEGINNINGS if n <= len(run))])
    if not found:
        raise BadInput(f"q={sought!r}", "must have two characters or the first two letters of a word", "write more")
    return {_number(part) for part in found}


def holds(sought: str, texts: Iterable[str]) -> bool:
    """Tell whether every word that is sought stands in one of the texts.

    Examples
    --------
    >>> holds("路灯 lamp", ["两盏路灯不亮", "Lamps out"]), holds("灯路", ["路灯"])
    (True, False)
    """
    within = [plain(text) for text in texts]
    return all(any(word in text for text in within) for word in plain(sought).split())


def _number(part: str) -> int:
    return int.from_bytes(blake2b(part.encode(), digest_size=6).digest(), "big")
