"""Joining without a link through real programs: verbs that ask or have a code, and `ctl`."""

from __future__ import annotations

import json
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.process.harness import Child, House, Server, wait_until


def verb(house: House, server: Server, name: str, *flags: str, stdin: str = "") -> Child:
    """A verb of somebody who knows the server's address alone."""
    folder = house.folder / f"client-{name}"
    at = f"127.0.0.1:{server.port}"
    return house.child(
        f"send of {name}",
        ["chat_client", "send", "--data-dir", str(folder), "--at", at, "--name", name, *flags],
        stdin=stdin,
    )


def ctl(house: House, server: Server, *arguments: str) -> list[str]:
    """What a command of the host prints."""
    child = house.child(
        "ctl", ["chat_server", "ctl", arguments[0], "--data-dir", str(server.data_dir),
                *arguments[1:]]
    )  # fmt: skip
    assert child.status() == 0, child.transcript()
    return child.out


def requests(house: House, server: Server, count: int = 1) -> list[dict[str, object]]:
    """Those who ask, once there are so many."""
    found: list[dict[str, object]] = []

    def all_there() -> bool:
        found[:] = [json.loads(line) for line in ctl(house, server, "requests", "--json")]
        return len(found) == count

    wait_until(all_there, f"{count} requests")
    return found


def digits_of(child: Child) -> str:
    """What a guest was told."""
    told = re.search(r"digits: (\d{4})$", child.complaint("digits:"))
    assert told is not None
    return told[1]


def texts(house: House, name: str) -> list[str]:
    """What somebody who has joined reads."""
    folder = str(house.folder / f"client-{name}")
    listening = house.child(
        f"listen of {name}",
        ["chat_client", "listen", "--json", "--data-dir", folder, "--after", "0", "--count", "1"],
    )
    assert listening.status() == 0, listening.transcript()
    return [json.loads(line)["body"]["text"] for line in listening.out if '"message"' in line]


def test_a_host_without_a_window_lets_somebody_in(house: House, server: Server) -> None:
    """Both see the same digits; what was to be said is said then."""
    ada = verb(house, server, "Ada", "--ask", "hello")
    digits = digits_of(ada)
    (request,) = requests(house, server)
    assert (request["digits"], request["username"]) == (digits, "ada")
    (line,) = ctl(house, server, "requests")
    assert line.split("\t")[:4] == [str(request["request"]), digits, "ada", "Ada"]
    ctl(house, server, "admit", str(request["request"]))
    assert ada.status() == 0, ada.transcript()
    assert texts(house, "Ada") == ["hello"]
    assert ctl(house, server, "requests") == []
    again = verb(house, server, "Ada", "--ask", "it is me again")
    assert again.status() == 0, again.transcript()
    assert ctl(house, server, "requests") == [], "who has an account there asks nobody"


def test_a_host_says_no(house: House, server: Server) -> None:
    """The verb fails with these words; a blocked device is among the bans."""
    ada = verb(house, server, "Ada", "--ask", "hello")
    ctl(house, server, "deny", str(requests(house, server)[0]["request"]))
    assert ada.status() == 1
    ada.complaint("the host said no")
    again = verb(house, server, "Ada", "--ask", "hello")
    assert again.status() == 1
    again.complaint("you can ask again in 1 min")


def test_a_host_blocks_a_device(house: House, server: Server) -> None:
    """It is among the bans, from where it can be lifted."""
    eve = verb(house, server, "Eve", "--ask", "hello")
    ctl(house, server, "deny", str(requests(house, server)[0]["request"]), "--block")
    assert eve.status() == 1
    eve.complaint("the host does not let this computer in")
    (ban,) = ctl(house, server, "sanctions", "--json")
    sanction = json.loads(ban)
    assert (sanction["username"], sanction["by"]) == (None, "(host)")
    assert sanction["device"]
    again = verb(house, server, "Eve", "--ask", "hello")
    assert again.status() == 1
    again.complaint("banned")


def test_who_gives_up_asks_no_longer(house: House, server: Server) -> None:
    """Ctrl+C at the guest's, and the host's list is empty."""
    ada = verb(house, server, "Ada", "--ask", "hello")
    digits_of(ada)
    requests(house, server)
    ada.process.send_signal(signal.SIGINT)
    assert ada.status() == 1
    requests(house, server, 0)


