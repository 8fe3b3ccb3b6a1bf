"""What a program that has loaded everything leaves to the collector of garbage."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_OPENING: Final = """
import gc, sys
from pathlib import Path
from chat_client.accounts import Accounts, new_account
from chat_client.open_account import OpenAccount
from tests.unit.chat_client.desk import INVITE

gc.disable()  # as the window does, which looks for garbage itself
account = OpenAccount(Accounts(Path(sys.argv[1])), new_account(INVITE, "ada", "Ada"), lambda _: 0)
account.begin()
account.core
account.close()
print(gc.get_freeze_count(), len(gc.get_objects()))
"""


def test_a_look_for_garbage_passes_over_all_that_is_loaded(tmp_path: Path) -> None:
    """With it, a look takes some 20 ms of the window's thread, in which nobody is answered."""
    done = subprocess.run(
        [sys.executable, "-c", _OPENING, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    frozen, left = map(int, done.stdout.split())
    assert left * 10 < frozen
