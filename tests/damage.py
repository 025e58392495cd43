"""Files damaged at random, the same way for the same seed."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path


def damaged(path: Path, seed: int) -> Path:
    """Write random bytes into a file, or cut it off; a database is brought together from its parts first."""
    if path.suffix == ".sqlite3":
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA wal_checkpoint(truncate)")
    chance = random.Random(seed)
    data = bytearray(path.read_bytes())
    start = chance.choice([0, 100])  # a database's head is a hundred bytes
    for _ in range(chance.choice([1, 10, 100, 1000])):
        data[chance.randrange(start, len(data))] = chance.randrange(256)
    if seed % 10 == 9:
        data = data[: chance.randrange(len(data))]
    path.write_bytes(data)
    return path
