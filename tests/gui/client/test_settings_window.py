"""The settings window: every control by clicks and keys, applied at once, and stored."""

from __future__ import annotations

import json
import time
import tkinter as tk
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from chat_client.notify.quiet import FOR_EVER, tomorrow_morning
from chat_client.notify.wording import describe_quiet
from chat_client.options import Options
from chat_client.window.join.ways import Way
from chat_client.window.settings.links import LinksPage
from chat_client.window.settings.notifications import NotificationsPage, parse_time
from common.desktop.descriptions import describe_player, describe_state
from common.desktop.notifier import Code, Found, NotifierState
from common.domain.names import GENERAL
from common.ui.look.palette import PALETTES
from common.ui.program.window_state import parse_geometry
from common.ui.settings.looks import LooksPage
from common.ui.settings.window import SettingsWindow
from common.ui.widgets.keys import SETTINGS_TITLE, USUAL_SIZE
from common.ui.widgets.option_row import OptionRow
from common.ui.widgets.setting_row import SwitchRow
from tests.gui.harness import Host, Peer, Town, Window, texts
from tests.gui.layout import tab_stops


def opened(window: Window, page: str = "Notifications") -> SettingsWindow:
    """The settings window, opened by the keyboard."""
    window.key("<Control-comma>", window.composer)
    settings = window.screens.settings_window
    assert settings is not None
    window.click(settings.buttons[page])
    return settings


def notifications(window: Window) -> NotificationsPage:
    """The page about notifications."""
    page = opened(window).page
    assert isinstance(page, NotificationsPage)
    return page


def looks(window: Window) -> LooksPage:
    """The page about looks."""
    page = opened(window, "Looks").page
    assert isinstance(page, LooksPage)
    return page


def stored(window: Window) -> Mapping[str, Any]:
    """What the file holds."""
    held = json.loads((window.program.data_dir / "settings.json").read_text())
    assert isinstance(held, dict)
    return held


def mode_of(window: Window) -> str:
    """What is shown."""
    return window.program.theme.mode


def take_over(window: Window) -> None:
    """The window gets the keyboard, and sees what another one changed."""
    window.root.event_generate("<FocusIn>")
    window.settle()


# How it is reached


def test_it_is_reached_by_keys_and_by_the_gear(ada: Window) -> None:
    """There is one; it takes the keyboard, and Escape closes it."""
    settings = opened(ada)
    ada.wait(lambda: settings.window.focus_displayof() is not None, "the keyboard")
    assert opened(ada) is settings
    ada.key("<Escape>", settings.buttons["Looks"])
    assert not settings.window.winfo_exists()
    ada.click(ada.main.sidebar.settings_button)
    again = ada.screens.settings_window
    assert again is not None
    assert again is not settings
    again.close()
    assert ada.screens.settings_window is None


def test_it_is_there_before_one_has_joined(town: Town) -> None:
    """Without rooms then."""
    window = town.window()
    window.turn(Way.LINK)
    window.key("<Control-comma>", window.join.column.names.name.entry)
    settings = window.screens.settings_window
    assert settings is not None
    page = settings.page
    assert isinstance(page, NotificationsPage)
    assert not page.rooms_row.winfo_manager()
    window.click(page.enabled.switch)
    assert stored(window)["notifications"] == {"enabled": False}


def test_arrows_go_through_the_pages(ada: Window) -> None:
    """With the keyboard in the navigation; they stop at both ends."""
    settings = opened(ada)
    first, middle, last = settings.buttons.values()
    pages = {first: NotificationsPage, middle: LooksPage, last: LinksPage}
    for keys, there in (
        ("<Up>", first), ("<Down>", middle), ("<Right>", last), ("<Down>", last),
        ("<Left>", middle),
    ):  # fmt: skip
        ada.key(keys, ada.root.focus_displayof() or first)
        assert ada.root.focus_displayof() is there
        assert isinstance(settings.page, pages[there])


def test_all_of_it_is_reached_by_tab(ada: Window) -> None:
    """Each control once; of the options of a choice, the one that is chosen."""
    page = notifications(ada)
    settings = ada.screens.settings_window
    assert settings is not None
    stops = tab_stops(settings.window)
    rows = (page.direct, page.room, page.volume, page.quiet)
    assert [row.buttons[row.value] for row in rows] == [
        stop for stop in stops if isinstance(stop.master, OptionRow)
    ]
    for switch in (page.enabled, page.preview, page.daily, page.mentions_pass):
        assert switch.switch in stops
    ada.click(page.daily.switch)
    stops = tab_stops(settings.window)
    assert all(field.entry in stops for field in page.hours)


