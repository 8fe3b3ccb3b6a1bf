"""A mistake of ours is logged, shown calmly, and tells nobody's secrets."""

from __future__ import annotations

import io
import logging
import re
import sys
import threading
import tkinter as tk
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from common.system import logs
from common.ui.crash import crash
from common.ui.crash.crash import CrashWatch, show_fatal
from common.ui.crash.crash_dialog import CrashDialog
from common.ui.crash.crash_report import CrashReport
from common.ui.look.palette import PALETTES, Mode
from common.ui.program import runner
from tests.gui.kit.conftest import Pump

SECRET = "Zm9vYmFyYmF6cXV4MTIzNA"  # noqa: S105  # nobody's
TOKEN = "0123456789abcdef" * 4


class Program:
    """A watched program: its window, its log, and how often it was told to close."""

    def __init__(
        self, root: tk.Tk, watch: CrashWatch, log: Path, mode: list[Mode], wait_until: Pump
    ) -> None:
        self.root, self.watch, self.log, self.wait_until = root, watch, log, wait_until
        self.mode = mode
        self.closed = 0

    def close(self) -> None:
        """What the program's own close button would call."""
        self.closed += 1

    def logged(self) -> str:
        """What is in the log."""
        return self.log.read_text("utf-8") if self.log.exists() else ""

    def fail(self, text: str = "the row is gone") -> None:
        """Have a Tk callback fail, and wait until that is logged."""
        before = self.logged().count("a callback failed")
        self.root.after(1, fail, text)
        self.wait_until(lambda: self.logged().count("a callback failed") > before, "the log")

    def fail_in_thread(self) -> None:
        """Have a thread fail."""
        thread = threading.Thread(target=fail, args=("the core is gone",), name="core")
        thread.start()
        thread.join()

    def dialog(self) -> CrashDialog:
        """The open dialog, once it is on the screen and has the keyboard."""
        self.wait_until(lambda: self.watch.dialog and self.watch.dialog.window.winfo_viewable())
        dialog = self.watch.dialog
        assert dialog is not None
        self.wait_until(lambda: dialog.window.grab_status() == "local")
        dialog.default.focus_force()
        self.wait_until(lambda: dialog.window.focus_get() is dialog.default)
        return dialog

    def windows(self) -> int:
        """How many dialogs there are."""
        return sum(isinstance(each, tk.Toplevel) for each in self.root.winfo_children())


def watching(
    log: Path | None = None, version: str = "ChatClient 0.1.0", mode: Sequence[Mode] = ("light",)
) -> CrashWatch:
    """A watch that is not installed; the look is the first of `mode`."""
    return CrashWatch("ChatClient", lambda: version, log, "chat-client", lambda: mode[0])


def fail(text: str) -> None:
    """What any part of the program may do."""
    raise LookupError(text)


def press(program: Program, key: str, name: str) -> None:
    """Press a key while a button of the open dialog has the keyboard."""
    button = program.dialog().buttons[name]
    button.focus_force()
    program.wait_until(lambda: program.root.focus_get() is button)
    button.event_generate(key)


def shown(widget: tk.Misc) -> str:
    """All text in a window that can be read."""
    own = str(widget.cget("text")) if isinstance(widget, tk.Label | tk.Button) else ""
    return "\n".join(filter(None, (own, *map(shown, widget.winfo_children()))))


@pytest.fixture
def program(
    root: tk.Tk, wait_until: Pump, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Program]:
    """A program that is watched, with a log of its own.

    Its logger is one that pytest does not know: that would keep the records, and with their
    tracebacks Tk objects, longer than the root may live.
    """
    path = tmp_path / "data" / "log.txt"
    handler = logs._LogFile(path)
    handler.setFormatter(logs._Formatter(logs._FORMAT))
    monkeypatch.setattr(crash, "log", logging.Logger("crash"))  # noqa: LOG001  # on purpose
    crash.log.addHandler(handler)
    mode: list[Mode] = ["light"]
    watch = watching(path, "ChatClient 0.1.0 (commit 1a2b3c4)", mode)
    program = Program(root, watch, path, mode, wait_until)
    watch.install(root, program.close)
    wait_until(root.winfo_viewable)
    yield program
    watch.uninstall()
    handler.close()


