"""A tunnel as a VPN has it: `python -m tests.process.tunnel NAME`, there until it is ended.

Nothing comes out of its other end. Says "open" once the interface is there (Linux only).
"""

import fcntl
import os
import struct
import sys
import threading
from typing import Final

_TUNSETIFF: Final = 0x400454CA
_IFF_TUN: Final = 0x0001


def main(name: str) -> None:
    """Hold the interface of that name."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN))
    sys.stdout.write("open\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1])
