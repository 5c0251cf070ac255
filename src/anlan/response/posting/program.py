"""A mixed-integer program, put together from blocks and handed to HiGHS as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import highspy
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array

from anlan.kernel.errors import Unavailable
from anlan.kernel.geo import Floats

TIGHT = 1e-9
_TRIED = 1
"""So many times each way a column is branched on by trial, where trees are deep and programs slow; HiGHS takes 8."""
_SEARCHES = ("rins", "rens", "root_reduced_cost", "feasibility_jump", "zi_round", "shifting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What HiGHS found: values (None where it found none), the bound, and whether it is proved."""

    values: Floats | None
    objective: float
    bound: float
    proved: bool
    reduced: Floats
    """Reduced costs, of a linear program only."""
    infeasible: bool = False


@dataclass(slots=True)
class Program:
    """Columns and rows, added block by block.

    Examples
    --------
    >>> knapsack = Program(maximise=True)
    >>> x = knapsack.columns(np.array([3.0, 2.0, 2.0]), 1.0, whole=True)
    >>> _ = knapsack.rows([(x, csr_array(np.array([[3.0, 2.0, 2.0]])))], -np.inf, 4.0)
    >>> knapsack.solve(seconds=5).objective
    4.0
    """

    maximise: bool
    _cost: list[Floats] = field(default_factory=list)
    _upper: list[Floats] = field(default_factory=list)
    _whole: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    _blocks: list[tuple[int, int, coo_array]] = field(default_factory=list)
    _low: list[Floats] = field(default_factory=list)
    _high: list[Floats] = field(default_factory=list)
    n_columns: int = 0
    n_rows: int = 0

    def columns(self, cost: Floats, upper: float | Floats, *, whole: bool = False) -> int:
        """Add columns in 0..upper and return the number of the first."""
        first, n = self.n_columns, len(cost)
        self._cost.append(np.asarray(cost, float))
        self._upper.append(np.broadcast_to(np.asarray(upper, float), n))
        self._whole.append(np.full(n, whole))
        self.n_columns += n
        return first

    def rows(self, parts: list[tuple[int, csr_array]], low: float | Floats, high: float | Floats) -> int:
        """Add rows made of blocks, each beside the column it begins at, and return the number of the first."""
        first, n = self.n_rows, parts[0][1].shape[0]
        self._blocks += [(first, column, coo_array(block)) for column, block in parts]
        self._low.append(np.broadcast_to(np.asarray(low, float), n))
        self._high.append(np.broadcast_to(np.asarray(high, float), n))
        self.n_rows += n
        return first

    def _passed(self, *, relaxed: bool) -> highspy.Highs:
        row = np.concatenate([block.coords[0] + r for r, _, block in self._blocks])
        column = np.concatenate([block.coords[1] + c for _, c, block in self._blocks])
        value = np.concatenate([block.data for _, _, block in self._blocks]).astype(float)
        whole = csr_array((value, (column, row)), shape=(self.n_columns, self.n_rows))
        given = highspy.HighsLp()
        given.num_col_, given.num_row_ = self.n_columns, self.n_rows
        given.col_cost_ = np.concatenate(self._cost)
        given.col_lower_ = np.zeros(self.n_columns)
        given.col_upper_ = np.concatenate(self._upper)
        given.row_lower_, given.row_upper_ = np.concatenate(self._low), np.concatenate(self._high)
        given.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        given.a_matrix_.start_, given.a_matrix_.index_ = whole.indptr, whole.indices
        given.a_matrix_.value_ = whole.data
        given.sense_ = highspy.ObjSense.kMaximize if self.maximise else highspy.ObjSense.kMinimize
        if not relaxed:
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            given.integrality_ = [kinds[int(one)] for one in np.concatenate(self._whole)]
        solver = highspy.Highs()  # type: ignore[no-untyped-call]  # its constructor has no annotation
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        if solver.passModel(given) == highspy.HighsStatus.kError:
            raise Unavailable("HiGHS", "must accept the program", "report it with the problem that was given")
        return solver

    def relax(self, *, seconds: float) -> Answer:
        """Solve it without whole numbers."""
        solver = self._passed(relaxed=True)
        solver.setOptionValue("time_limit", float(seconds))
        solver.run()
        status, found = solver.getModelStatus(), solver.getSolution()
        done = status == highspy.HighsModelStatus.kOptimal
        objective = solver.getInfo().objective_function_value
        return Answer(
            values=np.array(found.col_value) if done else None,
            objective=objective,
            bound=objective if done else (np.inf if self.maximise else -np.inf),
            proved=done,
            reduced=np.array(found.col_dual) if done else np.zeros(self.n_columns),
            infeasible=status == highspy.HighsModelStatus.kInfeasible,
        )

    def solve(
        self,
        *,
        seconds: float,
        gap: float = 0.0,
        within: float = 0.0,
        seed: int = 0,
        enough: float | None = None,
        knows_plan: bool = False,
    ) -> Answer:
        """Solve it; ``within`` is the absolute gap that proves, ``enough`` an objective at which to stop.

        With ``knows_plan`` its rows ask for better than a good plan: HiGHS looks for none before it branches, and tries
        few columns before it trusts what others told, for every branch must be closed anyhow.

        No plan is handed to HiGHS to begin with: its version 1.16.0 forgets the constant that presolve takes out of the
        objective when it reads one, cuts off better plans and calls what is left optimal. What it answers is priced
        again here, and proves nothing where the prices differ.
        """
        solver = self._passed(relaxed=False)
        solver.setOptionValue("time_limit", float(seconds))
        solver.setOptionValue("mip_rel_gap", float(gap))
        solver.setOptionValue("mip_abs_gap", max(float(within), TIGHT))
        solver.setOptionValue("random_seed", int(seed) % 2**31)
        if enough is not None:
            solver.setOptionValue("objective_target", float(enough))
        if knows_plan:
            solver.setOptionValue("mip_heuristic_effort", 0.0)
            solver.setOptionValue("mip_pscost_minreliable", _TRIED)
            for name in _SEARCHES:
                solver.setOptionValue(f"mip_heuristic_run_{name}", False)
        solver.run()
        told, status = solver.getInfo(), solver.getModelStatus()
        found = told.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        values = np.array(solver.getSolution().col_value) if found else None
        objective = told.objective_function_value
        priced = objective if values is None else float(np.concatenate(self._cost) @ values)
        sound = values is None or abs(priced - objective) <= 1e-6 * max(1.0, abs(priced))
        return Answer(
            values=values,
            objective=priced,
            bound=told.mip_dual_bound if sound else (np.inf if self.maximise else -np.inf),
            proved=sound and status == highspy.HighsModelStatus.kOptimal,
            reduced=np.zeros(0),
            infeasible=status == highspy.HighsModelStatus.kInfeasible,
        )
