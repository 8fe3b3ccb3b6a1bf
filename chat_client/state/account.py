"""Who somebody is on which server: all that is needed to come back."""

from dataclasses import dataclass, field, replace

from common.domain.invite import Invite
from common.system.installation import server_key as key_of


@dataclass(frozen=True, slots=True)
class Account:
    """An account on one server, with this device's token.

    `joined` is False until the server has confirmed it once. The token is made before the
    first try and kept: if the server's answer gets lost, the next try is the same one.
    """

    invite: Invite
    username: str
    display_name: str
    token: str
    joined: bool = False
    installation: str = field(default="", compare=False)
    """Names this copy of the program to its server, the same for all accounts there."""
    folder: str = field(default="", compare=False)
    """The name of the folder it is kept in; empty for one that is not kept yet."""

    @property
    def key(self) -> str:
        """Names the account's folder: its username and the server it was made for.

        It stays when the server gets another identity, with everything that is in the folder.
        """
        return self.folder or f"{self.username}@{server_key(self.invite)}"

    def with_invite(self, invite: Invite) -> "Account":
        """The same account of the same server, which may have another address or identity now."""
        return replace(self, invite=invite, folder=self.key)

    def called(self, display_name: str) -> "Account":
        """The same account under another display name, as long as it has not joined."""
        return replace(self, display_name=display_name)

    def confirmed(self, username: str, display_name: str) -> "Account":
        """The account as the server knows it."""
        return replace(
            self, username=username, display_name=display_name, joined=True, folder=self.key
        )


def server_key(invite: Invite) -> str:
    """The same for every invite of a server."""
    return key_of(invite.fingerprint, invite.port)
