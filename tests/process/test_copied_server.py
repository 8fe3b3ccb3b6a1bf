"""A data folder that was copied to another computer, with both servers on one network."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.process import networks as module
from tests.process.harness import House
from tests.process.host_and_guest import Host
from tests.process.networks import Networks, some_networks

if WHY_NOT := module.why_not():
    pytest.skip(WHY_NOT, allow_module_level=True)

_FIND = """
import json, threading
from chat_client.net.finder import Finder
seen, both = [], threading.Event()
def tell(chats):
    seen.append([[each.hosts, each.port, each.name, each.copies] for each in chats])
    if any(each.copies for each in chats):
        both.set()
finder = Finder(tell)
finder.start()
print(both.wait(20), flush=True)
threading.Event().wait(6)
finder.stop()
print(json.dumps(seen))
"""


@pytest.fixture
def networks() -> Iterator[Networks]:
    """Computers and cables, gone afterwards."""
    with some_networks() as made:
        yield made


def test_both_are_told_of_and_neither_replaces_the_other(house: House, networks: Networks) -> None:
    """One row with both addresses, of which the first one stays first; both hosts' logs say it."""
    computers = [networks.computer() for _ in range(3)]
    _, names = networks.switch(*computers)
    for number, (computer, name) in enumerate(zip(computers, names, strict=True), 5):
        computer.up(name, f"10.77.0.{number}/24")
    first, second, guest = computers
    original = Host(house, first)
    port = str(original.told["port"])
    original.child.process.send_signal(signal.SIGTERM)
    assert original.child.status() == 0
    shutil.copytree(house.folder / "host", house.folder / "copy")
    original = Host(house, first, "--port", port)
    copy = house.child(
        "copy",
        ["chat_server", "--headless", "--name", "Home", "--port", port,
         "--data-dir", str(house.folder / "copy")],
        under=second.inside,
    )  # fmt: skip
    both, told = guest.run(sys.executable, "-c", _FIND).splitlines()
    assert both == "True"
    seen = [chats[0] for chats in json.loads(told) if chats]
    assert {tuple(chat[3]) for chat in seen[-1:]} == {tuple(seen[-1][0])}
    assert {*seen[-1][0]} == {"10.77.0.5", "10.77.0.6"}
    firsts = [chat[0][0] for chat in seen]
    assert sum(one != other for one, other in pairwise(firsts)) <= 1
    for child, address in ((original.child, "10.77.0.6"), (copy, "10.77.0.5")):
        assert address in child.complaint("has the identity of this one")
