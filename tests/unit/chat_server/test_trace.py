"""What the hub logs at the level debug: each command with its result, and the batch."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from chat_server.hub import trace
from chat_server.hub.queue import Received
from chat_server.rules.inputs import Drained
from chat_server.store.store import StoreBusyError
from common.protocol import codec, messages
from common.protocol.codec import ClientEnd
from tests.contract.engines import MemoryEngine
from tests.unit.chat_server.hub_bench import HubBench


@pytest.fixture
def bench() -> Iterator[HubBench]:
    """A hub over a store in memory."""
    made = HubBench(MemoryEngine())
    yield made
    made.close()


def test_each_command_has_its_result(
    bench: HubBench, errors_logged: pytest.LogCaptureFixture
) -> None:
    """Also those whose effects were replaced, as the batch could not be stored."""
    ada, stranger = bench.join("ada"), bench.connect()
    account = bench.world.directory.accounts["ada"].number
    ping, send = messages.Ping(id=5), bench.send("the text")
    with errors_logged.at_level(logging.DEBUG, "chat_server"):
        bench.run(Received(ada, (ping, send)), Received(stranger, (ping,)), Drained(ada))
        bench.store.fail("end of transaction", StoreBusyError("locked"))
        new = bench.send("another text")
        bench.run(Received(ada, (ping, new, send)))
    lines = [each.getMessage() for each in errors_logged.records if each.name == trace.__name__]
    mine, theirs = f"connection {ada}, account {account}: ", f"connection {stranger}, account -: "
    text = f"send id={send.id} kind=message body=1"
    assert lines[:4] == [
        f"{mine}ping id=5 -> ok",
        f"{mine}{text} -> ok",
        f"{theirs}ping id=5 -> ok",
        f"{mine}Drained connection={ada} brought=0 -> ok",
    ]
    assert lines[4].startswith("batch: 3 commands, 0 refused, commit 0.")
    assert lines[5:8] == [
        f"{mine}ping id=5 -> ok",
        f"{mine}send id={new.id} kind=message body=1 -> busy",
        f"{mine}{text} -> ok",  # It is stored already.
    ]
    assert lines[8].startswith("batch: 3 commands, 1 refused, commit ")


def test_what_nobody_reads_is_not_made(
    bench: HubBench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any other level no line is composed: neither by the hub nor by a client's end."""

    def fail(*_: object) -> str:
        raise AssertionError("a line that nobody reads")

    for module in (trace, codec):
        monkeypatch.setattr(module, "brief", fail)
    ada = bench.join("ada")
    with caplog.at_level(logging.INFO):
        bench.run(Received(ada, (messages.Ping(id=5), bench.send("the text"))))
        end = ClientEnd()
        end.send(messages.Hello(id=1, protocol=2, program="test"))
        assert list(end.receive(codec.encode(messages.refusal("busy", re=1))))
    assert not [each for each in caplog.records if each.levelno <= logging.DEBUG]
    with caplog.at_level(logging.DEBUG), pytest.raises(AssertionError):
        list(end.receive(codec.encode(messages.refusal("busy", re=1))))
