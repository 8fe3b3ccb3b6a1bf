"""An X server of a test's own, with the resources that a desktop would set in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def x_server(resources: str = "", screen: str = "1280x800", dpi: int = 96) -> Iterator[str]:
    """The name of a display, for $DISPLAY. Skips the test where Xvfb or xrdb isn't installed."""
    for tool in ("Xvfb", "xrdb"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    read, write = os.pipe()
    # -noreset: without, the resources go with the program that set them.
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{screen}x24", "-noreset"]
    server = subprocess.Popen(
        [*command, "-dpi", str(dpi), "-nolisten", "tcp"],
        pass_fds=(write,),
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as told:
            display = f":{told.readline().strip()}"
        if resources:
            subprocess.run(
                ["xrdb", "-nocpp", "-display", display, "-merge"],
                input=f"{resources}\n".encode(),
                check=True,
            )
        yield display
    finally:
        server.terminate()
        server.wait()
