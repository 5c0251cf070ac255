"""Where what is computed runs: the ports, the engine that steps in this very program, and what spreads work."""

from anlan.engine.local import LocalEngine
from anlan.engine.port import Due, Engine, Feed, Made, Sink, Spread
from anlan.engine.spreading import Here, Pool, cluster, threads

__all__ = ["Due", "Engine", "Feed", "Here", "LocalEngine", "Made", "Pool", "Sink", "Spread", "cluster", "threads"]
