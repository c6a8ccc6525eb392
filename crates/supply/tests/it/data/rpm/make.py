#!/usr/bin/env python3
"""Writes the databases beside this file with SQLite and Berkeley DB themselves. Needs the package berkeleydb of PyPI, and Debian's libdb5.3-dev."""

import shutil
import sqlite3
import struct
import tempfile
from pathlib import Path

from berkeleydb import db as berkeley

HERE = Path(__file__).parent


def header(name, version, n_files=0):
    """A package's header: an index of tags, and what it points into."""
    entries = [(1000, 6, 1, f"{name}\0"), (1001, 6, 1, f"{version}\0"), (1002, 6, 1, "1.amzn2\0"), (1022, 6, 1, "x86_64\0"),
               (1044, 6, 1, f"{name}-{version}-1.amzn2.src.rpm\0")]
    if n_files:
        entries += [(1117, 8, n_files, "".join(f"file{index}\0" for index in range(n_files))), (1118, 8, 1, "/usr/share/\0")]
    index, data = b"", b""
    for tag, kind, count, value in entries:
        index += struct.pack(">4I", tag, kind, len(data), count)
        data += value.encode()
    return struct.pack(">2I", len(entries), len(data)) + index + data


def sqlite(folder):
    """A database with a log: of what is committed in it one package is gone and two are new, and what is not committed is there as well."""
    path = folder / "rpmdb.sqlite"
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in ("page_size = 512", "journal_mode = wal", "wal_autocheckpoint = 0", "cache_size = 1"):
        connection.execute(f"PRAGMA {statement}")
    connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
    insert = "INSERT INTO Packages (blob) VALUES (?)"
    for name in ("kept", "gone"):
        connection.execute(insert, (header(name, "1.0"),))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("DELETE FROM Packages WHERE hnum = 2")
    connection.execute(insert, (header("added", "2.0"),))
    connection.execute(insert, (header("large", "3.0", n_files=200),))
    connection.execute("BEGIN")
    for index in range(4):
        connection.execute(insert, (header(f"open{index}", "4.0", n_files=100),))
    for name in (path.name, f"{path.name}-wal"):
        shutil.copy(folder / name, HERE / name)


def hashes(folder):
    for order, number in (("little", 1234), ("big", 4321)):
        database = berkeley.DB()
        database.set_pagesize(512)
        database.set_lorder(number)
        path = folder / f"{order}"
        database.open(str(path), dbtype=berkeley.DB_HASH, flags=berkeley.DB_CREATE)
        key = ("<I" if order == "little" else ">I")
        database.put(struct.pack(key, 0), struct.pack(key, 9))
        for index in range(8):
            # Values within a page, and values that take several.
            database.put(struct.pack(key, index + 1), header(f"package{index}", f"1.{index}", n_files=100 * (index % 3)))
        database.delete(struct.pack(key, 4))
        database.close()
        shutil.copy(path, HERE / f"Packages.{order}")


with tempfile.TemporaryDirectory() as name:
    sqlite(Path(name))
    hashes(Path(name))
