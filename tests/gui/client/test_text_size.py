"""Another size of text: everything is made anew, and nothing that somebody did is lost."""

from __future__ import annotations

import gc
import json
import tkinter as tk
from collections.abc import Iterator

import pytest

from chat_client.options import Options
from chat_client.state import news
from chat_client.state.status import Link
from chat_client.window.join.ways import Way
from common.domain.names import GENERAL
from common.domain.reasons import Reason
from common.limits import MAX_TIME
from common.system.looks import TEXT_SIZES
from common.ui.widgets.dialog import Choice, Dialog
from tests.gui.harness import Host, Peer, Town, Window, click
from tests.gui.layout import mapped

DIRECT = "dm:ada.lindqvist:bruno.okafor"


def size(window: Window) -> int:
    """What is shown, and stored."""
    theme = window.program.theme
    assert window.screens.settings.settings.looks.text_size == theme.text_size
    assert theme.fonts["body"].cget("size") == -theme.fonts.pixels("body")
    return theme.text_size


def larger(window: Window) -> None:
    """Press Ctrl++ where messages are written."""
    before = size(window)
    window.key("<Control-plus>", window.composer)
    assert size(window) > before


@pytest.mark.parametrize(
    ("keys", "after"),
    [
        ("<Control-plus>", 110),
        ("<Control-equal>", 110),  # the same key without Shift, on a US keyboard
        ("<Control-Shift-plus>", 110),  # where it takes Shift to write it
        ("<Control-KP_Add>", 110),
        ("<Control-minus>", 90),
        ("<Control-KP_Subtract>", 90),
        ("<Control-Lock-plus>", 110),
        ("<Control-0>", 100),
    ],
)
def test_keys(ada: Window, keys: str, after: int) -> None:
    """They work while one writes, looks for something, or changes settings; and write nothing."""
    window = ada
    for step, target in enumerate(("composer", "find", "list", "settings")):
        ada.screens.settings.set("looks", "text_size", value=100)
        window.settle()
        widgets: dict[str, tk.Misc] = {
            "composer": window.composer, "find": window.main.find.field.entry,
            "list": window.messages,
        }  # fmt: skip
        if target == "find":
            window.main.find.show()
        if target == "settings":
            window.screens.show_settings()
            assert window.screens.settings_window is not None
            widgets[target] = window.screens.settings_window.buttons["Looks"]
        window.key(keys, widgets[target])
        assert size(window) == after, (step, target)
        assert window.main.composer.draft == ""
    if after == 100:
        ada.screens.settings.set("looks", "text_size", value=200)
        window.key(keys, window.composer)
        assert size(window) == 100


def test_all_sizes(ada: Window) -> None:
    """Up and down, and neither beyond the largest nor beyond the smallest."""
    seen = [size(ada)]
    for keys, times in (("<Control-plus>", 6), ("<Control-minus>", 9)):
        for _ in range(times):
            ada.key(keys, ada.composer)
            seen.append(size(ada))
    assert seen == [100, 110, 125, 150, 175, 200, 200, *reversed(TEXT_SIZES[:-1]), 80, 80]


def test_what_is_written_stays(ada: Window, bruno: Peer) -> None:
    """With the cursor, the selection and the steps to undo, in all rooms."""
    bruno.say("Lunch?", room=DIRECT)
    ada.click_row(ada.main.sidebar.rooms, DIRECT)
    ada.type("at one", ada.composer)
    ada.click_row(ada.main.sidebar.rooms, GENERAL)
    ada.type("one two three", ada.composer)
    ada.main.composer.editing._box.select(4, 7)
    larger(ada)
    assert ada.main.composer.draft == "one two three"
    assert ada.main.composer.editing._box.selected() == "two"
    assert ada.root.focus_displayof() is ada.composer
    ada.key("<<Undo>>")
    assert ada.main.composer.draft == "one two "
    ada.key("<<Redo>>")
    assert ada.main.composer.draft == "one two three"
    ada.click_row(ada.main.sidebar.rooms, DIRECT)
    assert ada.main.composer.draft == "at one"
    larger(ada)
    assert (ada.main.room, ada.main.composer.draft) == (DIRECT, "at one")
    ada.click_row(ada.main.sidebar.rooms, GENERAL)
    assert ada.main.composer.draft == "one two three"


