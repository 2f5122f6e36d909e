"""Which threads go first where more want to run than there are processors: those that answer somebody who waits."""

import os
import sys
import threading
from contextlib import suppress

BEHIND = 10
"""Steps of niceness. A thread in front gets nine times the share of one so far behind, and is let in sooner when it wakes."""
LAST = 19


def stand_behind() -> None:
    """Have the calling thread, and threads that it starts, go after the others of this process.

    For jobs and for what stores: nobody waits for them by the millisecond. On Linux, where each thread has a niceness
    of its own (sched(7)); elsewhere, and in a sandbox that forbids it, nothing happens.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, min(os.getpriority(os.PRIO_PROCESS, thread) + BEHIND, LAST))
