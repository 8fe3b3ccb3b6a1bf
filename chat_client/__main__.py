"""Start ChatClient: ``python -m chat_client``, or with a verb for scripts."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from chat_client.options import parse_options
from common.system.data_folder import data_folder, profile_folder
from common.system.process import end_on_interrupt, prepare


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the client. The exit status: 0, 1 (refused, unreachable, failed) or 2 (usage)."""
    prepare()
    options = parse_options(arguments)
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
    from chat_client.window import app

    return app.run(options, data_dir)


if __name__ == "__main__":
    end_on_interrupt()
    sys.exit(main())
