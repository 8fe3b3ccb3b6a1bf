"""What the feed of the host's window says of an entry of the audit log."""

from __future__ import annotations

from typing import Final

from chat_server.rules import view
from chat_server.window.feed import Kind
from common.domain.times import duration_text, until_text
from common.ui.widgets.safe_text import safe

_DONE: Final = {
    "terminate": "terminated {}’s connection",
    "ban": "banned {}",
    "unban": "lifted the ban of {}",
    "mute": "muted {}",
    "unmute": "let {} write again",
    "admit": "let {} in",
    "deny": "refused {}",
    "create_invite": "made an invite",
    "revoke_invite": "revoked an invite",
    "add_device": "made an invite for a device of {}",
    "remove_device": "signed out a device of {}",
}
"""Verb of the feed's line about a moderation or an invite, by the command's type."""
_KINDS: Final = {
    "set_role": Kind.ROLE,
    "ban": Kind.TERMINATED,
    "terminate": Kind.TERMINATED,
    "unban": Kind.MUTED,
    "mute": Kind.MUTED,
    "unmute": Kind.MUTED,
}
"""The kind of that line."""


def audit_line(event: view.Audited, whom: str, now: int) -> tuple[Kind, str] | None:
    """The kind of the line, and its text about `whom`; None for what has an event of its own."""
    fields = event.fields
    what = _DONE.get(event.action, "")
    if event.action == "set_role":
        what = f"made {{}} a {fields.get('role')}"
    elif event.action == "deny" and fields.get("block"):
        what = "blocked {} from asking to join"
    elif event.action == "ban" and fields.get("connection") is not None:
        what = "banned {}’s device"
    elif event.action == "set_slow_mode":
        what = _slow_mode(fields.get("room"), fields.get("seconds"))
    if not what:
        return None
    if event.action == "unban" and not fields.get("username"):
        device = safe(str(fields.get("device", "")))
        whom = f"the device {device}" if device else "a device"
    text = what.format(whom)
    until = until_of(event)
    if event.action in {"mute", "ban"} and until is not None:
        text += f" until {until_text(until, now)}"
    if fields.get("reason"):
        text += f": {safe(str(fields['reason']))}"
    return _KINDS.get(event.action, Kind.CHANGED), text


def _slow_mode(room: object, seconds: object) -> str:
    if isinstance(seconds, int) and seconds:
        return f"put {room} into slow mode: one message in {duration_text(seconds)}"
    return f"ended slow mode in {room}"


def until_of(event: view.Audited) -> int | None:
    """When what was done ends by itself; None for no end."""
    until = event.fields.get("until")
    return until if isinstance(until, int) else None
