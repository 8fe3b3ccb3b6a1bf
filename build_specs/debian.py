"""From which packages of this system a bundle's libraries are: Debian and its descendants."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from packageurl import PackageURL

_BUILD_ID: Final = re.compile(rb"\x14\0\0\0\x03\0\0\0GNU\0(.{20})", re.DOTALL)


class Package(NamedTuple):
    """A package of Debian or one of its descendants."""

    name: str
    version: str
    architecture: str

    @property
    def upstream_version(self) -> str:
        """Without the epoch and the revision (deb-version(7))."""
        return self.version.rpartition(":")[2].rpartition("-")[0] or self.version

    @property
    def purl(self) -> str:
        """Its package URL, with the release it is from."""
        system = platform.freedesktop_os_release()
        return PackageURL(
            type="deb",
            namespace=system["ID"],
            name=self.name,
            version=self.version,
            qualifiers={
                "arch": self.architecture,
                "distro": f"{system['ID']}-{system.get('VERSION_ID', 'testing')}",
            },
        ).to_string()


def system_packages(libraries: Iterable[Path]) -> dict[Path, Package]:
    """From libraries of the bundle to the packages of this system that they were copied from.

    Empty where there is no dpkg. The bundled file may be stripped; so it is the note of the
    linker, the build id, that shows that it is the system's and not one of the same name.
    """
    if shutil.which("dpkg-query") is None:
        return {}
    installed = _installed_libraries()
    origins: dict[Path, Path] = {}
    for library in libraries:
        origin = installed.get(library.name)
        if origin is not None and _build_id(origin) == _build_id(library):
            origins[library] = origin.resolve()
    owners = _owning_packages(origins.values())
    return {path: owners[origin] for path, origin in origins.items() if origin in owners}


def _installed_libraries() -> dict[str, Path]:
    """What the linker finds by its name, with the first place that it looks at."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/sbin", "/usr/sbin"))
    ldconfig = shutil.which("ldconfig", path=path)
    if ldconfig is None:
        return {}
    found: dict[str, Path] = {}
    for line in _said(ldconfig, "-p").splitlines():
        name, _, place = line.partition(" => ")
        if place:
            found.setdefault(name.split()[0], Path(place))
    return found


def _owning_packages(files: Iterable[Path]) -> dict[Path, Package]:
    # Where /lib is a link to /usr/lib, dpkg knows a file by the one or the other.
    known_as = {
        name: file for file in files for name in (str(file), str(file).removeprefix("/usr"))
    }
    if not known_as:
        return {}
    packages: dict[Path, str] = {}
    for line in _said("dpkg-query", "--search", *sorted(known_as)).splitlines():
        package, _, name = line.partition(": ")
        if name in known_as and " " not in package:  # or it is a sentence about a diversion
            packages[known_as[name]] = package
    shown = "${binary:Package} ${Package} ${Version} ${Architecture}\n"
    rows = _said("dpkg-query", "--show", f"--showformat={shown}", *sorted(set(packages.values())))
    facts = {name: Package(*fields) for name, *fields in map(str.split, rows.splitlines())}
    return {file: facts[name] for file, name in packages.items() if name in facts}


def _said(*command: str) -> str:
    """What a tool of the system prints; it may fail for some of what it was asked."""
    # S603: names of files, and no shell.
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout


def _build_id(library: Path) -> bytes:
    """The note NT_GNU_BUILD_ID of an ELF file; without one, all of the file."""
    data = library.read_bytes()
    note = _BUILD_ID.search(data)
    return note[1] if note else data
