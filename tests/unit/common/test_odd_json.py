"""JSON that other languages read otherwise, or not at all, in both directions."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

import pytest

from common.protocol.codec import (
    ClientEnd,
    Phase,
    RemoteProtocolError,
    ServerEnd,
    Violation,
    encode,
)
from common.protocol.events import Event, UnknownBody
from common.protocol.fast_encode import body_json
from common.protocol.frames import encode_frame
from common.protocol.messages import (
    Error,
    Goodbye,
    Hello,
    Send,
    ServerStatus,
    SignedIn,
    SignIn,
    Welcome,
)
from tests.events import text_of

DEEP: Final = 50_000
VALUES: Final = {
    "NaN": "NaN",
    "Infinity": "Infinity",
    "-Infinity": "-Infinity",
    "1e999": "1e999",
    "1e308": "1e308",
    "-0.0": "-0.0",
    "2^53": "9007199254740992",
    "2^64": "18446744073709551616",
    "4,000 digits": "9" * 4000,
    "5,000 digits": "9" * 5000,
    "a duplicate key": '{"a": 1, "a": NaN}',
    "100 deep": "[" * 100 + "]" * 100,
    "objects 100 deep": '{"a":' * 100 + "1" + "}" * 100,
    "50,000 deep": "[" * DEEP + "]" * DEEP,
    "half a surrogate pair": '"\\ud800"',
    "NUL": '"\\u0000"',
    "a list of odd numbers": '[1, NaN, {"b": [Infinity, "x"]}]',
}
NOT_JSON: Final = {"5,000 digits", "50,000 deep", "half a surrogate pair"}
"""What no program has to be able to read: a server must not send it."""


def client() -> ClientEnd:
    """One that is signed in."""
    end = ClientEnd()
    end.send(Hello(id=1, protocol=2, program="P"))
    welcome = Welcome(re=1, protocol=2, program="S", server_name="S", epoch="0" * 32)
    list(end.receive(encode(welcome)))
    end.send(SignIn(id=2, username="ada", token="0" * 64, device="D", installation="0" * 32))
    signed_in = SignedIn(
        re=2, username="ada", display_name="A", session="0" * 32, role="member", mute=None
    )
    list(end.receive(encode(signed_in)))
    assert end.phase is Phase.READY
    return end


def server() -> ServerEnd:
    """One that a client has signed in to."""
    end = ServerEnd()
    for frame, answer in (
        ({"type": "hello", "id": 1, "protocol": 2, "program": "P"}, True),
        (
            {
                "type": "sign_in", "id": 2, "username": "ada", "token": "0" * 64, "device": "D",
                "installation": "0" * 32,
            },
            False,
        ),
    ):  # fmt: skip
        (command,) = end.receive(encode_frame(json.dumps(frame).encode()))
        assert not isinstance(command, Violation)
        if answer:
            end.send(Welcome(re=1, protocol=2, program="S", server_name="S", epoch="0" * 32))
        else:
            end.send(
                SignedIn(
                    re=2,
                    username="ada",
                    display_name="A",
                    session="0" * 32,
                    role="member",
                    mute=None,
                )
            )
    assert end.phase is Phase.READY
    return end


def hear(body: str) -> list[Any]:
    """What a client makes of a message."""
    return list(client().receive(encode_frame(body.encode())))


def no_json(constant: str) -> NoReturn:
    """What other languages do with it."""
    raise ValueError(constant)


def event(kind: str, body: str) -> str:
    """An event's message."""
    return (
        f'{{"type":"event","room":"general","seq":1,"kind":"{kind}","sender":"ben","sent_at":1,'
        f'"cid":"AAAAAAAAAAAAAAAA","body":{body}}}'
    )


@pytest.mark.parametrize("kind", ["dance", "message", "join"])
@pytest.mark.parametrize("name", VALUES)
def test_an_event_is_kept_as_json_that_everybody_can_read(kind: str, name: str) -> None:
    """Whether its kind is known or not; what is no JSON ends the connection, and nothing else."""
    message = event(kind, f'{{"text": {VALUES[name]}, "more": {VALUES[name]}}}')
    if name in NOT_JSON:
        with pytest.raises(RemoteProtocolError):
            hear(message)
        return
    (kept,) = hear(message)
    assert isinstance(kept, Event)
    assert kept.seq == 1
    if name != "NUL":
        assert kept.known == (kind == "join")
    if kind != "join":
        assert isinstance(kept.body, UnknownBody)
        assert set(kept.body) == {"text", "more"}
    written = body_json(kept.body)
    assert json.loads(written, parse_constant=no_json) == kept.body
    if name not in {"-0.0", "1e308"} and kind != "join" and "e" not in VALUES[name]:
        assert json.loads(written) == _without(json.loads(VALUES[name]), kept.body)


def _without(value: Any, body: Any) -> Any:
    """The body that is wanted: the same value twice, without what is not finite."""
    text = json.dumps(value).replace("NaN", "null").replace("-Infinity", "null")
    wanted = json.loads(text.replace("Infinity", "null"))
    return dict.fromkeys(body, wanted)


