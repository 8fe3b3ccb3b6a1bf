"""What names a copy of ChatClient to a server, made alike by both programs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chat_client.accounts import Accounts
from chat_server import service
from common.domain.invite import Invite
from common.system.installation import SECRET_BYTES, installation_of, installations_in, server_key
from tests.unit.chat_server.house import FINGERPRINT


def test_a_server_knows_the_client_of_its_host(tmp_path: Path) -> None:
    """With its profiles; what is damaged, or of another server, is none of them."""
    invite = Invite(("192.0.2.1",), 7, FINGERPRINT, "s" * 22, "Home")
    server = server_key(FINGERPRINT, 7)
    assert list(installations_in(tmp_path, server)) == []
    folders = (tmp_path, tmp_path / "profiles" / "two")
    made = [Accounts(folder).new(invite, "ada", "Ada").installation for folder in folders]
    assert sorted(installations_in(tmp_path, server)) == sorted(made)
    assert len(set(made)) == 2
    other = server_key(replace(invite, fingerprint=None).fingerprint, 7)
    assert set(installations_in(tmp_path, other)).isdisjoint(made)
    (tmp_path / "installation").write_bytes(b"short")
    assert list(installations_in(tmp_path, server)) == made[1:]


def test_the_service_asks_for_the_folder_of_this_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where ChatClient has its data by itself."""
    secret = bytes(range(SECRET_BYTES))
    (tmp_path / "installation").write_bytes(secret)
    monkeypatch.setattr(service, "data_folder", {"ChatClient": tmp_path}.__getitem__)
    assert service._own_installations("key") == (installation_of(secret, "key"),)