# Notifications


@pytest.mark.parametrize(
    ("name", "field", "usual"),
    [("enabled", "enabled", True), ("preview", "preview", True)],
)
def test_switches(ada: Window, name: str, field: str, usual: bool) -> None:
    """By a click on them or on their words, by Space and Return."""
    row: SwitchRow = getattr(notifications(ada), name)
    value = usual
    acts: list[Callable[[], object]] = [
        lambda: ada.click(row.switch),
        lambda: ada.click(row._title),
        lambda: ada.key("<space>", row.switch),
        lambda: ada.key("<Return>", row.switch),
    ]
    for act in acts:
        act()
        value = not value
        assert row.switch.on is value
        assert stored(ada)["notifications"][field] is value
        assert getattr(ada.screens.settings.settings.notifications, field) is value


@pytest.mark.parametrize(
    ("name", "field", "usual"), [("direct", "direct", "everything"), ("room", "rooms", "mentions")]
)
def test_levels(ada: Window, name: str, field: str, usual: str) -> None:
    """By clicks, and by the arrow keys up to either end."""
    row: OptionRow = getattr(notifications(ada), name)
    assert row.value == usual
    ada.click(row.buttons["nothing"])
    assert stored(ada)["notifications"][field] == "nothing"
    for keys, level in (
        ("<Right>", "nothing"),
        ("<Left>", "mentions"),
        ("<Left>", "everything"),
        ("<Left>", "everything"),
        ("<Right>", "mentions"),
    ):
        ada.key(keys, row.buttons[row.value])
        assert row.value == level
        assert stored(ada)["notifications"][field] == level
        assert ada.root.focus_displayof() is row.buttons[level]
    chosen = ada.screens.settings.settings.notifications
    assert (chosen.direct if name == "direct" else chosen.room) == "mentions"


def test_sound(ada: Window) -> None:
    """Off keeps how loud it was; a volume between the offered ones is the nearest of them."""
    page = notifications(ada)
    ada.click(page.volume.buttons["loud"])
    assert stored(ada)["notifications"] == {"volume": 100, "sounds": True}
    ada.click(page.volume.buttons["off"])
    assert stored(ada)["notifications"] == {"volume": 100, "sounds": False}
    ada.screens.settings.set("notifications", "sounds", value=True)
    assert page.volume.value == "loud"
    ada.screens.settings.set("notifications", "volume", value=40)
    assert page.volume.value == "quiet"


def test_do_not_disturb(ada: Window) -> None:
    """Each choice says until when, here and at the bell."""
    page = notifications(ada)
    sidebar = ada.main.sidebar
    quiet = ada.screens.settings
    before = time.time()
    for choice in ("hour", "tomorrow", "on", "off"):
        ada.click(page.quiet.buttons[choice])
        assert page.quiet.value == choice
        until = quiet.settings.notifications.quiet.until
        now = datetime.now().astimezone()
        if choice == "hour":
            assert 3599 <= until / 1000 - before <= 3700
        assert (
            until
            == {
                "hour": until,
                "tomorrow": int(tomorrow_morning(now).timestamp() * 1000),
                "on": FOR_EVER,
                "off": 0,
            }[choice]
        )
        line = describe_quiet(quiet.settings.notifications.quiet, now)
        assert str(page.quiet_row._explanation.cget("text")) == line
        hint = sidebar._bell_hint.text
        assert hint == ("Do not disturb" if choice == "off" else f"Do not disturb. {line}")
        assert ada.screens.notifications.is_quiet is (choice != "off")
    ada.click(page.mentions_pass.switch)
    assert stored(ada)["notifications"]["do_not_disturb"]["mentions_pass"] is True


