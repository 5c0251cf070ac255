"""How the schematic Huangpu is drawn: facts in words, lines by hand, the rest by rule."""
