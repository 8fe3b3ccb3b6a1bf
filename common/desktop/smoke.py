"""The part of `--smoke-test` about notifications and sounds."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from common.desktop.notifier import App, Code, Event, Found, NotifierState, make_notifier
from common.desktop.sound import Sound, SoundPlayer

_PATIENCE: Final = 10.0
"""Timeout in seconds for the state of the notification server."""


def look_at_desktop(_: Path) -> str:
    """Describe notifications and sounds of this computer, without showing or playing any.

    Raises RuntimeError if a sound file, or on Linux the library for notifications, is missing.
    """
    player = SoundPlayer()
    missing = [sound.value for sound in Sound if not player.length(sound)]
    if missing:
        raise RuntimeError(f"the sounds {', '.join(missing)} can't be read")
    told: SimpleQueue[Event] = SimpleQueue()
    notifier = make_notifier(App("Chat", "lan.chat.Chat"), told.put)
    notifier.look()
    state = NotifierState(Code.NO_ANSWER)
    with suppress(Empty):
        event = told.get(timeout=_PATIENCE)
        state = event.state if isinstance(event, Found) else state
    notifier.stop()
    if state.code is Code.UNSUPPORTED and sys.platform.startswith("linux"):
        raise RuntimeError("the library for notifications is missing")
    server = f"by {state.name} {state.version}" if state.name else state.code.value
    return f"notifications: {server}; {len(Sound)} sounds by {player.found() or 'nothing'}"
