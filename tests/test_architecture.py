"""The borders between the parts, kept transitively (docs/architecture.md).

One fresh interpreter imports every module of the project and notes who imports what while it
loads. What pydantic or the standard library load by themselves is their affair: only the
edges that start in our own modules are followed, through our own modules.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
PACKAGES: Final = ("common", "chat_server", "chat_client")

Graph = Mapping[str, frozenset[str]]

# Runs in the fresh interpreter: argv has the packages and, after "--", folders with them; prints
# a graph for each. What is loaded of one folder is forgotten before the next.
_RECORDER: Final = r"""
import builtins, importlib, json, pathlib, sys

border = sys.argv.index("--")
packages, roots = sys.argv[1:border], [pathlib.Path(each) for each in sys.argv[border + 1:]]
edges = {}
original, by_name = builtins.__import__, importlib.import_module

def note(importer, name):
    if importer.partition(".")[0] in packages:
        parts = name.split(".")
        edges.setdefault(importer, set()).update(
            ".".join(parts[:length]) for length in range(1, len(parts) + 1)
        )

def recording(name, globals=None, locals=None, fromlist=(), level=0):
    importer = (globals or {}).get("__name__", "")
    if level:
        base = (globals or {}).get("__package__", "").split(".")
        whole = ".".join([*base[: len(base) - level + 1], *filter(None, [name])])
    else:
        whole = name
    note(importer, whole)
    result = original(name, globals, locals, fromlist, level)
    for part in fromlist or ():
        if f"{whole}.{part}" in sys.modules:
            note(importer, f"{whole}.{part}")
    return result

def recording_by_name(name, package=None):
    note(sys._getframe(1).f_globals.get("__name__", ""), importlib.util.resolve_name(name, package))
    return by_name(name, package)

import importlib.util
builtins.__import__ = recording
importlib.import_module = recording_by_name
graphs = []
for root in roots:
    sys.path.insert(0, str(root))
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            edges.setdefault(name, set())
            note(name, name.rpartition(".")[0] or name)
            by_name(name)
    graphs.append({module: sorted(imported) for module, imported in edges.items()})
    edges.clear()
    sys.path.remove(str(root))
    for name in [each for each in sys.modules if each.partition(".")[0] in packages]:
        del sys.modules[name]
print(json.dumps(graphs))
"""


def recorded(*roots: Path, packages: tuple[str, ...] = PACKAGES) -> list[Graph]:
    """For each folder: every module of its packages, and the modules it imports while it loads."""
    done = subprocess.run(
        [sys.executable, "-B", "-c", _RECORDER, *packages, "--", *map(str, roots)],
        check=False,
        capture_output=True,
        text=True,
        cwd=roots[0],
    )
    assert done.returncode == 0, done.stderr
    return [
        {module: frozenset(imported) for module, imported in graph.items()}
        for graph in json.loads(done.stdout)
    ]


def written(root: Path, packages: tuple[str, ...] = PACKAGES) -> Graph:
    """The same, read from the source: with the imports inside functions, run or not."""
    graph: dict[str, frozenset[str]] = {}
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            tree = ast.parse(path.read_text("utf-8"))
            graph[name] = frozenset(_imports(tree))
    return graph


def _imports(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue  # Only for the type checker: never loaded.
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module is not None:
            yield child.module
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        yield from _imports(child)


def reach(graph: Graph, module: str) -> dict[str, tuple[str, ...]]:
    """Everything our own modules load for `module`, each with the way that leads there."""
    ways: dict[str, tuple[str, ...]] = {module: (module,)}
    queue = [module]
    while queue:
        here = queue.pop()
        for there in graph.get(here, ()):
            if there not in ways:
                ways[there] = (*ways[here], there)
                queue.append(there)
    return ways


def is_in(module: str, package: str) -> bool:
    """Whether a module is the package or inside it."""
    return module == package or module.startswith(f"{package}.")


def is_window(module: str) -> bool:
    """Whether a module may know Tk: it is the kit or in a program's window package."""
    return is_in(module, "common.ui") or "window" in module.split(".")


_OF_SOCKETS: Final = {
    f"common.system.{name}"
    for name in ("interfaces", "multicast", "second_start", "tls", "transport", "waker")
}
"""In common, what may know them: both programs have connections, threads that wait, and windows to
which a second start hands over what it was started with; and both take part in multicast DNS."""


_PURE_PACKAGES: Final = (
    "chat_server.rules",
    "chat_server.notify",
    "chat_client.state",
    "chat_client.notify",
)


def is_pure(module: str) -> bool:
    """Whether a module must do without sockets, threads and Tk."""
    if is_in(module, "common.desktop"):
        return module in PURE_OF_THE_DESKTOP
    if is_in(module, "common") and not is_in(module, "common.ui"):
        return module not in _OF_SOCKETS
    if any(is_in(module, package) for package in _PURE_PACKAGES):
        return True
    name = module.rpartition(".")[2]
    return is_window(module) and (name.startswith("presenter") or module in PURE_IN_A_WINDOW)


