"""The examples in the documents, so that tests can run them."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(document: str, language: str) -> list[str]:
    """The code of `language` in a Markdown file of the project."""
    return [code for said, code in BLOCK.findall((ROOT / document).read_text("utf-8")) if said == language]