def test_a_failed_callback_is_logged_and_shown(program: Program) -> None:
    """The message says what it means and where the log is; nothing else is said at first."""
    program.fail()
    dialog = program.dialog()
    assert "LookupError: the row is gone" in program.logged()
    text = shown(dialog.window)
    assert "Something went wrong" in text
    assert "what it was doing did not work. Nothing that was sent is lost." in text
    assert str(program.log) in text
    assert "LookupError" not in text
    assert [button.cget("text") for button in dialog.buttons.values()] == [
        *("Copy details", "Open log folder", "Close ChatClient", "Go on")
    ]


@pytest.mark.parametrize("key", ["<Escape>", "<Return>", "<space>"])
def test_a_key_goes_on(program: Program, key: str) -> None:
    """Escape, and the default button's keys, close the dialog and not the program."""
    program.fail()
    dialog = program.dialog()
    dialog.default.event_generate(key)
    program.wait_until(lambda: program.watch.dialog is None)
    assert not dialog.window.winfo_exists()
    assert program.closed == 0


def test_escape_goes_on_from_anywhere_but_return_presses_the_button(program: Program) -> None:
    """Return belongs to the button that has the keyboard; Escape never closes the program."""
    for key, name, closed in (("<Escape>", "close", 0), ("<Return>", "close", 1)):
        program.fail()
        press(program, key, name)
        program.wait_until(lambda: program.watch.dialog is None)
        assert program.closed == closed
    program.fail()
    press(program, "<Return>", "copy")
    program.wait_until.settle()
    assert program.dialog().buttons["copy"].cget("text") == "Copied"


def test_tab_goes_from_the_details_to_the_default(program: Program) -> None:
    """In the order in which one reads them."""
    program.fail()
    dialog = program.dialog()
    buttons = [dialog.buttons[name] for name in ("copy", "folder", "close", "go_on")]
    way: list[tk.Misc | None] = [buttons[0]]
    while len(way) < 5 and way[-1] is not None:
        way.append(way[-1].tk_focusNext())
    assert way == [*buttons, buttons[0]]


