"""Slow mode in the settings of the host's window."""

from __future__ import annotations

from chat_server.window.message_settings import MessagesPage
from tests.gui.host.conftest import Host
from tests.gui.host.joining import command_line
from tests.gui.host.test_moderation import activity
from tests.gui.layout import faults


def settings_page(host: Host) -> MessagesPage:
    """The page "Messages" of the settings."""
    host.app.show_settings()
    settings = host.app.settings_window
    assert settings is not None
    settings.show("Messages")
    host.wait(settings.page.winfo_viewable, "the page")
    assert isinstance(settings.page, MessagesPage)
    return settings.page


def chosen(page: MessagesPage) -> str | None:
    """The interval that is marked, in seconds; None while none can be chosen."""
    row = page.intervals
    return row.value if row is not None and row.winfo_manager() else None


def test_slow_mode_is_chosen_in_the_settings(host: Host) -> None:
    """It holds at once, and stays after a restart of the server."""
    page = settings_page(host)
    host.wait(lambda: chosen(page) == "0", "the interval")
    assert page.intervals is not None
    settings = host.app.settings_window
    assert settings is not None
    assert not faults(settings.window)
    host.click(page.intervals.buttons["30"])
    host.wait(
        lambda: "You put general into slow mode: one message in 30 s" in activity(host), "the line"
    )
    host.app.controller.actions.switch(False)
    host.wait(lambda: chosen(page) is None, "the stop")
    host.app.controller.actions.switch(True)
    host.wait(lambda: chosen(page) == "30", "the start")
    host.click(page.intervals.buttons["0"])
    host.wait(lambda: "You ended slow mode in general" in activity(host), "the line")
    assert chosen(page) == "0"


def test_slow_mode_that_is_set_elsewhere_is_shown(host: Host) -> None:
    """Also an interval for which there is no button yet."""
    page = settings_page(host)
    host.wait(lambda: chosen(page) == "0", "the interval")
    command_line(host, "slow-mode", "45s")
    host.wait(lambda: chosen(page) == "45", "the other interval")
    assert page.intervals is not None
    assert page.intervals.buttons["45"].cget("text") == "45 s"
    command_line(host, "slow-mode", "off")
    host.wait(lambda: chosen(page) == "0", "the end")
