"""Somebody who joins as the same person is noticed in the window."""

from __future__ import annotations

from chat_client.state.news import DeviceAdded
from tests.gui.client.test_moderation import toast
from tests.gui.harness import Window


def test_a_device_that_has_joined_is_told(ada: Window) -> None:
    """By its name, whatever is in that."""
    ada.main.apply([DeviceAdded("Phone")])
    assert toast(ada) == "A device has joined as you: Phone"
    ada.main.apply([DeviceAdded("Pho\u202ene")])
    assert toast(ada).startswith("A device has joined as you: Pho")
    assert "\u202e" not in toast(ada)
