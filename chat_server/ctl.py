"""``ChatServer ctl``: a command line for the server that runs on this computer.

It sends the protocol's commands as the host and prints the replies. It imports nothing that is slow
to load, as scripts call it often: replies are parsed as plain JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final, Self

from chat_server import ctl_invites
from chat_server.ctl_socket import CtlUnreachableError, connect
from chat_server.ctl_values import (
    NULL,
    CtlError,
    Fields,
    parse_chat_name,
    parse_count,
    parse_interval,
    parse_line,
    parse_number,
    parse_room,
    parse_until,
    parse_username,
    parse_whom,
)
from common.domain.names import GENERAL
from common.domain.reasons import Reason, refused_by_hand
from common.domain.sentences import alike_sentence, sentence
from common.domain.spoken_code import written_code
from common.domain.times import duration_text, minute_text
from common.limits import FRAME_JSON, MAX_INTEGER
from common.protocol.frames import FrameDecoder, FrameError, encode_frame
from common.system.arguments import ArgumentParser
from common.system.data_folder import data_folder
from common.system.output import OutputError, print_lines, printable

_PATIENCE: Final = 30.0
"""Timeout for a reply, in seconds."""
_NEW_INVITE: Final = "there is a new invite link (“ctl invite”); the old one no longer works"


def main(arguments: Sequence[str]) -> int:
    """Carry out one command. The exit status: 0, 1 (it failed) or 2 (wrong arguments)."""
    if isinstance(sys.stdout, TextIOWrapper):
        # Names may have letters that the encoding of the terminal or the pipe does not have.
        sys.stdout.reconfigure(errors="backslashreplace")
    options = argument_parser().parse_args(arguments)
    try:
        with _Server(options.data_dir or data_folder("ChatServer")) as server:
            print_lines(options.run(server, options))
    except (CtlError, OutputError) as error:
        if str(error):
            sys.stderr.write(f"ChatServer ctl: {error}\n")
        return 1
    return 0


class _Server:
    """A connection to the server. Raises CtlError."""

    def __init__(self, data_dir: Path) -> None:
        try:
            self._connection = connect(data_dir, _PATIENCE)
        except (CtlUnreachableError, ConnectionRefusedError) as error:
            raise CtlError(f"no ChatServer runs with the folder {data_dir}") from error
        except OSError as error:
            raise CtlError(f"the server can't be reached: {error.strerror or error}") from error
        self._frames = FrameDecoder(FRAME_JSON)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, kind: str, **fields: Any) -> Fields:
        """The reply to a command; fields that are None are left out, those that are NULL null."""
        given = {
            name: None if value is NULL else value
            for name, value in fields.items()
            if value is not None
        }
        body = json.dumps({"type": kind, "id": 1, **given}).encode()
        try:
            self._connection.sendall(encode_frame(body))
            reply = self._reply()
        except TimeoutError as error:
            raise CtlError("the server does not answer") from error
        except (OSError, FrameError, ValueError) as error:
            raise CtlError(f"the connection to the server was lost: {error}") from error
        if reply.get("type") == "error":
            reason = Reason(str(reply["code"]), reply["params"])
            why = sentence(refused_by_hand(reason, reply["retry_after"]))
            if reply["code"] == "malformed" and reply["field"]:
                why = f"{printable(reply['field'])}: {why}"
            raise CtlError(why)
        return reply

    def pages(self, kind: str, place: str, last: Callable[[Fields], Any], of: str) -> Iterator[Any]:
        """All entries of a list, page by page. `last` returns the cursor for the next page."""
        after: Fields = {}
        while True:
            reply = self.ask(kind, **after)
            yield from reply[of]
            if not reply["more"] or not reply[of]:
                return
            after = {place: last(reply[of][-1])}

    def _reply(self) -> Fields:
        while True:
            data = self._connection.recv(65536)
            if not data:
                raise CtlError("the server refused the connection, or ended")
            for frame in self._frames.frames(data):
                reply: Fields = json.loads(frame)
                return reply


def _status(server: _Server, options: argparse.Namespace) -> Iterator[str]:
    reply = server.ask("status")
    facts = {name: reply[name] for name in reply if name not in {"type", "re"}}
    if options.json:
        yield json.dumps(facts)
        return
    yield f"{printable(reply['server_name'])} ({reply['program']})"
    yield f"running since {minute_text(reply['since'])}"
    yield f"{reply['online']} of {reply['accounts']} people online"
    yield f"{reply['connections']} connections, {reply['rooms']} rooms"
    for each in reply["slow_rooms"]:
        yield f"slow mode in {each['room']}: one message in {duration_text(each['slow'])}"
    if reply["trouble"]:
        yield f"messages can't be stored: {sentence(Reason(reply['trouble']))}"


def _clients(server: _Server, options: argparse.Namespace) -> Iterator[str]:
    for each in server.pages("list_clients", "after", lambda last: last["connection"], "clients"):
        if options.json:
            yield json.dumps(each)
            continue
        slow = "slow" if each["slow"] else "active"
        yield "\t".join(
            (
                str(each["connection"]), each["username"], printable(each["device"]),
                each["address"], minute_text(each["since"]), str(each["bytes_in"]),
                str(each["bytes_out"]), slow,
            )
        )  # fmt: skip


def _people(server: _Server, options: argparse.Namespace) -> Iterator[str]:
    online = set(server.pages("list_online", "after", lambda last: last, "online"))
    # Who changes between two pages is on the later one, too.
    pages = server.pages("list_people", "since", lambda last: last["change"], "people")
    for each in {person["username"]: person for person in pages}.values():
        if each["former"]:
            continue
        there = each["username"] in online
        if options.json:
            facts = {name: each[name] for name in ("username", "display_name", "role")}
            yield json.dumps({**facts, "online": there})
            continue
        state = "online" if there else "offline"
        yield f"{each['username']}\t{printable(each['display_name'])}\t{each['role']}\t{state}"


def _sanctions(server: _Server, options: argparse.Namespace) -> Iterator[str]:
    for each in server.pages("list_sanctions", "after", lambda last: last["number"], "sanctions"):
        if options.json:
            yield json.dumps(each)
            continue
        until = "until lifted" if each["until"] is None else f"until {minute_text(each['until'])}"
        whom = each["username"] or f"device {printable(each['device'] or '')}"
        facts = (str(each["number"]), each["kind"], whom, until, f"by {each['by']}")
        yield "\t".join((*facts, printable(each["reason"])))


def _audit(server: _Server, options: argparse.Namespace) -> Iterator[str]:
    left = options.count
    for each in server.pages("list_audit", "before", lambda last: last["number"], "entries"):
        if not left:
            return
        left -= 1
        if options.json:
            yield json.dumps(each)
        else:
            told = " ".join(f"{name}={value}" for name, value in each["fields"].items())
            yield f"{minute_text(each['at'])}\t{each['by']}\t{each['action']}\t{printable(told)}"


def _invite(server: _Server, options: argparse.Namespace) -> Iterator[str]:
    reply = server.ask("new_invite" if options.what == "new" else "show_invite")
    yield json.dumps({"link": reply["link"]}) if options.json else reply["link"]
    ctl_invites.warn_of_rule(server)


def _requests(server: _Server, options: argparse.Namespace) -> Iterator[str]:
    for each in server.ask("list_requests")["requests"]:
        if options.json:
            yield json.dumps(each)
            continue
        yield "\t".join(
            (
                str(each["request"]), each["digits"], each["username"],
                printable(each["display_name"]), printable(each["device"]), each["address"],
                minute_text(each["since"]),
                alike_sentence(each["members_alike"], also_asks=bool(each["requests_alike"])),
            )
        ).rstrip("\t")  # fmt: skip


def _admit(server: _Server, options: argparse.Namespace) -> Iterator[str]:
    server.ask("admit", request=options.request, role=options.role)
    yield from ()


def _deny(server: _Server, options: argparse.Namespace) -> Iterator[str]:
    done = server.ask("deny", request=options.request, block=options.block)
    if done["note"]:
        sys.stderr.write(f"ChatServer ctl: {sentence(Reason(done['note']))}\n")
    yield from ()


def _code(server: _Server, options: argparse.Namespace) -> Iterator[str]:
    if options.what == "end":
        if options.username is not None:
            raise CtlError("there is one code at a time; end it without --username")
        server.ask("end_code")
        return
    reply = server.ask("show_code", username=options.username)
    written = written_code(reply["code"])
    if options.json:
        yield json.dumps({"code": written, "expires": reply["expires"]})
    else:
        yield written
    if options.username is None:
        ctl_invites.warn_of_rule(server)
    else:
        what = f"it adds one device to @{options.username}’s account: tell it to nobody else"
        sys.stderr.write(f"ChatServer ctl: {what}\n")


def _terminate(server: _Server, options: argparse.Namespace) -> Iterator[str]:
    server.ask("terminate", **options.whom, reason=options.reason)
    yield from ()


def _ban(server: _Server, options: argparse.Namespace) -> Iterator[str]:
    done = server.ask("ban", **options.whom, until=options.until, reason=options.reason)
    if done["note"]:
        sys.stderr.write(f"ChatServer ctl: {sentence(Reason(done['note']))}\n")
    if "username" in options.whom:
        sys.stderr.write(f"ChatServer ctl: {_NEW_INVITE}\n")
    yield from ()


def _unban(server: _Server, options: argparse.Namespace) -> Iterator[str]:
    if options.whom.isdecimal() and not options.username:
        if not 1 <= int(options.whom) <= MAX_INTEGER:
            raise CtlError(sentence(Reason("no_such_sanction")))
        server.ask("unban", number=int(options.whom))
    else:
        server.ask("unban", username=options.whom)
    yield from ()


def _mute(server: _Server, options: argparse.Namespace) -> Iterator[str]:
    server.ask("mute", username=options.whom, until=options.until, reason=options.reason)
    yield from ()


def _unmute(server: _Server, options: argparse.Namespace) -> Iterator[str]:
    server.ask("unmute", username=options.whom)
    yield from ()


def _role(server: _Server, options: argparse.Namespace) -> Iterator[str]:
    server.ask("set_role", username=options.whom, role=options.role)
    yield from ()


def _delete_account(server: _Server, options: argparse.Namespace) -> Iterator[str]:
    server.ask("delete_account", username=options.whom, messages=options.messages)
    yield from ()


def _slow_mode(server: _Server, options: argparse.Namespace) -> Iterator[str]:
    server.ask("set_slow_mode", room=options.room, seconds=options.interval)
    yield from ()


def _rename(server: _Server, options: argparse.Namespace) -> Iterator[str]:
    server.ask("rename_chat", name=options.name)
    yield from ()


def argument_parser() -> ArgumentParser:
    """The command line of ``ChatServer ctl``."""
    parser = ArgumentParser(
        prog="ChatServer ctl",
        description="Control the ChatServer that runs on this computer.",
        epilog="Exit status: 0 it is done; 1 it was refused, or no server runs; 2 wrong arguments.",
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    def verb(
        name: str, run: Callable[..., Iterator[str]], help_: str, more: str = ""
    ) -> argparse.ArgumentParser:
        about = f"{help_[0].upper()}{help_[1:]}. {more}".strip()
        added = verbs.add_parser(name, help=help_, description=about)
        added.set_defaults(run=run)
        added.add_argument("--data-dir", type=Path, help="the server's folder")
        added.add_argument("--json", action="store_true", help="one JSON object a line")
        return added

    def reason(added: argparse.ArgumentParser) -> None:
        help_ = "what the person is told"
        added.add_argument("--reason", type=parse_line, default="", help=help_)

    def until(added: argparse.ArgumentParser) -> None:
        help_ = "for 30m, 12h, 7d, or until 2027-01-31T18:00 (default: until it is lifted)"
        added.add_argument("--until", type=parse_until, metavar="TIME", help=help_)

    verb("status", _status, "say how the server is")
    verb(
        "clients", _clients, "list the connections",
        "Columns: number, username, device, address, since when, bytes in and out, state.",
    )  # fmt: skip
    verb(
        "people", _people, "list everyone who has joined",
        "Columns: username, name, role, online or offline.",
    )  # fmt: skip
    verb(
        "sanctions", _sanctions, "list bans and mutes",
        "Columns: number, kind, whom, until when, by whom, reason.",
    )  # fmt: skip
    audit = verb("audit", _audit, "list what was done, the newest first")
    audit.add_argument(
        "--count", type=parse_count, default=50, help="entries at most (%(default)s)"
    )
    invite = verb("invite", _invite, "print the invite, or make a new one")
    invite.add_argument("what", choices=["show", "new"], nargs="?", default="show")
    _add_joining(verb)
    ctl_invites.add_verbs(verb)
    whom = "username, or #NUMBER of a connection"
    terminate = verb("terminate", _terminate, "end a connection, or all of a person")
    terminate.add_argument("whom", type=parse_whom, help=whom)
    reason(terminate)
    ban = verb("ban", _ban, "keep a person, or the device of a connection, away")
    ban.add_argument("whom", type=parse_whom, help=whom)
    until(ban)
    reason(ban)
    unban = verb("unban", _unban, "lift a ban")
    unban.add_argument("whom", type=parse_username, help="username, or the number of a ban")
    unban.add_argument("--username", action="store_true", help="a number is a username")
    mute = verb("mute", _mute, "let a person read and not write")
    mute.add_argument("whom", type=parse_username, help="username")
    until(mute)
    reason(mute)
    unmute = verb("unmute", _unmute, "let a person write again")
    unmute.add_argument("whom", type=parse_username, help="username")
    role = verb("role", _role, "make somebody a moderator, or the reverse")
    role.add_argument("whom", type=parse_username, help="username")
    role.add_argument("role", choices=["member", "moderator"])
    delete = verb("delete-account", _delete_account, "delete somebody's account, for good")
    delete.add_argument("whom", type=parse_username, help="username")
    delete.add_argument(
        "--messages", choices=["keep", "remove"], required=True,
        help="keep what the person said, as a former member's, or remove it everywhere",
    )  # fmt: skip
    _add_chat(verb)
    return parser


def _add_chat(verb: Callable[..., argparse.ArgumentParser]) -> None:
    """The verbs about rooms and the chat itself."""
    slow = verb("slow-mode", _slow_mode, "let each member of a room send one message in a while")
    slow.add_argument("interval", type=parse_interval, help="30s, 5m or 6h between two, or off")
    slow.add_argument("--room", type=parse_room, default=GENERAL, help="which room (%(default)s)")
    rename = verb("rename", _rename, "give the chat another name")
    rename.add_argument("name", type=parse_chat_name, help="as everyone sees it")


def _add_joining(verb: Callable[..., argparse.ArgumentParser]) -> None:
    """The verbs about people who join without a link."""
    verb(
        "requests", _requests, "list who asks to join, with the digits that they see",
        "Columns: number, digits, username, name, device, address, since when, and whose name "
        "looks the same. Ask the guest for the digits, and let nobody in who tells you others: "
        "somebody else is between you and them.",
    )  # fmt: skip
    number = "from the first column of “requests”"
    admit = verb("admit", _admit, "let somebody in who asks to join")
    admit.add_argument("request", type=parse_number, help=number)
    admit.add_argument(
        "--role", choices=["member", "moderator"], default="member", help="as what (%(default)s)"
    )
    deny = verb("deny", _deny, "refuse a request to join")
    deny.add_argument("request", type=parse_number, help=number)
    deny.add_argument(
        "--block", action="store_true",
        help="ban that device, and its address may not ask for 1 h; “unban” lifts both",
    )  # fmt: skip
    code = verb(
        "code", _code, "print the code to read out to somebody who joins, or end it",
        "It is valid for 24 h, and no longer than the server runs. There is one at a time.",
    )  # fmt: skip
    code.add_argument("what", choices=["show", "end"], nargs="?", default="show")
    code.add_argument(
        "--username", type=parse_username, help="a code for one more device of that person"
    )
