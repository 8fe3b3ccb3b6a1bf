"""The host under torture, and guests who want in: `python -m tests.torture.host`.

What the host does to people and to the chat goes by the way of `python -m chat_server ctl`, and now
and then by that program itself. Everything is recorded. Orders come on standard input, one a line;
its end ends the host:

    act PACE           from now on do something every PACE seconds on average; 0 for nothing
    pardon             lift all bans and mutes, however long that takes, and do nothing more
    ban NAME [MS]      for so long by the server's clock, or until it is lifted
    device NAME [MS]   ban the device from which somebody is connected
    unban NAME | mute NAME [MS] | unmute NAME | terminate NAME
    role NAME ROLE     member or moderator
    invite             make a new link
    guest [NAME]       somebody new wants to join by the link known last, perhaps from NAME's device
    late               somebody new wants to join by the link before that
    look               ask what holds
"""

import argparse
import itertools
import json
import os
import random
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, Self

from chat_client.accounts import AccountError, Accounts
from chat_client.net.connector import ConnectError
from chat_client.net.connector import connect as connect_to
from chat_server.ctl_socket import connect
from common import limits
from common.domain.invite import Invite, parse_invite
from common.domain.names import GENERAL
from common.protocol import messages
from common.protocol.codec import ClientEnd
from common.protocol.frames import FrameDecoder, FrameError, encode_frame
from tests.torture import clock, record
from tests.torture.hooks import Orders
from tests.torture.record import HOST, Recorder

_PATIENCE: Final = 10.0
"""Seconds for an answer."""
_BY_PROGRAM: Final = 0.1
"""How often the program itself is run, which takes a while."""
_AT_ONCE: Final = 2
"""People who are banned or muted at the same time: most are to talk."""
_TIMES: Final = (500, 1500, 4000, 10 * 86_400_000, None, None, None)
"""Milliseconds for which somebody is banned or muted; None until that is lifted."""
_LETTERS: Final = "abdefghkpstuxz"
"""No two of them, nor two together, are taken for others."""
_ASKS: Final = 0.6
"""How often a guest has asked for the link just before."""
_LONGEST_VISIT: Final = 0.5
"""Seconds between the connection of a guest and the join, at most."""
_AGAIN: Final = 0.1
_INTERVALS: Final = (0, 0, 1, 3)
"""Of slow mode, in seconds."""


