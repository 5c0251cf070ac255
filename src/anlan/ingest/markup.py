"""XML from devices, read without a tree: no document type, no entities, so that nothing can be blown up.

Most messages are plain: short, elements and texts alone. One pattern reads these, and knows nothing else. Whatever it
does not know goes to the parser, which judges it.
"""

from __future__ import annotations

import re
from xml.parsers import expat

from anlan.kernel.errors import BadInput

MOST = 10_000
"""More elements than any message has."""
PLAIN = 4_096
"""Bytes of a message that may be read as a plain one."""

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*+"
_PIECE = re.compile(
    rf"(?:<({_NAME})>([^<>&\r\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]*+)</\1>"  # an element with its text
    rf'|<({_NAME})(?: version="[0-9.]*")?(?: xmlns="[A-Za-z0-9:/._-]*")?>'  # one with others in it begins
    rf"|</({_NAME})>)[ \t\r\n]*+"  # and ends
    r"|.+",  # what is not plain
    re.DOTALL,
)


def texts(payload: bytes) -> list[tuple[str, str]]:
    """Return the name of each element, without its prefix, and the text since the last one ended, in order of ends.

    Raises
    ------
    BadInput
        If it is no XML, has a document type, or is too long for a message.

    Examples
    --------
    >>> texts(b'<a xmlns:x="urn:x"><x:b> 5 </x:b><c/></a>')
    [('b', '5'), ('c', ''), ('a', '')]
    """
    found = plain(payload) if len(payload) <= PLAIN else None
    return parsed(payload) if found is None else found


def plain(payload: bytes) -> list[tuple[str, str]] | None:
    """Return what :func:`parsed` would of a plain message; None of any other, be it well formed or not."""
    try:
        pieces = iter(_PIECE.findall(payload.decode()))
    except UnicodeDecodeError:
        return None
    found: list[tuple[str, str]] = []
    within: list[str] = []
    for name, text, begun, ended in pieces:
        if name and within:
            found.append((name, text.strip()))
        elif begun:
            within.append(begun)
        elif within and within.pop() == ended:
            found.append((ended, ""))
            if not within:
                return found if next(pieces, None) is None else None
        else:
            return None
    return None


def parsed(payload: bytes) -> list[tuple[str, str]]:
    """Return the texts of any message, as :func:`texts`."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    found: list[tuple[str, str]] = []
    text: list[str] = []

    def refuse(*_: object) -> None:
        raise BadInput("XML", "must have no document type, and be a message's size", "send the message alone")

    def end(name: str) -> None:
        if ":" in name:
            name = name.rpartition(":")[2]
        found.append((name, "".join(text).strip()))
        text.clear()
        if len(found) > MOST:
            refuse()

    parser.StartDoctypeDeclHandler = refuse
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    try:
        parser.Parse(payload, True)
    except (expat.ExpatError, LookupError, ValueError):
        raise BadInput("message", "must be XML", "see docs/connect.md") from None
    return found
