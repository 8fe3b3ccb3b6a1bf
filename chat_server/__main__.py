"""Start ChatServer: ``python -m chat_server``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from chat_server.options import Options, parse_options
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
    return _open_window(options, data_dir)


def _open_window(options: Options, data_dir: Path) -> int:
    """Open the window, unless one is open with this data folder: that comes to the front."""
    from common.system.open_windows import announce, other_windows

    own = announce(data_dir)
    try:
        if own is not None and other_windows(data_dir, own):
            from common.system.second_start import raise_instead

            if raise_instead(data_dir, own, "ChatServer"):
                return 0
        from chat_server.window import app

        return app.run(options, data_dir, own)
    finally:
        if own is not None:
            own.remove()


if __name__ == "__main__":
    end_on_interrupt()
    sys.exit(main())
