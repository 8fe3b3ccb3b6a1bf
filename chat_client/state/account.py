"""An account on a server: everything needed to reconnect."""

from dataclasses import dataclass, field, replace

from common.domain.invite import Invite
from common.system.installation import server_key as key_of


@dataclass(frozen=True, slots=True)
class Account:
    """An account on one server, with this device's token.

    `joined` is False until the server has confirmed it once. The token is created and stored
    before the first attempt: if the server's reply is lost, the next attempt repeats the same join.
    """

    invite: Invite
    username: str
    display_name: str
    token: str
    joined: bool = False
    installation: str = field(default="", compare=False)
    """The id of this installation for the server, the same for all accounts there."""
    folder: str = field(default="", compare=False)
    """The name of its folder; empty for an account that is not stored yet."""

    @property
    def key(self) -> str:
        """The name of the account's folder: its username and the server it was made for.

        It stays the same when the server gets another identity.
        """
        return self.folder or f"{self.username}@{server_key(self.invite)}"

    def with_invite(self, invite: Invite) -> "Account":
        """The same account with the server's current invite: new addresses, or a new identity."""
        return replace(self, invite=invite, folder=self.key)

    def called(self, display_name: str) -> "Account":
        """The same account with another display name, as long as it has not joined."""
        return replace(self, display_name=display_name)

    def confirmed(self, username: str, display_name: str) -> "Account":
        """The account as the server has confirmed it.

        An invite that adds a device is used up by that: it is no longer bound to the account.
        """
        return replace(
            self,
            invite=replace(self.invite, username=""),
            username=username,
            display_name=display_name,
            joined=True,
            folder=self.key,
        )


def server_key(invite: Invite) -> str:
    """A key that is equal for all invites of a server."""
    return key_of(invite.fingerprint, invite.port)
