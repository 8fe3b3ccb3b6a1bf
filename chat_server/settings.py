"""What the host chose for this window: its looks, and what it notifies of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from chat_server.notify.policy import Preferences
from common.system import settings_store
from common.system.looks import Looks
from common.system.settings import Content
from common.system.settings_store import SettingsReader

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. `volume` is in per cent."""

    looks: Looks = field(default_factory=Looks)
    notifications: Preferences = field(default_factory=Preferences)
    volume: int = 70


class SettingsStore(settings_store.SettingsStore[Settings]):
    """The settings of a server's data folder: read at once, written at each change."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir, VERSION, parse, written)


def parse(content: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """The settings that a file holds; and which of its fields have values they can't have."""
    read = SettingsReader(content)

    def flag(name: str) -> bool:
        return read.flag("notifications", name, default=True)

    notifications = Preferences(
        flag("enabled"), flag("refused"), flag("store"), flag("server"), flag("sounds")
    )
    volume = read.number("notifications", "volume", low=0, high=100, default=70)
    return Settings(read.looks(), notifications, volume), read.wrong


def written(settings: Settings) -> Content:
    """What a file with these settings holds."""
    chosen = settings.notifications
    return {
        "format": VERSION,
        "looks": settings.looks.written(),
        "notifications": {
            "enabled": chosen.enabled,
            "refused": chosen.refused,
            "store": chosen.store,
            "server": chosen.server,
            "sounds": chosen.sounds,
            "volume": settings.volume,
        },
    }
