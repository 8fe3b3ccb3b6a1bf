"""Start ChatServer: ``python -m chat_server``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from chat_server.options import parse_options
from common.system.data_folder import data_folder
from common.system.process import end_on_interrupt, prepare


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server until it is closed. The exit status: 0, 1 (failed) or 2 (no start)."""
    prepare()
    given = sys.argv[1:] if arguments is None else arguments
    if given and given[0] == "ctl":
        from chat_server import ctl

        return ctl.main(given[1:])
    options = parse_options(arguments)
    data_dir = options.data_dir or data_folder("ChatServer")
    # Each front end is imported only when it is used: without a window it runs on computers
    # that have no Tk, and the window is on the screen before the server is loaded.
    if options.headless:
        from chat_server import headless

        return headless.main(options, data_dir)
    if options.smoke_test:
        from chat_server.window import smoke

        return smoke.run()
    from chat_server.window import app

    return app.run(options, data_dir)


if __name__ == "__main__":
    end_on_interrupt()
    sys.exit(main())