@pytest.mark.parametrize(
    ("typed", "shown", "minutes"),
    [
        ("7", "07:00", 420),
        ("7.30", "07:30", 450),
        ("7:30", "07:30", 450),
        ("7h30", "07:30", 450),
        ("0730", "07:30", 450),
        ("730", "07:30", 450),
        (" 9 ", "09:00", 540),
        ("24:00", "00:00", 0),
        ("24", "00:00", 0),
        ("0", "00:00", 0),
        ("23:59", "23:59", 1439),
    ],
)
def test_times_of_the_day(typed: str, shown: str, minutes: int) -> None:
    """As people write them."""
    assert parse_time(typed) == minutes
    assert parse_time(shown) == minutes


@pytest.mark.parametrize("typed", ["", " ", "25", "24:01", "7:60", "7:3", "-1", "noon", "1:2:3"])
def test_no_times_of_the_day(typed: str) -> None:
    """What is none, or could be several."""
    assert parse_time(typed) is None


def test_daily_hours(ada: Window) -> None:
    """They hold when they are typed to the end; what is no time is marked, and changes nothing."""
    page = notifications(ada)
    begin, end = page.hours
    assert [begin.enabled, end.enabled] == [False, False]
    ada.click(page.daily.switch)
    assert [begin.enabled, end.enabled] == [True, True]
    assert (begin.value, end.value) == ("22:00", "08:00")

    def hours() -> list[str] | None:
        value = stored(ada)["notifications"]["do_not_disturb"]["hours"]
        assert value is None or isinstance(value, list)
        return value

    assert hours() == ["22:00", "08:00"]
    begin.value = ""
    ada.type("21.30", begin.entry)
    ada.key("<Return>")
    assert begin.value == "21:30"
    assert hours() == ["21:30", "08:00"]
    end.value = ""
    ada.type("7", end.entry)
    ada.focus(page.daily.switch)
    assert end.value == "07:00"
    assert hours() == ["21:30", "07:00"]
    end.value = ""
    ada.focus(end.entry)
    ada.focus(page.daily.switch)
    assert end.instate(["invalid"])
    assert "7:30" in str(page.daily._explanation.cget("text"))
    assert hours() == ["21:30", "07:00"]
    ada.type("8", end.entry)
    ada.key("<Return>")
    assert not end.instate(["invalid"])
    assert not page.daily._explanation.winfo_manager()
    assert hours() == ["21:30", "08:00"]
    # What is typed when the window closes counts.
    end.value = ""
    ada.type("9", end.entry)
    ada.key("<Escape>")
    assert hours() == ["21:30", "09:00"]
    page = notifications(ada)
    ada.click(page.daily.switch)
    assert hours() is None
    assert not page.hours[0].enabled


def test_hours_that_are_typed_outlive_another_size(ada: Window) -> None:
    """The keyboard stays in the field."""
    page = notifications(ada)
    ada.click(page.daily.switch)
    page.hours[1].value = ""
    ada.type("9", page.hours[1].entry)
    ada.key("<Control-plus>")
    settings = ada.screens.settings_window
    assert settings is not None
    anew = settings.page
    assert isinstance(anew, NotificationsPage)
    assert anew is not page
    assert anew.hours[1].value == "09:00"
    assert ada.root.focus_displayof() is anew.hours[1].entry


def test_rooms_with_a_choice_of_their_own(ada: Window, bruno: Peer) -> None:
    """They are listed by their names, and forgotten here."""
    page = notifications(ada)
    told, account = ada.screens.notifications, ada.main._session.account.key
    direct = f"dm:ada.lindqvist:{bruno.username}"
    assert "None." in str(page.rooms_row._explanation.cget("text"))
    told.set_level(GENERAL, "nothing")
    told.set_level(direct, "mentions")
    ada.settle()
    assert [*texts(page.rooms)] == [
        "Bruno Okafor: Mentions only", "general: Nothing",
    ]  # fmt: skip
    assert stored(ada)["accounts"][account]["rooms"] == {GENERAL: "nothing", direct: "mentions"}
    row = page.rooms.winfo_children()[0]
    ada.click(row.winfo_children()[0])
    assert stored(ada)["accounts"][account]["rooms"] == {GENERAL: "nothing"}
    assert [*texts(page.rooms)] == ["general: Nothing"]
    assert told.chosen_level(direct) is None


