"""What was deleted leaves the write-ahead log, too, as soon as nobody reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from common.system import database
from common.system.database import Folding, connect_reader, make_durable, overwrite_deleted

CANARY = b"not for your eyes"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with a row that is about to be deleted, which is in the write-ahead log only."""
    return tmp_path / "some.db"


@pytest.fixture
def writer(path: Path) -> Iterator[sqlite3.Connection]:
    """The only connection that writes."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        make_durable(connection)
        overwrite_deleted(connection)
        connection.execute("CREATE TABLE said (text)")
        connection.execute("INSERT INTO said VALUES (?)", (CANARY.decode(),))
        yield connection


def has_canary(path: Path) -> bool:
    """Whether the text is in the files still."""
    files = [path, path.with_name(f"{path.name}-wal")]
    return any(CANARY in file.read_bytes() for file in files)


def commit(writer: sqlite3.Connection, folding: Folding, statement: str = "") -> None:
    """A transaction, as the stores have them."""
    writer.execute("BEGIN IMMEDIATE")
    if statement:
        writer.execute(statement)
        folding.ask()
    writer.execute("COMMIT")
    folding.committed(writer)


def test_it_is_gone_at_once(path: Path, writer: sqlite3.Connection) -> None:
    """With the commit that deletes it, if nobody reads."""
    commit(writer, Folding())
    assert has_canary(path)
    commit(writer, Folding(), "DELETE FROM said")
    assert not has_canary(path)


def test_somebody_who_reads_delays_it(
    path: Path, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until a later commit, whatever that is for; those in between don't wait."""
    monkeypatch.setattr(database, "FOLD_WAIT", 1)
    folding = Folding()
    with closing(connect_reader(path)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM said").fetchone() == (1,)
        commit(writer, folding, "DELETE FROM said")
        commit(writer, folding)
        assert has_canary(path)
        (timeout,) = writer.execute("PRAGMA busy_timeout").fetchone()
        assert timeout > 1
        reader.execute("COMMIT")
        commit(writer, folding)
        assert not has_canary(path)


def test_a_failure_is_tried_again(path: Path, writer: sqlite3.Connection) -> None:
    """The commit is done, and says so."""
    folding = Folding()
    folding.ask()
    with closing(sqlite3.connect(path)) as closed:
        pass
    folding.committed(closed)  # a connection that is of no use
    commit(writer, Folding())
    writer.execute("DELETE FROM said")
    commit(writer, folding)
    assert not has_canary(path)
