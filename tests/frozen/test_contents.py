"""What the bundle is made of: nothing unknown, nothing under the GPL, nothing for developers."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Callable
from importlib.metadata import requires
from pathlib import Path
from typing import Any, Final, Protocol

import pytest
from cyclonedx.exception import MissingOptionalDependencyException
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement

from build_specs import contents, licences, upstream
from build_specs.contents import (
    File,
    Part,
    RefusedLicenceError,
    UnknownPartError,
    check_licences,
    find_parts,
    is_ours,
)
from build_specs.licences import MissingTextError, collect_licences, text_name
from build_specs.sbom import write_sbom

ROOT: Final = Path(__file__).parents[2]
COMMIT: Final = "0123456789abcdef0123456789abcdef01234567"


class Bundle(Protocol):
    """What `dev.py build` made."""

    @property
    def folder(self) -> Path:
        """The programs with all that they need."""

    @property
    def sbom(self) -> Path:
        """The bill of materials made with it."""


@pytest.fixture(scope="module")
def parts(bundle: Bundle) -> list[Part]:
    """What the bundle is made of."""
    return find_parts(bundle.folder)


@pytest.fixture
def plant(bundle: Bundle, tmp_path: Path) -> Callable[[str], Path]:
    """A copy of the bundle with one more file, whose name is given; returns the copy."""

    def plant(name: str) -> Path:
        copy = shutil.copytree(bundle.folder, tmp_path / "planted", symlinks=True)
        planted = copy / name
        planted.parent.mkdir(parents=True, exist_ok=True)
        planted.write_bytes(b"anything")
        return copy

    return plant


def a_part(name: str = "libsomething", licence: str = "MIT") -> Part:
    """A part as it is found where no package of the system knows it."""
    return Part(name, "1.0", licence, "pkg:generic/something@1.0", (File("x.dll", "0" * 64),))


# What is found


def test_every_licence_is_permitted(parts: list[Part]) -> None:
    """Nobody who passes the programs on has to do more than to keep the texts."""
    check_licences(parts)


@pytest.mark.parametrize("name", ["libreadline.so.8", "libgdbm.so.6", "libreadline.8.2.dylib"])
def test_libraries_under_the_gpl_are_refused(plant: Callable[[str], Path], name: str) -> None:
    """A library of which PyInstaller thought that it is needed does not ship by chance."""
    planted = find_parts(plant(f"_internal/{name}"))
    with pytest.raises(RefusedLicenceError, match=r"GNU \w+ \(GPL-3.0-or-later\)"):
        check_licences(planted)


@pytest.mark.parametrize("name", ["libmystery.so.1", "mystery.dll", "strange/data.bin"])
def test_what_nobody_knows_is_refused(plant: Callable[[str], Path], name: str) -> None:
    """The message names the file and says where to say what it is."""
    with pytest.raises(UnknownPartError, match=re.escape(name)) as refused:
        find_parts(plant(f"_internal/{name}"))
    assert "build_specs/contents.py" in str(refused.value)


def test_a_library_beside_the_programs_is_refused(plant: Callable[[str], Path]) -> None:
    """Only texts and pictures may stand there unasked."""
    with pytest.raises(UnknownPartError, match=r"libmystery\.so"):
        find_parts(plant("libmystery.so"))


def test_a_folder_without_a_program_is_refused(tmp_path: Path) -> None:
    """A wrong path is no empty bundle."""
    with pytest.raises(UnknownPartError, match="no program"):
        find_parts(tmp_path)


def test_every_file_belongs_to_a_part_or_is_ours(bundle: Bundle, parts: list[Part]) -> None:
    """Nothing is left over, and no link leads out."""
    owned = {file.path for part in parts for file in part.files}
    for path in bundle.folder.rglob("*"):
        name = path.relative_to(bundle.folder).as_posix()
        if path.is_symlink():
            assert path.resolve().is_relative_to(bundle.folder.resolve()), name
        elif path.is_file():
            assert name in owned or is_ours(name), name


def test_what_every_bundle_has(parts: list[Part]) -> None:
    """Linked in or beside: these are always within, and their versions known."""
    versions = {part.name: part.version for part in parts}
    always = {"CPython", "Inter", "Noto Color Emoji", "OpenSSL", "PyInstaller bootloader"}
    for name in always | {"SQLite", "Tcl", "Tk", "libffi", "pydantic", "pillow", "zlib"}:
        assert name in versions
        assert versions[name] != contents.UNKNOWN or name == "libffi"
    assert all(part.files for part in parts)
    assert len({part.purl for part in parts}) == len(parts)


def test_nothing_for_developers_is_in_the_bundle(parts: list[Part]) -> None:
    """Only what pyproject.toml asks for, and what that needs: no pytest, mypy, setuptools."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [Requirement(line) for line in project["dependencies"]]
    permitted: set[str] = set()
    while wanted:
        requirement = wanted.pop()
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if name not in permitted and (not requirement.marker or requirement.marker.evaluate()):
            permitted.add(name)
            wanted += map(Requirement, requires(name) or ())
    purls = [PackageURL.from_string(part.purl) for part in parts]
    # The bootloader comes from a package, too, but is not that package.
    found = {purl.name for purl in purls if purl.type == "pypi" and not purl.subpath}
    assert found <= permitted


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("libssl.so.3", "OpenSSL"),
        ("libcrypto-3-x64.dll", "OpenSSL"),
        ("libcrypto.3.dylib", "OpenSSL"),
        ("libtcl8.6.so", "Tcl"),
        ("tcl86t.dll", "Tcl"),
        ("libtk8.6.dylib", "Tk"),
        ("libtcl9tk9.0.so", "Tk"),
        ("sqlite3.dll", "SQLite"),
        ("libffi-8.dll", "libffi"),
        ("zlib1.dll", "zlib"),
        ("python3.dll", "CPython"),
        ("python312.dll", "CPython"),
        ("libpython3.11.so.1.0", "CPython"),
        ("VCRUNTIME140_1.dll", "Microsoft Visual C++ runtime"),
        ("api-ms-win-crt-heap-l1-1-0.dll", "Microsoft Visual C++ runtime"),
        ("libX11.so.6", "libX11"),
        ("libz3.so", None),
        ("libssl-of-somebody.so", None),
    ],
)
def test_libraries_are_known_by_their_names_on_all_systems(name: str, part: str | None) -> None:
    """A name that merely resembles another is not known."""
    assert upstream.library_of(name) == part


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("ChatServer", True),
        ("ChatClient.exe", True),
        ("README.md", True),
        ("licenses/OpenSSL.txt", True),
        ("_internal/build.json", True),
        ("_internal/common/ui/assets/icons/chat-client-16.png", True),
        ("_internal/common/assets/sounds/knock.wav", True),
        ("Contents/Info.plist", True),
        ("Contents/Resources/chat-client.icns", True),
        ("_internal/common/ui/assets/fonts/Inter-Bold.otf", False),
        ("_internal/common/assets/unicode/LICENSE.txt", False),
        ("_internal/common/assets/anyascii/letters.txt", False),
        ("Contents/Frameworks/libssl.3.dylib", False),
        ("readline.pyd", False),
    ],
)
def test_what_is_ours(path: str, ours: bool) -> None:
    """The programs, what stands beside them, and our own pictures."""
    assert is_ours(path) == ours


