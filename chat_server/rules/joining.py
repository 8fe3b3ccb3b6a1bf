"""The rule of who may join: with an invite, by asking, or from this network."""

import ipaddress
from dataclasses import replace
from functools import partial
from typing import Final

from chat_server.rules.effects import Answer
from chat_server.rules.issued_invites import NEEDS_NO_ASKING, IssuedInvite
from chat_server.rules.sessions import Session
from chat_server.rules.view import JoiningChanged
from chat_server.rules.world import Outcome, World, done
from common.protocol import messages

RULE: Final = "join_rule"
"""The key of the rule in the store's settings."""
MODERATORS_INVITE: Final = "moderators_invite"
"""The key of whether moderators may make invites: "yes" or "no"."""
_LOCAL: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),  # RFC 1918
            *("169.254.0.0/16", "127.0.0.0/8"),  # RFC 3927, RFC 1122
            *("fc00::/7", "fe80::/10", "::1/128"),  # RFC 4193, RFC 4291
        ),
    )
)


def set_joining(world: World, session: Session, command: messages.SetJoining, now: int) -> Outcome:
    """Change who may join; who has joined stays."""
    world.store.set_meta(RULE, command.rule)
    world.store.set_meta(MODERATORS_INVITE, "yes" if command.moderators_invite else "no")
    world.directory.undo.note(partial(setattr, world, "facts", world.facts))
    world.facts = replace(
        world.facts, joining=command.rule, moderators_invite=command.moderators_invite
    )
    return [
        done(session, command),
        JoiningChanged(command.rule, command.moderators_invite, now),
    ]


def ask_joining(world: World, session: Session, command: messages.AskJoining, _now: int) -> Outcome:
    """Reply with who may join."""

    def joining() -> messages.Joining:
        facts = world.facts
        return messages.Joining(
            re=command.id, rule=facts.joining, moderators_invite=facts.moderators_invite
        )

    return [Answer(session.connection, command.id, joining)]


def known_rule(stored: str) -> messages.JoinRule:
    """The rule as it was stored; what this version does not know is the strictest."""
    match stored:
        case "invite_or_ask" | "invite" | "ask" | "open":
            return stored
        case _:
            return "ask"


def may_use(world: World, invite: IssuedInvite) -> bool:
    """Whether newcomers may join with an invite of this kind."""
    return world.facts.joining != "ask" or invite.kind in NEEDS_NO_ASKING


def needs_no_invite(world: World, session: Session) -> bool:
    """Whether a newcomer at this address may join without one."""
    return world.facts.joining == "open" and is_on_this_network(session.address)


def is_on_this_network(address: str) -> bool:
    """Whether an address is private, link-local or loopback: it is of a network like this one.

    Not `is_private` of the standard library, to which networks for documentation and others belong.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in _LOCAL if network.version == found.version)
