"""The invite: its link, with the secret for joining, and its renewal."""

import secrets
from dataclasses import replace
from functools import partial

from chat_server.rules.effects import Answer
from chat_server.rules.sessions import Session
from chat_server.rules.view import InviteRenewed
from chat_server.rules.world import Outcome, World
from common.protocol import messages


def show_invite(world: World, session: Session, command: messages.ShowInvite, _now: int) -> Outcome:
    """Reply with the invite's link."""
    return [_link(world, session, command)]


def new_invite(world: World, session: Session, command: messages.NewInvite, _now: int) -> Outcome:
    """Make a new link; the old one becomes invalid."""
    return [*renew_invite(world), _link(world, session, command)]


def renew_invite(world: World) -> Outcome:
    """Replace the secret: the old link becomes invalid, existing accounts are not affected."""
    secret = secrets.token_urlsafe(16)
    world.store.set_meta("invite_secret", secret)
    world.directory.undo.note(partial(setattr, world, "facts", world.facts))
    world.facts = replace(world.facts, secret=secret)
    return [InviteRenewed()]


def _link(
    world: World, session: Session, command: messages.ShowInvite | messages.NewInvite
) -> Answer:
    return Answer(
        session.connection,
        command.id,
        lambda: messages.InviteLink(re=command.id, link=world.link(world.facts)),
    )
