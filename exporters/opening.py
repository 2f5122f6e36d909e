"""Opens the store at the start of a program, which does not wait for a server: what comes meanwhile is in the journal."""

import logging
import threading

from exporters.store import Store
from processors.errors import MeritError, Unavailable

PAUSE_SECONDS = 5.0
"""How often a server that is away is asked for again."""

log = logging.getLogger(__name__)


class Opening:
    """Opens a store: an embedded one at once, a server as soon as it answers.

    Args:
        store: closed; nobody else opens it.
        pause_seconds: between two tries.
    """

    def __init__(self, store: Store, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._store, self._pause = store, pause_seconds
        self._trouble = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="merit-opening", daemon=True)

    def start(self) -> None:
        """Open the store, or go on trying in the background.

        Raises:
            Rejected: its tables are those of a newer Merit.
            Unavailable: an embedded one cannot be opened.
        """
        try:
            self._store.open()
        except Unavailable as error:
            if not self._store.is_server:
                raise
            self._says(error)
            self._store.refuse()
            self._thread.start()

    def stop(self) -> None:
        """Try no more, and close the store. Safe to call twice."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._store.close()

    def _work(self) -> None:
        while not self._stopping.wait(self._pause):
            try:
                self._store.open()
            except MeritError as error:
                self._says(error)
            else:
                log.warning("the store answers, and its tables are up to date")
                return

    def _says(self, error: MeritError) -> None:
        if str(error) != self._trouble:
            log.warning("the store is not there yet; what comes waits in the journal: %s", error)
        self._trouble = str(error)
