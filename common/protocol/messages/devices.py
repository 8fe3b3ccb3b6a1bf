"""The devices of an account: listing them, and signing one out."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from common import limits
from common.protocol.messages.base import (
    Command,
    FromServer,
    Program,
    Reply,
    Time,
    Username,
)

DeviceId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
"""The first 8 bytes of the SHA-256 of a device's token, in hexadecimal."""


class ListDevices(Command):
    """Asks for the devices of an account: one's own if none is named."""

    type: Literal["list_devices"] = "list_devices"
    username: Username | None = None


class DeviceFacts(FromServer):
    """A device that may sign in; `last_seen` is the present time while it is `online`.

    `current` is the device that asks. `last_seen` is null where that was never written down.
    """

    device: DeviceId
    name: Program
    created: Time
    last_seen: Time | None
    current: bool
    online: bool


class Devices(Reply):
    """Answers `list_devices`: all of them, those that were seen last first."""

    type: Literal["devices"] = "devices"
    devices: Annotated[tuple[DeviceFacts, ...], Field(max_length=limits.PAGE_DEVICES)]


class DeviceAdded(FromServer):
    """This account has one more device, which joined a moment ago; told to its other sessions."""

    type: Literal["device_added"] = "device_added"
    device: DeviceFacts


class RemoveDevice(Command):
    """Signs a device of an account out: its token is not valid any more, and its sessions end."""

    type: Literal["remove_device"] = "remove_device"
    username: Username | None = None
    device: DeviceId
