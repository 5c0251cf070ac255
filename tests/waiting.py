"""How tests wait: for what must come, as long as a busy machine may need. No test says how fast anything is."""

import time

PATIENCE_S = 240.0
"""Whoever waited for so long waits in vain."""


def until(holds, patience_s=PATIENCE_S):
    """Wait until something holds; return whether it did."""
    end = time.monotonic() + patience_s
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def wait_for(holds):
    """Wait until something holds, or fail."""
    assert until(holds), "it never came"
