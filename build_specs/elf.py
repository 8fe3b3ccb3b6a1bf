"""What Linux programs and libraries (ELF) ask of the dynamic linker, read and mended."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from build_specs.tools import run


@dataclass(frozen=True, slots=True)
class Linkage:
    """What a program or library asks of the dynamic linker.

    `search` has, for each path to search, its place in the dynamic section; that has `entries`
    entries and begins at `offset` in the file.
    """

    needed: tuple[str, ...]
    versions: frozenset[str]
    search: dict[int, str]
    entries: int
    offset: int


def read_linkage(path: Path) -> Linkage:
    """Read an ELF file's dynamic section and the glibc versions it needs. Raises BuildError."""
    text = run("readelf", "--wide", "--dynamic", "--version-info", str(path))
    begin = re.search(r"^Dynamic section at offset (0x[0-9a-f]+) contains", text, re.MULTILINE)
    entries = re.findall(r"^ 0x[0-9a-f]+ \((\w+)\)\s+(.*)$", text, re.MULTILINE)
    values = [(tag, value.partition("[")[2].rstrip("]")) for tag, value in entries]
    return Linkage(
        needed=tuple(value for tag, value in values if tag == "NEEDED"),
        versions=frozenset(re.findall(r"Name: (GLIBC_\S+)", text)),
        search={n: v for n, (tag, v) in enumerate(values) if tag in {"RPATH", "RUNPATH"}},
        entries=len(entries),
        offset=int(begin[1], 16) if begin else 0,
    )


def elf_files(folder: Path) -> Iterator[Path]:
    """Every program and library below a folder, links left out."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and is_elf(path):
            yield path


def is_elf(path: Path) -> bool:
    """Whether a file is a program or library of this kind."""
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def forget_build_paths(path: Path) -> None:
    """Take out the folders of the machine it was built on, in which it would look for libraries.

    On another machine they may belong to somebody, who could put a library there.
    """
    linkage = read_linkage(path)
    gone = {n for n, folders in linkage.search.items() if folders.startswith("/")}
    if not gone:
        return
    content = bytearray(path.read_bytes())
    width = 16 if content[4] == 2 else 8  # 64 or 32 bits
    start, end = linkage.offset, linkage.offset + linkage.entries * width
    kept = b"".join(
        content[start + n * width : start + (n + 1) * width]
        for n in range(linkage.entries)
        if n not in gone
    )
    # The linker stops at the first entry of zeros.
    content[start:end] = kept.ljust(end - start, b"\0")
    path.chmod(0o644)
    path.write_bytes(content)
