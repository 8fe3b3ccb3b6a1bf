"""What the host chose for this window: its looks, and what it notifies of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from chat_server.notify.policy import Preferences
from common.system import settings_store
from common.system.settings import Content
from common.system.settings_store import SettingsReader, WindowSettings

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Settings(WindowSettings):
    """All settings."""

    notifications: Preferences = field(default_factory=Preferences)


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
        enabled=flag("enabled"),
        requests=flag("requests"),
        refused=flag("refused"),
        store=flag("store"),
        server=flag("server"),
        sounds=flag("sounds"),
    )
    return Settings(read.looks(), read.volume(), notifications), read.wrong


def written(settings: Settings) -> Content:
    """What a file with these settings holds."""
    chosen = settings.notifications
    notifications = {
        "enabled": chosen.enabled,
        "requests": chosen.requests,
        "refused": chosen.refused,
        "store": chosen.store,
        "server": chosen.server,
        "sounds": chosen.sounds,
    }
    return settings.written_with(VERSION, notifications)
