"""Carries out what the host does in the window, with confirmations where they are needed."""

from __future__ import annotations

import gc
import tkinter as tk
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from chat_server.chat_name import clean_chat_name
from chat_server.window import questions
from chat_server.window.actions import Actions
from chat_server.window.client_program import ClientProgram, find_client
from chat_server.window.commands import CommandSender, commands, refusal_of
from chat_server.window.joining import JoiningController
from chat_server.window.model import Page, ServerState
from chat_server.window.moderation import Moderation
from chat_server.window.presenter import Presenter
from chat_server.window.server_thread import ServerThread, StartFailed
from common.domain.names import NameRefusedError
from common.domain.sentences import as_sentence
from common.ui.look.theme import Theme
from common.ui.widgets.dialog import Answer, Dialog
from common.ui.widgets.notices import FAILURE_TIME, TOAST_TIME

if TYPE_CHECKING:
    from common.protocol.messages import ToClient

CLIENT_LOOK: Final = 500
"""Polling interval in milliseconds for the end of the ChatClient that was started."""


class HostController:
    """Carries out `actions`. `show` updates the window from the presenter.

    `say(text, milliseconds)` shows a toast for that long. The last two are actions of the window.
    """

    def __init__(
        self,
        root: tk.Tk,
        theme: Theme,
        presenter: Presenter,
        server_thread: ServerThread,
        show: Callable[[], object],
        say: Callable[[str, int], object],
        toggle_theme: Callable[[], object],
        show_settings: Callable[[], object],
    ) -> None:
        self.client = ClientProgram(find_client())
        self._client_timer: str | None = None
        sender = CommandSender(server_thread, say)
        moderation = Moderation(root, theme, presenter, sender, show, self._ask)
        self.moderation = moderation
        self.joining = JoiningController(
            root, theme, presenter, sender, show, say, self._copy, self._ask
        )
        self.actions = Actions(
            self._switch, moderation.terminate, moderation.mute, moderation.unmute, moderation.ban,
            moderation.unban, moderation.set_role, moderation.lift, moderation.new_invite, self._go,
            self._copy, self._search, toggle_theme, self._rename,
            self._open_client if self.client.available else None, show_settings,
            self.joining.actions,
        )  # fmt: skip
        self.dialog: Dialog | None = None
        self._closing: Dialog | None = None
        self._root, self._theme = root, theme
        self._presenter, self._server_thread, self._show = presenter, server_thread, show
        self._say = say
        self._port: int | None = None

    def started(self, port: int) -> None:
        """The server accepts on `port`, which the next start tries first: invites contain it."""
        self._port = port

    def start_failed(self, failure: StartFailed, *, first: bool) -> bool:
        """Show the failure with what can be done; returns whether another start is under way."""
        if failure.busy_port is None:
            answer = self._ask(
                questions.cannot_start(self._root, self._theme, failure.reason, first=first)
            )
            if answer.choice == questions.CANCEL or self._presenter.phase is ServerState.CLOSING:
                return False
            self._start(self._port)
            return True
        wrong = ""
        while True:
            answer = self._ask(
                questions.other_port(
                    self._root, self._theme, failure.busy_port, failure.reason,
                    first=first, wrong=wrong,
                )
            )  # fmt: skip
            if answer.choice == questions.CANCEL or self._presenter.phase is ServerState.CLOSING:
                return False
            port = 0 if answer.choice == questions.ANY_PORT else questions.read_port(answer.text)
            if port is not None:
                self._start(port)
                return True
            wrong = answer.text or " "

    def may_close(self) -> bool:
        """Whether the window may be closed; asks while people are connected."""
        if self._closing is not None and self._closing is self.dialog:
            self._closing.window.lift()
            return False
        if self._presenter.phase is not ServerState.RUNNING or not self._presenter.people:
            return True
        self._closing = questions.close(self._root, self._theme, self._presenter.people)
        try:
            return self._says_yes(self._closing)
        finally:
            self._closing = None

    def server_failed(self, reason: str) -> None:
        """Show why the server has failed, and offer to restart it."""
        if self._says_yes(questions.server_failed(self._root, self._theme, reason)):
            self._switch(True)

    def close(self) -> None:
        """Dismiss questions and stop all timers, as the window closes. ChatClient stays open."""
        self.dismiss()
        if self._client_timer is not None:
            self._root.after_cancel(self._client_timer)
            self._client_timer = None

    def dismiss(self) -> None:
        """Answer the open dialog, if there is one, with the choice that changes nothing."""
        if self.dialog is not None:
            self.dialog.choose(questions.CANCEL)

    def _switch(self, on: bool) -> None:
        phase = self._presenter.phase
        if on and phase is ServerState.STOPPED:
            self._start(self._port)
        elif not on and phase is ServerState.RUNNING:
            people = self._presenter.people
            if not people or self._says_yes(questions.stop(self._root, self._theme, people)):
                self._presenter.stopping()
                self._server_thread.stop_server()
        self._show()

    def _start(self, port: int | None) -> None:
        self._presenter.starting()
        self._show()
        self._server_thread.start_server(port)

    def _go(self, page: Page) -> None:
        self._presenter.go(page)
        self._show()

    def _copy(self, text: str, said: str) -> None:
        self._root.clipboard_clear()
        self._root.clipboard_append(text)
        if said:
            self._say(said, TOAST_TIME)

    def _rename(self, text: str) -> None:
        try:
            name = clean_chat_name(text)
        except NameRefusedError as error:
            self._presenter.renaming(as_sentence(str(error)))
        else:
            self._presenter.renaming()
            self._server_thread.ask(
                lambda number: commands().RenameChat(id=number, name=name), self._renamed
            )
        self._show()

    def _renamed(self, reply: ToClient) -> None:
        why = refusal_of(reply)
        if why:
            self._presenter.not_renamed(why)
            self._show()

    def _open_client(self) -> None:
        running = self._server_thread.running
        if running is None:
            return
        # One that is open already comes to the front.
        try:
            self.client.start(running.invite)
        except OSError as error:
            self._say(f"ChatClient can’t be started: {error.strerror or error}", FAILURE_TIME)
            return
        self._say("Opening ChatClient…", TOAST_TIME)
        if self._client_timer is None:
            self._client_timer = self._root.after(CLIENT_LOOK, self._look_after_client)

    def _look_after_client(self) -> None:
        """Poll ChatClient until it ends, and report a failure, which may have shown no window."""
        self._client_timer = None
        if self.client.running:
            self._client_timer = self._root.after(CLIENT_LOOK, self._look_after_client)
        elif self.client.status:
            why = f"ChatClient ended with an error (status {self.client.status})"
            self._say(why, FAILURE_TIME)

    def _search(self, text: str) -> None:
        self._presenter.search(text)
        self._show()

    def _says_yes(self, dialog: Dialog) -> bool:
        # The server may have stopped meanwhile: a signal can close the window.
        return self._ask(dialog).choice == questions.YES

    def _ask(self, dialog: Dialog) -> Answer:
        self.dismiss()
        self.dialog = dialog
        try:
            return dialog.ask()
        finally:
            self.dialog = None
            # A dialog is a cycle with Tk variables in it. Collected at some later time by
            # another thread, these would call Tk from there.
            self._root.after_idle(gc.collect)
