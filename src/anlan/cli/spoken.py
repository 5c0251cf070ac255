"""In which language a command answers: what was asked for, else the command's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer
from typer.main import get_command

OPTION = "--lang"


def language_of(app: typer.Typer, given: Sequence[str]) -> str:
    """Return the language of the command that was given; English where it speaks no other.

    Parameters
    ----------
    app : Typer
    given : sequence of str
        The words after the program's name.

    Examples
    --------
    >>> from anlan.cli.commands import app
    >>> language_of(app, ["places"]), language_of(app, ["places", "--lang", "en"]), language_of(app, ["serve"])
    ('zh', 'en', 'en')
    """
    command: Any = get_command(app)
    for word in given:
        below: Mapping[str, Any] = getattr(command, "commands", {})
        command = below.get(word, command)
    own = next((one.default for one in command.params if OPTION in one.opts), None)
    if own is None:
        return "en"
    told = [given[k + 1] for k, word in enumerate(given[:-1]) if word == OPTION]
    told += [word.partition("=")[2] for word in given if word.startswith(f"{OPTION}=")]
    return str(told[-1] if told else own)
