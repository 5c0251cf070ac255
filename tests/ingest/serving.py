"""A server that can be killed: history, door and embedded broker. Told the folder and the port."""

import asyncio
import sys
from pathlib import Path

from tests.ingest.conftest import DEVICES, NOW

from anlan.ingest import Door, EmbeddedBroker
from anlan.kernel.clock import FollowedClock
from anlan.store import DuckHistory


async def serve(folder, port):
    door = Door(DEVICES, DuckHistory.open(folder), FollowedClock(NOW))
    await EmbeddedBroker("127.0.0.1", port, door).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
