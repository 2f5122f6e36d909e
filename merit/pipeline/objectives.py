"""The classifier in use: by the settings and by what people have edited, read again now and then."""

import logging
from threading import Lock

import polars as pl

from exporters.objectives import edited_objectives
from exporters.store import Store
from processors.objectives.classify import Classifier
from processors.objectives.objectives import ObjectiveSettings, configured, from_rows, layered

log = logging.getLogger(__name__)


class Classification:
    """Gives tasks their category; a callable for `derive`.

    Args:
        store: holds what people have edited; first asked when a task has to be classified.
        settings: the objectives below those.
    """

    def __init__(self, store: Store, settings: ObjectiveSettings) -> None:
        self._store = store
        self._settings = settings
        self._lock = Lock()
        self._edited: pl.DataFrame | None = None
        self._classifier: Classifier | None = None

    def __call__(self, inputs: pl.Series) -> pl.Series:
        """The category of each input; raises Unavailable if the objectives have not been read yet and cannot be."""
        return self._current()(inputs)

    def refresh(self) -> bool:
        """Read the objectives again; whether they have changed."""
        edited = edited_objectives(self._store)
        with self._lock:
            if self._edited is not None and edited.equals(self._edited):
                return False
            objectives = layered(configured(self._settings), from_rows(edited))
            self._classifier = Classifier(objectives, self._settings.threshold)
            if self._edited is not None:
                log.info("objectives have changed: tasks are classified by %d of them from now on", len(objectives))
            self._edited = edited
            return True

    def _current(self) -> Classifier:
        if self._classifier is None:
            self.refresh()
        assert self._classifier
        return self._classifier
