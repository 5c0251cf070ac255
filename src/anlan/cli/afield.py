"""Verbs for other machines than the district's: beside a camera, and where phone locations are held."""

from __future__ import annotations

import contextlib
import math
import time
from pathlib import Path
from typing import Annotated

import typer

from anlan.cli import say
from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import BadInput, NotFound, Unavailable

TRY_AGAIN_S = 5.0


def grid(
    file: Annotated[Path, typer.Argument(help="CSV: lon,lat[,count] or column,row,count - and no other column.")],
    device: Annotated[str, typer.Option(help="The grid device of the pack, whose squares are filled.")],
    begin: Annotated[str, typer.Option("--from", help="Beginning of the window, ISO 8601 with offset.")],
    end: Annotated[str, typer.Option("--to", help="End of the window.")],
    out: Annotated[Path, typer.Option(help="CSV to write, for Anlan.")],
    district: Annotated[str, typer.Option(help="A shipped district's name, or the folder of a pack.")] = "huangpu",
    k: Annotated[int, typer.Option(help="Squares with fewer people are left blank.")] = 10,
    round_to: Annotated[int, typer.Option(help="Counts are rounded to this.")] = 1,
    noise: Annotated[float, typer.Option(help="Scale of two-sided noise, people; 0 is none.")] = 0.0,
) -> None:
    """For whoever holds locations: people by square, suppressed below k, before anything leaves."""
    import numpy as np

    from anlan.ingest.holding import Suppression, lines_of, read_places, suppress
    from anlan.pack import find_pack, read_pack

    rule = Suppression(k=k, round_to=round_to, noise=noise)
    begin_at, end_at = parse_moment(begin, "from"), parse_moment(end, "to")
    if end_at <= begin_at:
        raise BadInput(f"to={end}", "must be after --from", "give the window of the locations")
    pack = read_pack(find_pack(district))
    shape = next((one.grid for one in pack.devices if one.device_id == device), None)
    if shape is None:
        raise NotFound(f"device={device!r}", "must be a grid device of the pack", "see devices.geojson")
    told = suppress(read_places(file, pack.projection, shape), rule, np.random.default_rng())
    with out.open("w", encoding="utf-8") as written:
        written.writelines(lines_of(told, shape, begin_at.isoformat(), end_at.isoformat()))
    shown = int((~np.isnan(told)).sum())
    say.out.print(f"[green]wrote[/] {out}: {shown:,} squares, {len(told) - shown:,} blank (fewer than {k})")


def _line(text: str) -> tuple[float, float, float, float]:
    try:
        x1, y1, x2, y2 = (float(part) for part in text.split(","))
    except ValueError:
        x1 = y1 = x2 = y2 = math.nan
    if math.isnan(x1 + y1 + x2 + y2):
        raise BadInput(f"line={text!r}", "must be x1,y1,x2,y2 as shares of the picture", "write it like 0.5,1,0.5,0")
    return x1, y1, x2, y2


def edge(
    video: Annotated[str, typer.Argument(help="A video file, or a stream such as rtsp://camera/1.")],
    net: Annotated[Path, typer.Option(help="Your detection network, ONNX.")],
    device: Annotated[str, typer.Option(help="Which device of the district this is.")],
    to: Annotated[str, typer.Option(help="mqtt(s)://user:password@host or http(s)://host of the district.")],
    line: Annotated[str, typer.Option(help="Count crossings of x1,y1,x2,y2 (shares of the picture).")] = "",
    interval_s: Annotated[float, typer.Option("--interval", help="Length of a window, seconds.")] = 60.0,
    begin: Annotated[str, typer.Option("--from", help="When a video file begins, ISO 8601 with offset.")] = "",
    counted_class: Annotated[int, typer.Option("--class", help="Number of the class that is counted.")] = 0,
    least_score: Annotated[float, typer.Option(help="Boxes below this score are passed over.")] = 0.4,
    reach: Annotated[float, typer.Option(help="How far anybody moves between frames, share of the picture.")] = 0.1,
    outbox: Annotated[Path, typer.Option(help="File of what is not confirmed yet.")] = Path("anlan-edge.db"),
) -> None:
    """Count people in a video where it is made, and send only numbers. No frame is kept."""
    from anlan.edge import Crossings, Detector, Line, Outbox, Watching, watch, way_to
    from anlan.edge.sending import Sender
    from anlan.edge.watching import frames
    from anlan.ingest.wire import encode

    begin_at = parse_moment(begin, "from") if begin else None
    crossings = Crossings(Line(*_line(line)), reach) if line else None
    asked = Watching(device_id=device, interval_s=interval_s, crossings=crossings, begin_at=begin_at)
    detector = Detector(net, counted_class=counted_class, least_score=least_score)
    waiting = Outbox(outbox)
    with contextlib.closing(waiting):
        sender = Sender(waiting, way_to(to, device))
        with contextlib.closing(sender):
            was_there = False
            while True:
                try:
                    n = watch(frames(video, begin_at), detector, asked, lambda seen: waiting.put(encode(seen)))
                except Unavailable as fault:
                    was_there |= fault.value == "the stream"  # a camera that starts anew cannot be opened for a while
                    if "://" not in video or not was_there:
                        raise
                    say.err.print(f"[yellow]{fault}[/]")
                    time.sleep(TRY_AGAIN_S)
                else:
                    break
        say.out.print(f"[green]counted[/] {n:,} frames; {len(waiting)} windows wait in {outbox}")
