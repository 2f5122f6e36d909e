"""Merit's own log lines: standard logging, one line for each event that an operator needs, on standard error."""

import logging
import time

from pythonjsonlogger.json import JsonFormatter

FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s: %(message)s"
FIELDS = "%(asctime)s %(levelname)s %(name)s %(message)s"
"""Of a line in JSON; what an event carries besides joins them."""


def to_stderr(level: int = logging.INFO, *, as_json: bool = False) -> None:
    """Send log lines to standard error; libraries speak only when something is wrong."""
    formatter = json_lines() if as_json else logging.Formatter(FORMAT, datefmt="%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for own in ("merit", "receiver", "processors", "exporters", "query_api"):
        logging.getLogger(own).setLevel(level)


def json_lines() -> logging.Formatter:
    """One JSON object a line: `time, level, logger, message`, and `exc_info` where there is a traceback."""
    names = {"asctime": "time", "levelname": "level", "name": "logger"}
    return JsonFormatter(FIELDS, datefmt="%Y-%m-%dT%H:%M:%SZ", rename_fields=names)
