"""Which objective a task's input is about: by the words that it has of each, all tasks of a batch at once.

Every keyword and every telling word of an example is a *term*. Which terms a text holds is found in one pass of an
Aho-Corasick automaton (polars' `extract_many`); texts by terms, times terms by objectives, is one sparse product. A term
counts once a text, however often it stands there, and less the more objectives have it (the idf of information retrieval;
Manning, Raghavan, Schütze, *Introduction to Information Retrieval*, 6.2.1).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import log2

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from processors.objectives.asked import asked, plain
from processors.objectives.objectives import GENERAL, Objective, ObjectiveSettings, configured

KEYWORD = 1.0
PER_FURTHER_WORD = 0.5
"""What each further word of a phrase adds: `unit test` says more than `test`."""
OF_EXAMPLE = 0.2
"""A word that stands in examples only."""
FIRST = 0.5
"""What the first term of a text weighs besides, the second half of that, and so on: what is to be done is said first."""
DOUBT = 1.0
"""How sure: the weight of an objective's words, of all words' weight and this. One keyword alone makes 0.5."""
SHORTEST = 4
"""Letters of a word of an example: shorter ones say little."""

VOWELS = frozenset("aeiouwxy")
"""And the consonants that are never doubled."""


@dataclass(frozen=True)
class Candidate:
    """An objective as it was weighed for one text."""

    category: str
    sure: float
    words: tuple[tuple[str, float], ...]
    """The terms found, each with its weight, the heaviest first."""


class Classifier:
    """Gives categories by `objectives`.

    Args:
        objectives: those that are enabled count.
        threshold: how sure a classification must be, from 0 to 1.
    """

    def __init__(self, objectives: Sequence[Objective], threshold: float) -> None:
        self._objectives = [one for one in objectives if one.enabled]
        self._threshold = threshold
        self._categories = np.array([*(one.category for one in self._objectives), GENERAL], dtype=object)
        self._terms, self._weights = weigh(self._objectives)
        forms = {form: number for number, term in enumerate(self._terms) for form in forms_of(term)}
        self._patterns = list(forms)
        self._term_of = pl.DataFrame(
            {"form": self._patterns, "term": list(forms.values())}, schema={"form": pl.String, "term": pl.Int32}
        )

    def __call__(self, inputs: pl.Series) -> pl.Series:
        """The category of each of `inputs`, excerpts of what tasks were asked."""
        if not self._terms:
            return pl.repeat(GENERAL, len(inputs), eager=True)
        scores = self._found(inputs) @ self._weights
        best = scores.argmax(axis=1)
        sure = np.take_along_axis(scores, best[:, None], axis=1)[:, 0] / (scores.sum(axis=1) + DOUBT)
        best[(sure < self._threshold) | (sure == 0)] = -1
        return pl.Series(self._categories[best], dtype=pl.String)

    def explain(self, text: str) -> list[Candidate]:
        """Every objective that has a word in `text`, the surest first."""
        if not self._terms:
            return []
        found = self._found(pl.Series([text]))
        terms = found.indices
        weights = self._weights[terms] * found.data[:, None]
        total = weights.sum() + DOUBT
        candidates = [
            Candidate(str(category), float(column.sum() / total), words_of(self._terms, terms, column))
            for category, column in zip(self._categories, weights.T, strict=False)
            if column.any()
        ]
        return sorted(candidates, key=lambda one: (-one.sure, one.category))

    def category(self, text: str) -> str:
        """The category of one text."""
        return str(self(pl.Series([text])).item())

    def _found(self, inputs: pl.Series) -> sparse.csr_array:
        """Texts by terms: 1 where the text holds the term, up to 1 + FIRST the earlier it stands."""
        texts = inputs.alias("text").to_frame().select(words=asked(pl.col("text").fill_null("")))
        matches = texts.select(form=pl.col("words").str.extract_many(self._patterns, overlapping=True))
        ordered = matches.with_columns(place=pl.int_ranges(0, pl.col("form").list.len())).with_row_index("text")
        held = ordered.explode("form", "place").join(self._term_of, on="form").group_by("text", "term").agg(pl.col("place").min())
        heed = 1 + FIRST / (1 + held["place"].to_numpy())
        shape = (len(inputs), len(self._terms))
        return sparse.csr_array((heed, (held["text"].to_numpy(), held["term"].to_numpy())), shape=shape)


def classifier(settings: ObjectiveSettings, objectives: Sequence[Objective] | None = None) -> Classifier:
    """The classifier of the settings, for `objectives` or those of the settings."""
    return Classifier(configured(settings) if objectives is None else objectives, settings.threshold)


def words_of(terms: Sequence[str], found: NDArray[np.int32], weights: NDArray[np.float64]) -> tuple[tuple[str, float], ...]:
    """The found terms that weigh anything, the heaviest first."""
    words = [(terms[term], float(weight)) for term, weight in zip(found, weights, strict=True) if weight]
    return tuple(sorted(words, key=lambda word: (-word[1], word[0])))


def weigh(objectives: Sequence[Objective]) -> tuple[list[str], NDArray[np.float64]]:
    """Every term, and terms by objectives: what each weighs."""
    raw: dict[str, dict[int, float]] = defaultdict(dict)
    for number, objective in enumerate(objectives):
        for term in words(objective.keywords):
            raw[term][number] = KEYWORD + PER_FURTHER_WORD * term.count(" ")
    known = {form.strip() for term in raw for form in forms_of(term)}
    for number, objective in enumerate(objectives):
        for term in {w for example in words(objective.examples) for w in example.split()} - known - common_words():
            if len(term) >= SHORTEST:
                raw[term].setdefault(number, OF_EXAMPLE)
    terms = sorted(raw)
    weights = np.zeros((len(terms), len(objectives)))
    for row, term in enumerate(terms):
        for number, weight in raw[term].items():
            weights[row, number] = weight * rarity(len(raw[term]), len(objectives))
    return terms, weights


@cache
def common_words() -> frozenset[str]:
    """English words that tell nothing of what a text is about."""
    return frozenset(files("processors.objectives").joinpath("common_words.txt").read_text("utf-8").split())


def rarity(holders: int, objectives: int) -> float:
    """1 of a term that one objective has, 0 of one that all have."""
    return 1.0 if holders == 1 else log2(objectives / holders) / log2(objectives)


def words(texts: Sequence[str]) -> Iterator[str]:
    """Each of `texts` as words are looked for; a `*` at the end stays."""
    cleaned = pl.DataFrame({"text": texts}, schema={"text": pl.String}).select(clean=plain(pl.col("text")))["clean"].to_list()
    for text, clean in zip(texts, cleaned, strict=True):
        if clean.strip():
            yield " ".join(clean.split()) + ("*" if text.endswith("*") else "")


def forms_of(term: str) -> Iterator[str]:
    """What is looked for: the term between spaces, and the plain English forms of its last word; a beginning for `begin*`."""
    before, _, last = term.rpartition(" ")
    if term.endswith("*"):
        yield f" {term[:-1]}"
    elif not last.isascii() and last.upper() == last.lower():
        yield term  # a script without capitals, such as Chinese, has no spaces between words either
    else:
        yield from (f" {before} {form} " if before else f" {form} " for form in inflected(last))


def inflected(word: str) -> Iterator[str]:
    """`word` and its regular English forms."""
    yield word
    if len(word) < 3 or not (word.isascii() and word.isalpha()):
        return
    stem, end = word[:-1], word[-1]
    yield f"{word}s"
    yield f"{stem if end == 'e' else word}ing"
    if end == "e":
        yield f"{word}d"
    elif end == "y":
        yield from (f"{stem}ies", f"{stem}ied")
    else:
        yield from (f"{word}es", f"{word}ed")
        if end not in VOWELS and word[-2] in VOWELS and word[-3] not in VOWELS:
            yield from (f"{word}{end}ing", f"{word}{end}ed")
