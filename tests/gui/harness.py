"""Real windows of ChatClient, a real server, and other people: the tools of the GUI tests.

Nothing waits for a time to pass: everything waits for a condition, with a deadline, and pumps
the Tk loop meanwhile. `root.update()` is avoided: it does not return while mail comes in.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
import tkinter as tk
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

import pytest

from chat_client.accounts import new_account
from chat_client.cache.cache import Cache
from chat_client.core import Core
from chat_client.options import Options, name_of
from chat_client.state import news
from chat_client.state.account import Account
from chat_client.state.status import Link
from chat_client.window.app import make
from chat_client.window.join.screen import JoinScreen
from chat_client.window.join.ways import Way
from chat_client.window.main_screen import MainScreen
from chat_client.window.screens import Screens
from chat_server.options import Options as ServerOptions
from chat_server.options import parse_options as parse_server_options
from chat_server.ready_file import Running
from chat_server.rules.view import ClientSignedIn, ViewEvent
from chat_server.service import Server
from chat_server.window.app import make as make_server
from chat_server.window.host import HostContents
from chat_server.window.model import ServerState
from common.desktop.sound import Sound
from common.domain.invite import Invite, parse_invite
from common.domain.names import GENERAL
from common.protocol.events import Event
from common.protocol.messages import Terminate, ToClient, ToServer
from common.ui.lists.row_list import RowList
from common.ui.look.palette import Mode
from tests.events import message
from tests.gui.desktop import Desktop, SilentPlayer
from tests.gui.tk_scripts import watch_scripts

DEADLINE: Final = 15.0
"""Seconds for anything that should happen at once; a loaded machine may take a while."""
_DONT_WAIT: Final = 2
_KEYSYMS: Final = {
    " ": "space",
    ".": "period",
    ",": "comma",
    ":": "colon",
    "/": "slash",
    "?": "question",
    "!": "exclam",
    "-": "minus",
    "'": "apostrophe",
    "(": "parenleft",
    ")": "parenright",
    "=": "equal",
    "_": "underscore",
    "&": "ampersand",
    "@": "at",
    "\n": "Return",
}


What = str | Callable[[], str]
"""What is waited for, in words; or what says so when it did not come, with what came instead."""


def wait(root: tk.Misc, condition: Callable[[], object], what: What, within: float) -> None:
    """Handle events one at a time until `condition()` holds; fail after `within` seconds."""
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            what = what if isinstance(what, str) else what()
            pytest.fail(f"waited {within:.0f} s for {what}; shown: {[*texts(root)]}")
        # Wakes the loop up for another look when nothing else happens.
        timer = root.after(5, lambda: None)
        root.tk.dooneevent(0)
        root.after_cancel(timer)


def settle(root: tk.Misc) -> None:
    """Handle what is due now and what that brings about, for at most a second."""
    end = time.monotonic() + 1
    while time.monotonic() < end and root.tk.dooneevent(_DONT_WAIT):
        pass


def texts(widget: tk.Misc) -> Iterator[str]:
    """What is to be read below a widget, for the message of a failure."""
    for child in widget.winfo_children():
        if child.winfo_viewable():
            if isinstance(child, tk.Label) and child.cget("text"):
                yield str(child.cget("text"))
            elif isinstance(child, tk.Entry):
                yield f"[{child.get()}]"
            elif isinstance(child, tk.Text):
                yield child.get("1.0", "end-1c")
            yield from texts(child)


def click(widget: tk.Misc, x: int | None = None, y: int | None = None) -> None:
    """Press and release the first button, in a widget's middle or at a place of it."""
    x = widget.winfo_width() // 2 if x is None else x
    y = widget.winfo_height() // 2 if y is None else y
    for event in ("<Enter>", "<Motion>", "<ButtonPress-1>", "<ButtonRelease-1>"):
        widget.event_generate(event, x=x, y=y)