# Licences


@pytest.mark.parametrize(
    "licence",
    [
        "FTL OR GPL-2.0-or-later",
        "GPL-3.0-or-later WITH GCC-exception-3.1",
        "GPL-2.0-or-later WITH Bootloader-exception AND Apache-2.0",
        "(MIT OR AGPL-3.0-only) AND Zlib",
    ],
)
def test_permitted_licences(licence: str) -> None:
    """A choice is ours to make, and an exception lifts what it says it lifts."""
    check_licences([a_part(licence=licence)])


@pytest.mark.parametrize(
    "licence",
    [
        "GPL-2.0-only",
        "GPL-3.0-or-later",
        "AGPL-3.0-only",
        "LGPL-2.1-or-later",
        "MIT AND GPL-2.0-only",
        "GPL-2.0-only WITH Classpath-exception-2.0",
        "LicenseRef-Whatever",
    ],
)
def test_refused_licences(licence: str) -> None:
    """What is not permitted is refused, known or not, and named."""
    with pytest.raises(RefusedLicenceError, match=r"libsomething \(.*, libother \("):
        check_licences([a_part(licence=licence), a_part("libother", licence), a_part("good")])


def test_every_part_has_its_licence_text(bundle: Bundle, parts: list[Part]) -> None:
    """One file each and none besides, and ours on top."""
    assert (bundle.folder / "LICENSE").read_text("utf-8").startswith("MIT License")
    texts = {path.name: path.read_text("utf-8") for path in bundle.folder.glob("licenses/*")}
    assert texts.keys() == {text_name(part) for part in parts}
    for part in parts:
        assert part.licence in texts[text_name(part)]
        assert len(texts[text_name(part)]) > 300, part.name


