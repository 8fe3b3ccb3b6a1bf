"""Where the frozen ChatClient begins."""

import sys

from chat_client.__main__ import main

sys.exit(main())
