"""Solves one plan in a program of its own, so that it can be stopped at once and slows nobody who is served meanwhile.

It reads what is asked as one JSON object from its standard input, tells how far it is as JSON lines, and at last the
plan, or what was wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anlan.errand import answer
from anlan.kernel.errors import Unavailable
from anlan.pack import read_pack
from anlan.planning.ground import Ground, demand_of, label_of, marked
from anlan.planning.rings import rings_of_forms, usual_rings


def solved(asked: Mapping[str, Any], tell: Any) -> dict[str, Any]:
    """Return what is kept of the plan that is asked for.

    ``asked`` holds ``pack`` (a folder), ``rings`` field by field (empty for the usual ones), ``key`` (names of key
    areas, or None for what the pack marks), ``vehicles``, ``seconds``, ``calls`` per hour or None, and ``minutes`` that
    each takes.

    Raises
    ------
    AnlanError
        If the pack or the question is wrong.
    """
    try:
        from anlan.planning.files import told_of  # noqa: PLC0415 - an extra, which a district may lack
        from anlan.planning.posts import Asked, plan_posts  # noqa: PLC0415 - the same extra
        from anlan.planning.settling import Load  # noqa: PLC0415 - the same extra
        from anlan.response.posting import Stop  # noqa: PLC0415 - the same extra
    except ImportError as fault:
        raise Unavailable(f"library {fault.name}", "is not installed", "pip install 'anlan[plan]'") from None
    plain = Ground.of(read_pack(Path(asked["pack"])))
    names = tuple(asked["key"]) if asked["key"] is not None else marked(plain.pack)
    areas = tuple(plain.key_area(name) for name in names)
    ground = plain.with_key(areas) if areas else plain
    calls = asked["calls"]
    made = plan_posts(
        ground,
        demand_of(ground),
        Asked(
            rings=rings_of_forms(asked["rings"]) or usual_rings(keyed=bool(areas)),
            key_areas=areas,
            key_names=tuple(label_of(plain.pack, name) or {} for name in names),
            vehicles=asked["vehicles"],
            load=None if calls is None else Load(per_hour=calls, busy_s=60 * asked["minutes"]),
            stop=Stop(seconds=asked["seconds"], gap=0.005),
        ),
        tell=tell,
    )
    tell("writing it down", 0.95)
    return told_of(made)


if __name__ == "__main__":
    sys.exit(answer(solved))
