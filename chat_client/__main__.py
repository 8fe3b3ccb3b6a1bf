"""Start ChatClient: ``python -m chat_client``, or with a verb for scripts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from chat_client.link_argument import secrets_among
from chat_client.options import Options, parse_options
from common.system.data_folder import data_folder, profile_folder
from common.system.process import INVITE_VARIABLE, end_on_interrupt, prepare


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the client. The exit status: 0, 1 (refused, unreachable, failed) or 2 (usage)."""
    prepare()
    given = list(sys.argv[1:] if arguments is None else arguments)
    is_hidden = _hide(given)
    options = parse_options(given)
    data_dir = profile_folder(options.data_dir or data_folder("ChatClient"), options.profile)
    # Each front end is imported only when it is used: the verbs need no Tk and no display.
    if options.smoke_test:
        from chat_client.window import smoke

        return smoke.run()
    if options.verb is not None:
        from chat_client import headless
        from common.system.logs import start_logging

        # Verbs may run by the dozen, and their log records belong to the caller's standard error.
        start_logging(options.log_level, None)
        return headless.run(options, data_dir)
    return _open_window(options, data_dir, None if is_hidden else given)


def _open_window(options: Options, data_dir: Path, shown: Sequence[str] | None) -> int:
    """Open the window, unless one that is open already does what this start was asked for.

    `shown` are the arguments if other users can see an invite among them.
    """
    from common.system.open_windows import announce, other_windows

    own = announce(data_dir)
    try:
        if own is not None and not options.new_window and other_windows(data_dir, own):
            from chat_client.second_start import hand_over_start

            remaining = hand_over_start(options, data_dir, own)
            if remaining is None:
                from common.system.second_start import tell_of_window

                tell_of_window("ChatClient")
                return 0
            options = remaining
        if shown is not None:
            from chat_client.second_start import start_without_arguments

            if own is not None:
                own.remove()  # or the other process would wait for this one's window
            start_without_arguments(options, shown)
            return 0
        from chat_client.window import app

        return app.run(options, data_dir, own)
    finally:
        if own is not None:
            own.remove()


def _hide(arguments: Sequence[str]) -> bool:
    """Hide invites from the system's list of processes; False if they are still to be seen."""
    secrets = secrets_among(arguments)
    if not secrets:
        return True
    from common.system.hidden_arguments import hide_arguments

    return hide_arguments(secrets, INVITE_VARIABLE)


if __name__ == "__main__":
    end_on_interrupt()
    sys.exit(main())
