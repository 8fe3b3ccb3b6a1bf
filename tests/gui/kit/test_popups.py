"""Dialogs, menus, tooltips, banners, toasts and gauges."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from functools import partial

import pytest

from common.ui.look.desktop_mode import desktop_mode
from common.ui.look.palette import Mode, contrast
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.dialog import Answer, Choice, Dialog, Entry
from common.ui.widgets.expiry_options import FOR_EVER, HOUR, until_options, until_time
from common.ui.widgets.gauges import Sparkline, Spinner
from common.ui.widgets.menus import MenuItem, build_menu, popup
from common.ui.widgets.notices import Banner, Toasts
from common.ui.widgets.option_row import Options
from common.ui.widgets.tooltip import Tooltip
from tests.gui.kit.conftest import Pump

CHOICES = (Choice("quit", "Quit"), Choice("try", "Try port 12346", "primary"))


def _during(dialog: Dialog, wait_until: Pump, act: Callable[[], object]) -> None:
    """Do `act` once the dialog is on the screen and has the keyboard, until it is answered."""

    def look() -> None:
        if not dialog.window.winfo_exists():
            return
        if dialog.window.winfo_viewable():
            (dialog.field.entry if dialog.field else dialog.buttons["try"]).focus_force()
            act()
        if dialog.window.winfo_exists():
            wait_until.root.after(20, look)

    wait_until.root.after(5, look)


def _press(dialog: Dialog, event: str) -> None:
    assert dialog.field is not None
    dialog.field.entry.event_generate(event)


@pytest.mark.parametrize(("event", "choice"), [("<Return>", "try"), ("<Escape>", "quit")])
def test_keys_answer_a_dialog(
    root: tk.Tk, theme: Theme, wait_until: Pump, event: str, choice: str
) -> None:
    """Return takes the default, Escape cancels, and what was typed comes along."""
    wait_until(root.winfo_viewable)
    entry = Entry("Port", "12346")
    dialog = Dialog(
        root, theme, "Port 12345 is busy", "Another program uses it.", CHOICES, entry=entry
    )
    _during(dialog, wait_until, lambda: _press(dialog, event))
    answer = dialog.ask()
    assert (answer.choice, answer.text) == (choice, "12346")
    assert not dialog.window.winfo_exists()


@pytest.mark.parametrize("key", ["<Return>", "<KP_Enter>", "<space>", "<Escape>"])
def test_a_key_that_was_meant_elsewhere_does_no_harm(
    root: tk.Tk, theme: Theme, wait_until: Pump, key: str
) -> None:
    """What can't be undone is chosen, and not confirmed: the other button has the keyboard."""
    wait_until(root.winfo_viewable)
    choices = (Choice("keep", "Keep open"), Choice("stop", "Stop the chat", "danger"))
    dialog = Dialog(root, theme, "Stop the chat?", "3 people are connected.", choices)

    def press() -> None:
        """Again until it is answered: a key is lost until the X server has given the keyboard."""
        if dialog.window.winfo_exists() and dialog.window.grab_status():
            has_keyboard = dialog.window.focus_lastfor()
            assert has_keyboard is not None
            has_keyboard.focus_force()
            has_keyboard.event_generate(key)
        if dialog.window.winfo_exists():
            root.after(20, press)

    root.after(5, press)
    assert dialog.ask().choice == "keep"


def test_who_typed_a_reason_may_confirm_with_return(
    root: tk.Tk, theme: Theme, wait_until: Pump
) -> None:
    """The field has the keyboard, and Return there is the answer to the whole question."""
    wait_until(root.winfo_viewable)
    choices = (Choice("quit", "Cancel"), Choice("end", "Terminate", "danger"))
    dialog = Dialog(root, theme, "End it?", "They are told why.", choices, entry=Entry("Why"))
    _during(dialog, wait_until, lambda: _press(dialog, "<Return>"))
    assert dialog.ask().choice == "end"


