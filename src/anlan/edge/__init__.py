"""The edge counter: a video becomes numbers where the camera is, and only the numbers leave.

No frame is kept, written or sent. Positions live in memory for a few frames, to know on which side of the line somebody
was a moment ago, and are forgotten with them.
"""

from anlan.edge.counting import Crossings, Line
from anlan.edge.detecting import Detector
from anlan.edge.outbox import Outbox
from anlan.edge.sending import HttpWay, MqttWay, way_to
from anlan.edge.watching import Watching, watch

__all__ = ["Crossings", "Detector", "HttpWay", "Line", "MqttWay", "Outbox", "Watching", "watch", "way_to"]
