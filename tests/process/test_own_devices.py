"""One's own devices by the verbs of scripts: listing, adding, signing out."""

from __future__ import annotations

import json
from typing import Any

from common.domain.invite import parse_invite
from tests.process.harness import Client, House


def devices(client: Client) -> list[dict[str, Any]]:
    """What the list has, one JSON object a line."""
    return [json.loads(line) for line in client.ask("devices", "--json")]


def test_a_person_adds_a_device_and_signs_one_out(house: House) -> None:
    """The list marks the one that asks; whoever is signed out reads why."""
    server = house.server()
    ada = house.client(server, "ada")
    ada.send("from my laptop")
    (only,) = devices(ada)
    assert (only["current"], only["online"]) == (True, True)

    child = ada.run("add-device")
    assert child.status() == 0
    (link,) = child.out
    assert "give it to nobody else" in child.err[-1]
    assert parse_invite(link).username == "ada"
    phone = Client(house, house.folder / "phone", "ada", link)
    hearing = phone.listen()
    assert hearing.texts(1) == ["from my laptop"]
    (current,) = [each["device"] for each in devices(ada) if each["current"]]
    assert current == only["device"]
    (other,) = [each["device"] for each in devices(ada) if not each["current"]]
    rows = [line.split("\t") for line in ada.ask("devices")]
    assert [len(row) for row in rows if row[0] == current] == [5]
    assert [row[3] for row in rows if row[0] == other] == ["online"]

    assert ada.ask("remove-device", other[:8]) == []
    assert hearing.status() == 1
    assert "this device was signed out" in hearing.err[-1]
    assert [each["device"] for each in devices(ada)] == [current]
    again = ada.run("remove-device", other)
    assert (again.status(), "there is no such device" in again.err[-1]) == (1, True)
    wrong = ada.run("remove-device", "xyz")
    assert (wrong.status(), "is no device" in wrong.err[-1]) == (2, True)


def test_a_person_signs_the_own_device_out(house: House) -> None:
    """That is carried out before the connection ends."""
    server = house.server()
    ada = house.client(server, "ada")
    ada.send("hello")
    (only,) = devices(ada)
    assert ada.ask("remove-device", only["device"]) == []
    gone = ada.run("send", "again")
    assert gone.status() == 1
    assert "not known here as ada" in gone.err[-1]
