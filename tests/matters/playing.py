"""Plays the example that a type carries, with the other cases that its lines speak of, through whatever is tested."""

from dataclasses import dataclass, field

from anlan.cases import shipped_types


@dataclass
class Played:
    """What became of an example so far: the case, its state, and how each line ended (empty where it was taken)."""

    case_id: str | None = None
    state: str = ""
    codes: list = field(default_factory=list)
    n_changes: int = 0
    linked: set = field(default_factory=set)


class Player:
    """Goes through examples line by line. Who inherits it says how a line is done, and how one case is linked.

    ``do(kind, k, played, parent_id)`` tries line ``k``, writes what came of it into ``played``, and returns the code of
    its error; whoever opens a part must see the whole, and so holds their role in the district.
    ``link(kind, at, played, other_id)`` lets the case wait for another.
    """

    def play(self, kind, until=None):
        played = Played()
        for _ in self.lines(kind, played, until=until):
            pass
        return played

    def lines(self, kind, played, *, until=None, parent_id=None):
        """Try one line after another, yielding behind each, until the case stands in a state or the example ends."""
        for k, trial in enumerate(kind.example):
            if until is not None and played.state == until:
                return
            others = [self._begun(kind, trial.at, played, type_id) for type_id in trial.open_parts]
            for type_id, state in trial.linked.items():
                if type_id in kind.waits_for and (type_id, state) not in played.linked:
                    self.link(kind, trial.at, played, self.play(shipped_types().get(type_id), until=state).case_id)
                    played.linked.add((type_id, state))
            played.codes.append(self.do(kind, k, played, parent_id))
            yield
            for lines in others:
                for _ in lines:
                    pass

    def _begun(self, kind, at, played, type_id):
        """Open another case as a part, or as one that is waited for; return the rest of its lines, which end it."""
        other, kind_of_it = Played(), shipped_types().get(type_id)
        is_part = type_id in kind.children
        lines = self.lines(kind_of_it, other, parent_id=played.case_id if is_part else None)
        next(lines)
        assert other.codes == [""]
        if not is_part:
            self.link(kind, at, played, other.case_id)
        return lines
