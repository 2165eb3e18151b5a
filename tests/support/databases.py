"""Looks at a database, and changes it, behind the back of whoever keeps it."""

import sqlite3
from pathlib import Path


def raw(path: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    rows = connection.execute(statement).fetchall()
    connection.commit()
    connection.close()
    return rows
