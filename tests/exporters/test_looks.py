"""What is new of a table is found once, and nothing is missed for being late."""

from datetime import timedelta

from exporters.looks import Looks, Stretch
from exporters.store import Store
from exporters.traces import EPOCH
from tests.merit.scored import stamped_earlier
from tests.query_api.build import put, task

OVERLAP = timedelta(seconds=15)
ALL = 1_000


def first_look(store: Store, looks: Looks) -> Stretch:
    put(store, "tasks", [task(1)])
    found = looks.next("tasks", EPOCH, ALL)
    assert found
    return found


def test_what_is_new_is_found_once(tables: Store) -> None:
    looks = Looks(tables, OVERLAP)
    before = first_look(tables, looks)
    assert looks.next("tasks", before.until, ALL) is None

    put(tables, "tasks", [task(2)])
    found = looks.next("tasks", before.until, ALL)
    assert found
    assert found.after == before.until < found.until
    assert looks.next("tasks", found.until, ALL) is None


def test_the_first_look_of_a_process_goes_over_the_overlap(tables: Store) -> None:
    until = first_look(tables, Looks(tables, OVERLAP)).until

    assert Looks(tables, OVERLAP).next("tasks", until, ALL) == (until - OVERLAP, until)


def test_what_is_stamped_before_what_was_seen_is_found(tables: Store) -> None:
    looks = Looks(tables, OVERLAP)
    until = first_look(tables, looks).until
    put(tables, "tasks", [late := task(2)])
    stamped_earlier(tables, late["task_id"], 10)

    assert looks.next("tasks", until, ALL) == (until - OVERLAP, until)
    assert looks.next("tasks", until, ALL) is None


def test_what_was_not_dealt_with_is_found_again(tables: Store) -> None:
    looks = Looks(tables, OVERLAP)
    until = first_look(tables, looks).until
    looks.forget()

    assert looks.next("tasks", until, ALL) == (until - OVERLAP, until)


def test_as_much_is_found_at_once_as_is_wanted(tables: Store) -> None:
    for number in range(4):
        put(tables, "tasks", [task(number)])
    looks, since, found = Looks(tables, OVERLAP), EPOCH, 0
    while look := looks.next("tasks", since, 1):
        since, found = look.until, found + 1

    assert found == 4