@pytest.mark.parametrize("key", ["<Return>", "<KP_Enter>"])
def test_who_chose_an_option_may_confirm_with_return(
    root: tk.Tk, theme: Theme, wait_until: Pump, key: str
) -> None:
    """As who typed a reason: the arrow keys have chosen, and Return is the answer."""
    wait_until(root.winfo_viewable)
    choices = (Choice("quit", "Cancel"), Choice("try", "Ban", "danger"))
    dialog = Dialog(
        root, theme, "Ban?", "Text", choices, entry=Entry("Why"), options=(until_options(HOUR),)
    )
    (times,) = dialog.options

    def act() -> None:
        times.buttons[HOUR].focus_set()
        times.buttons[HOUR].event_generate("<Left>")
        times.buttons["10"].event_generate(key)

    _during(dialog, wait_until, act)
    assert dialog.ask() == Answer("try", options=("10",))


def test_a_press_elsewhere_gives_the_keyboard_to_the_dialog(
    root: tk.Tk, theme: Theme, wait_until: Pump
) -> None:
    """The window manager has given it to the window that was pressed, where keys do nothing."""
    wait_until(root.winfo_viewable)
    dialog = Dialog(root, theme, "Name", "Text", CHOICES, entry=Entry("Name", "Ada"))
    assert dialog.field is not None
    entry = dialog.field.entry
    seen: list[tuple[bool, bool]] = []

    def act() -> None:
        if dialog.window.grab_status() and not seen:
            for x, y in ((5, 5), (-20, 5)):
                root.focus_force()
                # As Tk reports it to the window with the grab.
                dialog.window.event_generate("<Button-1>", x=x, y=y)
                seen.append((x > 0, root.focus_displayof() is entry))
            dialog.choose("try")

    _during(dialog, wait_until, act)
    assert dialog.ask().choice == "try"
    assert seen == [(True, False), (False, True)]


