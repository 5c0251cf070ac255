"""The shared words of the house: errors, geometry, clock, records, areas, packs."""