def test_the_status_follows(ada: Window) -> None:
    """Each state is said in words of its own, as soon as it is found."""
    page = notifications(ada)
    told = ada.screens.notifications
    said = set()
    for code in Code:
        told.desktop._take([Found(NotifierState(code, "dunst", "1.9", actions=True))])
        line = str(page.status._explanation.cget("text"))
        assert line.startswith(describe_state(told.desktop.state))
        assert line.endswith(describe_player(told.desktop.player.found()))
        said.add(line)
    assert len(said) == len(Code)
    told.desktop._take([Found(NotifierState(Code.AVAILABLE))])
    assert "takes no clicks" in str(page.status._explanation.cget("text"))


def test_try_it(ada: Window) -> None:
    """A notification and a sound, also while do not disturb is on."""
    page = notifications(ada)
    ada.click(page.quiet.buttons["on"])
    button = page.status.below.winfo_children()[0]
    ada.click(button)
    ada.wait(lambda: ada.desktop.titles == ["This is a notification"], "it")
    assert len(ada.played) == 1


# Looks


def test_colours(ada: Window) -> None:
    """Each is shown at once, and stored; the header's button does the same."""
    page = looks(ada)
    ada.click(page.theme.buttons["dark"])
    assert mode_of(ada) == "dark"
    assert ada.root.cget("background") == PALETTES["dark"].window
    assert stored(ada)["looks"]["theme"] == "dark"
    ada.click(ada.main.header.toggle_theme)
    assert mode_of(ada) == "light"
    assert page.theme.value == "light"
    assert stored(ada)["looks"]["theme"] == "light"
    ada.key("<Left>", page.theme.buttons["light"])
    assert page.theme.value == "system"
    assert stored(ada)["looks"]["theme"] == "system"


def test_the_size_of_text(ada: Window) -> None:
    """By its buttons, with the keyboard staying on them."""
    page = looks(ada)
    ada.key("<space>", page.larger)

    def page_now() -> LooksPage:
        settings = ada.screens.settings_window
        assert settings is not None
        assert isinstance(settings.page, LooksPage)
        return settings.page

    assert stored(ada)["looks"]["text_size"] == 110
    assert page_now().shown_size.cget("text") == "110 %"
    assert ada.root.focus_displayof() is page_now().larger
    ada.key("<space>")
    assert stored(ada)["looks"]["text_size"] == 125
    ada.click(page_now().smaller)
    assert stored(ada)["looks"]["text_size"] == 110
    ada.click(page_now().usual)
    assert stored(ada)["looks"]["text_size"] == 100
    assert not page_now().usual.enabled
    for size, button in ((80, "smaller"), (200, "larger")):
        ada.screens.settings.set("looks", "text_size", value=size)
        ada.settle()
        assert not getattr(page_now(), button).enabled


def test_no_size_is_offered_that_the_screen_has_no_room_for(ada: Window) -> None:
    """What was chosen on a larger screen is kept for it, and shown as large as fits here."""
    theme, root = ada.program.theme, ada.root
    theme.needed = round(root.winfo_screenwidth() / 1.4 / theme.scale), 0
    looks(ada)

    def page_now() -> LooksPage:
        settings = ada.screens.settings_window
        assert settings is not None
        assert isinstance(settings.page, LooksPage)
        return settings.page

    for size, shown in ((200, 140), (125, 125)):
        ada.screens.settings.set("looks", "text_size", value=size)
        ada.settle()
        assert abs(theme.text_size - shown) <= 1
        assert stored(ada)["looks"]["text_size"] == size
        page = page_now()
        assert page.shown_size.cget("text") == f"{theme.text_size} %"
        assert not page.larger.enabled
        assert str(page._size._explanation.cget("text")).endswith("no room for more.")
        ada.root.event_generate("<<LargerText>>")
        ada.settle()
        assert stored(ada)["looks"]["text_size"] == size
    ada.click(page_now().smaller)
    assert theme.text_size == 110
    assert page_now().larger.enabled
    assert "room" not in str(page_now()._size._explanation.cget("text"))


def test_another_size_leaves_the_settings_where_they_are(ada: Window) -> None:
    """Larger or smaller with the text; also one that somebody moved and resized."""
    looks(ada)
    settings = ada.screens.settings_window
    assert settings is not None
    window = settings.window

    def place() -> tuple[int, int, int, int]:
        found = parse_geometry(window.geometry())
        assert found is not None
        return found

    window.geometry("500x400+30+20")
    ada.wait(lambda: place() == (500, 400, 30, 20), "its place")
    for _ in range(2):
        ada.key("<Control-plus>", settings.buttons["Looks"])
    ada.wait(lambda: place() == (625, 500, 30, 20), f"its place, not {place()}")
    ada.key("<Control-0>", settings.buttons["Looks"])
    ada.wait(lambda: place() == (500, 400, 30, 20), f"its place, not {place()}")