def test_one_of_several_options_is_chosen(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """By a click or with the arrow keys; Tab comes to the chosen one alone."""
    wait_until(root.winfo_viewable)
    whom = Options("Whom", (("a", "All"), ("b", "Both"), ("c", "One")), "b")
    dialog = Dialog(root, theme, "End?", "Text", CHOICES, options=(whom, until_options(HOUR)))
    row, times = dialog.options
    assert (row.value, times.value) == ("b", HOUR)

    def act() -> None:
        row.buttons["c"].invoke()
        times.buttons[HOUR].focus_set()
        times.buttons[HOUR].event_generate("<Right>")
        times.buttons[times.value].event_generate("<Left>")
        times.buttons[times.value].event_generate("<Left>")
        times.buttons[times.value].event_generate("<Left>")  # It is the first: nothing comes.
        stops = [each for each, button in row.buttons.items() if button.cget("takefocus")]
        assert stops == ["c"]
        dialog.choose("try")

    _during(dialog, wait_until, act)
    assert dialog.ask() == Answer("try", options=("c", "10"))


def test_a_time_is_counted_from_now() -> None:
    """In milliseconds; without an end there is none."""
    assert until_time("10", 5) == 600_005
    assert until_time(FOR_EVER, 5) is None
    assert [until_time(each, 0) for each, _ in until_options(HOUR).options] == [
        600_000, 3_600_000, 86_400_000, 604_800_000, None,
    ]  # fmt: skip


def test_buttons_and_the_close_button_answer(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """A button answers with its own choice; closing the window cancels."""
    wait_until(root.winfo_viewable)
    dialog = Dialog(root, theme, "Busy", "Text", CHOICES)
    _during(dialog, wait_until, dialog.buttons["quit"].invoke)
    assert dialog.ask().choice == "quit"
    dialog = Dialog(root, theme, "Busy", "Text", CHOICES)
    _during(dialog, wait_until, lambda: dialog.choose("quit"))
    assert dialog.ask().choice == "quit"


def test_a_dialog_over_a_hidden_window(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """Before the main window is shown, a question still can be asked."""
    root.withdraw()
    dialog = Dialog(root, theme, "Busy", "Text", CHOICES)
    _during(dialog, wait_until, lambda: dialog.choose("try"))
    assert dialog.ask().choice == "try"


def test_confirm_and_alert(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """The two short forms."""
    wait_until(root.winfo_viewable)

    def press(label: str) -> None:
        for window in root.winfo_children():
            for button in _inside(window):
                if isinstance(button, Button) and button.cget("text") == label:
                    button.invoke()
                    return
        root.after(5, press, label)

    choices = (Choice("no", "Cancel"), Choice("yes", "Terminate", "danger"))
    for label, choice in (("Terminate", "yes"), ("Cancel", "no")):
        root.after(5, press, label)
        asked = Dialog(root, theme, "Terminate?", "Emil is disconnected.", choices)
        assert asked.ask().choice == choice
    root.after(5, press, "OK")
    Dialog(root, theme, "Done", "It is done.").ask()


def _inside(widget: tk.Misc) -> list[tk.Misc]:
    return [widget, *(inner for child in widget.winfo_children() for inner in _inside(child))]


def test_a_menu_calls_its_commands(root: tk.Tk, theme: Theme) -> None:
    """Each item calls its own command; a separator and a disabled item call none."""
    called: list[str] = []
    menu = build_menu(
        root,
        theme,
        (
            MenuItem("Message", lambda: called.append("message")),
            MenuItem(),
            MenuItem("Terminate", lambda: called.append("terminate"), danger=True),
            MenuItem("Ban", lambda: called.append("ban"), enabled=False),
        ),
    )
    for at in range(4):
        menu.invoke(at)
    assert called == ["message", "terminate"]


@pytest.mark.parametrize("how", ["click", "drag", "keys"])
def test_an_item_is_chosen_by_a_click_a_drag_or_keys(
    root: tk.Tk, theme: Theme, wait_until: Pump, how: str
) -> None:
    """In a menu that is open, one after the other."""
    if root.tk.call("tk", "windowingsystem") != "x11":
        pytest.skip("menus are the system's own")
    called: list[str] = []
    items = [MenuItem(each, partial(called.append, each)) for each in ("Copy", "Mute…", "Ban…")]
    wait_until(root.winfo_viewable)
    for at, item in enumerate(items):
        popup(root, theme, items, root.winfo_rootx() + 20, root.winfo_rooty() + 20)
        (menu,) = (child for child in root.winfo_children() if isinstance(child, tk.Menu))
        wait_until(menu.winfo_viewable)
        if how == "keys":
            menu.focus_force()
            for key in (*["<Down>"] * (at + 1), "<Return>"):
                menu.event_generate(key)
        else:
            # As X tells it, where the pointer comes over a menu that has the grab.
            for event in ("<Enter>", "<Motion>", "<Button-1>", "<ButtonRelease-1>"):
                if event != "<Button-1>" or how == "click":
                    menu.event_generate(event, x=30, y=menu.yposition(at) + 5)
        assert called == [each.label for each in items[: at + 1]], item
        wait_until(lambda menu=menu: not menu.winfo_exists())  # type: ignore[misc]
        assert root.tk.call("set", "tk_strictMotif") in {1, "1"}
    root.tk.call("grab", "release", root)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_menu_can_be_seen(root: tk.Tk, wait_until: Pump, mode: Mode) -> None:
    """A border around it, every item readable as it is and when chosen, and no relief."""
    if root.tk.call("tk", "windowingsystem") != "x11":
        pytest.skip("menus are the system's own")
    theme = Theme(root, mode, scale=1.0)
    items = (MenuItem("Copy"), MenuItem(), MenuItem("Terminate", danger=True))
    menu = build_menu(root, theme, items)
    before = root.tk.call("set", "tk_strictMotif")
    wait_until(root.winfo_viewable)
    menu.post(root.winfo_rootx() + 20, root.winfo_rooty() + 20)
    strips = menu.winfo_children()
    wait_until(lambda: all(strip.winfo_viewable() for strip in strips))
    edges = {(strip.winfo_width(), strip.winfo_height()) for strip in strips}
    assert edges == {(menu.winfo_width(), 1), (1, menu.winfo_height())}
    for strip in strips:
        assert contrast(str(strip.cget("background")), theme.palette.window) >= 3
        assert contrast(str(strip.cget("background")), str(menu.cget("background"))) >= 3
    for at in (0, 2):
        ink, ground = menu.entrycget(at, "activeforeground"), menu.entrycget(at, "activebackground")
        assert contrast(str(ink), str(ground)) >= 4.5
        assert contrast(str(menu.entrycget(at, "foreground")), str(menu.cget("background"))) >= 4.5
    # Else Tk would show the chosen item by a relief, and not by its colours.
    assert not int(root.tk.call("set", "tk_strictMotif"))
    assert int(menu.cget("activeborderwidth")) == 0
    menu.unpost()
    wait_until(lambda: root.tk.call("set", "tk_strictMotif") == before)


def test_a_tooltip_comes_and_goes(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """It appears after a rest, goes with the pointer, and an empty one never appears."""
    button = Button(root, theme, icon="moon", variant="quiet")
    button.pack()
    wait_until(button.winfo_viewable)
    tip = Tooltip(button, theme, "Dark look")
    button.event_generate("<Enter>")
    wait_until(lambda: tip.shown)
    button.event_generate("<Leave>")
    wait_until(lambda: not tip.shown)
    tip.text = ""
    tip.show()
    assert not tip.shown
    button.event_generate("<Enter>")
    button.destroy()
    wait_until.settle()
    assert not tip.shown


def test_a_banner_takes_no_place_until_shown(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """It shows, acts, changes its tone and goes away."""
    done: list[int] = []
    banner = Banner(root, theme)
    assert not banner.shown
    banner.show("Offline", "away", ("Try now", lambda: done.append(1)))
    wait_until(banner.winfo_viewable)
    banner._action.event_generate("<Button-1>")
    wait_until(lambda: done)
    banner.show("Connected", "active")
    assert not banner._action.winfo_manager()
    theme.switch("dark")
    assert banner.cget("background") == theme.palette.pill_active.fill
    banner.hide()
    assert not banner.shown


def test_a_toast_goes_by_itself(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """The newest replaces the one before and vanishes after its time."""
    toasts = Toasts(root, theme)
    toasts.show("one", 60_000)
    toasts.show("two", 10)
    assert toasts.text == "two"
    wait_until(lambda: not toasts.text)
    page = Panel(root, theme)
    late = Toasts(page, theme)
    late.show("three", 10)
    page.destroy()
    wait_until.settle()


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_long_texts_stay_on_the_screen(root: tk.Tk, wait_until: Pump, scale: float) -> None:
    """A tooltip breaks its lines, a toast is shortened."""
    theme = Theme(root, "light", scale)
    root.geometry("700x400+0+0")
    wait_until(lambda: root.winfo_width() == 700)
    words = "Listening on 192.0.2.10, 198.51.100.7 and [2001:db8::1], port 12345. " * 4
    tip = Tooltip(root, theme, words.strip())
    tip.show()
    window = tip._window
    assert window is not None
    wait_until(window.winfo_viewable)
    assert 0 <= window.winfo_x() <= root.winfo_screenwidth() - window.winfo_width()
    assert window.winfo_width() <= theme.px(420 + 2 * 8)
    tip.hide()
    toasts = Toasts(root, theme)
    toasts.show(words)
    label = toasts._label
    assert label is not None
    wait_until(label.winfo_viewable)
    assert label.winfo_x() >= 0
    assert label.winfo_x() + label.winfo_width() <= 700
    assert toasts.text.endswith("…")
    toasts.hide()


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_what_tk_draws_follows_the_scale(root: tk.Tk, scale: float) -> None:
    """The cursor, and how far the wheel goes."""
    theme = Theme(root, "light", scale)
    assert tk.Text(root).cget("insertwidth") == max(1, round(1.4 * scale))
    if root.tk.call("tk", "windowingsystem") == "x11":
        script = str(root.tk.call("bind", "Text", "<Button-5>"))
        assert script == f"%W yview scroll {theme.px(50)} pixels"


def test_gauges_take_any_value(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """Few, equal or negative values draw; a spinner that is destroyed stops."""
    chart, spinner = Sparkline(root, theme), Spinner(root, theme)
    for part in (chart, spinner):
        part.pack()
    for values in ((), (0,), (5, 5, 5), (-1, 3), tuple(range(500))):
        chart.set(values)
    spinner.start()
    spinner.start()
    wait_until(lambda: spinner._step > 1)
    theme.toggle()
    spinner.destroy()
    wait_until.settle()
    assert not spinner.running


def test_the_desktop_says_dark(monkeypatch: pytest.MonkeyPatch) -> None:
    """GTK's theme variable and its settings file are asked; the default is light."""
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("GTK_THEME", "Adwaita:dark")
    assert desktop_mode() == "dark"
    monkeypatch.setenv("GTK_THEME", "Adwaita")
    assert desktop_mode() == "light"
