"""Menu items for mute and role, shared by all lists of people."""

from __future__ import annotations

from collections.abc import Sequence

from chat_server.window.actions import Actions
from chat_server.window.model import PersonRow
from common.ui.widgets.menus import MenuItem


def all_muted(rows: Sequence[PersonRow]) -> bool:
    """Whether all of them are muted."""
    return all(row.muted for row in rows)


def standing_items(actions: Actions, rows: Sequence[PersonRow]) -> list[MenuItem]:
    """An item for each change that applies to at least one of the rows."""
    items: list[MenuItem] = []
    if not all_muted(rows):
        items.append(MenuItem("Mute…", lambda: actions.mute(rows)))
    if any(each.muted for each in rows):
        items.append(MenuItem("Unmute", lambda: actions.unmute(rows)))
    if any(not each.is_moderator for each in rows):
        items.append(MenuItem("Make moderator", lambda: actions.set_role(rows, "moderator")))
    if any(each.is_moderator for each in rows):
        items.append(MenuItem("Make member", lambda: actions.set_role(rows, "member")))
    return items


def account_items(actions: Actions, rows: Sequence[PersonRow]) -> list[MenuItem]:
    """Items about the devices of the one person that is selected; none for several."""
    if len(rows) != 1:
        return []
    row, joining = rows[0], actions.joining
    return [
        MenuItem("Add a device…", lambda: joining.add_device(row)),
        MenuItem("Devices…", lambda: joining.devices(row)),
    ]


def deletion_items(actions: Actions, rows: Sequence[PersonRow]) -> list[MenuItem]:
    """The item that deletes the account of the one person that is selected."""
    if len(rows) != 1:
        return []
    row = rows[0]
    delete = actions.joining.delete_account
    return [MenuItem("Delete account…", lambda: delete(row), danger=True)]
