"""The devices of an account: listing them, signing one out, and when each was seen last."""

from functools import partial
from typing import Final

from chat_server.rules import inputs
from chat_server.rules.directory import Device
from chat_server.rules.effects import Answer, Tell
from chat_server.rules.invites import owner_named, revoke_for_itself
from chat_server.rules.sessions import Session
from chat_server.rules.view import DevicesChanged
from chat_server.rules.world import Outcome, World, done, no_such_person, refuse
from common import limits
from common.protocol import messages

_ID_BYTES: Final = 8
"""Of a device's key, in the id by which it is told."""
STALE: Final = 3600 * 1000
"""Milliseconds after which the time of a device that stays online is written again."""


def list_devices(
    world: World, session: Session, command: messages.ListDevices, now: int
) -> Outcome:
    """The devices of an account: one's own, or for the host anybody's."""
    username = owner_named(session, command)
    if username is None:
        return refuse(session, command, "not_allowed", "username")
    if world.directory.living(username) is None:
        return no_such_person(session, command, username)

    def devices() -> messages.Devices:
        online = {each.device_key for each in world.sessions.of(username)}
        keys = world.directory.devices_of.get(username, set())
        facts = [
            device_facts(
                key,
                world.directory.devices[key],
                now,
                current=key == session.device_key,
                online=key in online,
            )
            for key in keys
        ]
        facts.sort(key=lambda each: (each.last_seen or 0, each.created), reverse=True)
        return messages.Devices(re=command.id, devices=tuple(facts[: limits.PAGE_DEVICES]))

    return [Answer(session.connection, command.id, devices)]


def remove_device(
    world: World, session: Session, command: messages.RemoveDevice, now: int
) -> Outcome:
    """Sign a device out: its token is invalid from now on, and its sessions end.

    So do the invites for more devices that the account has made, though not the host's.
    """
    username = owner_named(session, command)
    if username is None:
        return refuse(session, command, "not_allowed", "username")
    if world.directory.living(username) is None:
        return no_such_person(session, command, username)
    # More than one only if its owner made tokens for that.
    keys = [
        key
        for key in world.directory.devices_of.get(username, ())
        if device_id(key) == command.device
    ]
    if not keys:
        return refuse(session, command, "no_such_device", "device")
    ended = [each for each in world.sessions.of(username) if each.device_key in keys]
    for key in keys:
        world.store.remove_device(key)
        world.directory.remove_device(key)
    # Whoever has that device may have made a way back in with it.
    revoked = revoke_for_itself(world, username, now)
    goodbye = messages.Goodbye(code="device_removed", params={})
    return [
        done(session, command),
        DevicesChanged(username),
        *revoked,
        world.end(ended, goodbye, "device_removed"),
    ]


def device_id(key: bytes) -> str:
    """What a device is called in lists: enough of its key that no two of an account are alike."""
    return key[:_ID_BYTES].hex()


def save_seen(world: World, _item: inputs.SaveSeen, now: int) -> Outcome:
    """Write when devices were seen last, of those where that changed.

    Of those that stay online once in an hour: if the server is killed, no more than that is lost.
    """
    devices = world.directory.devices
    for session in world.sessions:
        device = devices.get(session.device_key)
        if device is not None and (device.last_seen or 0) <= now - STALE:
            world.seen(session, now)
    keys = frozenset(world.unsaved_seen)
    # Of a deleted account nothing is written again.
    known = [key for key in keys if key in devices]
    living = [key for key in known if world.directory.living(devices[key].username)]
    world.store.save_seen({key: devices[key] for key in living})
    world.unsaved_seen.clear()
    world.directory.undo.note(partial(world.unsaved_seen.update, keys))
    return []


def tell_of(world: World, session: Session, now: int) -> Outcome:
    """The push to the other sessions of an account that this one's device has joined.

    Whoever made an invite for it in somebody's name is noticed by that.
    """
    key = session.device_key
    facts = device_facts(key, world.directory.devices[key], now, current=False, online=True)
    return [
        Tell(each.connection, messages.DeviceAdded(device=facts))
        for each in world.sessions.of(session.username or "")
        if each.connection != session.connection
    ]


def device_facts(
    key: bytes, device: Device, now: int, *, current: bool, online: bool
) -> messages.DeviceFacts:
    """A device as its person sees it."""
    return messages.DeviceFacts(
        device=device_id(key),
        name=device.name,
        created=device.created,
        last_seen=now if online else device.last_seen,
        current=current,
        online=online,
    )