def test_texts_are_complete(bundle: Bundle, parts: list[Part]) -> None:
    """Where a distributor's text only refers to a licence, its words are there, too."""
    names = {text_name(part) for part in parts}
    words = {
        "OpenSSL.txt": "Grant of Copyright License",
        "CPython.txt": "Mersenne Twister",
        "Tcl.txt": "Regents of the University of\nCalifornia",
        "Inter.txt": "SIL OPEN FONT LICENSE",
        "AnyAscii.txt": "Hunter WB",
        "Unicode-data.txt": "UNICODE LICENSE V3",
        "PyInstaller-bootloader.txt": "unlimited permission to link or embed compiled bootloader",
        "GCC-runtime.txt": "TERMS AND CONDITIONS",
        "pillow.txt": "FREETYPE2",
    }
    for name in names & words.keys():
        assert words[name] in (bundle.folder / "licenses" / name).read_text("utf-8"), name


def test_texts_are_the_same_each_time(bundle: Bundle, parts: list[Part], tmp_path: Path) -> None:
    """And what is left of an older build goes."""
    copies = [tmp_path / "one", tmp_path / "other"]
    for copy in copies:
        (copy / "common").mkdir(parents=True)
        for part in parts:
            for file in part.files:
                if file.path.endswith(("OFL.txt", "LICENSE.txt")):
                    (copy / file.path).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(bundle.folder / file.path, copy / file.path)
    (copies[1] / "licenses").mkdir()
    (copies[1] / "licenses/old.txt").write_text("old", "utf-8")
    one, other = (collect_licences(copy, parts, copy / "licenses") for copy in copies)
    assert [path.name for path in one] == [path.name for path in other]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    assert not (copies[1] / "licenses/old.txt").exists()


def test_texts_for_systems_without_packages(tmp_path: Path) -> None:
    """What python.org's Windows and macOS bring along has its text here."""
    kept = {path.name for path in licences.KEPT.iterdir()}
    known = {name.replace(" ", "-") + ".txt": name for name in upstream.UPSTREAM}
    assert kept <= known.keys()
    parts = [a_part(known[name]) for name in sorted(kept)]
    written = collect_licences(tmp_path, parts, tmp_path / "licenses")
    assert {path.name for path in written} == {"LICENSE", *kept}
    assert {"OpenSSL", "SQLite", "Tcl", "Tk", "libffi", "zlib"} <= {part.name for part in parts}


def test_a_missing_text_ends_the_build(tmp_path: Path) -> None:
    """It says for what, and nothing is written."""
    with pytest.raises(MissingTextError, match="libsomething"):
        collect_licences(tmp_path, [a_part()], tmp_path / "licenses")
    assert not list(tmp_path.iterdir())


# The bill of materials


def test_the_bill_lists_what_is_there(bundle: Bundle, parts: list[Part]) -> None:
    """Each part with a version, a licence, a package URL and the hashes of its files."""
    bill: dict[str, Any] = json.loads(bundle.sbom.read_text("utf-8"))
    assert bill["specVersion"] == "1.6"
    listed = {component["name"]: component for component in bill["components"]}
    assert listed.keys() == {part.name for part in parts}
    for part in parts:
        component = listed[part.name]
        assert component["version"] == part.version
        assert component["purl"] == part.purl
        assert component["licenses"]
        assert [file["name"] for file in component["components"]] == [f.path for f in part.files]
        assert all(file["hashes"][0]["alg"] == "SHA-256" for file in component["components"])
    root = bill["metadata"]["component"]
    assert root["name"] == "Chat"
    edges = {edge["ref"]: edge.get("dependsOn", []) for edge in bill["dependencies"]}
    assert set(edges[root["bom-ref"]]) == {component["bom-ref"] for component in listed.values()}


def test_the_bill_is_the_same_each_time(parts: list[Part], tmp_path: Path) -> None:
    """Whatever order the parts come in; and another commit makes another bill."""
    paths = [tmp_path / name for name in ("one", "other", "third")]
    write_sbom(parts, paths[0], "1.2.3", 1_700_000_000, COMMIT)
    write_sbom(parts[::-1], paths[1], "1.2.3", 1_700_000_000, COMMIT)
    write_sbom(parts, paths[2], "1.2.3", 1_700_000_000, COMMIT[::-1])
    one, other, third = (json.loads(path.read_text("utf-8")) for path in paths)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert one["serialNumber"] == other["serialNumber"] != third["serialNumber"]
    assert one["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"


def test_the_bill_follows_the_schema(bundle: Bundle) -> None:
    """CycloneDX 1.6; checked where jsonschema is installed."""
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    try:
        error = validator.validate_str(bundle.sbom.read_text("utf-8"))
    except MissingOptionalDependencyException as missing:
        pytest.skip(str(missing))
    assert error is None
