"""Items posted from threads arrive on the Tk thread, all of them, in order."""

from __future__ import annotations

import _tkinter
import gc
import threading
import time
import tkinter as tk

import pytest

from common.ui.program.mailbox import BUDGET, Mailbox
from tests.gui.kit.conftest import Pump
from tests.gui.thread_watch import ThreadWatch

both = pytest.mark.parametrize("poll", [False, True])


@both
def test_every_item_arrives_in_order(root: tk.Tk, wait_until: Pump, poll: bool) -> None:
    """Items of several threads arrive once each, those of one thread in order."""
    got: list[tuple[int, int]] = []
    threads: set[int] = set()

    def take(items: list[tuple[int, int]]) -> None:
        threads.add(threading.get_ident())
        got.extend(items)

    box: Mailbox[tuple[int, int]] = Mailbox(root, take, poll=poll)

    def work(worker: int) -> None:
        for n in range(2000):
            box.post((worker, n))

    workers = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in workers:
        thread.start()
    wait_until(lambda: len(got) == 8000)
    for thread in workers:
        thread.join()
    for worker in range(4):
        assert [n for who, n in got if who == worker] == list(range(2000))
    assert threads == {threading.get_ident()}
    box.close()


@both
def test_no_wake_up_is_lost(root: tk.Tk, wait_until: Pump, poll: bool) -> None:
    """An item posted alone, again and again, is answered each time."""
    got: list[int] = []
    box: Mailbox[int] = Mailbox(root, got.extend, poll=poll)
    for n in range(50 if poll else 500):
        threading.Thread(target=box.post, args=(n,)).start()
        wait_until(lambda n=n: len(got) == n + 1)  # type: ignore[misc]
    box.close()


@both
def test_the_window_gets_its_turn(root: tk.Tk, wait_until: Pump, poll: bool) -> None:
    """A flood is handled in slices of about the budget, with the loop in between."""
    got: list[int] = []
    turns: list[int] = []

    def take(items: list[int]) -> None:
        got.extend(items)
        end = time.perf_counter() + BUDGET / 2
        while time.perf_counter() < end:
            pass

    def tick() -> None:
        turns.append(len(got))
        root.after(1, tick)

    box: Mailbox[int] = Mailbox(root, take, poll=poll)
    for n in range(64 * 20):
        box.post(n)
    tick()
    wait_until(lambda: len(got) == 64 * 20)
    assert len({turn for turn in turns if 0 < turn < 64 * 20}) >= 5
    box.close()


@both
def test_a_failing_handler_is_reported_and_mail_goes_on(
    root: tk.Tk, wait_until: Pump, poll: bool
) -> None:
    """What a handler raises reaches Tk's reporter; later items still arrive."""
    reported: list[BaseException] = []
    root.report_callback_exception = lambda _kind, value, _tb: reported.append(value)
    got: list[str] = []

    def take(items: list[str]) -> None:
        if items == ["bad"]:
            raise ValueError(items)
        got.extend(items)

    box: Mailbox[str] = Mailbox(root, take, poll=poll)
    box.post("bad")
    wait_until(lambda: reported)
    box.post("good")
    wait_until(lambda: got == ["good"])
    assert isinstance(reported[0], ValueError)
    box.close()


@both
def test_after_close_nothing_arrives(root: tk.Tk, wait_until: Pump, poll: bool) -> None:
    """Posting after the end does nothing, and closing twice is fine."""
    got: list[int] = []
    box: Mailbox[int] = Mailbox(root, got.extend, poll=poll)
    box.post(1)
    box.close()
    box.close()
    box.post(2)
    wait_until.settle()
    assert got == []


@both
def test_the_window_may_go_first(root: tk.Tk, poll: bool) -> None:
    """Destroying the window closes the mailbox, whatever threads still post."""
    box: Mailbox[int] = Mailbox(root, lambda _: None, poll=poll)
    stop = threading.Event()

    def work() -> None:
        for _ in range(100_000):
            if stop.is_set():
                break
            box.post(1)

    worker = threading.Thread(target=work)
    worker.start()
    for _ in range(20):  # not `update`, which goes on for as long as there is mail
        root.tk.dooneevent(_tkinter.DONT_WAIT)
    root.destroy()
    stop.set()
    worker.join()
    box.post(1)


def test_closing_in_the_handler(root: tk.Tk, wait_until: Pump) -> None:
    """A handler may close the mailbox, as the message that ends the program does."""
    got: list[int] = []

    def take(items: list[int]) -> None:
        got.extend(items)
        box.close()

    box: Mailbox[int] = Mailbox(root, take)
    for n in range(1000):
        box.post(n)
    wait_until(lambda: got)
    wait_until.settle()
    assert 0 < len(got) < 1000


@both
def test_a_closed_one_lets_go_of_the_window(root: tk.Tk, poll: bool) -> None:
    """A thread that still has it, and ends last, must not be the one that releases the window."""

    class Handler:
        def __init__(self) -> None:
            self.window = root

        def take(self, items: list[int]) -> None: ...

    box: Mailbox[int] = Mailbox(root, Handler().take, poll=poll)
    watch = ThreadWatch()
    watch.add(threading.Thread(target=box.post, args=(1,), name="late"))
    assert "late" in watch.holding()[0]
    box.close()
    box.post(1)
    assert watch.holding() == []
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, Handler)]
