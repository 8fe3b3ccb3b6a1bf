"""Descriptions of this computer's notification server and sound player, for the settings."""

from common.desktop.notifier import Code, NotifierState


def describe_state(state: NotifierState) -> str:
    """A sentence about the notification server: its name, or why there are no notifications."""
    name = " ".join(filter(None, (state.name, state.version)))
    if state.code is Code.UNKNOWN:
        return "Looking for what shows notifications here…"
    if state.code is Code.AVAILABLE:
        lacks = "" if state.actions else " It takes no clicks."
        return f"Notifications are shown by {name or 'this desktop'}.{lacks}"
    why = {
        Code.NO_BUS: "this session has no message bus (D-Bus)",
        Code.NO_SERVER: "no program of this desktop shows them",
        Code.NO_ANSWER: f"{name or 'the program that shows them'} does not answer",
        Code.REFUSED: f"{name or 'the desktop'} refuses them",
        Code.UNSUPPORTED: "this system’s are not known here",
    }
    return f"No notifications: {why[state.code]}."


def describe_player(player: str) -> str:
    """A sentence about the sound player `player`; "" for none."""
    return f"Sounds are played by {player}." if player else "No sounds: no player was found."
