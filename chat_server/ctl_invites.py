"""The verbs of ``ChatServer ctl`` about invites, devices, and who may join."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from typing import Final

from chat_server.ctl_values import (
    NULL,
    CtlError,
    Fields,
    Server,
    parse_line,
    parse_number,
    parse_span,
    parse_username,
    quoted,
)
from common.domain.reasons import Reason
from common.domain.sentences import sentence
from common.domain.times import minute_text
from common.limits import (
    INVITE_LIFE,
    INVITE_NOTE_LENGTH,
    INVITE_USES,
    LONGEST_INVITE_LIFE,
    SHORTEST_INVITE_LIFE,
)
from common.system.arguments import device_prefix
from common.system.output import printable

_RULES: Final = {
    "invite_or_ask": "with an invite, or by asking",
    "invite": "with an invite only",
    "ask": "by asking only; links and codes let nobody in",
    "open": "everyone on this network, without an invite",
}
_NOBODY: Final = "it lets nobody in now: new people have to ask (“ctl joining”)"
_DAY: Final = 24 * 3600 * 1000
_DIGITS: Final = 9
"""Of a number of uses: more are not looked at."""


def _invites(server: Server, options: argparse.Namespace) -> Iterator[str]:
    for each in server.pages("list_invites", "before", lambda last: last["number"] or 1, "invites"):
        if options.all or each["ended"] is None:
            yield json.dumps(each) if options.json else "\t".join(_facts(each))


def _facts(invite: Fields) -> Iterator[str]:
    yield str(invite["number"])
    yield invite["kind"]
    yield f"for @{invite['username']}" if invite["username"] else f"for a {invite['role']}"
    most = "" if invite["most_uses"] is None else f" of {invite['most_uses']}"
    yield f"used {invite['uses']}{most}"
    ends = "no end" if invite["expires"] is None else f"until {minute_text(invite['expires'])}"
    yield invite["ended"] or ends
    yield f"by {invite['by'] or '(host)'} {minute_text(invite['created'])}"
    yield printable(invite["note"])


def _create(server: Server, options: argparse.Namespace) -> Iterator[str]:
    reply = server.ask(
        "create_invite",
        role=options.role,
        uses=options.uses,
        expires_in=options.expires,
        note=options.note,
    )
    yield from _created(reply, options)
    warn_of_rule(server)


def _add_device(server: Server, options: argparse.Namespace) -> Iterator[str]:
    reply = server.ask("add_device", username=options.whom)
    yield from _created(reply, options)
    what = f"it adds one device to @{options.whom}’s account, within a day: give it to nobody else"
    sys.stderr.write(f"ChatServer ctl: {what}\n")


def warn_of_rule(server: Server) -> None:
    """Say on standard error that a link or a code for newcomers lets nobody in at present."""
    if server.ask("ask_joining")["rule"] == "ask":
        sys.stderr.write(f"ChatServer ctl: {_NOBODY}\n")


def _created(reply: Fields, options: argparse.Namespace) -> Iterator[str]:
    facts = {name: reply[name] for name in ("number", "link", "expires")}
    yield json.dumps(facts) if options.json else reply["link"]


def _revoke(server: Server, options: argparse.Namespace) -> Iterator[str]:
    server.ask("revoke_invite", number=options.number)
    yield from ()


def _devices(server: Server, options: argparse.Namespace) -> Iterator[str]:
    for each in server.ask("list_devices", username=options.whom)["devices"]:
        if options.json:
            facts = ("device", "name", "created", "last_seen", "online")
            yield json.dumps({name: each[name] for name in facts})
            continue
        seen = "not known" if each["last_seen"] is None else minute_text(each["last_seen"])
        yield "\t".join(
            (
                each["device"], printable(each["name"]), f"joined {minute_text(each['created'])}",
                "online" if each["online"] else f"last seen {seen}",
            )
        )  # fmt: skip


def _remove_device(server: Server, options: argparse.Namespace) -> Iterator[str]:
    found = [
        each["device"]
        for each in server.ask("list_devices", username=options.whom)["devices"]
        if each["device"].startswith(options.device)
    ]
    if len(found) > 1:
        raise CtlError(f"{options.device} stands for several devices; give all of its digits")
    if not found:
        raise CtlError(sentence(Reason("no_such_device")))
    server.ask("remove_device", username=options.whom, device=found[0])
    yield from ()


def _joining(server: Server, options: argparse.Namespace) -> Iterator[str]:
    now = server.ask("ask_joining")
    rule, moderators = now["rule"], now["moderators_invite"]
    if options.rule is not None or options.moderators_invite is not None:
        rule = options.rule or rule
        if options.moderators_invite is not None:
            moderators = options.moderators_invite == "yes"
        server.ask("set_joining", rule=rule, moderators_invite=moderators)
    if options.json:
        yield json.dumps({"rule": rule, "moderators_invite": moderators})
        return
    yield f"{rule}: {_RULES.get(rule, rule)}"
    yield f"moderators {'may' if moderators else 'may not'} make invites"


def _uses(text: str) -> int:
    """How many may join with an invite."""
    uses = int(text) if text.isdecimal() and len(text) <= _DIGITS else 0
    if not 1 <= uses <= INVITE_USES:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not between 1 and {INVITE_USES}")
    return uses


def _expires(text: str) -> object:
    """How long an invite is valid, in milliseconds; NULL for ever."""
    if text == "never":
        return NULL
    span = parse_span(text)
    if not SHORTEST_INVITE_LIFE <= span <= LONGEST_INVITE_LIFE:
        days = LONGEST_INVITE_LIFE // _DAY
        why = f"{quoted(text)} is not between 1m and {days}d; or use never"
        raise argparse.ArgumentTypeError(why)
    return span


def _note(text: str) -> str:
    """What an invite is for."""
    return parse_line(text, INVITE_NOTE_LENGTH, "a note")


def _number(text: str) -> int:
    """The number of an invite that can be revoked."""
    if text.strip("0") == "" and text:
        raise argparse.ArgumentTypeError("“ctl invite new” replaces that link by another one")
    return parse_number(text)


def add_verbs(verb: Callable[..., argparse.ArgumentParser]) -> None:
    """Add these verbs to the command line."""
    invites = verb(
        "invites", _invites, "list the invites that are valid, newest first",
        "Columns: number, kind, for whom, uses, end, by whom and when, note.",
    )  # fmt: skip
    invites.add_argument("--all", action="store_true", help="those that have ended, too")
    create = verb("create-invite", _create, "make one more invite, and print its link")
    create.add_argument(
        "--role", choices=["member", "moderator"], default="member", help="of who joins with it"
    )
    create.add_argument("--uses", type=_uses, help="how many may join with it (default: any)")
    default = INVITE_LIFE // _DAY
    help_ = f"30m, 12h, 7d or never (default: {default}d)"
    create.add_argument("--expires", type=_expires, metavar="TIME", help=help_)
    create.add_argument("--note", type=_note, default="", help="what it is for")
    revoke = verb("revoke", _revoke, "end an invite; who has joined with it stays")
    revoke.add_argument("number", type=_number, help="from the first column of “invites”")
    add = verb("add-device", _add_device, "make an invite for one more device of a person")
    add.add_argument("whom", type=parse_username, help="username")
    devices = verb(
        "devices", _devices, "list the devices of a person",
        "Columns: id, name, since when, and whether it is online or when it was seen last.",
    )  # fmt: skip
    devices.add_argument("whom", type=parse_username, help="username")
    remove = verb("remove-device", _remove_device, "sign a device of a person out")
    remove.add_argument("whom", type=parse_username, help="username")
    remove.add_argument(
        "device", type=device_prefix, help="from “devices”; its first digits will do"
    )
    rules = "; ".join(f"{rule}: {who}" for rule, who in _RULES.items())
    joining = verb("joining", _joining, "say who may join, or change it", f"{rules}.")
    joining.add_argument("rule", choices=list(_RULES), nargs="?", help="who may join")
    joining.add_argument(
        "--moderators-invite", choices=["yes", "no"], help="whether moderators may make invites"
    )
