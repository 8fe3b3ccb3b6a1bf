"""What of the desktop can be tested on this system."""

import sys

# The library is installed on Linux only.
collect_ignore = [] if sys.platform.startswith("linux") else ["test_dbus.py"]
