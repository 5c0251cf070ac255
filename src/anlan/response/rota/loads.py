"""What a rota asks of each member: hours, nights, days of rest; and how far apart the members are in them."""

from __future__ import annotations

from dataclasses import dataclass

from anlan.response.rota.answer import Rota
from anlan.response.rota.problem import RotaProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a member serves in a plan. ``contract_h`` is what is contracted, days of leave taken off."""

    member_id: str
    label: str
    hours: float
    contract_h: float
    n_nights: int
    n_rest_days: int
    n_leave: int


def loads_of(problem: RotaProblem, rota: Rota) -> tuple[Load, ...]:
    """Return each member's load, in the order of the problem."""
    made = []
    served: dict[str, list[tuple[int, str]]] = {one.member_id: [] for one in problem.members}
    for (who, on), (_, shift_id) in rota.served.items():
        served[who].append(((on - problem.begin_on).days, shift_id))
    for one in problem.members:
        turns = [(problem.days[d], problem.shift_of[shift_id]) for d, shift_id in served[one.member_id]]
        n_leave = sum(on in one.leave for on in problem.days)
        made.append(Load(
            member_id=one.member_id, label=one.label or one.member_id, hours=sum(shift.length_h for _, shift in turns),
            contract_h=one.week_h * (problem.n_days - n_leave) / 7, n_nights=sum(shift.is_night for _, shift in turns),
            n_rest_days=sum(problem.is_rest_day(on) for on, _ in turns), n_leave=n_leave,
        ))  # fmt: skip
    return tuple(made)
