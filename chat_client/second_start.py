"""What a start of the window does when there are windows of this program already.

A link goes to one of them, and an account that is open in one is not opened again: that window
comes to the front. This module is imported only where there is another window, or an invite that
others can see.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from chat_client.accounts import AccountError, Accounts
from chat_client.link_argument import OPEN_LINK, without_secrets
from chat_client.options import Options
from chat_client.state.account import Account
from common.system.open_windows import OpenWindow, WindowEntry
from common.system.second_start import Request, hand_over, startup_token, wait_for_windows


def hand_over_start(options: Options, data_dir: Path, own: WindowEntry) -> Options | None:
    """Have another window do what this start was asked for; None if one does.

    Otherwise the options with which to open a window here. `own` is this process's entry. Blocks
    for some seconds if another window is opening or hangs.
    """
    windows = wait_for_windows(data_dir, own)
    link, token = link_of(options), startup_token()
    accounts = _accounts(data_dir)
    account = _account_of(options, data_dir)
    is_plain = link is None and options.name is None
    if is_plain and _has_another(accounts, windows, account):
        return options._replace(new_window=True)
    if account is not None:
        theirs = [each for each in windows if each.account == account.key]
        if hand_over(theirs, Request(link, account.key, token)):
            return None
    elif is_plain and hand_over(windows, Request(None, "", token)):
        return None
    # With a name, somebody wants a window in which they have joined under it.
    is_only_link = link is not None and options.name is None and not options.login_name
    if is_only_link and hand_over(windows, Request(link, "", token)):
        return None
    return options


def link_of(options: Options) -> str | None:
    """The invite link with which the program was started, whole or damaged."""
    if options.damaged is not None:
        return options.damaged.text
    return options.join.link() if options.join is not None else None


def start_without_arguments(options: Options, arguments: Sequence[str]) -> None:
    """Start this program once more, without the invite link among its arguments. Raises OSError.

    The link comes by a pipe. `arguments` are those of this start.
    """
    flag = "--join" if options.join is not None and not options.from_outside else OPEN_LINK
    command = [sys.executable, *without_secrets(arguments), flag, "-"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603  # this program
    if process.stdin is not None:
        with process.stdin as pipe:
            pipe.write((link_of(options) or "").encode("utf-8", "replace"))


def _accounts(data_dir: Path) -> list[Account]:
    try:
        return [account for account in Accounts(data_dir).all() if account.joined]
    except AccountError:
        return []  # the window will say it


def _account_of(options: Options, data_dir: Path) -> Account | None:
    """The account that this start would open."""
    if options.damaged is not None:
        return None
    username = options.name.username if options.name is not None else None
    if username is None and options.join is not None:
        username = options.join.username or None
    try:
        account = Accounts(data_dir).find(options.join, username)
    except AccountError:
        return None
    return account if account is not None and account.joined else None


def _has_another(
    accounts: Sequence[Account], windows: Sequence[OpenWindow], account: Account | None
) -> bool:
    """Whether the account is open already, and there is another one that is not."""
    open_ = {window.account for window in windows}
    if account is None or account.key not in open_:
        return False
    return any(each.key not in open_ for each in accounts)
