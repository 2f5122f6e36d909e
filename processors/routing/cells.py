"""Agents by category: which row of every measure belongs to whom.

A cell is an agent in a category that has been observed there. Names become numbers once, here, so that everything else is
arrays.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

NOWHERE = -1


class Cells:
    """The agents, the categories and the cells seen so far, numbered in the order in which they came."""

    def __init__(self) -> None:
        self.agents: dict[str, int] = {}
        self.categories: dict[str, int] = {}
        self.agent_of = np.zeros(0, np.int64)
        self.category_of = np.zeros(0, np.int64)
        self._table = np.full((0, 0), NOWHERE, np.int64)

    def __len__(self) -> int:
        return len(self.agent_of)

    def add(self, agents: Sequence[str], categories: Sequence[str]) -> Ints:
        """The cell of each pair; new ones are made."""
        agent, category = numbered(self.agents, agents), numbered(self.categories, categories)
        self._grow()
        found = self._table[category, agent]
        if (found == NOWHERE).any():
            fresh = np.unique(np.column_stack([category, agent])[found == NOWHERE], axis=0)
            self._table[fresh[:, 0], fresh[:, 1]] = np.arange(len(self), len(self) + len(fresh))
            self.category_of = np.append(self.category_of, fresh[:, 0])
            self.agent_of = np.append(self.agent_of, fresh[:, 1])
            found = self._table[category, agent]
        return found

    def add_agents(self, agents: Iterable[str]) -> Ints:
        """The number of each agent; new ones are made."""
        found = numbered(self.agents, agents)
        self._grow()
        return found

    def row(self, category: str, agents: Ints) -> Ints:
        """The cells of `agents` in `category`; NOWHERE where there is none."""
        number = self.categories.get(category)
        if number is None or not self._table.size:
            return np.full(len(agents), NOWHERE, np.int64)
        known = agents < self._table.shape[1]
        return np.where(known, self._table[number, np.where(known, agents, 0)], NOWHERE)

    def copy(self) -> "Cells":
        """A copy that does not change with this one."""
        other = Cells()
        other.agents, other.categories = dict(self.agents), dict(self.categories)
        other.agent_of, other.category_of, other._table = self.agent_of, self.category_of, self._table.copy()
        return other

    def _grow(self) -> None:
        rows, columns = self._table.shape
        if len(self.categories) > rows or len(self.agents) > columns:
            wide = (max(rows, 2 * len(self.categories)), max(columns, 2 * len(self.agents)))
            table = np.full(wide, NOWHERE, np.int64)
            table[:rows, :columns] = self._table
            self._table = table


def numbered(numbers: dict[str, int], names: Iterable[str]) -> Ints:
    """The number of each name; new ones continue."""
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)


def firsts(cells: Ints) -> Ints:
    """Where each cell begins in `cells`, which are sorted."""
    return np.flatnonzero(np.r_[True, cells[1:] != cells[:-1]])


def grown(array: NDArray[np.float64], rows: int, fill: float = 0.0) -> NDArray[np.float64]:
    """`array` with at least `rows` rows, those that are new holding `fill`; room is doubled so that growing stays cheap."""
    if len(array) >= rows:
        return array
    bigger = np.full((max(rows, 2 * len(array), 16), *array.shape[1:]), fill)
    bigger[: len(array)] = array
    return bigger
