"""Opens the store at the start of a program, which does not wait for a server: what comes meanwhile is in the journal."""

import logging
import threading
from concurrent.futures import Future

from exporters.store import Store
from processors.errors import Unavailable

PAUSE_SECONDS = 5.0
"""How often a server that is away is asked for again."""
FIRST_SECONDS = 5.0
"""How long a start waits for a server: one that says nothing at all is given up only after `query_seconds` and more."""
STOP_SECONDS = 1.0

log = logging.getLogger(__name__)


class Opening:
    """Opens a store: an embedded one at once, a server as soon as it answers.

    Args:
        store: closed; nobody else opens it.
        pause_seconds: between two tries.
        first_seconds: how long a start waits for the first try.
    """

    def __init__(self, store: Store, pause_seconds: float = PAUSE_SECONDS, first_seconds: float = FIRST_SECONDS) -> None:
        self._store, self._pause, self._first = store, pause_seconds, first_seconds
        self._trouble = ""
        self._stopping = threading.Event()
        self._tried: Future[None] = Future()
        self._thread = threading.Thread(target=self._work, name="merit-opening", daemon=True)

    def start(self) -> None:
        """Open the store, or go on trying in the background.

        Raises:
            Rejected: its tables are those of a newer Merit.
            Unavailable: an embedded one cannot be opened.
        """
        if not self._store.is_server:
            self._store.open()
            return
        self._store.refuse()
        self._thread.start()
        try:
            self._tried.result(self._first)
        except TimeoutError:
            self._says(Unavailable("the server says nothing"))
        except Unavailable:
            return  # it has been said

    def stop(self) -> None:
        """Try no more, and close the store. Safe to call twice."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)  # it may wait for a server that says nothing
        self._store.close()

    def _work(self) -> None:
        """Try until it succeeds; the first try tells `start` how it went, and ends this if it will never succeed."""
        try:
            self._store.open()
        except Unavailable as error:
            self._says(error)
            self._tried.set_exception(error)
        except BaseException as error:  # noqa: BLE001  # `start` raises it
            self._tried.set_exception(error)
            return
        else:
            self._answers()
            self._tried.set_result(None)
            return
        while not self._stopping.wait(self._pause):
            try:
                self._store.open()
            except Unavailable as error:
                self._says(error)
            except Exception as error:
                if str(error) != self._trouble:
                    log.exception("the store cannot be used; what comes waits in the journal")
                self._trouble = str(error)
            else:
                self._answers()
                return

    def _answers(self) -> None:
        if self._trouble:
            log.warning("the store answers, and its tables are up to date")

    def _says(self, error: Unavailable) -> None:
        if str(error) != self._trouble:
            log.warning("the store is not there yet; what comes waits in the journal: %s", error)
        self._trouble = str(error)
