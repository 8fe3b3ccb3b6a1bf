"""The table of connections, with real clients."""

from __future__ import annotations

import re
import time
import tkinter as tk
from dataclasses import replace

import pytest

from chat_server.rules.view import ClientSignedIn
from chat_server.window import questions
from chat_server.window.pages.summary import _CHART
from chat_server.window.server_thread import UrgentEvents
from common.protocol.messages import Ack, Goodbye
from common.ui.widgets.dialog import Dialog
from tests.gui.host.conftest import Host
from tests.gui.layout import faults


def test_the_activity_is_copied_as_one_reads_it(host: Host) -> None:
    """With a time and a sentence in each line, without columns and a last newline."""
    host.connect("ada", "Ada Lovelace")
    text = host.app.frame.activity.text
    host.wait(lambda: "joined" in text.get("1.0", "1.end"), "a line")
    before = text.get("1.0", "end")
    for event in ("<<SelectAll>>", "<<Copy>>", "<<Cut>>", "<<Paste>>", "<<PasteSelection>>"):
        text.event_generate(event)
    copied = host.app.root.clipboard_get().split("\n")
    assert re.fullmatch(r"\d\d:\d\d Ada Lovelace @ada joined.*", copied[0])
    assert all(copied)
    assert text.get("1.0", "end") == before


def test_somebody_appears_and_goes(host: Host) -> None:
    """Who connects is in the list, the count and the feed; after the last one the invite is."""
    frame = host.app.frame
    host.wait(frame.invite.winfo_viewable, "the invite")
    client = host.connect("ada", "Ada Lovelace")
    assert host.names() == ["ada"]
    host.wait(frame.connections.winfo_viewable, "the page with people")
    assert "Ada Lovelace @ada joined" in frame.activity.text.get("1.0", "1.end")
    client.close()
    host.wait(frame.invite.winfo_viewable, "the invite")
    host.wait(lambda: "Ada Lovelace @ada left" in frame.activity.text.get("1.0", "1.end"), "a line")


def test_messages_and_bytes_are_counted(host: Host) -> None:
    """What is said shows in the rate, what is moved in the client's row."""
    client = host.connect("ada")
    for number in range(3):
        client.say(f"message {number} {'x' * 1000}")
        client.expect(Ack)
    host.wait(lambda: "3" in host.texts(), "three messages a minute")
    people = host.app.frame.connections.people
    host.wait(lambda: next(iter(people._rows.values())).received > 3000, "bytes of the row")


def test_the_search_narrows_the_list(host: Host) -> None:
    """Letters in the field leave those who match in any column; Escape brings all back."""
    for name, device in (("ada", "Laptop, Linux"), ("bruno", "Desktop"), ("chen", "Laptop")):
        host.connect(name, device=device)
    search = host.app.frame.connections.people.search
    host.root.focus_force()
    host.settle()
    host.root.event_generate("<Control-f>")
    host.wait(lambda: host.root.focus_get() is search.entry, "the keyboard in the search")
    host.write(search.entry, "LAPT")
    host.wait(lambda: host.names() == ["ada", "chen"], "two of three")
    host.write(search.entry, "zz")
    host.sees("Nobody matches")
    host.key(search.entry, "<Escape>")
    host.wait(lambda: len(host.names()) == 3, "everyone")


def test_a_search_where_there_is_nothing_to_search_takes_no_keyboard(host: Host) -> None:
    """Not when the list comes up either: whoever types then types somewhere else."""
    switch = host.app.frame.sidebar.switch
    switch.focus_force()
    host.wait(lambda: host.root.focus_get() is switch, "the keyboard")
    switch.event_generate("<Control-f>")
    host.connect("ada")
    host.wait(host.app.frame.connections.winfo_viewable, "the list")
    host.settle()
    assert host.root.focus_get() is switch


def test_a_click_on_a_title_sorts(host: Host) -> None:
    """A first click sorts by the column, a second one the other way round."""
    for name in ("chen", "ada", "bruno"):
        host.connect(name)
    host.wait(host.table.canvas.winfo_viewable, "the table")
    assert host.names() == ["chen", "ada", "bruno"]
    head = host.table._head
    host.settle()
    host.click(head, *head.title_place("person"))
    assert host.names() == ["ada", "bruno", "chen"]
    host.click(head, *head.title_place("person"))
    assert host.names() == ["chen", "bruno", "ada"]


def test_numbers_that_grow_stay_whole(host: Host) -> None:
    """The chart goes when they need its room, at once and not with the numbers after these."""
    host.connect("ada")
    summary = host.app.frame.connections.summary
    host.wait(summary.winfo_viewable, "the numbers")
    view = host.app.presenter.view(0)
    summary.show(replace(view, received="9 B", sent="9 B"))
    spare = summary.winfo_width() - summary._needed(5) - host.app.theme.px(_CHART[0] + 18)
    width = host.root.winfo_width() - spare
    host.root.geometry(f"{width}x{host.root.winfo_height()}")
    host.wait(lambda: host.root.winfo_width() == width, "the other width")
    host.settle()
    summary.show(replace(view, received="9 B", sent="9 B"))
    assert summary._chart.winfo_manager()
    host.settle()
    summary.show(replace(view, received="999.9 MB", sent="999.9 MB"))
    assert not summary._chart.winfo_manager()
    summary.update_idletasks()
    assert faults(summary) == []


