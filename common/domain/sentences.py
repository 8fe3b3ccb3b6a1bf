"""The sentences that people read about reasons, in English: one place for all of them.

Each is without its full stop and begins in lower case, so that it can stand behind a colon.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Final

from common.domain.reasons import AGAIN, Params, Reason
from common.domain.times import duration_text, until_text

_COME_BACK: Final = (
    "come back with a link for one more device, which your other devices and the host can make"
)
_SENTENCES: Final[Mapping[str, str]] = {
    # Refusals of commands
    "malformed": "the message is malformed ({why})",
    "unknown_type": "the server does not know this command",
    "out_of_order": "this command is not allowed now",
    "too_long": "the text is too long",
    "position_ahead": "your copy is newer than the server's restored database",
    "version": "this chat needs a newer ChatClient: it speaks protocol {protocol}",
    "bad_secret": "this invite is no longer valid; ask the host for a new one",
    "invite_expired": "this invite has expired; ask for a new one",
    "invite_used": "this invite was used already; ask for a new one",
    "invite_needed": "you need an invite to join this chat; ask the host for one",
    "ask_first": "the host lets people in who ask to join; this link lets nobody in now",
    "no_such_invite": "there is no such invite",
    "no_such_device": "there is no such device",
    "too_many_invites": "there are {most} invites already; revoke one that is not needed",
    "too_many_devices": "{username} has {most} devices already; sign one out that is not needed",
    "bad_code": "this code is wrong; ask the host to read it out again",
    "no_code": "this code is not valid here; ask the host for a new one",
    "codes_paused": (
        "too many wrong codes came from this computer; a code works again in {minutes} min. "
        "You can ask to join, or use a link"
    ),
    "no_such_request": "nobody is asking to join under this number any more",
    "too_fast": "too many tries at once; try again in {seconds} s",
    "asked_before": "you asked a moment ago; you can ask again in {minutes} min",
    "knock_refused": (
        "the host said no. You can ask again in a minute, or join with a code or a link"
    ),
    "knock_blocked": "the host does not let this computer in",
    "joining_closed": "the host has closed this chat; try again when it is open",
    "knock_expired": "nobody has answered; ask again when the host is there",
    "knock_displaced": (
        "many people are asking to join, and your request made room for another one. "
        "Ask again in a moment"
    ),
    "knock_taken": "somebody with an invite has taken this username; choose another one",
    "code_form": "a code has 8 letters and digits",
    "codes_refused": (
        "this chat has refused {most} codes. Ask the host whether it is theirs; "
        "you can also ask to join, or use a link"
    ),
    "wrong_nonce": (
        "this chat has changed its digits on the way. Somebody may be pretending to be it"
    ),
    "wrong_share": ("this chat does not know the code itself. Somebody may be pretending to be it"),
    "many_asking": "many people are asking to join",
    "name_taken": "the username {username} is taken",
    "name_alike": "the username {username} looks too much like another one",
    "not_recognized": f"this device is not known here as {{username}}; {_COME_BACK}",
    "for_newcomers": (
        "this invite is for newcomers, and {username} is somebody here already. If that is you, "
        f"{_COME_BACK}"
    ),
    "account_deleted": "this account was deleted",
    "former_member": "this person is no longer here: the account was deleted",
    "not_allowed": "you may not do that",
    "no_such_room": "there is no room {room} that you are in",
    "no_such_person": "nobody here is called {username}",
    "no_such_client": "this connection has ended already",
    "no_such_sanction": "there is no such ban or mute",
    "time_past": "the end of a ban or a mute must be in the future",
    "shared_device": "a device that a moderator or the host uses, too, was not banned",
    "too_early": "the message before this one is not stored",
    "cid_reused": "another message was already sent under this id",
    "unknown_kind": "the server does not know this kind of message",
    "rate_limited": "too many requests at once",
    "many_messages": "slow down: too many messages at once",
    "many_invites": "you have made many invites; you can make another one in {minutes} min",
    "many_names": "you have changed your name often; you can do so again in {minutes} min",
    "many_joins": "many people are joining with this invite now",
    "many_conversations": "slow down: too many new conversations at once",
    "slow_mode": "slow mode: one message in {every}",
    "busy": "the host's computer can't store messages now",
    "session_ends": "the server is ending this connection",
    "disk_full": "the host's disk is full",
    "internal": "the server had an internal error",
    "unreadable": "the host's computer can't read its messages now",
    "banned": "you are banned from this chat",
    "muted": "you are muted",
    "client_too_old": (
        "this chat needs a newer ChatClient: it speaks protocol {theirs}, this program {ours}"
    ),
    "server_too_old": (
        "the host needs a newer ChatServer: it speaks protocol {theirs}, this program {ours}"
    ),
    # Reasons of the client itself
    "lost": "the connection was lost",
    "no_answer": "the server does not answer",
    "unanswered": "the connection was lost before the server answered; it may have been done",
    "unreachable": "the server can't be reached",
    "wrong_server": (
        "this is not the server you joined: its identity is different. Nothing was sent. "
        "If the host set the server up anew, ask for the new invite: your name and messages stay. "
        "Otherwise somebody may be pretending to be it"
    ),
    "not_the_invites": (
        "this is not the server of the invite: its identity is different. Nothing was sent. "
        "If the host set the server up anew, ask for the new invite. "
        "Otherwise somebody may be pretending to be it"
    ),
    "storage": "this computer can't store messages: {cause}",
    "storage_full": "this computer's disk is full",
    "internal_error": "ChatClient had an internal error: {cause}",
    "ended": "ChatClient has to be restarted",
    # Why no chat was found
    "no_network": "this computer is on no network: plug in a cable, or join a Wi-Fi",
    "vpn_on": (
        "a VPN takes this computer's traffic, and may hide the local network: pause it, and the "
        "list fills by itself"
    ),
    "asks_nobody": (
        "this system lets ChatClient ask nobody on the network ({cause}): in its settings for "
        "privacy or the firewall, allow ChatClient to find devices on the local network"
    ),
    "nobody_hosts": (
        "other devices answer here, but no chat is open on this network, or the firewall of the "
        "host's computer hides it: ask whoever hosts for the invite link"
    ),
    "only_router_answers": (
        "the router answers, but no other device does: nobody hosts a chat here, or this network "
        "keeps its devices apart, as guest networks do. Join the network that the host is on"
    ),
    "nobody_answers": (
        "no other device answers here: the host's computer is off or on another network, or this "
        "network keeps its devices apart. Check that both are on the same one"
    ),
    "scanned_in_vain": (
        "none of the {count} addresses around this computer has a chat on port {port}"
    ),
    "nothing_to_scan": "this computer is on no network whose addresses can be tried",
    # Why a chat that was found can't be reached
    "found_refused": (
        "“{name}” is there, but its computer {address} refuses connections to port {port}: its "
        "firewall does, or ChatServer has just been closed. Ask the host to allow ChatServer in "
        "the firewall, or to open it again"
    ),
    "found_dropped": (
        "“{name}” is there, but its computer {address} does not answer on port {port}: its "
        "firewall drops what comes, or the network keeps its devices apart. Ask the host to allow "
        "ChatServer in the firewall"
    ),
    "found_elsewhere": (
        "“{name}” is there, but its address {address} belongs to another network than this "
        "computer's: give both an address of the same one"
    ),
    "found_gone": (
        "“{name}” is not on this network any more: ask the host to start ChatServer again"
    ),
    "found_other": (
        "another server than “{name}” answers at {address}, port {port}; nothing was sent. Ask the "
        "host for a link, which leads to the right one only"
    ),
    "not_sendable": "this message can't be sent as it is",
    "enough": "stopped as asked",
    "text": "{text}",
    # Violations of the protocol by the server
    "unknown_message": "the server sent something this program does not know",
    "unasked_room": "the server sent messages of a room that was not requested",
    "unasked_answer": "the server sent a reply to no request",
    "wrong_account": "the server signed in another account than the requested one",
    "unasked_ack": "the server acknowledged something other than what was sent",
    "wrong_page": "the server sent another page of a conversation than the requested one",
    "unknown_places": "the server's message numbers contradict each other",
    "gap": "messages are missing",
    "endless_list": "the server's lists never end",
    "list_middle": "the server's list of people does not begin where it was requested",
    # Goodbyes
    "server_closing": "the host closed the server. Nothing you said is lost",
    "terminated": "the host or a moderator ended your connection",
    "replaced": "this device connected again",
    "device_removed": f"this device was signed out; {_COME_BACK}",
    "too_slow": "disconnected: too many unread updates",
    "timeout": "connection timed out",
    "silent": "connection timed out: no data received for 60 s",
    "stuck": "connection timed out: no data accepted for 60 s",
    "no_sign_in": "connection timed out: not signed in within 30 s",
    "violation": "too many invalid messages",
    # For the host
    "out_of_files_here": (
        "the system lets this program have only {most} files and connections open at once; "
        "“ulimit -n” or the settings of its service allow more"
    ),
    "out_of_files": ("this computer has too many files and connections open; close other programs"),
    "out_of_means": "this computer can't open more connections: {cause}",
    "thread_failed": "an internal error ended its thread “{thread}”; {log} has the details",
    "busy_here": "this computer can't store messages now: {cause}",
    "disk_full_here": "this computer's disk is full",
    # For the host: what a firewall says (chat_server/reachability.py)
    "firewall_open": "the firewall ({firewall}) lets others connect to port {port}",
    "firewall_closed": (
        "the firewall ({firewall}) has no opening for port {port}. "
        "If nobody can connect, run this in a terminal"
    ),
    "firewall_on": (
        "a firewall ({firewall}) is on, and its rules can't be read from here. "
        "If nobody can connect, run this in a terminal"
    ),
    "firewall_file": (
        "a firewall ({firewall}) drops what {file} does not allow. "
        "If nobody can connect, allow TCP port {port} there"
    ),
    "firewall_windows": (
        "Windows has no rule yet that lets others connect. When it asks, choose “Allow”; or allow "
        "ChatServer for {profile} networks in Windows Security, “Allow an app through firewall”"
    ),
    "firewall_windows_blocked": (
        "Windows lets nobody connect: a rule blocks ChatServer on {profile} networks. Allow it in "
        "Windows Security, “Allow an app through firewall”"
    ),
    "firewall_macos": (
        "the firewall of macOS is on. When it asks whether ChatServer may accept connections, "
        "choose “Allow”"
    ),
    "firewall_macos_blocked": (
        "the firewall of macOS lets nobody connect to ChatServer. Allow it in System Settings, "
        "Network, Firewall, Options"
    ),
    "firewall_macos_all": (
        "the firewall of macOS blocks all incoming connections. Change that in System Settings, "
        "Network, Firewall, Options"
    ),
    # Names
    "username_form": (
        "a username has 1 to {most} of a-z, 0-9 and . _ - and starts with a letter or digit"
    ),
    "username_reserved": "the username {username} is reserved for the chat itself",
    "direct_with_oneself": "a direct conversation is between two people",
    "no_room_address": "{address} is no room: use its name, or @username for a person",
    "name_empty": "a name must not be empty",
    "name_invisible": "a name needs a visible character",
    "name_imitates": "this name could be taken for the chat's own words",
    "name_character": "a name can't have {character}",
    "name_character_alone": "a name can't have {character} by itself",
    "name_mark_alone": "a name can't have {character} without a letter",
    "name_marks": "a name has at most {most} marks on one letter",
    "name_long": "a name has at most {most} characters",
}


_NESTED: Final[Mapping[str, str]] = {
    "rate_limited": "{}",
    "name_refused": "{}",
    "busy": "{}",
    "internal": "{}",
    "timeout": "{}",
    "given_up": "{}, several times in a row. One of the two programs may need an update",
}
"""Codes whose reason has a cause in the parameter `why`."""
_FORMS: Final[Mapping[str, str]] = {
    "string_too_long": "this is too long: it has at most {most} characters",
}
"""Why something is malformed (`why`), where a person who typed it can do something about it."""
_ENDS: Final = tuple(".!?…\u3002\uff01\uff1f")
_NAMES: Final = frozenset({"name_taken", "name_alike"})
"""Codes that come with a free name as a proposal, if there is one."""
_WITH_REASON: Final = frozenset({"terminated", "banned", "muted"})
"""Codes of moderation, with an optional reason and end."""


def sentence(reason: Reason) -> str:
    """The sentence for a reason. A code that this program does not know is shown itself."""
    text = _sentence(reason)
    again = reason.params.get(AGAIN)
    return f"{text}; try again in {duration_text(again)}" if isinstance(again, int) else text


def _sentence(reason: Reason) -> str:
    code, params = reason
    why = params.get("why")
    # The cause, or an unknown one if there is nothing else to say.
    if code in _NESTED and why and (why in _SENTENCES or code not in _SENTENCES):
        inner = _sentence(Reason(str(params["why"]), {**params, "why": ""}))
        return _NESTED[code].format(inner)
    known = _SENTENCES.get(code)
    if code == "malformed" and "most" in params:
        known = _FORMS.get(str(why), known)
    if known is None:
        return f"the server says “{code.replace('_', ' ')}”" if code else ""
    if isinstance(seconds := params.get("seconds"), int):
        params = {**params, "every": duration_text(seconds)}
    text = known.format_map(_Given(params))
    if code in _NAMES:
        free = params.get("suggestion")
        text += f"; {free} is free" if free else "; choose another"
    if code in _WITH_REASON:
        until, words = params.get("until"), params.get("reason")
        if isinstance(until, int):
            text += f" until {until_text(until, time.time_ns() // 1_000_000)}"
        if words:
            text += f": {words}"
    return text


def whole_sentence(reason: Reason) -> str:
    """The same with a capital letter, and with a full stop unless it has one."""
    return as_sentence(sentence(reason))


def alike_sentence(members: Sequence[str], *, also_asks: bool) -> str:
    """Whose names look like that of somebody who asks to join; "" if nobody's does."""
    parts: list[str] = []
    if members:
        one = len(members) == 1
        who = "a member has this name or one" if one else "members have this name or ones"
        parts.append(f"{who} like it: {', '.join(f'@{each}' for each in members)}")
    if also_asks:
        parts.append("somebody else asks with such a name, too")
    return "; ".join(parts)


def as_sentence(text: str) -> str:
    """A text, such as an error's, with a capital letter, and with a full stop unless it has one."""
    text = text.rstrip()
    end = "" if text.endswith(_ENDS) else "."
    return f"{text[:1].upper()}{text[1:]}{end}"


class _Given(dict[str, str | int]):
    """The parameters of a sentence; a missing one is shown as such."""

    def __init__(self, params: Params) -> None:
        super().__init__(params)

    def __missing__(self, name: str) -> str:
        return "…"