def test_keys_that_come_meanwhile_are_not_lost(ada: Window) -> None:
    """They were sent to widgets that have been replaced."""
    ada.type("half ", ada.composer)
    before = [ada.composer, ada.messages]
    ada.composer.event_generate("<Control-plus>")
    assert ada.composer not in before
    for key, widget in zip("abcd", before * 2, strict=True):
        widget.event_generate(f"<Key-{key}>")
    before[1].event_generate("<Control-plus>")
    for key in "ef":
        before[0].event_generate(f"<Key-{key}>")
    ada.settle()
    assert size(ada) == 125
    assert ada.main.composer.draft == "half abcdef"
    assert ada.root.focus_displayof() is ada.composer
    ada.wait(lambda: not any(widget.winfo_exists() for widget in before), "the end of the former")


def test_where_one_reads_stays(ada: Window, bruno: Peer) -> None:
    """What is unread stays so, with its line, and the newest message is followed again."""
    bruno.say(*(f"line {number}" for number in range(120)))
    ada.wait(lambda: "line 119" in ada.said, "all")
    larger(ada)
    assert ada.main.transcript.at_bottom
    ada.main.transcript.go_to_first()
    ada.settle()
    ada.main.transcript.show_from(60)
    ada.settle()
    bruno.say("much later")
    ada.wait(lambda: ada.main.overview.unread.get(GENERAL), "it to be unread")
    line = ada.main.transcript.unread
    for _ in range(3):
        ada.settle()
        place = ada.main.transcript.first_in_view
        larger(ada)
        shown = ada.main.transcript.first_in_view
        assert place is not None
        assert shown is not None
        assert abs(shown - place) <= 1, ada.messages.get("1.0", "end")
        assert ada.main.overview.unread.get(GENERAL) == 1
        assert ada.main.transcript.unread == line
        assert ada.main.latest.winfo_ismapped()
    bruno.say("and later still")
    ada.wait(lambda: ada.main.overview.unread.get(GENERAL) == 2, "another one")
    ada.click(ada.main.latest)
    ada.wait(lambda: "and later still" in ada.said, "the end")


def test_other_rooms_stay_unread(ada: Window, bruno: Peer) -> None:
    """The general room is not read because a screen begins with it."""
    bruno.say("Lunch?", room=DIRECT)
    ada.click_row(ada.main.sidebar.rooms, DIRECT)
    bruno.say("hello")
    ada.wait(lambda: ada.main.overview.unread.get(GENERAL), "it to be unread")
    larger(ada)
    assert ada.main.overview.unread.get(GENERAL) == 1
    assert ada.title.startswith("(1) Bruno Okafor")


def test_the_connection_stays(ada: Window, host: Host) -> None:
    """What is said of it, what waits, and that one is muted."""
    mute = Reason("muted", {"reason": "Advertising", "until": MAX_TIME})
    ada.main.apply([news.MuteChanged(mute)])
    larger(ada)
    assert ada.main.composer.closed
    assert "Advertising" in ada.main.composer.why_closed
    ada.main.apply([news.MuteChanged(None)])
    assert ada.main.composer.why_closed == ""
    host.stop()
    ada.wait(lambda: ada.link is Link.PAUSED, "the end")
    ada.say("later")
    ada.wait(lambda: ada.main.connection.waiting == 1, "it to wait")
    banner = ada.banner
    larger(ada)
    assert (ada.link, ada.main.connection.waiting) == (Link.PAUSED, 1)
    assert ada.banner == banner
    assert banner
    assert "later" in ada.said
    host.start()
    ada.main.view.connect()
    ada.wait(lambda: ada.link is Link.ONLINE and not ada.main.connection.waiting, "it to be sent")
    ada.settle()
    assert ada.banner == ""


