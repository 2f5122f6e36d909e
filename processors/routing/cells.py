"""Agents by category: which row of every measure belongs to whom.

A cell is an agent in a category that has been observed there. Names become numbers once, here, so that everything else is
arrays.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

Name = TypeVar("Name")

NOWHERE = -1


class Cells:
    """The agents, the categories and the cells seen so far, numbered in the order in which they came."""

    def __init__(self) -> None:
        self.agents: dict[str, int] = {}
        self.categories: dict[str, int] = {}
        self.agent_of = np.zeros(0, np.int64)
        self.category_of = np.zeros(0, np.int64)
        self._cells: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        return len(self.agent_of)

    def add(self, agents: Sequence[str], categories: Sequence[str]) -> Ints:
        """The cell of each pair; new ones are made."""
        agent, category = numbered(self.agents, agents), numbered(self.categories, categories)
        pairs = list(zip(category.tolist(), agent.tolist(), strict=True))
        if fresh := sorted({pair for pair in pairs if pair not in self._cells}):
            numbered(self._cells, fresh)
            self.category_of = np.append(self.category_of, [category for category, _ in fresh])
            self.agent_of = np.append(self.agent_of, [agent for _, agent in fresh])
        return np.array([self._cells[pair] for pair in pairs], np.int64)

    def add_agents(self, agents: Iterable[str]) -> Ints:
        """The number of each agent; new ones are made."""
        return numbered(self.agents, agents)

    def row(self, category: str, agents: Ints) -> Ints:
        """The cells of `agents` in `category`; NOWHERE where there is none."""
        number = self.categories.get(category)
        if number is None:
            return np.full(len(agents), NOWHERE, np.int64)
        here = np.flatnonzero(self.category_of == number)
        cell_of = np.full(len(self.agents) + 1, NOWHERE, np.int64)
        cell_of[self.agent_of[here]] = here
        return cell_of[np.minimum(agents, len(self.agents))]

    def copy(self) -> "Cells":
        """A copy that does not change with this one."""
        other = Cells()
        other.agents, other.categories = dict(self.agents), dict(self.categories)
        other.agent_of, other.category_of, other._cells = self.agent_of, self.category_of, dict(self._cells)
        return other


def numbered(numbers: dict[Name, int], names: Iterable[Name]) -> Ints:
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
