"""The program of most weight by n units, where the sites are few enough for one."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, eye_array

from anlan.kernel.geo import Floats
from anlan.response.posting.program import Program


def program_of_most(rows: csr_array, weight: Floats, gain: Floats, bonus: Floats, size: tuple[int, int]) -> Program:
    """Return it for rows (R, S) of points with weights (R,); the first S columns are the units at each site.

    ``size`` is how many units there are, and how many of them one site takes.
    """
    (n, per_site), n_sites = size, rows.shape[1]
    program = Program(maximise=True)
    x = program.columns(np.zeros(n_sites), float(per_site), whole=True)
    first = program.columns(bonus, 1.0, whole=False)  # at least one unit at the site
    some = eye_array(n_sites, format="csr")
    program.rows([(x, some), (first, -some)], 0.0, np.inf)
    parts = [(x, rows)]
    most_reached = np.asarray(rows.sum(axis=1)).ravel() * per_site
    for k in range(len(gain)):
        z = program.columns(weight * gain[k], (most_reached > k).astype(float))
        parts.append((z, -eye_array(len(weight), format="csr")))
    program.rows(parts, 0.0, np.inf)
    program.rows([(x, csr_array(np.ones((1, n_sites))))], 0.0, float(n))
    return program
