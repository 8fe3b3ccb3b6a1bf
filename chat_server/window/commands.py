"""Sending the host's commands from the window, and what to tell of their replies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from chat_server.window.server_thread import ServerThread
from common.domain.reasons import Reason
from common.domain.sentences import sentence
from common.ui.widgets.notices import FAILURE_TIME, TOAST_TIME

if TYPE_CHECKING:
    from chat_server.net.endpoints.local import OnReply
    from common.protocol.messages import ToClient, ToServer


class CommandSender:
    """Sends commands by the host's session; `say(text, milliseconds)` shows a toast."""

    def __init__(self, server_thread: ServerThread, say: Callable[[str, int], object]) -> None:
        self._server_thread, self._say = server_thread, say

    def ask(self, command: Callable[[int], ToServer], on_reply: OnReply) -> None:
        """Send one, and hand its reply on; does nothing without a running server."""
        self._server_thread.ask(command, on_reply)

    def request(
        self,
        command: str,
        fields: dict[str, object],
        on_done: Callable[[ToClient], object],
        on_refused: Callable[[], object] = lambda: None,
    ) -> None:
        """Send one; `on_done` gets its reply. A refusal is shown, and `on_refused` called."""
        if self._server_thread.running is None:
            self._say("Not done: the server does not run", FAILURE_TIME)
            on_refused()
            return

        def reply_came(reply: ToClient) -> None:
            text, _ = outcome_of([reply], "")
            if text:
                self._say(text, FAILURE_TIME)
            if refusal_of(reply):
                on_refused()
            else:
                on_done(reply)

        self._server_thread.ask(_maker(command, fields), reply_came)

    def send(self, wanted: Sequence[dict[str, object]], command: str, said: str = "") -> None:
        """Send a command for each; after the last reply show what was refused, and `said`.

        `said` is shown unless all were refused.
        """
        if self._server_thread.running is None:
            self._say("Not done: the server does not run", FAILURE_TIME)
            return
        replies: list[ToClient] = []

        def reply_came(reply: ToClient) -> None:
            replies.append(reply)
            if len(replies) < len(wanted):
                return
            text, failed = outcome_of(replies, said)
            if text:
                self._say(text, FAILURE_TIME if failed else TOAST_TIME)

        for fields in wanted:
            self._server_thread.ask(_maker(command, fields), reply_came)


def commands() -> ModuleType:
    """The models of commands, which are imported with the server, after the window."""
    from common.protocol import messages

    return messages


def outcome_of(replies: Sequence[ToClient], said: str) -> tuple[str, bool]:
    """What to tell of the replies to some commands, and whether not all was done.

    `said` is what to tell of those that were done.
    """
    refused = [why for why in map(refusal_of, replies) if why]
    notes = [note for note in (getattr(reply, "note", None) for reply in replies) if note]
    parts: list[str] = []
    if refused:
        some = "" if len(refused) == len(replies) else f" for {len(refused)} of {len(replies)}"
        parts.append(f"not done{some}: {'; '.join(dict.fromkeys(refused))}")
    parts += [sentence(Reason(note)) for note in dict.fromkeys(notes)]
    if said and len(refused) < len(replies):
        parts.append(said)
    text = ". ".join(f"{part[:1].upper()}{part[1:]}" for part in parts)
    return text, bool(refused or notes)


def refusal_of(reply: ToClient) -> str:
    """Why a command was refused; "" if it was not."""
    if not isinstance(reply, commands().Error):
        return ""
    return sentence(Reason(reply.code, reply.params))


def _maker(command: str, fields: dict[str, object]) -> Callable[[int], ToServer]:
    def make(number: int) -> ToServer:
        made: ToServer = getattr(commands(), command)(id=number, **fields)
        return made

    return make
