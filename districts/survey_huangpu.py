"""Survey the footfall of the simulated Huangpu: ``python districts/survey_huangpu.py`` writes huangpu/usual.csv.gz.

On an ordinary day of its own, people walk every street eight times and count whom they see in squares of 25 m. The same
run gives the same file; it takes some minutes. Draw the district first: it keeps the survey that lies there.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from anlan.pack import read_pack, write_pack
from anlan.twin import Surveyor, Twin, scenarios

OUT = Path(__file__).with_name("huangpu")
SEED = 3101
STEP_S = 60.0


def main() -> None:
    """Walk through the day, and write what was counted into the pack."""
    pack = read_pack(OUT)
    day = next(scenario for scenario in scenarios(pack) if scenario.scenario_id == "normal_day")
    begin_at = day.opens_at.replace(hour=2, minute=55)
    twin, surveyor = Twin(pack, day, SEED, begin_at), Surveyor(pack, SEED)
    while twin.at < begin_at.replace(hour=23, minute=20):
        twin.advance(twin.at + timedelta(minutes=1), STEP_S)
        x, y, public = twin.positions()
        local = twin.at.astimezone(twin.zone)
        surveyor.look(local.hour, local.minute, x[public], y[public])
    write_pack(replace(pack, usual=surveyor.made()), OUT)


if __name__ == "__main__":
    main()