class Line:
    """A command line's connection to the server. Raises OSError when it breaks."""

    def __init__(self, data_dir: Path) -> None:
        self._socket = connect(data_dir, _PATIENCE)
        self._frames = FrameDecoder(limits.FRAME_JSON)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The reply."""
        self._socket.sendall(encode_frame(json.dumps({"type": kind, "id": 1, **fields}).encode()))
        while data := self._socket.recv(65536):
            for frame in self._frames.frames(data):
                reply: dict[str, Any] = json.loads(frame)
                return reply
        raise ConnectionError("the server ended")

    def pages(self, kind: str, of: str, after: Callable[[Any], dict[str, Any]]) -> list[Any]:
        """Everything of a list."""
        place: dict[str, Any] = {}
        found: list[Any] = []
        while True:
            reply = self.ask(kind, **place)
            if reply["type"] == "error":
                raise ConnectionError(reply["code"])
            found += reply[of]
            if not reply["more"] or not reply[of]:
                return found
            place = after(reply)

    def sanctions(self) -> list[Any]:
        """All bans and mutes that hold."""
        return self.pages(
            "list_sanctions", "sanctions", lambda page: {"after": page["sanctions"][-1]["number"]}
        )


class Host:
    """Does one thing after the other; guests have threads of their own."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._data_dir: Path = options.data_dir
        self._clock: Path = options.clock
        self._folder: Path = options.folder
        self._names: Sequence[str] = options.names
        self._two_devices: Sequence[str] = options.two_devices
        self._pace = 0.0
        self._chance = random.Random(f"{options.seed} host")  # noqa: S311 (no secret)
        self._recorder = Recorder(options.record)
        self._numbers = itertools.count(1)
        self._links: list[str] = []
        """Those that were told, the newest last."""
        self._guests: list[threading.Thread] = []
        self._orders: Mapping[str, Callable[..., None]] = {
            "act": self._act,
            "pardon": self._pardon_all,
            "ban": lambda name, time="": self._ban(name, _number(time)),
            "device": lambda name, time="": self._ban_device(name, _number(time)),
            "mute": lambda name, time="": self._mute(name, _number(time)),
            "unban": self._unban,
            "unmute": self._unmute,
            "terminate": self._terminate,
            "role": self._role,
            "invite": self._invite,
            "guest": lambda device="": self._guest(device, wait=True),
            "late": lambda: self._guest("", wait=True, link=-2),
            "look": self._look,
        }
        some = self._somebody
        self._acts: Sequence[tuple[int, Callable[[], None]]] = [
            (4, lambda: self._ban(some(), self._time())),
            (2, lambda: self._ban_device(some(), self._time())),
            (10, self._lift),
            (2, lambda: self._unban(some())),
            (5, lambda: self._mute(some(), self._time())),
            (4, lambda: self._unmute(some())),
            (5, lambda: self._role(some(), self._chance.choice(("member", "moderator")))),
            (4, lambda: self._terminate(some())),
            (3, self._invite),
            (4, self._slow_mode),
            (1, self._rename),
            (8, lambda: self._guest(some() if self._chance.random() < 0.4 else "")),
            (5, self._look),
        ]

    def run(self) -> None:
        """Act and obey until standard input ends."""
        orders = Orders()
        with selectors.DefaultSelector() as selector:
            selector.register(0, selectors.EVENT_READ)
            while True:
                pause = self._chance.expovariate(1 / self._pace) if self._pace else None
                if not selector.select(pause):
                    weights = [weight for weight, _ in self._acts]
                    (act,) = self._chance.choices([act for _, act in self._acts], weights)
                    act()
                    continue
                lines = orders.read()
                if lines is None:
                    break
                for line in lines:
                    self._obey(line)
        for guest in self._guests:
            guest.join()

    def _obey(self, order: Sequence[str]) -> None:
        verb, *words = order
        self._orders[verb](*words)

    def _act(self, pace: str) -> None:
        self._pace = float(pace)

    def _pardon_all(self) -> None:
        self._pace = 0.0
        while not self._pardon():
            time.sleep(_AGAIN)
        self._recorder.add(record.Silenced(time.monotonic_ns()))

    def _somebody(self) -> str:
        return self._chance.choice(self._names)

    def _time(self) -> int | None:
        return self._chance.choice(_TIMES)

    def _until(self, milliseconds: int | None) -> dict[str, int]:
        return {} if milliseconds is None else {"until": clock.now(self._clock) + milliseconds}

    def _words(self, name: str) -> str:
        return f"{name} by {HOST} {os.getpid()}.{next(self._numbers)}"

    # To people

    def _ban(self, name: str, milliseconds: int | None) -> None:
        reason = self._words(name)
        program = ["ban", name, "--reason", reason]
        until = self._until(milliseconds)
        self._do("ban", name, program, username=name, **until, reason=reason)

    def _ban_device(self, name: str, milliseconds: int | None) -> None:
        """That of somebody who has but one, so that it is known which one it is."""
        if name in self._two_devices:
            return
        with suppress(OSError, FrameError), Line(self._data_dir) as line:
            last = {"after": 0}
            clients = line.pages(
                "list_clients",
                "clients",
                lambda page: last | {"after": page["clients"][-1]["connection"]},
            )
            for client in clients:
                if client["username"] == name:
                    number, until = client["connection"], self._until(milliseconds)
                    reason = self._words(name)
                    self._ask(line, "ban", name, "", connection=number, **until, reason=reason)
                    return

    def _lift(self) -> None:
        """The bans and mutes made first, if there are too many, and now and then all of them."""
        with suppress(OSError, FrameError), Line(self._data_dir) as line:
            sanctions = line.sanctions()
            keep = _AT_ONCE if self._chance.random() < 0.6 else 0
            for kind in ("ban", "mute"):
                found = [each for each in sanctions if each["kind"] == kind]
                for each in found[: max(0, len(found) - keep)]:
                    self._lift_one(line, each)

    def _lift_one(self, line: Line, sanction: dict[str, Any]) -> str:
        about = sanction["reason"].split()[0]
        if sanction["kind"] == "mute":
            return self._ask(line, "unmute", about, username=about)
        return self._ask(line, "unban", about, sanction["reason"], number=sanction["number"])

    def _unban(self, name: str) -> None:
        self._do("unban", name, ["unban", name], username=name)

    def _mute(self, name: str, milliseconds: int | None) -> None:
        reason = self._words(name)
        program = ["mute", name, "--reason", reason]
        until = self._until(milliseconds)
        self._do("mute", name, program, username=name, **until, reason=reason)

    def _unmute(self, name: str) -> None:
        self._do("unmute", name, ["unmute", name], username=name)

    def _role(self, name: str, role: str) -> None:
        self._do("set_role", name, ["role", name, role], username=name, role=role)

    def _terminate(self, name: str) -> None:
        reason = self._words(name)
        program = ["terminate", name, "--reason", reason]
        self._do("terminate", name, program, username=name, reason=reason)

    def _pardon(self) -> bool:
        """Whether nothing holds any more; what a clock that jumps may bring back is lifted, too."""
        try:
            with Line(self._data_dir) as line:
                for name in self._names:
                    self._ask(line, "unban", name, username=name)
                    # One that has ended by itself is no mute, but may be one again: replace it.
                    mute = {"username": name, "reason": self._words(name)}
                    if self._ask(line, "mute", name, **mute):
                        return False
                    unmuted = self._ask(line, "unmute", name, username=name)
                    if unmuted not in {"", "no_such_sanction"}:
                        return False
                if self._ask(line, "set_slow_mode", "", room=GENERAL, seconds=0):
                    return False
                bans = [each for each in line.sanctions() if each["kind"] == "ban"]
                return not any(self._lift_one(line, ban) for ban in bans)
        except (OSError, FrameError):
            return False

    # To the chat

    def _rename(self) -> None:
        self._do("rename_chat", "", None, name=f"Chat {next(self._numbers)}")

    def _slow_mode(self) -> None:
        seconds = self._chance.choice(_INTERVALS)
        program = ["slow-mode", f"{seconds}s" if seconds else "off"]
        self._do("set_slow_mode", "", program, room=GENERAL, seconds=seconds)

    def _invite(self) -> None:
        self._do("new_invite", "", None)

    # What is asked

    def _look(self) -> None:
        since = time.monotonic_ns()
        with suppress(OSError, FrameError), Line(self._data_dir) as line:
            sanctions = [each["reason"] for each in line.sanctions()]
            people = line.pages(
                "list_people", "people", lambda page: {"since": page["people"][-1]["change"]}
            )
            moderators = [each["username"] for each in people if each["role"] == "moderator"]
            now = time.monotonic_ns()
            self._recorder.add(record.Listed(now, since, sanctions, moderators))

    # Guests

    def _guest(self, device: str, *, wait: bool = False, link: int = -1) -> None:
        """Somebody begins to join, by the link of now or by one of those that were told last."""
        self._guests = [each for each in self._guests if each.is_alive()]
        since = time.monotonic_ns()
        if not self._links or (not wait and self._chance.random() < _ASKS):
            with suppress(OSError, FrameError), Line(self._data_dir) as line:
                self._learn(line.ask("show_invite"), since)
        elif not wait:
            link = -self._chance.randint(1, min(3, len(self._links)))
        if not self._links:
            return
        invite = parse_invite(self._links[link])
        name = "g" + "".join(self._chance.choices(_LETTERS, k=10))
        pause = 0.0 if wait else self._chance.uniform(0, _LONGEST_VISIT)
        guest = _Guest(self._recorder, invite, name, self._folder, device, pause)
        thread = threading.Thread(target=guest.run, daemon=True)
        thread.start()
        self._guests.append(thread)
        if wait:
            thread.join()

    def _learn(self, reply: dict[str, Any], since: int) -> None:
        if reply["type"] == "invite":
            self._links.append(reply["link"])
            secret = parse_invite(reply["link"]).secret
            self._recorder.add(record.Learned(time.monotonic_ns(), since, secret))

    # How it is done

    def _do(self, action: str, about: str, program: list[str] | None, **fields: Any) -> None:
        if program and "until" not in fields and self._chance.random() < _BY_PROGRAM:
            self._run(program, action, about, fields)
            return
        with suppress(OSError, FrameError), Line(self._data_dir) as line:
            self._ask(line, action, about, **fields)

    def _ask(self, line: Line, action: str, about: str, mark: str = "", **fields: Any) -> str:
        """The code of the answer; none if it was done. Raises OSError."""
        number = next(self._numbers)
        since = time.monotonic_ns()
        self._recorder.add(record.Ordered(since, number, action, fields, about, mark))
        reply = line.ask(action, **fields)
        code = str(reply["code"]) if reply["type"] == "error" else ""
        self._recorder.add(record.Answered(time.monotonic_ns(), number, code))
        self._learn(reply, since)
        return code

    def _run(self, program: list[str], action: str, about: str, fields: dict[str, Any]) -> None:
        number = next(self._numbers)
        self._recorder.add(record.Ordered(time.monotonic_ns(), number, action, fields, about))
        done = subprocess.run(
            [sys.executable, "-m", "chat_server", "ctl", *program, "--data-dir", self._data_dir],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode == 0:
            self._recorder.add(record.Answered(time.monotonic_ns(), number, ""))


class _Guest:
    """Somebody who joins and goes, on a thread."""

    def __init__(
        self,
        recorder: Recorder,
        invite: Invite,
        name: str,
        folder: Path,
        device: str,
        pause: float,
    ) -> None:
        self._recorder = recorder
        self._invite = invite
        self._name = name
        self._device = device
        self._pause = pause
        self._installation = _installation(folder / device) if device else _random_hex(16)
        self._end = ClientEnd()

    def run(self) -> None:
        """Connect, wait a moment, and join."""
        outcome = connect_to(self._invite)
        if isinstance(outcome, ConnectError) or not self._installation:
            return
        with closing(outcome):
            outcome.socket.settimeout(_PATIENCE)
            with suppress(OSError):
                self._join(outcome.socket)

    def _join(self, line: socket.socket) -> None:
        hello = messages.Hello(id=1, protocol=limits.PROTOCOL_VERSION, program="Guest")
        line.sendall(self._end.send(hello))
        replies = self._replies(line)
        if not isinstance(next(replies, None), messages.Welcome):
            return
        time.sleep(self._pause)
        secret = self._invite.secret
        tried = record.Tried(time.monotonic_ns(), self._name, secret, self._device)
        self._recorder.add(tried)
        join = messages.Join(
            id=2,
            secret=secret,
            username=self._name,
            display_name=self._name.title(),
            token=_random_hex(32),
            device="Guest",
            installation=self._installation,
        )
        line.sendall(self._end.send(join))
        match next(replies, None):
            case messages.SignedIn():
                self._recorder.add(record.LetIn(time.monotonic_ns(), self._name))
            case messages.Error(code=code):
                self._recorder.add(record.KeptOut(time.monotonic_ns(), self._name, code))
            case _:
                pass

    def _replies(self, line: socket.socket) -> Iterator[object]:
        while data := line.recv(65536):
            yield from self._end.receive(data)


def _installation(folder: Path) -> str:
    """That of a client which may be running; empty if it has not joined yet."""
    with suppress(AccountError, OSError):
        for account in Accounts(folder).all():
            return account.installation
    return ""


def _number(text: str) -> int | None:
    return int(text) if text else None


def _random_hex(size: int) -> str:
    return os.urandom(size).hex()


def main() -> None:
    """Until standard input ends."""
    parser = argparse.ArgumentParser()
    add = parser.add_argument
    add("--data-dir", type=Path, required=True)
    add("--record", type=Path, required=True)
    add("--clock", type=Path, required=True)
    add("--folder", type=Path, required=True)
    add("--names", type=lambda names: names.split(","), required=True)
    add("--two-devices", type=lambda names: names.split(","), default=[])
    add("--seed", type=int, default=0)
    Host(parser.parse_args()).run()


if __name__ == "__main__":
    main()
