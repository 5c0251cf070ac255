"""Set the service points of the shipped district: one in each area of some level, so that there is something to measure.

Schematic like the map: none is real, and no defibrillator is among them, so that nobody looks for one.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from anlan.community.points import COLUMNS
from anlan.pack import find_pack, read_pack

OUT = Path(__file__).with_name("huangpu")
OFFICE, HOUSE = "working 08:30-17:30", "08:00-20:00"
# Kind, id, level of areas, every how many of them, beginning with which, name, hours.
SETS = (
    ("police_room", "room", "grid", 1, 0, ("警务室", "police room"), "00:00-24:00"),
    ("peace_house", "house", "committee", 3, 0, ("平安屋", "peace house"), HOUSE),
    ("legal_contact", "legal", "street", 1, 0, ("司法联络点", "legal contact point"), f"{OFFICE}; rest 10:00-16:00"),
    ("mediation_room", "mediation", "committee", 8, 1, ("调解室", "mediation room"), OFFICE),
)


def rows() -> Iterator[list[str]]:
    """Yield the lines of the table."""
    areas = read_pack(find_pack(OUT)).areas
    for kind, mark, level, every, first, (zh, en), hours in SETS:
        for k, area in enumerate(areas.of_level(level)[first::every], 1):
            at = area.polygon.representative_point()
            plain = area.name["zh"].replace("居委会", "")
            yield [f"{mark}-{k:02d}", kind, f"{at.x:.6f}", f"{at.y:.6f}", plain + zh, f"{area.name['en']} {en}", hours]


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    with (folder / "service_points.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(rows())
