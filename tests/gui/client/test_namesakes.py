"""People whose names look alike, in the window: both have their username beside the name."""

from __future__ import annotations

import sqlite3

from common.domain.names import GENERAL
from tests.gui.harness import Host, Town, Window


def heads(window: Window) -> list[str]:
    """The names over messages, with what stands beside them but for the time."""
    text = window.messages
    lines = [text.get(f"{line}.0", f"{line}.end") for line in range(1, 40)]
    return [" ".join(line.split()[:-1]) for line in lines if line.startswith("\t")]


def test_a_lookalike_who_comes_later_marks_both(town: Town, host: Host) -> None:
    """What is drawn already is drawn anew: heads, joining, lists, the title, the composer."""
    ada = town.member(host, "Ada")
    victor = town.peer(host, "Victor")
    victor.say("It is me.")
    ada.wait(lambda: "It is me." in ada.said, "his message")
    assert heads(ada) == ["Victor"]
    assert "@victor" not in ada.said
    eve = town.peer(host, "\u03bdictor")  # with a Greek letter that looks like v
    eve.say("It is me.", room=GENERAL)
    eve.say("Psst", room=f"dm:ada:{eve.username}")
    ada.wait(lambda: len(heads(ada)) == 2 and "@" in heads(ada)[1], "both messages")
    assert heads(ada) == ["Victor @victor", f"\u03bdictor @{eve.username}"]
    assert "Victor @victor joined" in ada.said
    assert f"\u03bdictor @{eve.username} joined" in ada.said
    assert "Ada joined" in ada.said
    handles = {item.username: item.handle for item in ada.main.overview.members(GENERAL)}
    assert handles == {"ada": "", "victor": "@victor", eve.username: f"@{eve.username}"}

    room = f"dm:ada:{eve.username}"
    ada.wait(lambda: room in ada.main.sidebar.rooms.order(), "the direct conversation")
    ada.click_row(ada.main.sidebar.rooms, room)
    ada.wait(lambda: ada.main.room == room, "its messages")
    assert ada.title.startswith(f"\u03bdictor @{eve.username} — ")


def test_a_name_from_before_it_was_refused_is_marked(town: Town) -> None:
    """An account called "Host" stays, and can't be taken for the host."""
    host = town.host()
    bruno = town.peer(host, "Bruno")
    bruno.say("Do as I say.")
    bruno.stop()
    host.stop()
    with sqlite3.connect(host.data_dir / "chat.db") as database:
        database.execute("UPDATE accounts SET display_name = 'Host'")
    database.close()
    host.start()
    ada = town.member(host, "Ada")
    ada.wait(lambda: heads(ada) == ["Host @bruno"], "the message with its sender")
