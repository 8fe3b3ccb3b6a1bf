"""Computers and cables between them, made of the kernel's network namespaces (Linux only).

Each computer is a process that holds a network namespace of its own; all of a test's are in one
user namespace, so that an ordinary user may make them. They have no names anywhere, and they are
gone with their processes: whatever happens to the test, nothing of it is left.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.process.harness import ROOT, wait_until

_TOOLS: Final = ("unshare", "nsenter", "ip", "sysctl", "mount")
NEEDS_NFT: Final = pytest.mark.skipif(shutil.which("nft") is None, reason="nft is not installed")
"""Of a test with a firewall."""
_HOLD: Final = ("sh", "-c", "echo ready; exec cat")
"""Ends when its standard input does, be it that the test's process was killed."""


class Computer:
    """A computer without any network, until it gets a cable."""

    def __init__(self, command: Sequence[str]) -> None:
        self._holder = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.pid = self._holder.pid
        assert self._holder.stdout is not None
        said = self._holder.stdout.readline()
        if said != "ready\n":
            self.close()
            raise OSError(said.strip())

    @property
    def inside(self) -> list[str]:
        """A command that runs another one on this computer."""
        kinds = ("--user", "--preserve-credentials", "--net", "--mount", "--uts", f"--wd={ROOT}")
        return ["nsenter", "--target", str(self.pid), *kinds]

    def run(self, *command: str) -> str:
        """Run a command there; what it printed. It must succeed."""
        done = subprocess.run([*self.inside, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def ip(self, command: str) -> str:
        """Run `ip` there."""
        return self.run("ip", *command.split())

    def up(self, interface: str, *addresses: str) -> None:
        """Bring an interface up with just these addresses, ready at once."""
        self.ip(f"link set {interface} up")
        for address in addresses:
            wait = " nodad" if ":" in address else ""
            self.ip(f"addr add {address} dev {interface}{wait}")

    def containers(self, count: int) -> None:
        """Have so many bridges for containers, as their software makes them.

        The first one is 172.17.0.1/16. To each of them one container is connected.
        """
        commands = []
        for number in range(count):
            name = f"br-{number}"
            commands += [
                f"link add {name} type bridge",
                f"link add in{number} type veth peer name out{number}",
                f"link set in{number} master {name}",
                *(f"link set {each} up" for each in (name, f"in{number}", f"out{number}")),
                f"addr add 172.{17 + number}.0.1/16 dev {name}",
            ]
        self.run("sh", "-c", 'printf %s "$1" | ip -batch -', "sh", "\n".join(commands))

    def firewall(self, *rules: str) -> None:
        """Have these rules for what comes in, in the language of nftables, and no others."""
        self.run("nft", "flush ruleset")
        self.run("nft", "add table inet test")
        hook = "{ type filter hook input priority 0; }"
        self.run("nft", f"add chain inet test incoming {hook}")
        for rule in rules:
            self.run("nft", f"add rule inet test incoming {rule}")

    def close(self) -> None:
        """Switch it off."""
        assert self._holder.stdin is not None
        assert self._holder.stdout is not None
        self._holder.stdin.close()
        self._holder.stdout.close()
        self._holder.kill()
        self._holder.wait()


class Networks:
    """The computers of one test. The first one's user namespace has all the others in it."""

    def __init__(self) -> None:
        self._computers: list[Computer] = []
        self.cables = 0
        """Number of cables so far, and of the last one's interfaces without a name of its own."""

    def computer(self) -> Computer:
        """One more computer. Its loopback interface is up, and it makes no addresses by itself."""
        own = ("unshare", "--net", "--mount", "--uts")
        if self._computers:
            join = ("nsenter", "--target", str(self._computers[0].pid), "--user")
            command = [*join, "--preserve-credentials", *own, *_HOLD]
        else:
            command = [*own, "--user", "--map-root-user", *_HOLD]
        made = Computer(command)
        self._computers.append(made)
        made.ip("link set lo up")
        # An address may be used at once; that it is nobody else's is known here.
        made.run("sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0")
        # And there are only those that a test gives.
        made.run("sysctl", "-qw", "net.ipv6.conf.default.addr_gen_mode=1")
        return made

    def cable(self, one: Computer, other: Computer, name: str = "") -> str:
        """A cable between two computers; the name of its interface at both ends."""
        self.cables += 1
        name = name or f"eth{self.cables}"
        one.ip(f"link add {name} type veth peer name {name} netns {other.pid}")
        return name

    def switch(self, *computers: Computer) -> tuple[Computer, list[str]]:
        """A switch with a cable to each; and the names of their interfaces."""
        switch = self.computer()
        switch.ip("link add bridge type bridge")
        switch.ip("link set bridge up")
        names = [self.cable(switch, computer) for computer in computers]
        for name in names:
            switch.ip(f"link set {name} master bridge")
            switch.ip(f"link set {name} up")
        return switch, names

    def router(self, one: Computer, other: Computer) -> Computer:
        """A router with a cable to each, `eth1` and `eth2`: 10.77.1.1/24 and 10.77.2.1/24."""
        router = self.computer()
        router.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        for number, computer in enumerate((one, other), 1):
            self.cable(router, computer, f"eth{number}")
            router.up(f"eth{number}", f"10.77.{number}.1/24")
        return router

    def close(self) -> None:
        """Switch everything off."""
        for computer in reversed(self._computers):
            computer.close()


@contextmanager
def some_networks() -> Iterator[Networks]:
    """Networks that are gone afterwards."""
    networks = Networks()
    try:
        yield networks
    finally:
        networks.close()


@cache
def why_not() -> str | None:
    """Why no networks can be made here, if they can't."""
    if sys.platform != "linux":
        return "network namespaces are Linux's"
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} is not installed"
    try:
        with some_networks() as networks:
            networks.cable(networks.computer(), networks.computer())
    except (AssertionError, OSError) as error:
        return f"network namespaces are not allowed here: {error}"
    return None


def in_place_of(computer: Computer, file: str, content: str, folder: Path) -> None:
    """Let a computer see other contents in a file of the system."""
    mine = folder / Path(file).name
    mine.write_text(content)
    computer.run("mount", "--bind", str(mine), file)
    wait_until(lambda: computer.run("cat", file) == content, f"{file} on another computer")
