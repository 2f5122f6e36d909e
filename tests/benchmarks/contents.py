"""What a stopped store holds: exact rows and bytes of the active parts, as `system.parts` counts them.

Run by the suite: python -m tests.benchmarks.contents FOLDER; prints JSON.
"""

import json
import sys

from exporters.settings import ClickHouseSettings
from exporters.store import Store

ROWS = """
SELECT (SELECT count() FROM otel_traces FINAL) AS spans, (SELECT count() FROM nodes FINAL) AS nodes,
       (SELECT count() FROM tasks FINAL) AS tasks, (SELECT count() FROM workflows FINAL) AS workflows
"""
PARTS = """
SELECT table, count() AS parts, sum(rows) AS rows, sum(bytes_on_disk) AS bytes
FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table ORDER BY table
"""

if __name__ == "__main__":
    with Store(ClickHouseSettings(dsn=f"chdb://{sys.argv[1]}")) as store:  # type: ignore[arg-type]  # pydantic makes it a secret
        print(json.dumps({**store.query(ROWS).row(0, named=True), "tables": store.query(PARTS).to_dicts()}))
