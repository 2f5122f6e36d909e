"""Asking an evaluator about one task: one question, and one more where the answer cannot be read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from processors.errors import Rejected, Unavailable
from processors.judging.ask import Message, once_more
from processors.judging.costs import Price, cost
from processors.judging.rows import Judgement, Outcome
from processors.judging.settings import Evaluator
from processors.judging.verdict import LONGEST, Verdict, read


@dataclass(frozen=True)
class Reply:
    """What a model answered."""

    text: str
    refusal: str
    """Why it would not answer; empty if it did."""
    is_cut: bool
    """Whether the answer reached the longest it may be."""
    model: str
    """The model that answered, as the endpoint says."""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0


Ask = Callable[[list[Message]], Reply]
"""Asks the evaluator's model; raises Rejected or Unavailable."""


@dataclass(frozen=True)
class Reading:
    """What was made of a reply."""

    outcome: Outcome
    comment: str
    verdict: Verdict | None = None


def judge(ask: Ask, evaluator: Evaluator, task: dict[str, Any], asked: list[Message], price: Price, now: datetime) -> Judgement:
    """What `evaluator` says of `task`; raises Rejected or Unavailable if it says nothing at all.

    Args:
        ask: asks its model.
        evaluator: who judges.
        task: what is judged.
        asked: the question, as `messages` makes it.
        price: prices calls.
        now: when this is.
    """
    replies = [ask(asked)]
    reading = understand(replies[0], evaluator)
    if reading.outcome == "malformed":
        again = once_more(asked, replies[0].text[:LONGEST], reading.comment)
        try:
            replies.append(ask(again))
            reading = understand(replies[1], evaluator)
        except (Rejected, Unavailable) as error:
            reading = Reading("malformed", f"{reading.comment}; asked again: {error}")
    return Judgement(
        evaluator,
        task,
        reading.outcome,
        reading.comment,
        model=replies[-1].model,
        calls=len(replies),
        input_tokens=sum(reply.input_tokens for reply in replies),
        output_tokens=sum(reply.output_tokens for reply in replies),
        cost_usd=total(replies, evaluator, price, now),
        verdict=reading.verdict,
    )


def understand(reply: Reply, evaluator: Evaluator) -> Reading:
    """What is made of a reply."""
    if reply.refusal:
        return Reading("refused", reply.refusal)
    if reply.is_cut:
        return Reading("malformed", "the answer was cut off: it was longer than allowed")
    try:
        verdict = read(reply.text, evaluator.criteria)
    except ValueError as error:
        return Reading("malformed", str(error))
    return Reading("judged", verdict.summary, verdict)


def total(replies: Sequence[Reply], evaluator: Evaluator, price: Price, now: datetime) -> Decimal | None:
    """US dollars of all replies; null if no price is known."""
    costs = [
        cost(
            price,
            evaluator,
            reply.model,
            {
                "InputTokens": reply.input_tokens,
                "OutputTokens": reply.output_tokens,
                "CachedInputTokens": reply.cached_input_tokens,
            },
            now,
        )
        for reply in replies
    ]
    known = [each for each in costs if each is not None]
    return sum(known, Decimal(0)) if known else None