def test_a_text_given_back_keeps_its_reason(ada: Window) -> None:
    """And goes when it is changed, as before."""
    ada.main.composer.give_back("too bad", "Not sent. The disk is full.")
    larger(ada)
    composer = ada.main.composer
    assert composer.draft == "too bad"
    assert composer._problem.cget("text") == "Not sent. The disk is full."
    composer.renew_reason("Not sent yet.")
    assert composer._problem.cget("text") == "Not sent yet."
    ada.type("x", ada.composer)
    assert not composer._problem.winfo_manager()


def test_members_stay_hidden(ada: Window) -> None:
    """If somebody hid them."""
    ada.resize(1180, 760)
    assert ada.main.members_panel.winfo_ismapped()
    ada.click(ada.main.header.toggle_members)
    assert not ada.main.members_panel.winfo_ismapped()
    ada.key("<Control-minus>", ada.composer)
    ada.settle()
    assert not ada.main.members_panel.winfo_ismapped()


def test_notifications_go_on(ada: Window, bruno: Peer) -> None:
    """What is told and shown belongs to the account, not to the screen."""
    told = ada.screens.notifications
    policy = told._policy
    larger(ada)
    assert told._policy is policy is not None
    assert told._conversations is ada.main
    told.quiet_for(-1)
    assert ada.main.sidebar._bell_hint.text == "Do not disturb. On, until you turn it off."
    assert bruno.username in ada.main.overview.names


def test_a_question_is_waited_for(ada: Window) -> None:
    """What asked it may use its widgets when it is answered."""
    dialog = Dialog(ada.root, ada.program.theme, "Sure?", "", (Choice("yes", "Yes"),))
    before = ada.main
    seen: list[object] = []

    def meanwhile() -> None:
        if not ada.root.tk.call("grab", "current"):
            ada.root.after(10, meanwhile)
            return
        for size in (150, 200):
            ada.screens.settings.set("looks", "text_size", value=size)
            seen.extend((ada.program.theme.text_size, ada.main))
        click(dialog.buttons["yes"])

    ada.root.after(1, meanwhile)
    assert dialog.ask().choice == "yes"
    assert seen == [100, before, 100, before]
    ada.wait(lambda: ada.program.theme.text_size == 200, "the size")
    assert ada.main is not before


def test_what_is_typed_to_join_stays(town: Town) -> None:
    """Also what is no invite, with the cursor and what is wrong."""
    window = town.window()
    window.turn(Way.LINK)
    window.paste("this is no link", window.join.column.link.link.entry)
    window.type("Ada Lind", window.join.column.names.name.entry)
    assert window.join.column.names.username.value == "ada.lind"
    window.join.column.names.name.editing._box.select(3, 3)
    window.key("<Control-plus>")
    assert size(window) == 110
    join = window.join
    assert (join.column.link.link.value, join.column.names.name.value) == (
        "this is no link",
        "Ada Lind",
    )
    assert window.root.focus_displayof() is join.column.names.name.entry
    window.type("m")
    assert (join.column.names.name.value, join.column.names.username.value) == (
        "Adam Lind",
        "adam.lind",
    )
    window.key("<Return>")
    assert window.problem
    said = window.problem
    window.key("<Control-plus>")
    assert window.problem == said
    window.key("<<Undo>>", window.join.column.names.name.entry)
    assert window.join.column.names.name.value == "Ada Lind"


def test_the_keyboard_stays_on_the_join_screen(guest: Window) -> None:
    """At whatever has it, and however quickly the key is repeated."""
    for at in (
        lambda: guest.join.column.names.username.entry,
        lambda: guest.join.column.actions.button,
        lambda: guest.join.list.rows.canvas,
        lambda: guest.join.list.address,
        lambda: guest.join.column.actions.others[Way.CODE],
    ):
        guest.focus(at())
        for _ in range(3):  # no idle time, in which something would come on the screen, between
            guest.root.event_generate("<Control-plus>")
            guest.root.event_generate("<Control-minus>")
        guest.root.event_generate("<Control-plus>")
        assert guest.root.focus_displayof() is at()
        guest.settle()
        assert guest.root.focus_displayof() is at()
        guest.key("<Control-0>")


