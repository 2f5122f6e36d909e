"""Merit's own log lines: standard logging, one line for each event that an operator needs, on standard error."""

import logging
import time

FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s: %(message)s"


def to_stderr(level: int = logging.INFO) -> None:
    """Send log lines to standard error; libraries speak only when something is wrong."""
    formatter = logging.Formatter(FORMAT, datefmt="%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for own in ("merit", "receiver", "processors", "exporters", "query_api"):
        logging.getLogger(own).setLevel(level)