def test_a_failed_thread_is_shown_by_the_tk_thread(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is fatal; the thread itself has called nothing of Tk."""
    made_by: list[str] = []
    make = CrashDialog.__init__

    def noted(self: CrashDialog, *args: Any) -> None:
        made_by.append(threading.current_thread().name)
        make(self, *args)

    monkeypatch.setattr(CrashDialog, "__init__", noted)
    program.fail_in_thread()
    assert "the thread core failed" in program.logged()
    assert "LookupError: the core is gone" in program.logged()
    assert not made_by
    dialog = program.dialog()
    assert made_by == [threading.main_thread().name]
    assert "can no longer work properly. Nothing that was sent is lost." in shown(dialog.window)
    assert "thread core" in dialog.report.details()
    assert list(dialog.buttons) == ["copy", "folder", "close"]
    dialog.default.event_generate("<Return>")
    program.wait_until(lambda: program.watch.dialog is None)
    assert program.closed == 1


def test_a_program_that_cannot_close_ends_all_the_same(program: Program) -> None:
    """Who asks to close a broken program gets rid of it."""
    program.watch._close = lambda: fail("no end")
    program.fail()
    program.dialog().buttons["close"].invoke()
    with pytest.raises(tk.TclError):
        program.root.winfo_exists()
    assert "LookupError: no end" in program.logged()


def test_one_dialog_at_a_time_and_three_in_all(program: Program) -> None:
    """A timer that fails again and again is logged each time, and shown three times."""
    for time in range(5):
        for _ in range(2):
            program.fail()
        assert program.windows() == (time < 3)
        if time < 3:
            program.dialog().answer(close=False)
            assert program.windows() == 0
    program.fail_in_thread()
    program.wait_until.settle()
    assert program.watch.dialog is None
    assert program.logged().count("a callback failed") == 10


def test_what_is_worse_takes_the_place(program: Program) -> None:
    """A fatal mistake is not hidden behind a small one, nor the other way round."""
    program.fail()
    small = program.dialog()
    program.fail_in_thread()
    program.wait_until(lambda: program.watch.dialog not in (None, small))
    fatal = program.dialog()
    assert fatal.report.fatal
    program.fail()
    program.fail_in_thread()
    program.wait_until.settle()
    assert program.watch.dialog is fatal
    assert program.windows() == 1


def test_the_details_can_be_copied(program: Program) -> None:
    """They say what is needed to find the mistake."""
    program.fail()
    dialog = program.dialog()
    dialog.buttons["copy"].invoke()
    assert dialog.buttons["copy"].cget("text") == "Copied"
    details = program.root.clipboard_get()
    for part in (
        r"^ChatClient 0\.1\.0 \(commit 1a2b3c4\)\n",
        r"\nPython 3\.\d+\.\d+\S*, Tk 8\.6\n",
        r"\n20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC, thread MainThread\n",
        r"in fail\n    raise LookupError\(text\)\nLookupError: the row is gone$",
    ):
        assert re.search(part, details), part


def test_all_of_it_is_on_the_screen(program: Program) -> None:
    """However long the error, and wherever its parent is."""
    program.root.geometry("300x200-0-0")
    program.fail("x" * 5000 + "\nlong" * 500)
    window = program.dialog().window
    program.wait_until(
        lambda: (
            window.winfo_rootx() + window.winfo_width() <= window.winfo_screenwidth()
            and window.winfo_rooty() + window.winfo_height() <= window.winfo_screenheight()
        ),
        "all of the dialog",
    )
    assert window.winfo_rootx() >= 0
    assert window.winfo_rooty() >= 0


def test_it_stands_over_its_parent(program: Program) -> None:
    """In the middle, left to right."""
    program.root.geometry("700x500+420+120")
    program.wait_until(lambda: program.root.winfo_rootx() == 420)
    program.fail()
    window = program.dialog().window
    program.wait_until(
        lambda: abs(window.winfo_rootx() + window.winfo_width() / 2 - (420 + 350)) < 2
    )


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_it_has_the_look_of_the_window(program: Program, mode: Mode) -> None:
    """The present one, whatever it was when the watch began."""
    program.mode[:] = [mode]
    program.fail()
    assert program.dialog().window.cget("background") == PALETTES[mode].window


def test_it_needs_nothing_of_the_kit(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Type, theme and memory may be what is broken."""
    for broken in (
        "common.ui.look.fonts",
        "common.ui.look.theme",
        "common.ui.program.window_state",
        "common.ui.look.desktop_mode",
        "PIL",
    ):
        monkeypatch.setitem(sys.modules, broken, None)
    program.fail()
    assert "Something went wrong" in shown(program.dialog().window)


def test_a_dialog_that_fails_itself_is_logged(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tk's loop goes on, and the next mistake may be shown."""
    with monkeypatch.context() as patch:
        patch.setattr(CrashDialog, "show", lambda _: fail("no dialog"))
        program.fail()
    assert "the error can't be shown" in program.logged()
    assert program.watch.dialog is None
    program.fail()
    assert "the row is gone" in program.dialog().report.details()


def test_it_takes_the_keyboard_and_gives_it_back(program: Program) -> None:
    """Also from a question that is open: that is asked on afterwards."""
    question = tk.Toplevel(program.root)
    field = tk.Entry(question)
    field.pack()
    program.wait_until(question.winfo_viewable)
    question.grab_set()
    field.focus_force()
    program.wait_until(lambda: program.root.focus_get() is field)
    program.fail()
    dialog = program.dialog()
    assert dialog.window.grab_status() == "local"
    dialog.answer(close=False)
    assert question.grab_status() == "local"
    assert question.focus_lastfor() is field
    question.destroy()


def test_a_program_that_ends_takes_its_dialog_along(program: Program) -> None:
    """A window that is destroyed behind the dialog: nothing is shown, nothing raises."""
    program.fail()
    program.dialog()
    program.root.destroy()
    assert program.watch.dialog is None
    program.fail_in_thread()
    assert "the thread core failed" in program.logged()
    assert "can't be shown" not in program.logged()


def test_it_leaves_nothing_in_tk(program: Program) -> None:
    """It makes no pictures and no fonts."""

    def held() -> tuple[object, object]:
        return program.root.tk.call("image", "names"), program.root.tk.call("font", "names")

    before = held()
    program.fail()
    dialog = program.dialog()
    dialog.answer(close=False)
    assert held() == before


def test_no_secret_is_shown_or_logged(program: Program) -> None:
    """What an exception quotes is no excuse; a person's folder is theirs, too."""
    home = Path.home() / "chat.db"
    program.fail(f"no chat://h:1/join?secret={SECRET}&name=x, token {TOKEN}, at {home} \x1b[2J")
    details = program.dialog().report.details()
    assert "no chat://h:1/join?secret=…&name=x, token …, at ~" in details
    assert str(home) not in details
    for text in (details, program.logged()):
        assert SECRET not in text
        assert TOKEN not in text
        assert "\x1b" not in text


def test_hooks_are_put_back(root: tk.Tk) -> None:
    """After `uninstall` Python and Tk report as before."""

    def hooks() -> tuple[object, ...]:
        return threading.excepthook, sys.unraisablehook, root.report_callback_exception

    before = hooks()
    watch = watching()
    watch.install(root, root.destroy)
    assert all(now != then for now, then in zip(hooks(), before, strict=True))
    for _ in range(2):
        watch.uninstall()
    assert hooks() == before


def test_an_error_in_a_script_of_tk_is_logged_and_shown(program: Program) -> None:
    """With where it happened, and without what the script was given."""
    program.root.tk.eval(f'proc broken {{text}} {{error "no such tag"}}; after 1 broken {SECRET}')
    dialog = program.dialog()
    logged = program.logged()
    assert "a script of Tk failed: no such tag" in logged
    assert '(procedure "broken" line 1)' in logged
    assert "no such tag" in dialog.report.details()
    assert SECRET not in logged + dialog.report.details()


def test_a_callback_for_a_widget_that_is_gone_is_no_mistake(program: Program) -> None:
    """Nobody could do anything about it, and nothing is lost."""
    program.root.tk.eval("after 1 140736_changed_now")
    program.wait_until(lambda: " DEBUG crash: " in program.logged(), "the next line of the log")
    assert program.watch.dialog is None
    assert " CRITICAL " not in program.logged()


def test_what_comes_after_the_last_window_is_no_mistake(
    root: tk.Tk, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its callbacks are gone with it, and the one that is told of that as well."""
    watch = watching()
    watch.install(root, root.destroy)
    root.after_idle(fail, "never")
    root.destroy()
    root.tk.call("update")
    watch.uninstall()
    assert capfd.readouterr() == ("", "")


def test_tk_reports_as_before(root: tk.Tk) -> None:
    """After `uninstall`, also when the window is gone."""
    before = root.tk.call("interp", "bgerror", "")
    watch = watching()
    watch.install(root, root.destroy)
    assert root.tk.call("interp", "bgerror", "") != before
    watch.uninstall()
    assert root.tk.call("interp", "bgerror", "") == before
    watch.install(root, root.destroy)
    root.destroy()
    watch.uninstall()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_wanted_ends_are_no_mistakes(
    root: tk.Tk, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Ctrl+C and `sys.exit` go where they went before, and nowhere else."""
    heard: list[object] = []
    for place, name in (
        *((threading, "excepthook"), (sys, "unraisablehook")),
        (root, "report_callback_exception"),
    ):
        monkeypatch.setattr(place, name, lambda *_, name=name: heard.append(name))
    monkeypatch.setattr(crash.log, "critical", lambda *_, **__: heard.append("logged"))
    watch = watching()
    watch.install(root, root.destroy)
    threading.excepthook(threading.ExceptHookArgs((type(error), error, None, None)))
    root.report_callback_exception(type(error), error, None)
    ignored: Any = (type(error), error, None, None, None)
    sys.unraisablehook(ignored)
    assert watch.dialog is None
    watch.uninstall()
    assert heard == ["excepthook", "report_callback_exception", "unraisablehook"]


def test_what_a_destructor_raises_is_only_logged(program: Program) -> None:
    """Nobody could do anything about it."""

    class Broken:
        def __del__(self) -> None:
            fail("in the end")

    Broken()
    assert "LookupError: in the end" in program.logged()
    assert "Broken.__del__" in program.logged()
    program.wait_until.settle()
    assert program.watch.dialog is None


def report(log: Path | None = None) -> CrashReport:
    """The report of an exception that ended `main`."""
    return watching(log).report(ImportError(f"no module; token={TOKEN}"), fatal=True)


@pytest.fixture
def pressing(
    root: tk.Tk, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[CrashDialog], object]], None]:
    """Do something with a dialog as soon as it is on the screen, then close it."""
    del root  # it keeps collecting garbage off while there are Tk objects
    show = CrashDialog.show

    def on_show(act: Callable[[CrashDialog], object]) -> None:
        def shows(self: CrashDialog) -> None:
            show(self)
            self.window.after(1, pressed, self)

        def pressed(dialog: CrashDialog) -> None:
            if dialog.window.winfo_viewable():
                act(dialog)
                dialog.buttons["close"].invoke()
            else:
                dialog.window.after(5, pressed, dialog)

        monkeypatch.setattr(CrashDialog, "show", shows)

    return on_show


def test_a_fatal_mistake_has_a_window_of_its_own(
    pressing: Callable[[Callable[[CrashDialog], object]], None], tmp_path: Path
) -> None:
    """It returns when that is closed."""
    seen: list[str] = []

    def look(dialog: CrashDialog) -> None:
        seen.extend((shown(dialog.window), str(dialog.window.cget("background"))))
        seen.append(dialog.report.details())

    pressing(look)
    show_fatal(report(tmp_path / "log.txt"), "dark", "chat-client")
    text, ground, details = seen
    assert "An error occurred in ChatClient, and it can no longer work properly." in text
    assert "Close ChatClient" in text
    assert "Go on" not in text
    assert ground == PALETTES["dark"].window
    assert re.search(r", Tk 8\.6$", details, re.MULTILINE)
    assert TOKEN not in details


def test_in_a_bundle_a_second_interpreter_finds_its_library(
    pressing: Callable[[Callable[[CrashDialog], object]], None],
    root: tk.Tk,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The variables that led the first one there are gone by then."""
    for variable, folder, question in (
        ("TCL_LIBRARY", "_tcl_data", "info library"),
        ("TK_LIBRARY", "_tk_data", "set tk_library"),
    ):
        monkeypatch.setenv(variable, "")
        monkeypatch.delenv(variable)
        (tmp_path / folder).symlink_to(root.tk.eval(question))
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    found: list[str] = []
    pressing(lambda dialog: found.append(dialog.window.tk.eval("set tk_library")))
    show_fatal(report(), "light", "chat-client")
    assert found == [str(tmp_path / "_tk_data")]


def test_without_a_display_it_is_said_on_the_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A line for the person and the details; without a terminal nothing happens."""

    def no_display(**_: object) -> None:
        raise tk.TclError("no display name")

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(tk, "Tk", no_display)
    terminal = io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    show_fatal(report(tmp_path / "log.txt"), "light", "chat-client")
    said = terminal.getvalue()
    assert said.startswith("ChatClient: An error occurred in ChatClient")
    assert str(tmp_path / "log.txt") in said.splitlines()[0]
    assert "ImportError: no module; token=…" in said
    monkeypatch.setattr(sys, "stderr", None)
    show_fatal(report(), "light", "chat-client")


def test_the_log_folder_is_opened_by_the_desktop(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder, not the file; where there is no file manager nothing happens."""
    asked = tmp_path / "asked"
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(
        f'#!/bin/sh\nprintf %s "$1" > "{asked}.part" && mv "{asked}.part" "{asked}"\n'
    )
    opener.chmod(0o700)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("PATH", "/nowhere")
    program.fail()
    folder = program.dialog().buttons["folder"]
    folder.invoke()
    assert "a callback failed" in program.logged()
    assert program.logged().count("failed") == 1
    monkeypatch.setenv("PATH", f"{opener.parent}:/usr/bin:/bin")
    folder.invoke()
    program.wait_until(asked.exists, "the file manager")
    assert asked.read_text() == str(program.log.parent)


def test_a_crash_before_the_window_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A window that can't be made by an error of ours: logged, shown, and the status is 1."""
    told: list[tuple[CrashReport, str]] = []
    monkeypatch.setattr(crash, "show_fatal", lambda report, _, icon: told.append((report, icon)))
    make: Callable[[], Any] = lambda: fail(f"token {TOKEN}")  # noqa: E731  # it never returns
    try:
        status = runner.run_program(
            "ChatClient", "chat-client", tmp_path, make, "error", no_display=2, advice=""
        )
    finally:
        logging.shutdown()
        for handler in logging.getLogger().handlers[:]:
            if isinstance(handler, logs._Terminal | logs._LogFile):
                logging.getLogger().removeHandler(handler)
                handler.close()
        logs._native.end()
    assert status == 1
    ((report, icon),) = told
    assert (report.fatal, report.log, icon) == (True, tmp_path / logs.FILE, "chat-client")
    assert "LookupError: token …" in report.details()
    assert "LookupError: token …" in (tmp_path / logs.FILE).read_text("utf-8")
    assert TOKEN not in capsys.readouterr().err