PURE_IN_A_WINDOW: Final = {
    f"chat_client.window.{name}"
    for name in (
        *("drafts", "links", "ordered", "overview", "read_marker", "room_history"),
        *("status_banner", "unread_counts"),
        *(f"join.{each}" for each in ("listing", "ways")),
        *(f"transcript.{each}" for each in ("held", "missing", "reading", "timeline", "wording")),
    )
}
"""What the client's window shows, worked out without it."""


PURE_OF_THE_DESKTOP: Final = {
    f"common.desktop.{name}" for name in ("conversation", "notification", "notifier")
}
"""What is said to a notification server, without the thread that says it."""


ENGINES: Final = ("chat_server.store.sqlite", "chat_client.cache")
"""Where SQLite is known."""
_CHOOSES_THE_ENGINE: Final = "chat_server.service"


def engine_breaches(graph: Graph) -> list[str]:
    """Every import of a storage engine, or of SQLite itself, by who must do without."""
    found: list[str] = []
    for module, imported in graph.items():
        within = any(is_in(module, engine) for engine in ENGINES)
        forbidden = (
            []
            if within or module == "common.system.database"
            else ["sqlite3", "common.system.database"]
        )
        if not within and module != _CHOOSES_THE_ENGINE:
            forbidden.append("chat_server.store.sqlite")
        found += [
            f"{module} → {there}"
            for there in imported
            if any(is_in(there, border) for border in forbidden)
        ]
    return found


def breaches(graph: Graph) -> list[str]:
    """Every import that crosses a border, with the way that leads to it."""
    found = engine_breaches(graph)
    for module in graph:
        package = module.partition(".")[0]
        forbidden = {
            "common": ["chat_server", "chat_client"],
            "chat_server": ["chat_client"],
            "chat_client": ["chat_server"],
        }[package]
        if is_pure(module):
            forbidden += ["socket", "ssl", "threading", "_thread", "tkinter", "_tkinter"]
        if any(is_in(module, f"chat_server.{part}") for part in ("rules", "hub", "net")):
            # The rules know the store by its face alone; so does all that works for them.
            forbidden += ["sqlite3", "chat_server.store.sqlite", "chat_server.store.reserve"]
        if is_in(module, "common.desktop"):
            forbidden += ["common.protocol"]
        if not is_window(module):
            forbidden += ["tkinter", "_tkinter", "common.ui", f"{package}.window"]
        found += [
            " → ".join(way)
            for there, way in reach(graph, module).items()
            if any(is_in(there, border) for border in forbidden)
        ]
    return found


@cache
def project() -> Graph:
    """The project's own graph, recorded once."""
    return recorded(ROOT)[0]


@cache
def project_source() -> Graph:
    """The same, read from the source."""
    return written(ROOT)


def test_no_module_crosses_a_border() -> None:
    """Neither directly nor through other modules of ours does a part load what it must not."""
    assert breaches(project()) == []


def test_every_module_is_looked_at() -> None:
    """The recorder has seen all source files, and that they import one another."""
    graph = project()
    assert set(graph) == set(project_source())
    assert set(graph) >= PURE_IN_A_WINDOW | PURE_OF_THE_DESKTOP
    assert "common.protocol.frames" in graph["common.protocol.codec"]
    assert "socket" in reach(graph, "chat_server.service")


def test_only_main_imports_a_window_and_only_when_it_runs() -> None:
    """Outside the window packages the only import of one stands inside `__main__`'s functions."""
    importers = {
        module
        for module, imported in project_source().items()
        if not is_window(module) and any(is_window(there) for there in imported)
    }
    assert importers <= {"chat_server.__main__", "chat_client.__main__"}
    assert "chat_server.__main__" in importers


@pytest.mark.parametrize(
    "modules",
    [
        "chat_server.__main__, chat_server.headless, chat_server.service",
        "chat_client.__main__, chat_client.headless, chat_client.core",
    ],
)
def test_a_front_end_without_window_loads_no_tk(modules: str) -> None:
    """In a fresh interpreter neither tkinter nor a window is loaded, by whomever."""
    code = f"import {modules}, sys, json; print(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
    )
    loaded = json.loads(done.stdout)
    assert [each for each in loaded if is_in(each, "tkinter") or is_in(each, "common.ui")] == []
    assert [each for each in loaded if each.endswith(".window")] == []


