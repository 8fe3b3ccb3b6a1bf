"""Windows full of kit widgets, in the manner of the programs that use them."""

from __future__ import annotations

import tkinter as tk
from functools import partial

from common.ui.lists.row_list import ListRow, Person, RowList, Section
from common.ui.lists.table import Column, PersonCell, PillCell, Row, Table, TextCell
from common.ui.look.cards import Card
from common.ui.look.icons import IconName
from common.ui.look.palette import PillTone
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Hairline, Label, Panel, Picture
from common.ui.widgets.buttons import RINGED, Button, Variant
from common.ui.widgets.fields import Field
from common.ui.widgets.gauges import Sparkline, Spinner
from common.ui.widgets.notices import Banner, Toasts
from common.ui.widgets.switch import Switch

COLUMNS = (
    Column("person", "Person", 142, 110, stretch=True),
    Column("device", "Device", 144, 40, tone="muted"),
    Column("address", "Address", 80, 60, tone="muted"),
    Column("since", "Since", 44, align="right"),
    Column("ping", "Ping", 52, align="right"),
    Column("in", "In", 66, align="right"),
    Column("out", "Out", 66, align="right"),
    Column("state", "State", 78, 70),
)

TONES: dict[str, PillTone] = {
    "Active": "active",
    "Away": "away",
    "Muted": "muted",
    "Slow": "slow",
}

LABELS: dict[str, Variant] = {
    "Copy link": "primary",
    "Copy code": "secondary",
    "Ban…": "danger",
    "Paste an invite link": "link",
    "Quiet": "quiet",
}

PEOPLE = (
    ("Ada", "ada", "Laptop, Windows", 21, "09:04", 12, 4.2, 18.6, "Active"),
    ("Bruno", "bruno", "Desktop, Linux", 34, "09:05", 8, 1.1, 9.4, "Active"),
    ("Chen", "chen.w", "Laptop, macOS", 40, "09:11", 15, 22.7, 6.3, "Active"),
    ("Dana", "dana", "Laptop, Windows", 58, "09:26", 31, 0.8, 7.0, "Away"),
    ("Emil", "emil_k", "Desktop, Windows", 61, "10:02", 146, 3.5, 2.2, "Slow"),
    ("Farah", "farah", "Laptop, Linux", 77, "10:40", 11, 0.3, 4.9, "Active"),
    ("Goran", "goran", "Desktop, Windows", 83, "11:15", 9, 0.6, 1.7, "Muted"),
    ("Hana", "hana", "Laptop, macOS", 90, "11:58", 19, 0.1, 0.9, "Active"),
    ("Ines", "ines.m", "Laptop, Linux", 94, "12:02", 23, 0.4, 1.3, "Active"),
)


def row(person: tuple[str, str, str, int, str, int, float, float, str]) -> Row:
    """A table row for one of `PEOPLE`."""
    name, username, device, host, since, ping, got, sent, state = person
    return Row(
        username,
        (
            PersonCell(name, username),
            TextCell(device, "laptop" if device.startswith("L") else "desktop"),
            TextCell(f"192.0.2.{host}", sort=host),
            TextCell(since),
            TextCell(f"{ping} ms", tone="danger" if ping > 100 else None, sort=ping),
            TextCell(f"{got} MB", sort=got),
            TextCell(f"{sent} MB", sort=sent),
            PillCell(state, TONES[state]),
        ),
    )


def host(root: tk.Tk, theme: Theme) -> Table:
    """The host's window as in the pictures; answers its table."""
    px = theme.px
    side = Panel(root, theme, "sidebar")
    side.place(x=0, y=0, width=px(232), relheight=1)
    Picture(side, theme, lambda: theme.badge("Harbour Team", 32)).place(x=px(14), y=px(14))
    Label(side, theme, "Harbour Team", font="server").place(x=px(56), y=px(30), anchor="w")
    state = Card(side, theme, "raised", padding=(14, 0))
    state.place(x=px(14), y=px(62), width=px(204), height=px(66))
    Picture(state, theme, lambda: theme.images.disc(px(9), theme.palette.running)).place(
        x=0, y=px(23), anchor="w"
    )
    Label(state, theme, "Running", font="field_bold").place(x=px(16), y=px(22), anchor="w")
    Label(state, theme, "Since 09:02", font="label", tone="muted").place(x=0, y=px(46), anchor="w")
    Switch(state, theme, on=True).place(relx=1, rely=0.5, anchor="e")
    pages = RowList(side, theme, row_height=36)
    pages.place(x=0, y=px(147), width=px(232), height=px(320))
    pages.set_sections(
        [
            Section(
                "",
                (
                    ListRow(
                        "connections", "Connections", "connections", count="9", quiet_count=True
                    ),
                    ListRow("people", "People", "people"),
                    ListRow("rooms", "Rooms", "hash"),
                ),
            ),
            Section(
                "", (ListRow("log", "Log", "log"), ListRow("set", "Settings", "gear")), line=True
            ),
        ]
    )
    pages.select("connections")
    Button(side, theme, icon="moon", variant="quiet", height=30).place(
        x=px(204), rely=1, y=-px(27), anchor="center"
    )
    return _connections(root, theme)


