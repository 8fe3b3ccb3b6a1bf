"""A TLS echo server on loopback, with which the smoke test checks the client's encryption.

The client's bundle can't generate keys, so this one has a fixed key. It protects nothing: both
ends are in this process, and the key is public.
"""

import hashlib
import socket
import tempfile
import threading
from base64 import b64decode
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from common.domain.invite import Invite
from common.system.tls import server_context

_DEADLINE: Final = 10.0
_KEY: Final = (
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgsnmHaZ7a9LnEHWfYT5xwgdb8xUMdPcAOn0RWeW85"
    "PWqhRANCAAQpcJtb85HdkqEktWQ59wgFbl1OVMkj6U/MQuqqkY7wa/cTvDSFMZd4CWXZDoprvZnjx0XuLKsQEWSb"
    "b4gZGb3K"
)
_CERTIFICATE: Final = (
    "MIIBETCBt6ADAgECAgEBMAoGCCqGSM49BAMCMBExDzANBgNVBAMMBm5vYm9keTAgFw0yMDAxMDEwMDAwMDBaGA8y"
    "MTIwMDEwMTAwMDAwMFowETEPMA0GA1UEAwwGbm9ib2R5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKXCbW/OR"
    "3ZKhJLVkOfcIBW5dTlTJI+lPzELqqpGO8Gv3E7w0hTGXeAll2Q6Ka72Z48dF7iyrEBFkm2+IGRm9yjAKBggqhkjO"
    "PQQDAgNJADBGAiEAuwq7H/1dPF8rC7Xr/KwufgHUZ9qD8Rpn+xaX0JhpN28CIQCYLmVaZJsWqCEbp3TUteDJT+mY"
    "umH3uYg6xEcsqFC33g=="
)


class Echo:
    """Serves one connection within the block. `invite` leads to it."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(_DEADLINE)
        self.invite = Invite(
            ("127.0.0.1",),
            self._listening.getsockname()[1],
            hashlib.sha256(b64decode(_CERTIFICATE)).digest(),
            "A" * 22,
            "Echo",
        )
        with tempfile.TemporaryDirectory(prefix="chat-") as folder:
            identity = Path(folder) / "identity.pem"
            identity.write_text(_pem("PRIVATE KEY", _KEY) + _pem("CERTIFICATE", _CERTIFICATE))
            self._context = server_context(identity)
        self._thread = threading.Thread(target=self._serve, name="echo")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listening.close()
        self._thread.join()

    def _serve(self) -> None:
        # Whatever fails here, the other end reports it.
        try:
            raw, _ = self._listening.accept()
            raw.settimeout(_DEADLINE)
            with self._context.wrap_socket(raw, server_side=True) as connection:
                while data := connection.recv(4096):
                    connection.sendall(data)
        except OSError:
            pass


def _pem(kind: str, content: str) -> str:
    return f"-----BEGIN {kind}-----\n{content}\n-----END {kind}-----\n"
