"""Start ChatClient: ``python -m chat_client``, or with a verb for scripts."""

import logging
import sys
from collections.abc import Sequence

from platformdirs import user_data_path

from chat_client.options import parse_options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the client. The exit status: 0, 1 (refused, unreachable) or 2 (usage)."""
    options = parse_options(arguments)
    logging.basicConfig(
        level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    data_dir = options.data_dir or user_data_path("ChatClient", appauthor=False)
    # Each front end is imported only when it is used: the verbs need no Tk and no display.
    if options.verb is not None:
        from chat_client import headless

        return headless.run(options, data_dir)
    from chat_client.window import app

    return app.run(options, data_dir)


if __name__ == "__main__":
    sys.exit(main())