_SOURCES: Final = {
    "common.protocol.messages": "",
    "common.domain.names": "",
    "common.domain.invite": "",
    "common.system.tls": "import ssl\nx = 1",
    "common.system.transport": "import socket",
    "common.system.waker": "import socket",
    "common.desktop.notification": "",
    "common.desktop.notifier": "from common.desktop import notification",
    "common.desktop.dbus": "import socket, threading\nfrom common.system import waker",
    "common.system.database": "import sqlite3\nconnect_reader = sqlite3.connect",
    "chat_server.store.store": "",
    "chat_server.store.reserve": "",
    "chat_server.store.sqlite.store": (
        "import sqlite3\nfrom common.system import database\nSqliteStore = database"
    ),
    "chat_server.hub.batch": "from chat_server.store import store",
    "chat_server.service": (
        "import socket, threading\nfrom common.system import tls\n"
        "from chat_server.store.sqlite.store import SqliteStore"
    ),
    "chat_server.rules.commands": "from common.domain import names",
    "chat_server.window.presenter": "from chat_server.rules import commands",
    "chat_client.state.controller": "",
    "chat_client.notify.policy": "",
    "chat_server.notify.policy": "",
    "chat_client.cache.cache": "import sqlite3\nfrom common.system import database",
    "chat_client.core": "from chat_client.cache import cache",
    "chat_client.net.connector": "import socket\nfrom common.system import transport, waker",
    "common.ui.look.theme": "import tkinter",
}


_BREACHES: Final = [
    ("common.protocol.messages", "import chat_server"),
    ("common.protocol.messages", "from chat_client import state"),
    ("common.domain.names", "import threading"),
    ("common.domain.names", "from socket import create_connection"),
    ("common.domain.invite", "from common.system.tls import x"),
    ("common.domain.invite", "from common.system import transport"),
    ("chat_client.state.controller", "from common.system import waker"),
    ("common.domain.invite", "import importlib; importlib.import_module('ssl')"),
    ("common.desktop.notifier", "from common.desktop import dbus"),
    ("common.desktop.notification", "import threading"),
    ("common.desktop.dbus", "from common.ui.look import theme"),
    ("common.desktop.dbus", "from common.protocol import messages"),
    ("common.desktop.dbus", "import chat_client"),
    ("chat_client.state.controller", "from common.desktop import dbus"),
    ("chat_client.notify.policy", "from common.desktop import dbus"),
    ("chat_server.notify.policy", "from common.desktop import dbus"),
    ("chat_client.notify.policy", "import tkinter"),
    ("chat_server.notify.policy", "import threading"),
    ("chat_server.service", "import chat_client.state"),
    ("chat_client.state.controller", "from chat_client.net import connector"),
    ("chat_client.state.controller", "from ..net import connector"),
    ("chat_server.rules.commands", "def now():\n    pass\nfrom chat_server import service"),
    ("chat_server.service", "import common.ui"),
    ("chat_server.service", "from chat_server.window import presenter"),
    ("chat_server.window.presenter", "import tkinter"),
    ("chat_server.window.presenter", "from common.ui.look import theme"),
    ("common.ui.look.theme", "import chat_client"),
    ("common.domain.names", "from common.ui.look import theme"),
    ("common.domain.names", "import sqlite3"),
    ("common.domain.names", "from common.system.database import connect_reader"),
    ("chat_server.rules.commands", "from chat_server.store.sqlite.store import SqliteStore"),
    ("chat_server.rules.commands", "from chat_server.store import reserve"),
    ("chat_server.rules.commands", "from sqlite3 import Error"),
    ("chat_server.hub.batch", "import sqlite3"),
    ("chat_server.hub.batch", "from chat_server.store.sqlite import store"),
    ("chat_server.hub.batch", "from chat_server import service"),
    ("chat_server.store.store", "from chat_server.store.sqlite.store import SqliteStore"),
    ("chat_server.store.store", "import sqlite3"),
    ("chat_server.service", "import sqlite3"),
    ("chat_server.service", "from common.system import database"),
    ("chat_server.window.presenter", "from chat_server.store.sqlite import store"),
    ("chat_client.state.controller", "import sqlite3"),
    ("chat_client.core", "import sqlite3"),
    ("chat_client.core", "from common.system.database import connect_reader"),
]
"""Modules, each with a line that breaks a rule there."""


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], Graph]:
    """For each of `_BREACHES` a project that has it, recorded in one interpreter."""
    roots = [tmp_path_factory.mktemp("broken") for _ in _BREACHES]
    for root, (module, source) in zip(roots, _BREACHES, strict=True):
        _write(root, {**_SOURCES, module: f"{_SOURCES[module]}\n{source}\n"})
    return dict(zip(_BREACHES, recorded(*roots), strict=True))


@pytest.mark.parametrize(("module", "source"), _BREACHES)
def test_a_breach_is_found(
    broken: Mapping[tuple[str, str], Graph], module: str, source: str
) -> None:
    """The check is no formality: a project that breaks one rule in one module fails it."""
    assert any(module in breach for breach in breaches(broken[module, source]))


def test_in_the_project_that_is_broken_there_is_no_other_breach(tmp_path: Path) -> None:
    """Each breach above is found for itself."""
    _write(tmp_path, _SOURCES)
    assert breaches(recorded(tmp_path)[0]) == []


def _write(root: Path, sources: Mapping[str, str]) -> None:
    """A project of these modules."""
    for name, content in sources.items():
        path = root.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in path.relative_to(root).parents:
            (root / folder / "__init__.py").touch()
        path.write_text(content)
    (root / "__init__.py").unlink()
