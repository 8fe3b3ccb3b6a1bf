"""What shows notifications and plays sounds on this computer, in sentences."""

from common.desktop.notifier import Code, NotifierState


def describe_state(state: NotifierState) -> str:
    """What shows notifications here, or why nothing does."""
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
    """What plays sounds here."""
    return f"Sounds are played by {player}." if player else "No sounds: no player was found."
