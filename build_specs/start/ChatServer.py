"""Where the frozen ChatServer begins."""

import sys

from chat_server.__main__ import main

sys.exit(main())