def test_somebody_joins_by_the_code(house: House, server: Server) -> None:
    """As it is typed, on the command line or from standard input; a wrong one is told so."""
    (code,) = ctl(house, server, "code")
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", code)
    ada = verb(house, server, "Ada", "--code", code.lower().replace("-", " "), "hello")
    assert ada.status() == 0, ada.transcript()
    bob = verb(house, server, "Bob", "--code", "-", "me, too", stdin=f"{code}\n")
    assert bob.status() == 0, bob.transcript()
    wrong = verb(house, server, "Eve", "--code", "0000-0000", "hello")
    assert wrong.status() == 1
    wrong.complaint("this code is wrong")
    ctl(house, server, "code", "end")
    late = verb(house, server, "Eve", "--code", code, "hello")
    assert late.status() == 1
    late.complaint("this code is not valid here")


def test_a_code_adds_a_device_to_an_account(house: House, server: Server) -> None:
    """Nobody needs a name for that."""
    (code,) = ctl(house, server, "code")
    assert verb(house, server, "Ada", "--code", code, "hello").status() == 0
    (code,) = ctl(house, server, "code", "--username", "ada")
    at = f"127.0.0.1:{server.port}"
    phone = house.child(
        "send of the phone",
        ["chat_client", "send", "--data-dir", str(house.folder / "phone"), "--at", at,
         "--code", code, "on the way"],
    )  # fmt: skip
    assert phone.status() == 0, phone.transcript()
    (person,) = [json.loads(line) for line in ctl(house, server, "people", "--json")]
    assert person["username"] == "ada"


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_a_code_is_not_in_the_list_of_processes(house: House, server: Server) -> None:
    """While the verb that it was given to runs."""
    (code,) = ctl(house, server, "code")
    at = f"127.0.0.1:{server.port}"
    listening = house.child(
        "listen of Ada",
        ["chat_client", "listen", "--data-dir", str(house.folder / "ada"), "--at", at,
         "--name", "Ada", "--code", code],
    )  # fmt: skip
    assert "joined" in listening.line()
    arguments = Path(f"/proc/{listening.process.pid}/cmdline").read_bytes()
    assert b"--code" in arguments
    assert code.encode() not in arguments


def test_an_address_that_leads_nowhere_is_told(house: House, server: Server) -> None:
    """With what was tried."""
    server.stop()
    ada = verb(house, server, "Ada", "--ask", "hello")
    assert ada.status() == 1
    ada.complaint("can't be reached")


def test_no_secret_is_in_any_log(house: House) -> None:
    """Codes, secrets, nonces, shares and tokens: at the level debug, on both sides, and by ctl."""
    server = house.server("--log-level", "debug", name="debugged")
    (code,) = ctl(house, server, "code")
    assert verb(house, server, "Ada", "--code", code, "--log-level", "debug", "hi").status() == 0
    wrong = verb(house, server, "Eve", "--code", "0000-0000", "--log-level", "debug", "hi")
    assert wrong.status() == 1
    bob = verb(house, server, "Bob", "--ask", "--log-level", "debug", "hi")
    (request,) = requests(house, server)
    ctl(house, server, "admit", str(request["request"]))
    assert bob.status() == 0, bob.transcript()
    said = [*ctl(house, server, "audit"), *ctl(house, server, "audit", "--json")]
    said += [line for child in house.children for line in child.err]
    said += [path.read_text("utf-8") for path in server.data_dir.glob("log*.txt*")]
    said += [path.read_text("utf-8") for path in house.folder.glob("client-*/log*.txt*")]
    everything = "\n".join(said)
    assert "code_proof" in everything, "the log has what was done"
    assert "knock_open" in everything
    for account in house.folder.glob("client-*/accounts/*/account.json"):
        content = json.loads(account.read_bytes())
        secret = re.search(r"secret=([A-Za-z0-9_-]{22})", content["invite"])
        assert secret is not None
        assert secret[1] not in everything
        assert content["token"] not in everything
    assert code not in everything
    assert code.replace("-", "") not in everything
    # Shares, nonces, tags and commitments, whatever of them are secret, are this long.
    assert not re.search(r"(?<![0-9a-f])[0-9a-f]{64}", everything)
