"""Looks for chats on the network, and prints what is found, until it is ended.

    python -m tests.process.finding [FINGERPRINT …]

Each line is a list as JSON, with the time by the monotonic clock, which all processes of a computer
share. The fingerprints are those of known servers.
"""

import json
import sys
import threading
import time
from collections.abc import Sequence

from chat_client.net.finder import Finder
from chat_client.state.discovery import FoundChat


def tell(chats: Sequence[FoundChat]) -> None:
    """Print them."""
    told = [
        {"name": chat.name, "hosts": chat.hosts, "port": chat.port, "pin": chat.fingerprint.hex()}
        for chat in chats
    ]
    print(json.dumps({"at": time.monotonic(), "chats": told}), flush=True)  # noqa: T201 (its output)


if __name__ == "__main__":
    tell([])
    finder = Finder(tell, [bytes.fromhex(each) for each in sys.argv[1:]])
    finder.start()
    threading.Event().wait()
