"""What a task is about, told by the words of its input."""

import json
from pathlib import Path
from time import perf_counter

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from processors.objectives.classify import Classifier, classifier, inflected
from processors.objectives.objectives import (
    GENERAL,
    Objective,
    ObjectiveSettings,
    configured,
    from_rows,
    layered,
    shipped,
    to_rows,
)

FOLDER = Path(__file__).parent
classify = classifier(ObjectiveSettings())


def assignments(file: str) -> pl.DataFrame:
    """Hand-written assignments with the category that a reader would give each, and the one that was found."""
    written = yaml.safe_load((FOLDER / file).read_text("utf-8"))
    said = pl.DataFrame(
        [(text, category) for category, texts in written.items() for text in texts], ("text", "category"), orient="row"
    )
    return said.with_columns(found=classify(said["text"]))


@pytest.mark.parametrize(
    ("file", "least", "right", "wrong"),
    [("assignments.yaml", 170, 0.97, 0.02), ("assignments_held_out.yaml", 56, 0.89, 0.06)],
)
def test_assignments_are_classified_as_a_reader_would(file: str, least: int, right: float, wrong: float) -> None:
    all_of_them = assignments(file)
    missed = all_of_them.filter(pl.col("category") != pl.col("found"))
    misled = missed.filter(pl.col("found") != GENERAL)

    assert len(all_of_them) >= least
    assert 1 - len(missed) / len(all_of_them) >= right, missed.rows()
    assert len(misled) / len(all_of_them) <= wrong, misled.rows()


def test_no_assignment_is_an_example_of_an_objective() -> None:
    examples = {example for one in shipped() for example in one.examples}

    assert not examples & {*assignments("assignments.yaml")["text"], *assignments("assignments_held_out.yaml")["text"]}


def test_every_shipped_example_is_of_its_objective() -> None:
    assert {(one.category, e) for one in shipped() for e in one.examples if classify.category(e) != one.category} == set()


def test_what_comes_with_merit_covers_eight_kinds_of_work() -> None:
    assert {one.category for one in shipped()} == {
        "research", "analysis", "writing", "coding", "data", "support", "planning", "operations",
    }  # fmt: skip
    assert all(len(one.keywords) >= 40 and len(one.examples) >= 5 and one.criteria and one.description for one in shipped())


@pytest.mark.parametrize("text", ["", " ", "\n", "{", "[", "[]", "…", "\x00", "0" * 4096, "}{" * 2048, "🙂" * 100, '"' * 4096])
def test_what_says_nothing_is_general(text: str) -> None:
    assert classify.category(text) == GENERAL


@pytest.mark.parametrize(
    "text",
    [
        "Quelle est la capitale de l'Australie ?",
        "Wie spät ist es in Tokio, wenn es hier Mittag ist?",
        "東京は今何時ですか？",
        "Сколько будет семью восемь?",
        "ما هو الطقس اليوم؟",
    ],
)
def test_another_language_is_general_rather_than_wrong(text: str) -> None:
    assert classify.category(text) == GENERAL


ASKED = "Fix the bug in the login function"
USER = {"role": "user", "content": ASKED}
RESEARCHER = {"role": "system", "content": "You are a research assistant: search the web, cite sources"}
PLANNER = {"content": "You plan trips: itinerary, budget, schedule", "role": "system"}
ANSWER = {"role": "assistant", "content": "Shall I draft a blog post or a poem?"}
MESSAGES = {
    "plain": ASKED,
    "messages": json.dumps([USER]),
    "parts": json.dumps([{"role": "user", "parts": [{"type": "text", "content": ASKED}]}]),
    "system first": json.dumps([RESEARCHER, USER]),
    "role last": json.dumps([PLANNER, {"content": ASKED, "role": "user"}]),
    "answered before": json.dumps([{"role": "user", "content": "hi"}, ANSWER, USER]),
    "task": json.dumps({"task": ASKED, "stream": False, "max_steps": None}),
    "prompt": json.dumps({"prompt": ASKED}, indent=2),
    "escaped": json.dumps([{"role": "user", "content": f'Hello!\nHere it is:\n\n\t"{ASKED}"'}]),
    "cut": json.dumps([{"role": "user", "content": ASKED + " please " + "x " * 4096}])[:4096],
    "json of its own": json.dumps({"anything": ASKED}),
}


