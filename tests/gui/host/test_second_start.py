"""ChatServer started again with the data folder of a window: that window comes to the front."""

from __future__ import annotations

import threading
from pathlib import Path

from common.system.open_windows import other_windows
from common.system.second_start import Request, hand_over
from tests.gui.host.conftest import Host


def started_again(host: Host, folder: Path) -> bool:
    """Start the program again as another process does; whether the window has heard it."""
    answers: list[bool] = []
    windows = other_windows(folder, None)
    thread = threading.Thread(target=lambda: answers.append(hand_over(windows, Request())))
    thread.start()
    host.wait(lambda: answers, "an answer")
    thread.join()
    return answers[0]


def test_it_is_raised(host: Host) -> None:
    """Even from where it is withdrawn, with the keyboard."""
    host.root.withdraw()
    host.wait(lambda: not host.root.winfo_viewable(), "the window to be gone")
    assert started_again(host, host.program.data_dir)
    host.wait(host.root.winfo_viewable, "the window")
    host.wait(lambda: host.root.focus_displayof() is not None, "the keyboard")


def test_a_question_is_raised_with_it(host: Host) -> None:
    """It is what the host has to answer before anything else."""
    ada = host.connect("ada")
    asked: list[bool] = []

    def close() -> None:
        asked.append(host.app.may_close())

    def answer() -> None:
        dialog = host.app.controller.dialog
        if dialog is None or not dialog.window.winfo_viewable():
            host.root.after(10, answer)
            return
        assert started_again(host, host.program.data_dir)
        assert dialog.window.focus_displayof() is not None
        dialog.choose("cancel")

    host.root.after(10, answer)
    close()
    assert asked == [False]
    ada.close()


def test_a_closed_window_is_not_found(host: Host) -> None:
    """Not even while its server is being stopped."""
    folder = host.program.data_dir
    assert len(other_windows(folder, None)) == 1
    host.program.close()
    assert other_windows(folder, None) == []
    host.wait(lambda: host.ended, "the end")
