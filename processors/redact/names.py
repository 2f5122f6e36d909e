"""What becomes of attributes by their name: the settings first, then prompts, then names that credentials have."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from processors.redact.columns import Flat
from processors.redact.grammar import ATTRIBUTE, PROMPT, Pair, globs, rules, written
from processors.redact.settings import RedactSettings

NUMBER = r"^[+-]?[0-9][0-9.eE+-]*$"


@dataclass(frozen=True)
class Treatment:
    """What is done with the attributes whose name `pattern` finds."""

    pattern: str
    action: str
    mask: str = ""
    characters: int = 0
    least: int = 0
    spares_counts: bool = False

    def __call__(self, values: pl.Series) -> pl.Series:
        """The values cut or masked; too short ones are not what a credential's name promises."""
        if self.action == "truncate":
            return values.str.head(self.characters)
        masks = pl.Series([written(self.mask)]).new_from_index(0, len(values))
        return masks.zip_with(values.str.len_bytes() >= self.least, values)


class Found(NamedTuple):
    """The names of attributes that are there and treated alike."""

    treatment: Treatment
    names: pl.Series


class Names:
    """Says which attributes are treated by their name.

    Args:
        settings: of `processors.redact`.
    """

    def __init__(self, settings: RedactSettings) -> None:
        known = rules()
        self._treatments = [
            Treatment(globs((rule.name,)), rule.action, ATTRIBUTE, rule.characters) for rule in settings.attributes
        ]
        if settings.prompts != "keep":
            self._treatments.append(Treatment(globs(known.prompts), settings.prompts, PROMPT, settings.prompt_characters))
        if settings.credentials:
            self._treatments += [_credential(pair) for pair in known.pairs]
        self._any = "|".join(f"(?:{treatment.pattern})" for treatment in self._treatments) or r"[^\s\S]"

    def among(self, keys: Iterable[pl.Series]) -> list[Found]:
        """Which of all `keys` are treated, and how: the first treatment that fits a name counts."""
        names = pl.concat(keys).unique()
        names = names.filter(names.str.contains(self._any))
        found = []
        for treatment in self._treatments if len(names) else ():
            fits = names.str.contains(treatment.pattern)
            if fits.any():
                found.append(Found(treatment, names.filter(fits).implode()))
                names = names.filter(~fits)
        return found


def counts(flat: Flat) -> pl.Series:
    """Where `flat` holds a number that is a count by its name."""
    assert flat.keys is not None
    return flat.keys.str.contains(f"(?i){globs(rules().measures)}") & flat.values.str.contains(NUMBER)


def _credential(pair: Pair) -> Treatment:
    return Treatment(f"(?i){pair.names}$", "mask", pair.mask, least=pair.least, spares_counts=True)
