"""XML from devices, read without a tree: no document type, no entities, no depth, so that nothing can be blown up."""

from __future__ import annotations

from xml.parsers import expat

from anlan.kernel.errors import BadInput

MOST_DEEP = 40
MOST_TEXTS = 10_000


def texts(payload: bytes) -> list[tuple[tuple[str, ...], str]]:
    """Return each leaf's path of local names and its text, in order.

    Raises
    ------
    BadInput
        If it is no XML, has a document type, or is too deep or too long for a message.

    Examples
    --------
    >>> texts(b'<a xmlns="urn:x"><b> 5 </b><c/></a>')
    [(('a', 'b'), '5'), (('a', 'c'), '')]
    """
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    path: list[str] = []
    found: list[tuple[tuple[str, ...], str]] = []
    text: list[str] = []
    leaf = False

    def refuse(*_: object) -> None:
        raise BadInput("XML", "must have no document type, and be a message's size", "send the message alone")

    def begin(name: str, _attributes: object) -> None:
        nonlocal leaf
        path.append(name.rpartition("}")[2])
        text.clear()
        leaf = True
        if len(path) > MOST_DEEP or len(found) > MOST_TEXTS:
            refuse()

    def end(_name: str) -> None:
        nonlocal leaf
        if leaf:
            found.append((tuple(path), "".join(text).strip()))
        leaf = False
        path.pop()

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    try:
        parser.Parse(payload, True)
    except (expat.ExpatError, LookupError, ValueError):
        raise BadInput("message", "must be XML", "see docs/connect.md") from None
    return found