def test_joining_goes_on(town: Town, host: Host) -> None:
    """A join that is under way ends in the chat, or in the same refusal."""
    host.stop()
    window = town.window()
    window.turn(Way.LINK)
    window.paste(host.link, window.join.column.link.link.entry)
    window.type("Ada", window.join.column.names.name.entry)
    window.key("<Return>")
    window.wait(lambda: window.problem, "what was tried")
    session, problem = window.screens.session, window.problem
    window.key("<Control-plus>", window.join.column.names.name.entry)
    assert size(window) == 110
    assert window.screens.session is session is not None
    assert window.join.column.actions.cancel.winfo_ismapped()
    assert window.problem
    assert problem.splitlines()[0] in window.problem
    host.start()
    window.wait(lambda: window.is_main and window.link is Link.ONLINE, "the chat", 40)


def count(window: Window) -> dict[str, int]:
    """What there is in the interpreter."""
    call, names = window.root.tk.call, window.root.tk.splitlist
    window.wait(lambda: not window.screens._gone, "former screens to be destroyed")
    window.settle()
    gc.collect()
    return {
        "widgets": len(list(_all(window.root))),
        "commands": len(names(call("info", "commands"))),
        "images": len(names(call("image", "names"))),
        "timers": len(names(call("after", "info"))),
        "fonts": len(names(call("font", "names"))),
        "subscribers": len(window.program.theme._subscribers),
        "listeners": len(window.screens.settings._listeners),
    }


def _all(widget: tk.Misc) -> Iterator[tk.Misc]:
    for child in widget.winfo_children():
        yield child
        yield from _all(child)


def test_nothing_piles_up(ada: Window, bruno: Peer) -> None:
    """However often the size is changed."""
    bruno.say("hello \N{GRINNING FACE} @ada.lindqvist")
    ada.wait(lambda: "hello" in ada.said, "it")
    ada.screens.show_settings("Looks")

    def round_trip() -> None:
        for keys in ("<Control-plus>", "<Control-plus>", "<Control-minus>", "<Control-minus>"):
            ada.key(keys, ada.composer)

    round_trip()
    before = count(ada)
    for _ in range(3):
        round_trip()
    after = count(ada)
    # Twelve times something would be more; a timer more or less has its command, too.
    grown = {what: after[what] - before[what] for what in before if after[what] > before[what] + 5}
    assert not grown
    assert all(widget.winfo_exists() for widget in mapped(ada.root))


def test_a_size_in_the_file_holds_from_the_start(town: Town, host: Host) -> None:
    """Whatever the window remembers; and the least size of the window follows."""
    first = town.member(host, "Ada Lindqvist")
    folder = first.program.data_dir
    usual = first.root.minsize()
    first.close()
    path = folder / "settings.json"
    path.write_text(json.dumps({"format": 1, "looks": {"text_size": 125}}))
    window = town.window(data_dir=folder, options=Options()).online()
    assert size(window) == 125
    assert window.root.minsize() == tuple(round(each * 1.25) for each in usual)
    window.close()
    again = town.window(data_dir=folder, options=Options()).online()
    assert again.root.minsize() == tuple(round(each * 1.25) for each in usual)
    again.key("<Control-0>", again.composer)
    assert again.root.minsize() == usual


def test_a_window_grows_where_it_is_too_small(ada: Window) -> None:
    """And is not made smaller again by itself."""
    ada.resize(*ada.root.minsize())
    for _ in range(3):
        larger(ada)
    ada.settle()
    least = ada.root.minsize()
    ada.wait(lambda: (ada.root.winfo_width(), ada.root.winfo_height()) == least, "its least size")
    ada.key("<Control-0>", ada.composer)
    ada.settle()
    assert (ada.root.winfo_width(), ada.root.winfo_height()) == least


def test_another_window_takes_it_over_when_it_gets_the_keyboard(ada: Window, town: Town) -> None:
    """Both are windows of one data folder."""
    options = Options(join=town.host("Second").invite, theme="light")
    other = town.window(data_dir=ada.program.data_dir, options=options)
    larger(ada)
    assert other.program.theme.text_size == 100
    other.root.event_generate("<FocusIn>")
    other.settle()
    assert size(other) == 110