def _connections(root: tk.Tk, theme: Theme) -> Table:
    px = theme.px
    main = Panel(root, theme, "window")
    main.place(x=px(232), y=0, relwidth=1, width=-px(232), relheight=1)
    head = Panel(main, theme)
    head.pack(fill="x", padx=px(24))
    Label(head, theme, "Connections", font="title").pack(side="left", pady=px(15))
    Label(head, theme, "192.0.2.10, port 12345", tone="muted").pack(side="left", padx=px(14))
    reach = Label(head, theme, "Reachable from this network", tone="muted")
    reach.pack(side="right")
    Picture(head, theme, lambda: theme.icon("check-disc", theme.palette.running)).pack(
        side="right", padx=px(8)
    )
    Hairline(main, theme).pack(fill="x")
    _summary(main, theme)
    tools = Panel(main, theme)
    tools.pack(fill="x", padx=px(24))
    Field(
        tools, theme, placeholder="Search name, device or address", icon="search", width=300
    ).pack(side="left")
    actions: tuple[tuple[str, IconName, Variant], ...] = (
        ("Terminate", "terminate", "danger"),
        ("Mute", "bell", "secondary"),
        ("Message", "chat", "secondary"),
    )
    for text, icon, variant in actions:
        button = Button(tools, theme, text, icon=icon, variant=variant)
        button.pack(side="right", padx=(px(8), 0))
    Label(tools, theme, "Emil selected", tone="muted").pack(side="right", padx=px(8))
    table = Table(main, theme, COLUMNS, sort="since", on_menu=lambda *_: None)
    table.pack(fill="both", expand=True, padx=px(24), pady=px(9))
    table.set_rows([row(person) for person in PEOPLE])
    table.select("emil_k")
    return table


def _summary(main: Panel, theme: Theme) -> None:
    px = theme.px
    strip = Card(main, theme, padding=(15, 10))
    strip.pack(fill="x", padx=px(24), pady=px(16))
    for title, value in (("People online", "9"), ("Messages/min", "24"), ("Disk", "1.2 GB")):
        part = Panel(strip, theme)
        part.pack(side="left")
        Label(part, theme, title, font="label", tone="muted").pack(anchor="w")
        line = Panel(part, theme)
        line.pack(anchor="w")
        Label(line, theme, value, font="title").pack(side="left")
        if title == "Messages/min":
            chart = Sparkline(strip, theme)
            chart.set((4, 5, 4, 8, 7, 12, 9, 14, 8, 6, 13, 9, 16))
            chart.pack(side="left", padx=(px(12), 0))
        Hairline(strip, theme, vertical=True).pack(side="left", fill="y", padx=px(16), pady=px(4))
    Button(strip, theme, "Copy", icon="copy", height=32).pack(side="right")
    Label(strip, theme, "K7Q2-9FXM", font="title").pack(side="right", padx=px(16))


