"""The verbs about one's own account: ``rename`` and ``delete-account``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_client.conversation import complain
from chat_client.own_devices import carry_out
from chat_client.state.request import DeleteMe, RenameMe
from common.system.private_files import FolderInUseError

if TYPE_CHECKING:
    from chat_client.accounts import Accounts
    from chat_client.options import Options


def rename(options: Options, accounts: Accounts) -> None:
    """Change the display name. Raises FailedError."""
    carry_out(RenameMe(options.text or ""), options, accounts)


def delete_account(options: Options, accounts: Accounts) -> None:
    """Delete the account, and what this computer has of its conversations.

    Raises FailedError, AccountError, OSError.
    """
    carry_out(DeleteMe("remove" if options.messages == "remove" else "keep"), options, accounts)
    account = accounts.find(options.join, options.name.username if options.name else None)
    if account is None:
        return
    try:
        accounts.lock(account).release()
    except FolderInUseError:
        complain("another ChatClient shows this account: what it has is removed there")
    else:
        accounts.delete(account)
