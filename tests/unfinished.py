"""An SQLite file as a killed process leaves it: a transaction half-written, with the journal that undoes it."""

import subprocess
import sys
from pathlib import Path

_WRITE_AND_DIE = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA journal_mode = DELETE")
database.execute("PRAGMA cache_size = 1")
database.execute("BEGIN")
database.execute("CREATE TABLE unfinished (text)")
for number in range(2000):
    database.execute("INSERT INTO unfinished VALUES (?)", (f"{number} " * 100,))
os._exit(9)
"""


def leave_unfinished(path: Path) -> None:
    """Write to the database at `path` in a process that dies before it commits."""
    subprocess.run([sys.executable, "-c", _WRITE_AND_DIE, str(path)], check=False)
    assert path.with_name(f"{path.name}-journal").stat().st_size > 512
