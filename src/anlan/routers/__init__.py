"""Other programs' routers behind the port of travel times; each is an extra."""

from anlan.routers.valhalla import Route, ValhallaRouter, build_tiles

__all__ = ["Route", "ValhallaRouter", "build_tiles"]