def test_terminate_by_clicks(host: Host) -> None:
    """Select, press Terminate, type a reason, confirm: the client is told exactly that."""
    client = host.connect("ada")
    other = host.connect("bruno")
    terminate = host.app.frame.connections.people.terminate
    assert not terminate.enabled
    host.click_row("ada")
    host.wait(lambda: terminate.enabled, "the button")

    def act(dialog: Dialog) -> None:
        assert dialog.field is not None
        assert dialog.field.value == ""
        host.write(dialog.field.entry, "Lunch")
        host.click(dialog.buttons[questions.YES])

    host.answer(act)
    host.click(terminate)
    goodbye = client.expect(Goodbye)
    assert (goodbye.code, goodbye.params) == ("terminated", {"reason": "Lunch"})
    host.wait(lambda: host.names() == ["bruno"], "one left")
    assert not terminate.enabled
    lines = host.app.frame.activity.text.get("1.0", "end").splitlines()
    assert lines[0].endswith("You terminated Ada’s connection: Lunch")
    other.say("still here")
    other.expect(Ack)


def test_terminate_by_keys(host: Host) -> None:
    """Down selects, Delete asks, Escape changes nothing, Return goes through with it."""
    client = host.connect("ada")
    host.wait(host.table.canvas.winfo_viewable, "the table")
    host.key(host.table.canvas, "<Down>")
    assert host.table.selected is not None
    host.answer(lambda dialog: host.key(dialog.window, "<Escape>"))
    host.key(host.table.canvas, "<Delete>")
    assert host.names() == ["ada"]
    host.answer(lambda dialog: host.key(dialog.window, "<Return>"))
    host.key(host.table.canvas, "<Delete>")
    goodbye = client.expect(Goodbye)
    assert (goodbye.code, goodbye.params) == ("terminated", {"reason": ""})


def test_what_clients_send_is_shown_harmlessly(host: Host) -> None:
    """Tcl code, braces and a right-to-left override in a device stay text, made visible."""
    host.connect("ada", device="[exit] {$x \u202egpj.exe")
    row = next(iter(host.app.frame.connections.people._rows.values()))
    assert row.device == "[exit] {$x ⟦U+202E⟧gpj.exe"
    host.settle()


def test_the_table_fits_the_smallest_window(host: Host) -> None:
    """Narrow, the table leaves out the traffic and keeps selection and people; wide, it's back."""
    host.connect("ada")
    host.click_row("ada")
    chosen = host.table.selected
    host.root.geometry("820x560")
    host.wait(lambda: len(host.table.columns) == 5, "fewer columns")
    assert (host.names(), host.table.selected) == (["ada"], chosen)
    host.root.geometry("1180x760")
    host.wait(lambda: len(host.table.columns) == 7, "all columns")
    assert host.table.selected == chosen


@pytest.mark.parametrize("width", [1180, 900])
@pytest.mark.parametrize(
    "addresses",
    [("192.168.178.123", "10.0.0.5"), ("fd12:3456:789a:1::20", "2001:db8::1f2e:370:7334")],
)
def test_names_and_addresses_are_whole(host: Host, width: int, addresses: tuple[str, ...]) -> None:
    """What a host looks for in the list can be read in it, also in a smaller window."""
    names = ("Ada Lovelace", "Bruno Okafor")
    now = time.time_ns() // 1_000_000
    host.root.geometry(f"{width}x700")
    appeared = [
        ClientSignedIn(
            100 + n, name.split()[0].lower(), name, address, "Linux", now, new_account=False
        )
        for n, (name, address) in enumerate(zip(names, addresses, strict=True))
    ]
    host.app.mailbox.post(UrgentEvents(appeared))
    host.wait(lambda: len(host.table.order()) == 2 and host.table._drawn, "two rows")
    host.wait(lambda: host.root.winfo_width() == width, "the size")
    host.settle()
    canvas = host.table.canvas
    shown = {canvas.itemcget(i, "text") for i in canvas.find_all() if canvas.type(i) == "text"}
    assert {*names, *addresses} <= shown


def test_tab_reaches_everything(host: Host) -> None:
    """From the search, Tab alone comes to every control of the page and back."""
    host.connect("ada")
    people = host.app.frame.connections.people
    host.click_row("ada")
    reached: list[tk.Misc] = []
    at: tk.Misc | None = people.search.entry
    while at is not None and at not in reached:
        reached.append(at)
        at = at.tk_focusNext()
    frame = host.app.frame
    wanted = {
        frame.sidebar.switch, frame.sidebar.look, frame.connections.summary.copy,
        people.search.entry, people.terminate, people.table.canvas, frame.activity.text,
    }  # fmt: skip
    assert wanted <= set(reached)
