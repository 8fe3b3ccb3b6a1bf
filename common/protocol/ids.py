"""Random ids."""

import secrets
import time
from base64 import urlsafe_b64encode


def new_cid() -> str:
    """An id for an event: 96 bits in base64url, of which the last 48 are random.

    The first 48 are the time in milliseconds, as in a UUID of version 7 (RFC 9562, §5.7): so the
    ids of one moment stand beside each other in the server's index, and not on a page of it each.
    """
    milliseconds = time.time_ns() // 1_000_000
    return urlsafe_b64encode(milliseconds.to_bytes(6) + secrets.token_bytes(6)).decode()
