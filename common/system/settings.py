"""A program's settings: one readable JSON file, written whole, and changed by several windows.

What this version does not know is left as it is. A file that can't be read is set aside under
another name, never overwritten; one of a newer format is not touched.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from common.system.file_lock import lock_file
from common.system.private_files import (
    NO_LINK,
    PRIVATE_FILE,
    make_private_folder,
    write_private,
)

Content = dict[str, Any]
Trouble = Literal["damaged", "newer", "unreadable"]
_MOST: Final = 1 << 20
"""Bytes of a file of settings; a larger one is none."""
_PATIENCE: Final = 2.0
"""Seconds to wait for another window that writes."""
_LOOK: Final = 0.01


class SettingsError(Exception):
    """A change can't be kept; the text says why, for a person."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file holds. With a `trouble` that is nothing; `aside` is where the file is then."""

    content: Content
    trouble: Trouble | None = None
    aside: Path | None = None


class SettingsFile:
    """The file at `path`, of a `version` that counts up whenever older programs must not write."""

    def __init__(self, path: Path, version: int) -> None:
        self.path = path
        self._version = version
        self._seen: tuple[int, int, int] | None = None

    def load(self) -> Loaded:
        """What it holds now; {} where there is none. Sets a damaged one aside."""
        self._seen = self._stamp()
        try:
            raw = self._read()
        except FileNotFoundError:
            return Loaded({})
        except OSError:
            return Loaded({}, "unreadable")
        try:
            content = json.loads(raw)
        except (ValueError, RecursionError):
            content = None
        version = content.get("format") if isinstance(content, dict) else None
        if content is None or type(version) is not int or version < 1:
            aside = self._set_aside()
            self._seen = self._stamp()  # that was no other program
            return Loaded({}, "damaged", aside)
        if version > self._version:
            return Loaded({}, "newer")
        return Loaded(content)

    def changed_since(self) -> bool:
        """Whether another program wrote it after it was loaded last."""
        return self._stamp() != self._seen

    def change(self, edit: Callable[[Content], object]) -> Content:
        """Have `edit` change what the file holds now, and keep it durably. Raises SettingsError."""
        try:
            make_private_folder(self.path.parent)
            with self._locked():
                loaded = self.load()
                if loaded.trouble == "newer":
                    raise SettingsError(f"{self.path} was made by a newer version of this program")
                if loaded.trouble == "unreadable":
                    raise SettingsError(f"{self.path} can't be read")
                content = loaded.content
                edit(content)
                content["format"] = self._version
                write_private(self.path, _written({"format": None, **content}))
                self._seen = self._stamp()
        except OSError as error:
            raise SettingsError(f"{self.path} can't be written: {error.strerror}") from error
        except RecursionError as error:
            raise SettingsError(f"{self.path} is nested too deeply") from error
        return content

    def set_copy_aside(self) -> Path | None:
        """Keep a copy of the file as it is, such as before wrong values in it are replaced."""
        aside = self._aside()
        try:
            write_private(aside, self._read())
        except OSError:
            return None
        return aside

    def _read(self) -> bytes:
        descriptor = os.open(self.path, os.O_RDONLY | NO_LINK)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(_MOST + 1)[:_MOST]

    def _set_aside(self) -> Path | None:
        aside = self._aside()
        try:
            self.path.replace(aside)
        except OSError:
            return None
        return aside

    def _aside(self) -> Path:
        """A name beside the file that nothing has yet."""
        stem, suffix = self.path.stem, self.path.suffix
        now = time.strftime("%Y-%m-%d-%H%M%S")
        number = 1
        while True:
            more = f"-{number}" if number > 1 else ""
            aside = self.path.with_name(f"{stem}.damaged-{now}{more}{suffix}")
            if not aside.exists():
                return aside
            number += 1

    def _stamp(self) -> tuple[int, int, int] | None:
        """What is another one after each writing; None where there is no file."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other windows from writing meanwhile. Raises OSError."""
        lock = self.path.with_name(f"{self.path.name}.lock")
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | NO_LINK, PRIVATE_FILE)
        try:
            end = time.monotonic() + _PATIENCE
            while not lock_file(descriptor):
                if time.monotonic() > end:
                    raise OSError(0, "another program is writing it")
                time.sleep(_LOOK)
            yield
        finally:
            os.close(descriptor)


def _written(content: Content) -> bytes:
    """A file with this content, in letters that people read, as far as there are such."""
    try:
        text = json.dumps(content, indent=2, ensure_ascii=False)
        return text.encode() + b"\n"
    except UnicodeEncodeError:
        # Half a surrogate pair, which only an escape can stand for.
        return json.dumps(content, indent=2).encode() + b"\n"
