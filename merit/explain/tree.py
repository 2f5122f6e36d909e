"""An explanation in the terminal: a tree of spans, each with its reasons, and what was not understood below."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text
from rich.tree import Tree

from merit.explain.explanation import ORDER, Explanation, Gaps, Reason, Told

WIDEST = 60
"""Characters shown of a value."""
MOST_KEYS = 8
FIELD = max(len(field) for field in ORDER)
UNPRINTABLE = dict.fromkeys((*range(32), 127, *range(128, 160)), "�")
"""Spans come from elsewhere: nothing in them may steer the terminal."""


class Rendered:
    """An explanation, for rich to print."""

    def __init__(self, explanation: Explanation) -> None:
        self._told = explanation

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        by_trace: dict[str, list[Told]] = defaultdict(list)
        for span in self._told.spans:
            by_trace[span.trace_id].append(span)
        for trace in self._told.traces:
            if spans := by_trace.get(trace["trace_id"]):
                tasks = [task for task in self._told.tasks if task["trace_id"] == trace["trace_id"]]
                yield _trace(trace, tasks, spans)
        yield from _gaps(self._told.not_understood)
        for line in self._told.rejected:
            yield Text.assemble(("not taken: ", "bold red"), shown(line, 500))


def shown(value: object, width: int = WIDEST) -> str:
    """A value in one line, cut, without anything that steers a terminal."""
    text = str(value)
    cut = text if len(text) <= width else f"{text[: width - 1]}…"
    return cut.translate(UNPRINTABLE)


def _trace(trace: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]], spans: Sequence[Told]) -> Tree:
    tree = Tree(Group(_summary(trace), *(_task(task) for task in tasks)), guide_style="dim")
    branches = {span.span_id: Tree(Group(*_span(span))) for span in spans}
    above = {span.span_id: _shown_parent(span, branches) for span in spans}
    for span in spans:
        place = tree if (parent := above[span.span_id]) is None or _circles(span.span_id, above) else branches[parent]
        place.children.append(branches[span.span_id])
    return tree


def _shown_parent(span: Told, branches: Mapping[str, Tree]) -> str | None:
    return span.parent_span_id if span.parent_span_id in branches else None


def _circles(span_id: str, above: Mapping[str, str | None]) -> bool:
    """Whether the way up leads back to the span, as only broken input makes it."""
    seen: set[str] = set()
    at = above[span_id]
    while at is not None and at not in seen:
        if at == span_id:
            return True
        seen.add(at)
        at = above[at]
    return False


def _summary(trace: Mapping[str, Any]) -> Text:
    cost = "" if trace["is_deleted"] else f", {trace['total_tokens']:,} tokens, {_dollars(trace['cost_usd'])}"
    return Text.assemble(
        ("trace ", "dim"),
        (trace["trace_id"], "bold"),
        ("  " + shown(trace["name"]), "bold magenta") if trace["name"] else "",
        f"  {_count(trace['spans'], 'span')}, {_count(trace['tasks'], 'task') if not trace['is_deleted'] else 'no task'}{cost}",
        "" if trace["is_deleted"] else f", {trace['status']}",
    )


def _task(task: Mapping[str, Any]) -> Text:
    return Text.assemble(
        ("task  ", "dim"),
        (shown(task["agent_name"]), "cyan"),
        f"  {task['span_id']}  {_count(task['llm_calls'], 'model call')}, {_count(task['tool_calls'], 'tool call')}, "
        f"{task['total_tokens']:,} tokens, {_dollars(task['cost_usd'])}, {task['status']}",
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _dollars(cost: object) -> str:
    return "cost unknown" if cost is None else f"${float(str(cost)):.6f}"


def _span(span: Told) -> Iterator[RenderableType]:
    yield _headline(span)
    if span.operation:
        yield _facts(span)
    for remark in span.remarks:
        yield Text(f"! {shown(remark, 300)}", style="red" if remark.startswith("failed") else "yellow")
    yield from (_why(reason) for reason in span.why)


def _headline(span: Told) -> Text:
    style = "dim" if not span.operation else "bold" if span.success else "bold red"
    what = span.operation or "no step"
    return Text.assemble(
        (shown(span.span_name) or "(no name)", style),
        "  ",
        (what, "green" if span.operation else "dim"),
        (f"  {span.dialect}" if span.dialect else f"  scope {shown(span.scope_name)}" if span.scope_name else "", "blue"),
        (f"  {span.span_id}", "dim"),
    )


def _facts(span: Told) -> Text:
    parts = Text()
    if span.agent_name:
        parts.append(shown(span.agent_name), "cyan")
        parts.append(f" ({span.whose})  " if span.whose else "  ", "dim")
    if span.provider or span.model:
        parts.append(f"{shown(span.provider)}/{shown(span.model)}  ".lstrip("/"))
    if span.input_tokens is not None or span.output_tokens is not None:
        parts.append(f"{_tokens(span)}  ", "" if span.counted else "dim strike")
    if span.counted:
        parts.append(_dollars(span.cost_usd), "bold")
        parts.append(f" {span.price_source or 'unpriced'}", "dim")
    elif span.becomes:
        parts.append(f"{span.becomes}", "dim")
    return parts


def _tokens(span: Told) -> str:
    said = {"cached": span.cached_input_tokens, "written to cache": span.cache_write_tokens}
    inside = ", ".join(f"{count:,} {name}" for name, count in said.items() if count)
    reasoning = f" ({span.reasoning_tokens:,} reasoning)" if span.reasoning_tokens else ""
    return f"{_known(span.input_tokens)} in{f' ({inside})' if inside else ''}, {_known(span.output_tokens)} out{reasoning}"


def _known(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"


def _why(reason: Reason) -> Text:
    """`input_tokens  1200 ← gen_ai.usage.input_tokens  [gen-ai]`, in as many lines as it takes."""
    raw = f" = {shown(reason.said)}" if reason.said != reason.value else ""
    return Text.assemble(
        (f"  {reason.field:<{FIELD}} ", "dim"),
        shown(reason.value) or "(nothing)",
        (f" ← {shown(reason.source, 200)}{raw}  [{reason.dialect or 'rule'}]", "dim"),
    )


def _gaps(gaps: Gaps) -> Iterator[RenderableType]:
    telling = [one for one in gaps.attributes if one["telling"]]
    if not (gaps.spans or gaps.unpriced or telling):
        yield Text("\neverything was understood that looks as if it mattered", style="green")
    else:
        yield Text("\nnot understood", style="bold yellow")
    yield from (_silent(span) for span in gaps.spans)
    for one in gaps.unpriced:
        model = shown(f"{one['provider']}/{one['model'] or '(no model said)'}".lstrip("/"))
        yield Text.assemble(("  unpriced   ", "yellow"), f"{model}: {_count(one['calls'], 'call')}")
    yield from (_attribute(one, "yellow") for one in telling)
    if len(telling) < len(gaps.attributes):
        yield Text("\nread by no dialect; probably content and details", style="bold dim")
        yield from (_attribute(one, "dim") for one in gaps.attributes if not one["telling"])


def _silent(span: Mapping[str, Any]) -> Text:
    keys = ", ".join(shown(key) for key in span["keys"][:MOST_KEYS])
    more = f" and {len(span['keys']) - MOST_KEYS} more" if len(span["keys"]) > MOST_KEYS else ""
    return Text.assemble(
        ("  span       ", "yellow"),
        f"{_count(span['count'], 'span')} {shown(span['span_name'])!r} of scope {shown(span['scope_name'])!r}: ",
        ("no operation, but " + keys + more, "dim"),
    )


def _attribute(one: Mapping[str, Any], style: str) -> Text:
    name, example = shown(one["key"], 120), shown(one["example"])
    return Text.assemble(("  attribute  ", style), (name, style), (f"  × {one['count']:,}  e.g. {example}", "dim"))
