"""XML from devices, read without a tree: no document type, no entities, so that nothing can be blown up."""

from __future__ import annotations

from xml.parsers import expat

from anlan.kernel.errors import BadInput

MOST = 10_000
"""More elements than any message has."""


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
