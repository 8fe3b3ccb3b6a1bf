"""Finding out whether a chat is the one of an account, with another certificate only."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from threading import Thread
from typing import NamedTuple

from chat_client.state.account import Account
from chat_client.state.status import Link, Status
from chat_client.window.join.words import tried
from common.domain.invite import Invite
from common.domain.reasons import Reason
from common.domain.sentences import as_sentence
from common.ui.program.mailbox import Mailbox


class _Answer(NamedTuple):
    """What was found out, and by which question; `problem` is why it was not."""

    number: int
    known: bool = False
    problem: str = ""


class Recognition:
    """One question at a time, asked on a thread; a new one, and `cancel`, drop the former."""

    def __init__(self, root: tk.Tk) -> None:
        self._number = 0
        self._on_answer: Callable[[bool], object] = lambda _: None
        self._on_problem: Callable[[str], object] = lambda _: None
        self._mailbox: Mailbox[_Answer] = Mailbox(root, self._take)

    def ask(
        self,
        former: Account,
        invite: Invite,
        on_answer: Callable[[bool], object],
        on_problem: Callable[[str], object],
    ) -> None:
        """Ask the server of an invite whether it knows the account.

        `on_answer` gets whether it does, or `on_problem` the sentences of why nobody knows.
        """
        self._number += 1
        self._on_answer, self._on_problem = on_answer, on_problem
        arguments = (self._mailbox, self._number, former, invite)
        Thread(target=_ask, args=arguments, name="recognition", daemon=True).start()

    def cancel(self) -> None:
        """Nobody waits for the answer any more."""
        self._number += 1

    def close(self) -> None:
        """The same for good; idempotent."""
        self._mailbox.close()

    def _take(self, answers: list[_Answer]) -> None:
        for answer in answers:
            if answer.number != self._number:
                continue
            if answer.problem:
                self._on_problem(answer.problem)
            else:
                self._on_answer(answer.known)


def _ask(mailbox: Mailbox[_Answer], number: int, former: Account, invite: Invite) -> None:
    # Imported here: it takes longer than to show that something is going on.
    from chat_client.net.connector import ConnectError
    from chat_client.net.recognition import RecognitionError, is_known

    try:
        mailbox.post(_Answer(number, is_known(former, invite)))
    except ConnectError as error:
        status = Status(Link.PAUSED, Reason("unreachable"), attempts=error.attempts)
        mailbox.post(_Answer(number, problem=tried(status)))
    except RecognitionError as error:
        mailbox.post(_Answer(number, problem=as_sentence(str(error))))
