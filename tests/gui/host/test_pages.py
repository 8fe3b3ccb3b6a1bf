"""The pages of the host's window: each has its row in the sidebar."""

from __future__ import annotations

import tkinter as tk

import pytest

from chat_server.window.model import Page
from tests.gui.host.conftest import Host


@pytest.mark.parametrize("page", Page)
def test_every_page_has_its_row(host: Host, page: Page) -> None:
    """Whoever adds a page gives it a row; it is selected while the page is shown."""
    frame = host.app.frame
    host.app.controller.actions.go(page)
    host.wait(lambda: frame.sidebar.navigation.selected == page.value, "the row")


@pytest.mark.parametrize("page", [Page.PEOPLE, Page.INVITES])
def test_the_keyboard_stays_when_the_text_grows(host: Host, page: Page) -> None:
    """At whatever has it, on pages made in any order, and however quickly the key is repeated."""
    host.app.controller.actions.go(Page.SANCTIONS)
    host.app.controller.actions.go(page)

    def parts() -> list[tk.Misc]:
        frame = host.app.frame
        of_page = {
            Page.PEOPLE: [frame.accounts.search.entry, frame.accounts.table.canvas],
            Page.INVITES: [frame.invites.create, frame.invites.table.canvas],
        }
        return [frame.sidebar.navigation.canvas, frame.sidebar.client, *of_page[page]]

    for number in range(len(parts())):
        at = parts()[number]
        host.wait(at.winfo_viewable, "the page")
        at.focus_force()
        host.wait(lambda at=at: host.root.focus_displayof() is at, "the keyboard")  # type: ignore[misc]
        for event in ("<<LargerText>>", "<<LargerText>>", "<<SmallerText>>"):
            host.root.event_generate(event)
        assert host.root.focus_displayof() is parts()[number]
        host.settle()
        assert host.root.focus_displayof() is parts()[number]
        host.root.event_generate("<<UsualText>>")