def test_the_settings_take_over_what_another_window_changed(ada: Window, town: Town) -> None:
    """When they get the keyboard themselves."""
    options = Options(join=town.host("Second").invite, theme="light")
    other = town.window(data_dir=ada.program.data_dir, options=options)
    page = notifications(ada)
    settings = ada.screens.settings_window
    assert settings is not None
    ada.focus(settings.buttons["Looks"])
    other.screens.settings.set("notifications", "enabled", value=False)
    shown = [page.enabled.switch.on]
    settings.window.event_generate("<FocusIn>")
    shown.append(page.enabled.switch.on)
    assert shown == [True, False]


def test_keypads_have_the_usual_size() -> None:
    """Their zero is another key."""
    root = tk.Tk()
    from common.ui.widgets.keys import use_desktop_keys

    use_desktop_keys(root)
    assert "<Control-Key-KP_0>" in root.event_info(USUAL_SIZE)
    root.destroy()


def test_as_the_system(ada: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the desktop changes while the window is elsewhere."""
    config = tmp_path / "config" / "gtk-3.0"
    config.mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config.parent))
    monkeypatch.delenv("GTK_THEME", raising=False)
    page = looks(ada)
    ada.click(page.theme.buttons["system"])
    assert mode_of(ada) == "light"
    (config / "settings.ini").write_text("[Settings]\ngtk-application-prefer-dark-theme=1\n")
    take_over(ada)
    assert mode_of(ada) == "dark"
    assert stored(ada)["looks"]["theme"] == "system"
    ada.click(page.theme.buttons["light"])
    take_over(ada)
    assert mode_of(ada) == "light"


# The command line, and what was chosen before there were settings


def test_a_mode_of_the_command_line_holds_for_the_run(town: Town) -> None:
    """Whatever else is changed; it is not stored."""
    first = town.window(options=Options(theme="light"))
    folder = first.program.data_dir
    first.screens.settings.set("looks", "theme", value="light")
    first.close()
    window = town.window(data_dir=folder, options=Options(theme="dark"))
    mode = window.program.theme
    assert mode.mode == "dark"
    window.screens.settings.set("notifications", "volume", value=30)
    window.turn(Way.LINK)
    window.key("<Control-plus>", window.join.column.names.name.entry)
    take_over(window)
    assert (mode.mode, mode.text_size) == ("dark", 110)
    assert stored(window)["looks"] == {"theme": "light", "text_size": 110}
    window.screens.show_settings("Looks")
    settings = window.screens.settings_window
    assert settings is not None
    page = settings.page
    assert isinstance(page, LooksPage)
    assert page.theme.value == "dark"
    assert "started" in str(page._colours._explanation.cget("text"))
    window.close()
    again = town.window(data_dir=folder, options=Options())
    assert again.program.theme.mode == "light"
    assert again.program.theme.text_size == 110


@pytest.mark.parametrize("how", ["page", "header"])
def test_a_choice_ends_what_the_command_line_gave(town: Town, host: Host, how: str) -> None:
    """Also the choice of what is stored already."""
    first = town.member(host, "Ada Lindqvist")
    folder = first.program.data_dir
    first.screens.settings.set("looks", "theme", value="light")
    first.close()
    window = town.window(data_dir=folder, options=Options(theme="dark")).online()
    page = looks(window)
    if how == "page":
        window.click(page.theme.buttons["light"])
    else:
        window.click(window.main.header.toggle_theme)
    assert window.program.theme.mode == "light"
    assert page.theme.value == "light"
    assert not page._colours._explanation.winfo_manager()
    assert stored(window)["looks"]["theme"] == "light"


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_what_was_chosen_before_there_were_settings(town: Town, tmp_path: Path, mode: str) -> None:
    """It was kept with the window's place; what is in the settings wins later."""
    folder = tmp_path / "older"
    folder.mkdir()
    (folder / "window.json").write_text(json.dumps({"theme": mode}))
    window = town.window(data_dir=folder, options=Options())
    assert window.program.theme.mode == mode
    assert stored(window)["looks"] == {"theme": mode}
    window.screens.settings.set("looks", "theme", value="system")
    window.close()
    assert json.loads((folder / "window.json").read_text()).get("theme") is None
    other = "dark" if mode == "light" else "light"
    (folder / "window.json").write_text(json.dumps({"theme": other}))
    (folder / "settings.json").write_text(json.dumps({"format": 1, "looks": {"theme": mode}}))
    again = town.window(data_dir=folder, options=Options())
    assert again.program.theme.mode == mode


# The file


def test_two_windows_share_it(ada: Window, town: Town) -> None:
    """What one changes, the other has when it gets the keyboard, its settings window too."""
    options = Options(join=town.host("Second").invite, theme="light")
    other = town.window(data_dir=ada.program.data_dir, options=options)
    other.screens.show_settings()
    settings = other.screens.settings_window
    assert settings is not None
    page = settings.page
    assert isinstance(page, NotificationsPage)
    ada.screens.settings.set("notifications", "enabled", value=False)
    ada.screens.settings.set("notifications", "rooms", value="nothing")
    shown = [page.enabled.switch.on]
    take_over(other)
    shown.append(page.enabled.switch.on)
    assert shown == [True, False]
    assert page.room.value == "nothing"
    # And neither loses what the other one wrote.
    other.click(page.direct.buttons["mentions"])
    assert stored(ada)["notifications"] == {
        "enabled": False, "rooms": "nothing", "direct": "mentions",
    }  # fmt: skip


def reopened(ada: Window, town: Town, content: str) -> Window:
    """A window of the same folder, with that in the file."""
    folder = ada.program.data_dir
    ada.close()
    (folder / "settings.json").write_text(content)
    return town.window(data_dir=folder, options=Options(theme="light")).online()


def problem(window: Window) -> str:
    """What the settings window complains about."""
    settings = window.screens.settings_window
    assert settings is not None
    label = settings.problem
    return str(label.cget("text")) if label.winfo_manager() else ""


def test_a_damaged_file_is_told(ada: Window, town: Town) -> None:
    """Where one looks, and in the settings until they are closed; nothing is lost of it."""
    window = reopened(ada, town, '{"format": 1, "looks": {"text_s')
    window.wait(lambda: "settings" in window.main.toasts.text, "a word about it")
    assert SETTINGS_TITLE in window.main.toasts.text
    aside = list(window.program.data_dir.glob("settings.damaged-*.json"))
    assert len(aside) == 1
    page = notifications(window)
    assert "damaged" in problem(window)
    assert aside[0].name in problem(window)
    window.click(page.enabled.switch)
    assert "damaged" in problem(window)
    assert stored(window)["notifications"] == {"enabled": False}
    assert aside[0].read_text().startswith('{"format": 1')
    window.key("<Escape>", page.enabled.switch)
    opened(window)
    assert problem(window) == ""


def test_wrong_values_are_told(ada: Window, town: Town) -> None:
    """By their names; the rest holds."""
    content = {"format": 1, "looks": {"theme": "pink", "text_size": 125}}
    window = reopened(ada, town, json.dumps(content))
    assert window.program.theme.text_size == 125
    opened(window)
    assert "looks.theme" in problem(window)


def test_a_newer_file_is_left_alone(ada: Window, town: Town) -> None:
    """Changes hold until the window is closed."""
    content = json.dumps({"format": 99, "looks": {"theme": "dark"}})
    window = reopened(ada, town, content)
    page = notifications(window)
    assert "newer" in problem(window)
    window.click(page.enabled.switch)
    assert not window.screens.settings.settings.notifications.enabled
    window.click(page.preview.switch)
    assert not window.screens.settings.settings.notifications.enabled
    assert problem(window)
    assert (window.program.data_dir / "settings.json").read_text() == content


def test_a_folder_that_cannot_be_written(ada: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, and holds all the same; told no more when it can be kept again."""
    page = notifications(ada)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("common.system.settings.write_private", full)
        ada.click(page.enabled.switch)
        assert "No space left" in problem(ada)
        assert not ada.screens.settings.settings.notifications.enabled
        assert not page.enabled.switch.on
    ada.click(page.preview.switch)
    assert problem(ada) == ""
    assert stored(ada)["notifications"]["preview"] is False
