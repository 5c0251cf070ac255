"""Where the steps run: the port, and the engine that runs them in this very program."""

from anlan.engine.local import LocalEngine
from anlan.engine.port import Due, Engine, Feed, Made, Sink

__all__ = ["Due", "Engine", "Feed", "LocalEngine", "Made", "Sink"]
