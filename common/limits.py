"""Every bound that both programs share. docs/protocol.md lists them for other clients."""

from typing import Final

PROTOCOL_VERSION: Final = 2
DEFAULT_PORT: Final = 12345

# Frames: the length field counts the kind byte and the body, not itself.
FRAME_BEFORE_SIGN_IN: Final = 4 * 1024
FRAME_JSON: Final = 112 * 1024
"""A text of 16 KiB fits with every character of it escaped (``\\u003c``: six bytes for one)."""

TEXT_BYTES: Final = 16 * 1024
"""A message's text, in UTF-8 bytes; also the bound of its characters."""

USERNAME_LENGTH: Final = 32
KIND_LENGTH: Final = 32
CID_LENGTH: Final = 16
DISPLAY_NAME_LENGTH: Final = 64
TITLE_LENGTH: Final = 64
SERVER_NAME_LENGTH: Final = 64
REASON_LENGTH: Final = 500
PARAMS: Final = 16
PROGRAM_LENGTH: Final = 64
CAPABILITIES: Final = 32
PRESENCE: Final = "presence"
"""The capability of a client that gets pushes of presence."""

MESSAGE_RATE: Final = 10.0
"""Messages per second of one sender in one room, unless the host chooses otherwise.

Nobody types that fast; it keeps a program that has run wild from making a room unusable.
"""
MESSAGE_BURST: Final = 20.0
"""Messages of one sender in one room that may come at once, in seconds of the rate."""
LEAST_MESSAGE_RATE: Final = 0.05
MAX_MESSAGE_RATE: Final = 1_000_000.0
JOINS_PER_MINUTE: Final = 100
"""People who may join with one invite in a minute, and at once, if the host chose nothing else."""
MAX_JOINS_PER_MINUTE: Final = 1_000_000
MAX_SLOW: Final = 6 * 3600
"""Seconds: the longest interval of a room's slow mode."""

PAGE_PEOPLE: Final = 1000
PAGE_PEOPLE_BYTES: Final = 64 * 1024
"""Of JSON in a page of people: it ends with the account that reaches this."""
PAGE_ROOMS: Final = 100
PAGE_HISTORY: Final = 200
PAGE_HISTORY_BYTES: Final = 64 * 1024
"""Of bodies in a page of history: it ends with the event that reaches this."""
PAGE_ONLINE: Final = 1000
PAGE_CLIENTS: Final = 100
PAGE_SANCTIONS: Final = 30
PAGE_AUDIT: Final = 30
PAGE_INVITES: Final = 100
INVITE_LENGTH: Final = 4096
INVITE_NOTE_LENGTH: Final = 64
INVITE_USES: Final = 1000
"""Uses that an invite may be bounded to; without a bound it may be used any number of times."""
INVITE_LIFE: Final = 7 * 24 * 3600 * 1000
"""Milliseconds for which an invite is valid where nothing else is said."""
SHORTEST_INVITE_LIFE: Final = 60 * 1000
"""Milliseconds."""
LONGEST_INVITE_LIFE: Final = 366 * 24 * 3600 * 1000
"""Milliseconds, of an invite that ends at all."""
DEVICE_INVITE_LIFE: Final = 24 * 3600 * 1000
"""Milliseconds for which an invite for one more device of an account is valid."""
DEVICES: Final = 64
"""Devices that an account may have."""
PAGE_DEVICES: Final = 256
"""More than DEVICES: an account from before that bound may have more."""
PROOFS: Final = 64
REQUESTS: Final = 16
"""Requests to join that wait for the host at once."""
LOOKALIKES: Final = 3
"""Members that are named whose name looks like that of somebody who asks to join."""
POSITIONS: Final = 256
"""Rooms one `sync` may name."""

MAX_INTEGER: Final = 2**53 - 1
"""The largest integer every JSON implementation keeps exact (RFC 8259 §6)."""

MAX_WAIT: Final = 24 * 3600 * 1000
"""Milliseconds that a client may be told to wait at most."""

MAX_TIME: Final = 32_503_679_999_999
"""The largest time in milliseconds since 1970-01-01 UTC: the end of the year 2999. From the year
3001 on Windows knows no local time, and from 10000 on Python has no date."""

RENAMES: Final = 5
"""Changes of a display name that an account may make at once, and in an hour after that."""

# Seconds, all on the monotonic clock.
HANDSHAKE_DEADLINE: Final = 5.0
SIGN_IN_DEADLINE: Final = 30.0
PING_INTERVAL: Final = 20.0
SILENCE_DEADLINE: Final = 60.0
"""Either end gives up a connection that brought nothing for this long."""
