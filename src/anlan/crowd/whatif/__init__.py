"""Try a measure before ordering it: an hour ahead on the cells of the estimate, and clearance."""

from anlan.crowd.whatif.clearance import Clearance, clearance
from anlan.crowd.whatif.compare import Band, PlaceChange, Trial, Trials
from anlan.crowd.whatif.ground import Ground
from anlan.crowd.whatif.measure import Measure, MeasureKind

__all__ = ["Band", "Clearance", "Ground", "Measure", "MeasureKind", "PlaceChange", "Trial", "Trials", "clearance"]
