r"""What was asked of an agent, out of the excerpt of its input: plain text, or what a user says in a JSON list of messages.

An excerpt may be cut in the middle, so JSON is not parsed but searched.
"""

import polars as pl

READ = 600
"""Characters of what was asked that are looked at: an assignment is said at the beginning."""

IS_JSON = r"^\s*[\[{]"
SAYS = r'"(?:content|text|prompt|question|query|task|input|message|instructions?|goal|request)"\s*:\s*"((?:[^"\\]|\\.)*)'
"""A string under a name by which messages and assignments go; its end may be cut off."""
ROLE_FIRST = r'^\s*\[?\s*\{\s*"role"'
OTHERS = r'(?s)"role"\s*:\s*"(?:system|developer|assistant|model|tool)".*?(?:"role"\s*:\s*"user"|$)'
"""In messages that name their role first: what is not the user's."""
SYSTEM_BEFORE = r'(?s)^.*?"role"\s*:\s*"(?:system|developer)"'
"""In messages that name it last: everything up to the system's."""
NO_WORDS = r'(?:\\[nrt"/]|[\x00-\x1f!"$-*,-/:-@\[-`{-~])+'
"""Punctuation (not that of c++ and c#), line ends and what JSON makes of them; digits and letters of any script stay."""


def asked(text: pl.Expr) -> pl.Expr:
    """The words of what was asked: in lower case, spaces for punctuation, between spaces; of at most READ characters."""
    json = pl.when(text.str.contains(IS_JSON)).then(text)  # null where it is none: a regular expression passes over it
    return plain(pl.coalesce(_of_json(json), text).str.head(READ))


def plain(text: pl.Expr) -> pl.Expr:
    """`text` as words are looked for in it."""
    return pl.lit(" ") + text.str.replace_all(NO_WORDS, " ").str.to_lowercase() + pl.lit(" ")


def _of_json(text: pl.Expr) -> pl.Expr:
    """What a user or an assignment says in JSON; null if nothing is found."""
    role_first = text.str.contains(ROLE_FIRST)
    users = pl.when(role_first).then(text.str.replace_all(OTHERS, "")).otherwise(text.str.replace(SYSTEM_BEFORE, ""))
    said = users.str.extract_all(SAYS).list.eval(pl.element().str.extract(SAYS, 1)).list.join(" ")
    return pl.when(said.str.contains(r"\S")).then(said)