def report_in_log(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """What Tk calls when a callback raised: the alarm below hears of it."""
    logging.getLogger("tk").error("a callback failed", exc_info=(kind, error, trace))


class Alarm(logging.Handler):
    """Keeps every logged ERROR; a failing Tk callback is one, too."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it, with its traceback."""
        self.heard.append(self.format(record))


class Host:
    """A server with TLS in this process, through as many lives as a test gives it."""

    def __init__(self, data_dir: Path, name: str) -> None:
        self.data_dir, self._name = data_dir, name
        self.port = 0
        self.link = ""
        self.connections: dict[str, int] = {}
        self._server: Server | None = None

    @property
    def invite(self) -> Invite:
        """What lets one in."""
        return parse_invite(self.link)

    def start(self) -> None:
        """Start it, on the port of its former life if it had one."""
        options = ServerOptions(
            headless=True,
            host="127.0.0.1",
            port=self.port,
            data_dir=self.data_dir,
            name=self._name,
            ready_file=None,
            plaintext=False,
            log_level="info",
            message_rate=0,
            joins_per_minute=0,
        )
        self._server = Server(options, self.data_dir, self._show)
        running = self._server.start()
        self.port, self.link = running.port, running.invite

    def stop(self) -> None:
        """End it as the host's window does: everyone is told."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def terminate(self, username: str, reason: str) -> None:
        """End somebody's connection."""
        assert self._server is not None, "not started"
        number = self.connections[username]
        self.ask(lambda re: Terminate(id=re, connection=number, reason=reason))

    def ask(self, command: Callable[[int], ToServer]) -> ToClient:
        """Have it carry out a command of the host's; the reply."""
        assert self._server is not None, "not started"
        replies: queue.SimpleQueue[ToClient] = queue.SimpleQueue()
        self._server.host_session().ask(command, replies.put)
        return replies.get(timeout=DEADLINE)

    def _show(self, events: Sequence[ViewEvent]) -> None:
        for event in events:
            if isinstance(event, ClientSignedIn):
                self.connections[event.username] = event.connection


class Peer:
    """Somebody else in the chat, without a window."""

    def __init__(self, invite: Invite, name: str, account: Account | None = None) -> None:
        if account is None:
            known = name_of(name)
            assert known is not None
            account = new_account(invite, known.username, name)
        self.username = account.username
        self.events: list[Event] = []
        self._news = threading.Condition()
        self._said = 0
        self._sent: set[str] = set()
        self.link = Link.CONNECTING
        self.core = Core(account, Cache(None), self._told)
        self.core.start()
        self.until(lambda: self.link is Link.ONLINE, f"{name} online")

    def say(self, *messages: str, room: str = GENERAL) -> None:
        """Say something; it is in the room when this returns."""
        self._said += len(messages)
        for text in messages:
            self.core.send(room, *message(text))
        self.until(lambda: len(self._sent) == self._said, "the acknowledgements")

    def texts(self, room: str = GENERAL) -> list[str]:
        """What was said in a room, as this person saw it."""
        return [e.text for e in tuple(self.events) if e.room == room and e.is_message]

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait on this thread."""
        with self._news:
            assert self._news.wait_for(condition, DEADLINE), f"waited for {what}: {self.events}"

    def stop(self) -> None:
        """Leave."""
        self.core.stop()

    def _told(self, told: Sequence[news.News]) -> None:
        with self._news:
            for item in told:
                if isinstance(item, news.EventsAdded):
                    self.events += item.events
                elif isinstance(item, news.StatusChanged):
                    self.link = item.status.link
                elif isinstance(item, news.OutboxChanged) and item.state == "sent":
                    self._sent.add(item.cid)
            self._news.notify_all()


class Window:
    """ChatClient's window: it is driven by keys and clicks, and read as a person would."""

    def __init__(self, options: Options, data_dir: Path) -> None:
        self.program = make(options, data_dir)
        self.root = self.program.root
        self.ended = False
        self.program.on_end = self._end
        self.root.report_callback_exception = report_in_log
        watch_scripts(self.root, logging.getLogger("tk").error)
        self.wait(lambda: self.program.contents is not None, "the first screen")

    # Its parts

    @property
    def screens(self) -> Screens:
        """What switches between the screens."""
        return self.program.filled

    @property
    def join(self) -> JoinScreen:
        """The join screen, which must be the one shown."""
        assert isinstance(self.screens.screen, JoinScreen)
        return self.screens.screen

    @property
    def main(self) -> MainScreen:
        """The main screen, which must be the one shown."""
        assert isinstance(self.screens.screen, MainScreen), [*texts(self.root)]
        return self.screens.screen

    @property
    def is_main(self) -> bool:
        """Whether the conversations are shown."""
        return isinstance(self.screens.screen, MainScreen)

    @property
    def composer(self) -> tk.Text:
        """Where messages are written."""
        return self.main.composer.text

    @property
    def messages(self) -> tk.Text:
        """The message list."""
        return self.main.transcript.text

    @property
    def said(self) -> str:
        """All text in the message list."""
        return self.messages.get("1.0", "end-1c")

    @property
    def lines(self) -> list[str]:
        """The lines of the message list."""
        return self.said.splitlines()

    @property
    def link(self) -> Link:
        """What the main screen says about the connection."""
        return self.main.connection.status.link

    @property
    def state(self) -> str:
        """The line beside the room's name."""
        return str(self.main.header.state.cget("text"))

    @property
    def banner(self) -> str:
        """What the strip above the conversation says, or "" when there is none."""
        banner = self.main.banner
        return str(banner._text.cget("text")) if banner.shown else ""

    @property
    def title(self) -> str:
        """The window's title."""
        return self.root.title()

    @property
    def problem(self) -> str:
        """What the join screen complains about, or ""."""
        label = self.join.column.problem
        return str(label.cget("text")) if label.winfo_manager() else ""

    @property
    def desktop(self) -> Desktop:
        """Where its notifications are shown."""
        desktop = self.screens.notifications.desktop.notifier
        assert isinstance(desktop, Desktop)
        return desktop

    @property
    def played(self) -> list[Sound]:
        """The sounds it has played."""
        player = self.screens.notifications.desktop.player
        assert isinstance(player, SilentPlayer)
        return player.played

    # Time

    def later(self, seconds: float) -> None:
        """Have time pass for its notifications."""
        self.desktop.clock.late += seconds
        self.screens.notifications._run()
        self.settle()

    def wait(self, condition: Callable[[], object], what: What, within: float = DEADLINE) -> None:
        """Pump the loop until `condition()` holds."""
        wait(self.root, condition, what, within)

    def settle(self) -> None:
        """Handle what is due now and what that brings about."""
        settle(self.root)

    def online(self) -> Window:
        """Wait for the conversations, with a connection."""
        self.wait(lambda: self.is_main and self.link is Link.ONLINE, "a connection")
        self.settle()
        return self

    # Keys and clicks

    def focus(self, widget: tk.Misc) -> None:
        """Give a widget, and so this window, the keyboard."""
        widget.focus_force()
        self.wait(lambda: self.root.focus_displayof() is widget, "the keyboard")
        self.settle()

    def key(self, keys: str, widget: tk.Misc | None = None) -> None:
        """Press a key (`<Return>`, `<Control-c>`) where the keyboard is, or at a widget."""
        if widget is not None:
            self.focus(widget)
        target = self.root.focus_displayof()
        assert target is not None, "nothing has the keyboard"
        target.event_generate(keys)
        self.settle()

    def type(self, text: str, widget: tk.Misc | None = None) -> None:
        """Type a text, key by key; ASCII only."""
        if widget is not None:
            self.focus(widget)
        for letter in text:
            self.key(f"<Key-{_KEYSYMS.get(letter, letter)}>")

    def paste(self, text: str, widget: tk.Misc) -> None:
        """Press Ctrl+V with a text in the clipboard."""
        self.focus(widget)
        self.root.clipboard_clear()
        self.root.clipboard_append(text)
        self.key("<Control-v>")

    def click(self, widget: tk.Misc, x: int | None = None, y: int | None = None) -> None:
        """As `click`, with everything done that it brings about."""
        self.settle()
        click(widget, x, y)
        self.settle()

    def turn(self, way: Way) -> None:
        """Press the link to another way into a chat, unless it is the one shown."""
        if self.join.way is not way:
            self.click(self.join.column.actions.others[way])

    def click_row(self, rows: RowList, key: str) -> None:
        """Click on a row of a list."""
        self.wait(lambda: key in rows.order(), f"{key} in a list")
        self.settle()
        rows.see(key)
        top, bottom = rows.bounds(key)
        self.click(rows.canvas, 60, (top + bottom) // 2)

    def click_text(self, text: str) -> None:
        """Click on a piece of the message list."""
        found = self.messages.search(text, "1.0")
        assert found, self.said
        self.messages.see(found)
        self.settle()
        box = self.messages.bbox(f"{found} + 2 chars")
        assert box is not None
        self.click(self.messages, box[0] + 1, box[1] + box[3] // 2)

    def say(self, text: str) -> None:
        """Type a message and press Return."""
        self.type(text, self.composer)
        self.key("<Return>")

    def resize(self, width: int, height: int) -> None:
        """Give the window another size."""
        self.root.geometry(f"{width}x{height}")
        self.wait(
            lambda: (self.root.winfo_width(), self.root.winfo_height()) == (width, height),
            f"{width}×{height}",
        )
        self.settle()

    # The end

    def close(self) -> None:
        """Close it by its close button; harmless when it is closed."""
        if not self.ended:
            self.root.tk.call(*self.root.tk.splitlist(self.root.protocol("WM_DELETE_WINDOW")))

    def _end(self) -> None:
        self.ended = True


class HostWindow:
    """ChatServer's window with its server."""

    def __init__(self, data_dir: Path) -> None:
        arguments = ["--host", "127.0.0.1", "--port", "0", "--name", "Harbour Team"]
        self.program = make_server(parse_server_options([*arguments, "--theme", "light"]), data_dir)
        self.root = self.program.root
        self.ended = False
        self.program.on_end = self._end
        self.root.report_callback_exception = report_in_log
        watch_scripts(self.root, logging.getLogger("tk").error)
        self.wait(lambda: self.program.contents is not None, "the contents")
        self.wait(lambda: self.app.presenter.phase is ServerState.RUNNING, "the server")

    @property
    def app(self) -> HostContents:
        """What is in the window."""
        return self.program.filled

    @property
    def running(self) -> Running:
        """The facts of its server."""
        running = self.app.server_thread.running
        assert running is not None
        return running

    @property
    def link(self) -> str:
        """The invite it shows."""
        return self.app.frame.invite.copy.content

    @property
    def invite(self) -> Invite:
        """The invite of its server."""
        return parse_invite(self.running.invite)

    @property
    def names(self) -> set[str]:
        """Whom it lists."""
        return {row.name for row in self.app.frame.connections.people._rows.values()}

    def wait(self, condition: Callable[[], object], what: What) -> None:
        """Pump the loop, of all windows, until `condition()` holds."""
        wait(self.root, condition, what, DEADLINE)

    def terminate(self, name: str) -> None:
        """Click on somebody's row, on Terminate, and on Terminate in the dialog."""
        people = self.app.frame.connections.people
        key = next(key for key, row in people._rows.items() if row.name == name)
        self.wait(people.table.canvas.winfo_viewable, "the table")
        top, bottom = people.table.bounds(key)
        click(people.table.canvas, 60, (top + bottom) // 2)
        assert people.terminate.enabled
        self.root.after(1, self._say_yes)
        # Its dialog runs a loop of its own, inside this click.
        click(people.terminate)

    def close(self) -> None:
        """By the close button, also where it asks because people are connected."""
        if not self.ended:
            if self.app.presenter.people:
                self.root.after(1, self._say_yes)
            self.root.tk.call(*self.root.tk.splitlist(self.root.protocol("WM_DELETE_WINDOW")))
            self.wait(lambda: self.ended, "the end")
            assert self.app.status == 0

    def _say_yes(self) -> None:
        dialog = self.app.controller.dialog
        # It takes the grab last, when it is there to be answered.
        if dialog is None or not self.root.tk.call("grab", "current", dialog.window):
            self.root.after(10, self._say_yes)
            return
        click(dialog.buttons["yes"])

    def _end(self) -> None:
        self.ended = True


def release_clipboard() -> None:
    """Own the clipboard no more, before another process asks for it.

    Tk owns it for the whole process, also when the window that copied is gone, and answers only
    while a loop runs: whoever asks waits for 5 s.
    """
    root = tk.Tk()
    root.withdraw()
    root.tk.call("selection", "clear", "-selection", "CLIPBOARD")
    root.update()
    root.destroy()


class Town:
    """Everything of one test, in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hosts: list[Host] = []
        self._peers: list[Peer] = []
        self._windows: list[Window] = []
        self._numbers = itertools.count()

    def host(self, name: str = "Harbour Team") -> Host:
        """A server, started."""
        host = Host(self._folder / f"server{next(self._numbers)}", name)
        self._hosts.append(host)
        host.start()
        return host

    def peer(self, host: Host, name: str) -> Peer:
        """Somebody who has joined."""
        return self.peer_of(host.invite, name)

    def peer_of(self, invite: Invite, name: str) -> Peer:
        """Somebody who has joined with an invite."""
        peer = Peer(invite, name)
        self._peers.append(peer)
        return peer

    def device(self, host: Host, account: Account) -> Peer:
        """Another device of somebody who has joined."""
        peer = Peer(host.invite, account.display_name, account)
        self._peers.append(peer)
        return peer

    def window(self, *, data_dir: Path | None = None, options: Options | None = None) -> Window:
        """A window that begins with the join screen, or what `data_dir` says."""
        folder = data_dir or self._folder / f"client{next(self._numbers)}"
        window = Window(options or Options(theme="light"), folder)
        self._windows.append(window)
        return window

    def member(self, host: Host, name: str, *, theme: Mode = "light") -> Window:
        """The window of somebody who has joined."""
        options = Options(join=host.invite, name=name_of(name), theme=theme)
        window = self.window(options=options).online()
        window.wait(lambda: f"{name} joined" in window.said, "one's own joining")
        return window

    def close(self) -> None:
        """End everything, windows first."""
        for window in self._windows:
            window.close()
        for peer in self._peers:
            peer.stop()
        for host in self._hosts:
            host.stop()
        self._windows.clear()
