"""Checks whether a server with another certificate is the one that an account belongs to.

The check comes before anything of the account is used there: see common/protocol/recognition.py
for what is sent, and why an impostor learns nothing from it but the username.
"""

import secrets
import socket
from collections.abc import Iterator
from typing import Final

from chat_client.net.connector import ConnectError, connect
from chat_client.state.account import Account
from common import __version__, limits
from common.domain.invite import Invite
from common.domain.reasons import Reason
from common.domain.sentences import sentence
from common.protocol import messages
from common.protocol.codec import Arrival, ClientEnd, RemoteProtocolError
from common.protocol.recognition import device_key, proves

ANSWER_DEADLINE: Final = 10.0
"""Timeout for each reply of the server, in seconds."""
_READ: Final = 64 * 1024


class RecognitionError(Exception):
    """The check failed; the text says why, for a person."""


def is_known(account: Account, invite: Invite) -> bool:
    """Whether the server of `invite` proves that it knows this device as `account`.

    Blocks for connecting and two replies. Raises ConnectError when the server can't be reached, and
    RecognitionError when it does not answer: neither means that it is another chat.
    """
    outcome = connect(invite)
    if isinstance(outcome, ConnectError):
        raise outcome
    with outcome.socket as connection:
        connection.settimeout(ANSWER_DEADLINE)
        try:
            return _ask(connection, account, invite)
        except RemoteProtocolError as error:
            raise RecognitionError(f"the server violated the protocol: {error}") from error
        except TimeoutError as error:
            raise RecognitionError("the server does not answer") from error
        except OSError as error:
            raise RecognitionError("the connection was lost") from error


def _ask(connection: socket.socket, account: Account, invite: Invite) -> bool:
    end = ClientEnd()
    said = _answers(connection, end)
    program = f"ChatClient {__version__}"
    hello = messages.Hello(id=1, protocol=limits.PROTOCOL_VERSION, program=program)
    connection.sendall(end.send(hello))
    if not isinstance(next(said), messages.Welcome):
        raise RecognitionError("the server greets in another way than this program knows")
    nonce = secrets.token_hex(16)
    question = messages.Recognize(
        id=2, secret=invite.secret or None, username=account.username, nonce=nonce
    )
    connection.sendall(end.send(question))
    answer = next(said)
    if not isinstance(answer, messages.Recognized):
        raise RecognitionError("the server does not say whom it knows")
    key, fingerprint = device_key(account.token), invite.fingerprint or b""
    return any(proves(given, key, fingerprint, nonce, account.username) for given in answer.proofs)


def _answers(connection: socket.socket, end: ClientEnd) -> Iterator[Arrival]:
    """The server's messages. Raises RecognitionError when it refuses or disconnects."""
    while data := connection.recv(_READ):
        for message in end.receive(data):
            if isinstance(message, messages.Error):
                raise RecognitionError(sentence(Reason(message.code, message.params)))
            if isinstance(message, messages.Goodbye):
                raise RecognitionError(sentence(Reason(message.code, message.params)))
            yield message
    raise RecognitionError("the connection was lost")