def parts(root: tk.Tk, theme: Theme) -> tuple[RowList, Spinner]:
    """Everything that the host's window lacks; answers the list and the spinner."""
    px = theme.px
    side = Panel(root, theme, "sidebar")
    side.place(x=0, y=0, width=px(250), relheight=1)
    Field(side, theme, placeholder="Search messages, people…", icon="search", height=32).place(
        x=px(14), y=px(52), width=px(222)
    )
    rooms = RowList(side, theme)
    rooms.place(x=0, y=px(96), width=px(250), relheight=1, height=-px(96))
    rooms.set_sections(_sections())
    rooms.select("#general")
    main = Panel(root, theme, "window")
    main.place(x=px(250), y=0, relwidth=1, width=-px(250), relheight=1)
    banner = Banner(main, theme)
    banner.show(
        "The connection is lost. Messages wait until it is back.", "away", ("Try now", lambda: None)
    )
    page = Panel(main, theme)
    page.pack(fill="both", expand=True, padx=px(24), pady=px(24))
    Label(page, theme, "Invite the first person", font="hero_title").pack(anchor="w")
    Label(page, theme, "K7Q2-9FXM", font="hero").pack(anchor="w")
    line = Panel(page, theme)
    line.pack(anchor="w", pady=px(12))
    for text, variant in LABELS.items():
        chain: IconName | None = "link" if variant == "primary" else None
        button = Button(line, theme, text, variant=variant, height=40, icon=chain)
        button.pack(side="left", padx=px(4))
    line = Panel(page, theme)
    line.pack(anchor="w", pady=px(6))
    for variant in list(LABELS.values())[:3]:
        button = Button(line, theme, "Off", variant=variant, icon="plus")
        button.enabled = False
        button.pack(side="left", padx=px(4))
    focused = Button(line, theme, "Focused")
    focused.pack(side="left", padx=px(4))
    focused.state([RINGED])
    strong = Button(line, theme, "Focused", variant="primary")
    strong.pack(side="left", padx=px(4))
    strong.state([RINGED])
    return rooms, _more_parts(root, page, theme)


def _more_parts(root: tk.Tk, page: Panel, theme: Theme) -> Spinner:
    px = theme.px
    field = Field(
        page, theme, value="not a port", note="1024 to 65535", width=300, height=44, font="field"
    )
    field.set_error(True)
    field.pack(anchor="w", pady=px(6))
    focused = Field(page, theme, placeholder="Message #general", icon="plus-circle", width=400)
    focused.state(["focus"])
    focused.pack(anchor="w", pady=px(6))
    line = Panel(page, theme)
    line.pack(anchor="w", pady=px(6))
    Switch(line, theme, on=True).pack(side="left", padx=px(4))
    Switch(line, theme).pack(side="left", padx=px(4))
    spinner = Spinner(line, theme)
    spinner.pack(side="left", padx=px(8))
    for name, username, size in (
        ("Ada Lindqvist", "ada", 38),
        ("Bruno Okafor", "bruno", 32),
        ("Chen Wei", "chen", 26),
        ("陳", "wei", 38),
    ):
        face = Picture(line, theme, partial(theme.avatar, name, username, size, "online"))
        face.pack(side="left", padx=px(4))
    card = Card(page, theme, radius=14, padding=24)
    card.pack(fill="x", pady=px(6))
    Label(card, theme, "A card", font="heading").pack(anchor="w")
    Label(card, theme, "Reachable", tone="running", icon="check-circle").pack(anchor="w")
    Toasts(root, theme).show("The link was copied", 60_000)
    return spinner


def _sections() -> list[Section]:
    return [
        Section(
            "Rooms",
            (
                ListRow("#general", "general", "hash"),
                ListRow("#builds", "builds", "hash"),
                ListRow("#random", "random", "hash", bold=True, count="12"),
                ListRow("#support", "support", "hash"),
            ),
        ),
        Section(
            "Direct messages",
            (
                ListRow("@ada", "Ada Lindqvist", person=Person("Ada Lindqvist", "ada", "online")),
                ListRow("@bruno", "Bruno Okafor", person=Person("Bruno Okafor", "bruno", "away")),
                ListRow(
                    "@chen",
                    "Chen Wei",
                    person=Person("Chen Wei", "chen", "online"),
                    bold=True,
                    count="2",
                ),
                ListRow("@dana", "Dana Petrova", person=Person("Dana Petrova", "dana", "offline")),
            ),
        ),
        Section(
            "On this network",
            (
                ListRow(
                    "s1",
                    "Harbour Team",
                    badge="Harbour Team",
                    detail="9 people online",
                    mark="check",
                ),
                ListRow(
                    "s2",
                    "Studio North",
                    badge="Studio",
                    detail="3 people online",
                    mark="chevron-right",
                ),
            ),
        ),
    ]
