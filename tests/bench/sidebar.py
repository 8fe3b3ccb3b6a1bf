"""What news of people cost the window's thread: ``xvfb-run -a python3 -m tests.bench.sidebar``.

The program's own main screen, on a cache with many people and without a server, is given batches of
news. Figures are the processor time of this process (its only thread is Tk's) for a batch, the
medians of all of a kind with the least and greatest, in milliseconds: for taking the news, and
with what Tk then has to draw. Options: ``--people N`` (5,000), ``--batches N`` (101), and
``--scrolled`` with the lists in their middle.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import tkinter as tk
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from chat_client.accounts import Accounts, new_account
from chat_client.cache.cache import Cache
from chat_client.open_account import OpenAccount
from chat_client.settings import SettingsStore
from chat_client.state import news
from chat_client.state.status import Link, Status
from chat_client.window.main_screen import MainScreen
from chat_client.window.notifications import Notifications
from common.domain.invite import Invite
from common.domain.names import GENERAL
from common.protocol.messages import Person
from common.ui.look.fonts import register
from common.ui.look.theme import Theme
from tests.events import said

_INVITE: Final = Invite(("192.0.2.7",), 12345, bytes(32), "s" * 22, "Home")
_NAMES: Final = ("Ada", "Bruno", "Chen", "Dana", "Emil", "Fatma", "Grace", "Henri", "Ines", "Jonas")
_DIRECT: Final = 200
"""Direct conversations."""


def person(number: int, *, again: int = 0) -> Person:
    """Somebody, or their new name."""
    name = f"{_NAMES[(number * 7 + again) % len(_NAMES)]} {number * 7919 % 99_991}"
    return Person(
        username=username(number), display_name=name, role="member", change=number + 1 + again
    )


def username(number: int) -> str:
    """Of somebody."""
    return f"person{number}"


@contextmanager
def screen(people: int) -> Iterator[tuple[tk.Tk, MainScreen]]:
    """The main screen, online, with half of the people there."""
    with tempfile.TemporaryDirectory(prefix="chat-bench-") as folder:
        accounts = Accounts(Path(folder))
        account = new_account(_INVITE, username(0), "Ada").confirmed(username(0), "Ada")
        accounts.save(account)
        cache = Cache(accounts.folder(account) / "cache.db")
        with cache.transaction():
            for number in range(people):
                cache.people.add(person(number))
            for number in range(1, min(_DIRECT, people)):
                cache.add_room("dm:" + ":".join(sorted((username(0), username(number)))))
        cache.close()
        session = OpenAccount(accounts, account, lambda _: None)
        session.begin = lambda: None  # type: ignore[method-assign]  # there is no server
        root = tk.Tk()
        root.geometry("1280x900")
        notifications = Notifications(root, "chat-client", SettingsStore(Path(folder)))
        main = MainScreen(
            root,
            Theme(root, "light"),
            session,
            notifications,
            on_title=root.title,
            on_leave=lambda: None,
            on_another=lambda: None,
            on_come_back=lambda _: None,
            on_reopen=lambda: None,
            on_remove=lambda: None,
            on_settings=lambda: None,
            on_mode=lambda: None,
        )
        main.pack(fill="both", expand=True)
        main.apply([news.StatusChanged(Status(Link.ONLINE), 0)])
        main.apply([news.OnlineListed(frozenset(username(n) for n in range(0, people, 2)))])
        drawn(root)
        yield root, main
        main.close()
        notifications.stop()
        session._orders.clear()
        session.close()
        root.destroy()


def drawn(root: tk.Tk) -> None:
    """Return when all that is due is drawn, by the X server too."""
    root.update()
    root.winfo_pointerxy()


def batches(people: int, count: int) -> dict[str, Callable[[], list[news.News]]]:
    """Kinds of batches: each gives its next one."""
    chance = random.Random(1)  # noqa: S311  # the same for every run
    present = {number: number % 2 == 0 for number in range(people)}

    def presence() -> news.News:
        number = chance.randrange(1, people)
        present[number] = not present[number]
        return news.PresenceSeen(username(number), present[number])

    seq = iter(range(1, 10 * count + 10))
    return {
        "nothing about people": lambda: [news.RoomSeen(GENERAL)],
        "one presence": lambda: [presence()],
        "50 presences": lambda: [presence() for _ in range(50)],
        "one new name": lambda: [
            news.PersonSeen(person(chance.randrange(1, people), again=chance.randrange(1, 9)))
        ],
        "one unread message": lambda: [
            news.EventsAdded(
                room := "dm:" + ":".join(sorted((username(0), username(7)))),
                (said(next(seq), username(7), room=room),),
            )
        ],
    }


def measure(
    root: tk.Tk, main: MainScreen, make: Callable[[], list[news.News]], count: int
) -> tuple[list[float], list[float]]:
    """Processor milliseconds of each batch: without drawing, and with it."""
    taken, shown = [], []
    for _ in range(count + 5):
        told = make()
        began = time.process_time()
        main.apply(told)
        taken.append((time.process_time() - began) * 1000)
        drawn(root)
        shown.append((time.process_time() - began) * 1000)
    return taken[5:], shown[5:]  # The first ones draw pictures that are kept.


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What news of people cost the window's thread.")
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--batches", type=int, default=101)
    parser.add_argument("--scrolled", action="store_true")
    options = parser.parse_args(arguments)
    register()
    with screen(options.people) as (root, shown):
        if options.scrolled:
            for rows in (shown.members.people, shown.sidebar.rooms):
                rows.canvas.yview_moveto(0.3)
            drawn(root)
        for name, make in batches(options.people, options.batches).items():
            columns = [
                f"{median(took):7.2f} ({min(took):.2f}–{max(took):.2f})"
                for took in measure(root, shown, make, options.batches)
            ]
            sys.stdout.write(f"{name:22}{'   with drawing'.join(columns)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
