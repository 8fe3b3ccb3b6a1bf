"""The pages of the host's window: each has its row in the sidebar."""

from __future__ import annotations

import pytest

from chat_server.window.model import Page
from tests.gui.host.conftest import Host


@pytest.mark.parametrize("page", Page)
def test_every_page_has_its_row(host: Host, page: Page) -> None:
    """Whoever adds a page gives it a row; it is selected while the page is shown."""
    frame = host.app.frame
    host.app.controller.actions.go(page)
    host.wait(lambda: frame.sidebar.navigation.selected == page.value, "the row")
