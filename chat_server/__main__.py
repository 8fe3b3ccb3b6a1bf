"""Start ChatServer: ``python -m chat_server``."""

import logging
import sys
from collections.abc import Sequence

from platformdirs import user_data_path

from chat_server.options import parse_options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server until it is closed. The exit status: 0, or 2 when it could not start."""
    options = parse_options(arguments)
    logging.basicConfig(
        level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    data_dir = options.data_dir or user_data_path("ChatServer", appauthor=False)
    if not options.headless:
        # Only here: without a window it runs on computers that have no Tk.
        from chat_server.window import app

        return app.run(options, data_dir)
    # Only here: the window is on the screen before the server is loaded.
    from chat_server import headless
    from chat_server.service import StartError

    try:
        headless.run(options, data_dir)
    except StartError as error:
        print(f"ChatServer: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
