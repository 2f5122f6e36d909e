"""Tasks get their category: said by the user, else by the objectives, which people may edit while Merit runs."""

from collections.abc import Iterator

import pytest

from exporters.store import Store
from merit.pipeline.objectives import Classification
from processors.errors import Unavailable
from processors.objectives.objectives import Objective, ObjectiveSettings, to_rows
from tests.builders import Clock, Row, agent, chat
from tests.merit.deriving import pipeline, send, work

NURSING = Objective(category="nursing", keywords=("bandage",))


@pytest.fixture(autouse=True)
def unedited(store: Store) -> Iterator[None]:
    """No objective is edited, before and after."""
    store.command("TRUNCATE TABLE objectives")
    yield
    store.command("TRUNCATE TABLE objectives")


def asked(trace: int, text: str, **said: str) -> list[Row]:
    """A task with a model call."""
    words = {"gen_ai.input.messages": f'[{{"role": "user", "parts": [{{"type": "text", "content": "{text}"}}]}}]'}
    return [agent(trace, 1, said=words | {name.replace("_", "."): value for name, value in said.items()}), chat(trace, 2, 1)]


def categories(store: Store) -> dict[str, str]:
    """Category of tasks and, where they differ from it, of their nodes."""
    sql = """SELECT t.trace_id, arrayStringConcat(arrayDistinct([t.category, n.category]), ' and ')
    FROM tasks AS t FINAL JOIN nodes AS n FINAL ON n.task_id = t.task_id ORDER BY 1"""
    return {str(int(trace, 16)): category for trace, category in store.query(sql).iter_rows()}


def test_a_task_has_the_said_category_else_that_of_its_words_else_general(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    send(it, asked(1, "Fix the bug in the login function"), clock)
    send(it, asked(2, "Fix the bug in the login function", merit_task_category="chores"), clock)
    send(it, asked(3, "Good morning"), clock)

    work(it, clock)

    assert categories(tables) == {"1": "coding", "2": "chores", "3": "general"}


def test_edited_objectives_hold_from_then_on_and_for_the_rest_by_rederiving(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    send(it, asked(1, "Change the bandage"), clock)
    work(it, clock)
    tables.insert("objectives", to_rows([NURSING], 1))

    assert (it.refresh(), it.refresh()) == (True, False)
    send(it, asked(2, "Change the bandage"), clock)
    work(it, clock)
    assert categories(tables) == {"1": "general", "2": "nursing"}

    since = clock()
    it.rederive(since.replace(hour=0), clock.tick(3600))
    assert categories(tables) == {"1": "nursing", "2": "nursing"}


def test_a_process_that_has_just_started_knows_what_was_edited_before(tables: Store, clock: Clock) -> None:
    tables.insert("objectives", to_rows([NURSING], 1))
    it = pipeline(tables, clock)

    send(it, asked(1, "Change the bandage"), clock)
    work(it, clock)

    assert categories(tables) == {"1": "nursing"}


def test_objectives_of_the_settings_are_there_and_the_threshold_holds(tables: Store, clock: Clock) -> None:
    sure = {"shipped": False, "extra": [NURSING.model_dump()], "threshold": 0.9}
    for trace, settings in ((1, sure | {"threshold": 0.4}), (2, sure)):
        it = pipeline(tables, clock, objectives=settings)
        send(it, asked(trace, "Change the bandage"), clock)
        work(it, clock)

    assert categories(tables) == {"1": "nursing", "2": "general"}


def test_objectives_that_cannot_be_read_are_no_reason_to_guess() -> None:
    class Away:
        def query(self, *_: object) -> None:
            raise Unavailable("gone")

    with pytest.raises(Unavailable):
        Classification(Away(), ObjectiveSettings()).refresh()  # type: ignore[arg-type]