@pytest.mark.parametrize("code", ["internal", "dance"])
@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("place", ["value", "key"])
def test_odd_parameters_are_left_out(code: str, name: str, place: str) -> None:
    """Of an error and of the last words: the code and what there is else is still heard."""
    odd = VALUES[name] if place == "value" else json.dumps({"Ä é": 1})
    params = f'{{"who": "ada", "odd": {odd}, "{"x" * 99}": 1, "count": 7, "none": null}}'
    rest = f'"code":"{code}","params":{params},"retry_after":null}}'
    for message, kind in (
        ('{"type":"error","re":null,"field":null,"retryable":true,' + rest, Error),
        ('{"type":"goodbye",' + rest, Goodbye),
    ):
        if name in NOT_JSON and place == "value":
            with pytest.raises(RemoteProtocolError):
                hear(message)
            continue
        (heard,) = hear(message)
        assert isinstance(heard, kind)
        odd_value = {"odd": "\0"} if (name, place) == ("NUL", "value") else {}
        assert heard.code == code
        assert heard.params == {"who": "ada", "count": 7, **odd_value}
        json.loads(encode(heard)[5:], parse_constant=no_json)


def test_there_may_be_any_number_of_parameters() -> None:
    """Only so many are kept."""
    params = json.dumps({f"p{number}": number for number in range(1000)})
    (heard,) = hear('{"type":"goodbye","code":"x","params":' + params + ',"retry_after":null}')
    assert heard.params == {f"p{number}": number for number in range(16)}
    for wrong in ("null", "[]", '"x"', "7"):
        with pytest.raises(RemoteProtocolError):
            hear('{"type":"goodbye","code":"x","params":' + wrong + ',"retry_after":null}')


@pytest.mark.parametrize("name", VALUES)
def test_news_of_an_unknown_type_is_passed_over(name: str) -> None:
    """Whatever is in it, if it is JSON."""
    message = f'{{"type": "weather", "is": {VALUES[name]}}}'
    if name in NOT_JSON:
        with pytest.raises(RemoteProtocolError):
            hear(message)
    else:
        assert hear(message) == []


@pytest.mark.parametrize("name", VALUES)
def test_a_server_refuses_it_in_what_is_closed(name: str) -> None:
    """Each command alone; nothing of it is stored or sent to anybody, and the next one is taken."""
    value = VALUES[name]
    start = '{"type":"send","id":7,"room":"general","cid":"AAAAAAAAAAAAAAAA"'
    for command in (
        f'{start},"kind":"dance","body":{{"a":{value}}}}}',
        f'{start},"kind":"message","body":{{"text":"hi","a":{value}}}}}',
        f'{start},"kind":"message","body":{{"text":"hi"}},"after":{value}}}',
        f'{{"type":"history","id":7,"room":"general","before":{value},"count":1}}',
        f'{{"type":"ping","id":{value}}}',
        f'{{"type":"ping","id":7,"{value[:3] if value[0] != chr(34) else "q"}":{value}}}',
        f'{{"type":"dance","id":7,"a":{value}}}',
        f'{{"type":{value}}}',
        value,
    ):
        end = server()
        (violation,) = end.receive(encode_frame(command.encode()))
        assert isinstance(violation, Violation), command[:99]
        assert not violation.fatal
        assert violation.error.code in {"malformed", "unknown_kind", "unknown_type"}
        json.loads(encode(violation.error)[5:], parse_constant=no_json)
        (ping,) = end.receive(encode_frame(b'{"type":"ping","id":8}'))
        assert not isinstance(ping, Violation)


def test_of_a_field_that_is_there_twice_the_last_counts() -> None:
    """For everybody: what is stored and sent on is written anew, with one."""
    body = '{"text":"first","text":"last"}'
    (command,) = server().receive(
        encode_frame(
            b'{"type":"send","id":7,"id":8,"room":"general","cid":"AAAAAAAAAAAAAAAA",'
            b'"kind":"message","body":' + body.encode() + b"}"
        )
    )
    assert isinstance(command, Send)
    assert (command.id, text_of(command)) == (8, "last")
    (heard,) = hear(event("message", body))
    assert heard.body == {"text": "last"}


@pytest.mark.parametrize("name", sorted(VALUES.keys() - NOT_JSON))
def test_what_is_open_in_hello_is_ignored(name: str) -> None:
    """Whatever a newer client has there."""
    end = ServerEnd()
    hello = f'{{"type":"hello","id":1,"protocol":2,"program":"P","more":{VALUES[name]}}}'
    (command,) = end.receive(encode_frame(hello.encode()))
    assert command == Hello(id=1, protocol=2, program="P")


def test_a_known_field_that_is_no_number_ends_the_connection() -> None:
    """As any fault of a server does; there are bounds for each number that is used."""
    status = json.loads(
        ServerStatus(
            re=1, server_name="S", program="P", since=0, accounts=0, online=0, connections=0,
            rooms=0, trouble=None,
        ).model_dump_json()
    )  # fmt: skip
    for name in ("since", "accounts"):
        for value in ("NaN", "1e999", "9007199254740993", "9" * 4000, "1.0"):
            text = json.dumps({**status, name: "@"}).replace('"@"', value)
            with pytest.raises(RemoteProtocolError):
                hear(text)
