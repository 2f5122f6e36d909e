import polars as pl

from processors.remembered import Remembered


def names(*numbers: int) -> pl.Series:
    return pl.Series([f"name {number}" for number in numbers], dtype=pl.String)


def test_what_was_added_is_known_and_nothing_else():
    remembered = Remembered(100)
    remembered.add(names(1, 2, 3))
    remembered.add(names(3, 4))

    assert remembered.knows(names(0, 1, 3, 4, 5)).to_list() == [False, True, True, True, False]
    assert remembered.knows(names()).to_list() == []


def test_so_many_of_the_newest_are_known_and_at_most_twice_as_many():
    remembered = Remembered(100)
    for number in range(1_000):
        remembered.add(names(number))
        oldest = max(0, number - 99)
        assert remembered.knows(names(*range(oldest, number + 1))).all()

    assert 100 <= remembered.knows(names(*range(1_000))).sum() <= 200


def test_more_at_once_than_are_remembered_are_known_until_as_many_more_have_come():
    remembered = Remembered(10)
    remembered.add(names(*range(50)))
    assert remembered.knows(names(*range(50))).all()

    remembered.add(names(50))
    assert remembered.knows(names(*range(51))).all()

    remembered.add(names(*range(51, 61)))
    assert not remembered.knows(names(*range(50))).any()
    assert remembered.knows(names(*range(50, 61))).all()
