"""A session bus of a test's own, and a display on which notification servers show what they get."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

SERVICES: Final = Path("/usr/share/dbus-1/services")
"""Where programs say how the bus starts them."""
_CONFIGURATION: Final = """
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <keep_umask/>
  <listen>unix:dir={folder}</listen>
  <servicedir>{folder}/services</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


@contextmanager
def session_bus(folder: Path, *services: str, **more: str) -> Iterator[str]:
    """The address of a bus whose files are in `folder`.

    It starts these services of the computer when they are needed, and no other, named by their
    files, with `more` in their environment. Skips the test where D-Bus isn't installed.
    """
    if shutil.which("dbus-daemon") is None:
        pytest.skip("dbus-daemon is not installed")
    configuration = write_configuration(folder)
    for service in services:
        shutil.copy(SERVICES / service, folder / "services")
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder), "HOME": str(folder), **more}
    read, write = os.pipe()
    command = ["dbus-daemon", f"--config-file={configuration}", "--nofork"]
    bus = subprocess.Popen(
        [*command, f"--print-address={write}"],
        pass_fds=(write,),
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as told:
            address = told.readline().strip()
        assert address, "the bus did not start"
        yield address
    finally:
        bus.kill()
        bus.wait()


def write_configuration(folder: Path) -> Path:
    """A bus's configuration, for `--config-file`: its socket is in `folder`, its services below."""
    configuration = folder / "bus.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder), "utf-8")
    (folder / "services").mkdir()
    return configuration
