"""A host and guests as real programs, each on a computer of its own (tests/process/networks.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from common.domain.invite import Invite, parse_invite
from tests.process.harness import Child, House, Listener, wait_until
from tests.process.networks import Computer, Networks


class Host:
    """A server on a computer, started as a person would: on every interface."""

    def __init__(
        self, house: House, computer: Computer, *flags: str, under: tuple[str | Path, ...] = ()
    ) -> None:
        self.ready_file = house.folder / "ready.json"
        self.running_file = house.folder / "host" / "running.json"
        self.ready_file.unlink(missing_ok=True)
        self.child = house.child(
            "server",
            [
                *("chat_server", "--headless", "--name", "Home"),
                *("--data-dir", str(house.folder / "host")),
                *("--ready-file", str(self.ready_file), *(flags or ("--port", "0"))),
            ],
            under=[*computer.inside, *under],
        )
        wait_until(
            lambda: self.ready_file.exists() or not self.child.running,
            f"the ready file of\n{self.child.transcript()}",
        )
        assert self.ready_file.exists(), self.child.transcript()

    @property
    def told(self) -> dict[str, Any]:
        """What the ready file has."""
        content: dict[str, Any] = json.loads(self.ready_file.read_bytes())
        return content

    @property
    def invite(self) -> Invite:
        """The invite."""
        return parse_invite(self.told["invite"])

    def has(self, *hosts: str) -> None:
        """Wait until just these addresses are told, wherever they are."""

        def is_told() -> bool:
            files = [json.loads(f.read_bytes()) for f in (self.ready_file, self.running_file)]
            invites = [parse_invite(content["invite"]).hosts for content in files]
            return all(told == hosts for told in invites) and files[0] == files[1]

        wait_until(is_told, f"{hosts}; there is {self.told['addresses']}")


class Guest:
    """A person on a computer, with the link."""

    def __init__(self, house: House, computer: Computer, name: str) -> None:
        self._house, self._computer, self.name = house, computer, name

    def arguments(self, verb: str, link: str, *flags: str) -> list[str]:
        """The command line, behind `python -m`."""
        folder = str(self._house.folder / self.name)
        fixed = ("--data-dir", folder, "--name", self.name, "--join", link)
        return ["chat_client", verb, *fixed, *flags]

    def start(self, verb: str, link: str, *flags: str, under: tuple[str | Path, ...] = ()) -> Child:
        """Start a verb."""
        return self._house.child(
            f"{verb} of {self.name}",
            self.arguments(verb, link, *flags),
            under=[*self._computer.inside, *under],
        )

    def say(self, link: str, text: str) -> None:
        """Join if need be, and send a message."""
        child = self.start("send", link, text)
        assert child.status() == 0, child.transcript()

    def listen(self, link: str) -> Listener:
        """Hear what is said."""
        listener = Listener(
            f"listen of {self.name}",
            self.arguments("listen", link, "--json"),
            under=self._computer.inside,
        )
        self._house.children.append(listener)
        return listener


def host_and_guest(networks: Networks, mine: str = "", yours: str = "") -> tuple[Computer, ...]:
    """Two computers on one cable, `eth1`."""
    computers = networks.computer(), networks.computer()
    name = networks.cable(*computers)
    for computer, address in zip(computers, (mine, yours), strict=True):
        computer.up(name, *filter(None, [address]))
    return computers
