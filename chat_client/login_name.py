"""The person's name on this computer, proposed as their name in a chat."""

from __future__ import annotations

import getpass
import re
import sys
from contextlib import suppress
from typing import Final

from common.limits import DISPLAY_NAME_LENGTH

_NOBODYS: Final = re.compile(
    r"\b(?:admin|administrator|guest|live|nobody|owner|root|system|test|user)\b", re.IGNORECASE
)
"""Names of accounts that don't belong to one person."""


def login_name() -> str:
    """The person's full name if it is known, else their login; "" if neither is a person's name."""
    try:
        login = getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
    return propose(login, _full_name())


def propose(login: str, full_name: str) -> str:
    """The name to propose for a login and the name field of its entry in the user database.

    That field (GECOS) may have more after a comma, and "&" in it stands for the login.
    """
    full = full_name.partition(",")[0].replace("&", login.capitalize())
    for name in (" ".join(full.split()), login.rpartition("\\")[2]):
        letters = sum(character.isalpha() for character in name)
        if letters > 1 and len(name) <= DISPLAY_NAME_LENGTH and not _NOBODYS.search(name):
            return name if name != name.lower() else name.title() if " " in name else _capital(name)
    return ""


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _full_name() -> str:
    if sys.platform != "win32":
        import os
        import pwd

        with suppress(OSError, KeyError):
            return pwd.getpwuid(os.getuid()).pw_gecos
    return ""