@pytest.mark.parametrize("shape", MESSAGES)
def test_it_is_the_users_words_that_count_in_any_shape(shape: str) -> None:
    assert classify.category(MESSAGES[shape]) == "coding"


def test_code_is_of_coding_and_what_is_said_before_it_counts_more() -> None:
    code = "def main():\n    for row in rows:\n        print(row)\n" * 80

    assert classify.category(f"Why does this function raise an exception?\n{code}"[:4096]) == "coding"
    assert classify.category(f"Translate the comments into German and keep the tone formal:\n{code}"[:4096]) == "writing"


def test_a_classification_says_what_told_it() -> None:
    best, second = classify.explain("Write a unit test for the refund endpoint")[:2]

    assert (best.category, [word for word, _ in best.words][:2]) == ("coding", ["unit test", "endpoint"])
    assert 0 < second.sure < best.sure < 1
    assert best.words == tuple(sorted(best.words, key=lambda word: -word[1]))


def test_below_the_threshold_a_task_stays_general() -> None:
    text = pl.Series(["Analyse the trend"])

    assert [Classifier(shipped(), threshold)(text).item() for threshold in (0, 0.5, 0.99)] == ["analysis", "analysis", GENERAL]


def test_nothing_is_guessed_without_a_word_even_at_threshold_0() -> None:
    assert Classifier(shipped(), 0).category("xyzzy") == GENERAL


def test_a_word_of_several_objectives_decides_for_none() -> None:
    both = [Objective(category=c, keywords=("report",)) for c in ("a", "b")]

    assert Classifier(both, 0.4).category("report") == GENERAL


def test_one_objective_alone_is_recognised_by_its_own_words() -> None:
    legal = Classifier([Objective(category="legal", keywords=("contract", "clause*", "研究"))], 0.4)

    assert [legal.category(t) for t in ("Check the contracts", "two subclauses", "Clauses?", "请研究市场", "contractor")] == [
        "legal", GENERAL, "legal", "legal", GENERAL,
    ]  # fmt: skip


def test_without_objectives_everything_is_general() -> None:
    none = Classifier([Objective(category="a", keywords=("b",), enabled=False)], 0.4)

    assert none(pl.Series(["b", ""])).to_list() == [GENERAL, GENERAL]
    assert none.explain("b") == []


@pytest.mark.parametrize(
    ("word", "forms"),
    [("plan", {"plans", "planned", "planning"}), ("analyse", {"analysed", "analysing"}), ("study", {"studies", "studied"})],
)
def test_a_keyword_is_found_in_its_plain_forms(word: str, forms: set[str]) -> None:
    assert forms <= set(inflected(word))


@settings(max_examples=25)
@given(st.lists(st.text(max_size=200) | st.sampled_from(list(MESSAGES.values())), max_size=12))
def test_each_text_is_classified_as_it_would_be_alone(texts: list[str]) -> None:
    together = classify(pl.Series(texts, dtype=pl.String)).to_list()

    assert together == [classify.category(text) for text in texts]


def test_a_thousand_tasks_are_classified_at_once() -> None:
    texts = pl.Series([*assignments("assignments.yaml")["text"], *MESSAGES.values()] * 50)
    classify(texts.head(10))

    began = perf_counter()
    classify(texts)

    assert (perf_counter() - began) / len(texts) < 100e-6  # 2–5 µs in truth; a Python loop would take more than this allows


def test_objectives_of_the_settings_go_over_the_shipped_ones() -> None:
    mine = Objective(category="coding", keywords=("frobnicate",))
    of_settings = ObjectiveSettings(extra=(mine, Objective(category="legal")))

    assert {one.category for one in configured(of_settings)} == {one.category for one in shipped()} | {"legal"}
    assert mine in configured(of_settings)
    assert configured(of_settings.model_copy(update={"shipped": False})) == layered((), of_settings.extra)


def test_objectives_survive_the_way_through_the_table() -> None:
    assert layered((), from_rows(to_rows(shipped(), 7))) == layered((), shipped())
    assert from_rows(to_rows([], 7)) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"category": "general"},
        {"category": " "},
        {"category": "x" * 129},
        {"keywords": [""]},
        {"examples": ["x" * 1001]},
        {"other": 1},
    ],
)
def test_what_cannot_be_an_objective_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Objective.model_validate({"category": "a"} | wrong)
