"""People who do two things at once that exclude each other: one of them happens, and all of it.

Whoever comes first is chance; what is there afterwards is not, in the answers, in the database and
in the audit log.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Any, Final, TypeVar

import pytest

from chat_server.ctl_socket import connect as connect_ctl
from common.domain.invite import Invite, parse_invite
from common.protocol import messages
from common.protocol.messages import ToClient
from tests.process.fuzzing import Peer
from tests.process.harness import DEADLINE, Server
from tests.process.newcomer import Newcomer
from tests.process.wire import HungUpError, Session

ROUNDS: Final = 12
AT_ONCE: Final = 12
_R = TypeVar("_R")


class Host:
    """What the host says, on the command line's way; and what the database has."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def ask(self, kind: Callable[..., Any], **fields: object) -> ToClient:
        """The reply to a command; from any thread."""
        with closing(connect_ctl(self._server.data_dir, DEADLINE)) as connection:
            return Peer(connection, Counter()).say(kind(id=1, **fields).model_dump_json().encode())

    def invite(self, **fields: object) -> tuple[int, Invite]:
        """A new one: its number, and what its link says."""
        made = self.ask(messages.CreateInvite, **fields)
        assert isinstance(made, messages.InviteCreated)
        return made.number, parse_invite(made.link)

    def select(self, query: str, *values: object) -> list[Any]:
        """Rows of the database."""
        path = f"file:{self._server.data_dir}/chat.db?mode=ro"
        with closing(sqlite3.connect(path, uri=True)) as connection:
            return connection.execute(query, values).fetchall()

    def uses(self, number: int) -> int:
        """How often an invite was used."""
        ((uses,),) = self.select("SELECT uses FROM invites WHERE number = ?", number)
        return int(uses)

    def has(self, username: str) -> bool:
        """Whether there is such an account, with all that belongs to one."""
        rows = self.select(
            "SELECT (SELECT count(*) FROM devices WHERE account = number),"
            " (SELECT count(*) FROM members WHERE account = number),"
            " (SELECT count(*) FROM events WHERE sender = number AND kind = 'join')"
            " FROM accounts WHERE username = ?",
            username,
        )
        assert rows in ([], [(1, 1, 1)])
        return bool(rows)

    def logged(self, action: str) -> list[dict[str, Any]]:
        """What the audit log has of an action."""
        rows = self.select("SELECT fields FROM audit WHERE action = ?", action)
        return [json.loads(fields) for (fields,) in rows]


@pytest.fixture(scope="module")
def host(standing: Server) -> Host:
    """Of one server for all tests of this file."""
    return Host(standing)


@pytest.fixture
def names() -> Iterator[str]:
    """Usernames that nobody has."""
    return (f"p{secrets.token_hex(6)}" for _ in iter(int, 1))


def at_once(*actions: Callable[[], _R]) -> Sequence[_R | Exception]:
    """Do all of them on threads that start together; what came of each."""
    results: list[_R | Exception] = [AssertionError("nothing")] * len(actions)
    together = threading.Barrier(len(actions))

    def run(place: int, action: Callable[[], _R]) -> None:
        together.wait()
        try:
            results[place] = action()
        except (AssertionError, HungUpError, OSError) as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def joining(invite: Invite, username: str) -> Callable[[], bool]:
    """Join with an invite, and leave: whether that was possible."""

    def join() -> bool:
        with Session(invite, username, installation=secrets.token_hex(16)):
            return True

    return join


def test_of_many_with_an_invite_for_one_just_one_comes_in(host: Host, names: Iterator[str]) -> None:
    """The others are told that it was used, and nothing is left of them."""
    for _ in range(ROUNDS):
        number, invite = host.invite(uses=1)
        people = [next(names) for _ in range(AT_ONCE)]
        results = at_once(*[joining(invite, each) for each in people])
        came = [each for each, result in zip(people, results, strict=True) if result is True]
        assert len(came) == 1
        assert [each for each in people if host.has(each)] == came
        assert host.uses(number) == 1
        refused = [str(each) for each in results if each is not True]
        assert all("invite_used" in each for each in refused), refused


def test_of_many_with_one_name_just_one_has_it(
    host: Host, standing: Server, names: Iterator[str]
) -> None:
    """However they spell it."""
    for _ in range(ROUNDS):
        name = next(names)
        spelt = [name, name.upper()] * (AT_ONCE // 4)
        results = at_once(*[joining(standing.join, each) for each in spelt])
        assert results.count(True) == 1
        assert host.has(name)


def test_an_invite_is_revoked_while_somebody_joins(host: Host, names: Iterator[str]) -> None:
    """They are in, and it was used once; or there is nobody, and it was not."""
    for _ in range(ROUNDS):
        number, invite = host.invite()
        name = next(names)
        came, done = at_once(
            joining(invite, name), partial(host.ask, messages.RevokeInvite, number=number)
        )
        assert isinstance(done, messages.Done)
        assert host.has(name) is (came is True)
        assert host.uses(number) == (came is True)
        assert came is True or "bad_secret" in str(came)
        assert [each["number"] for each in host.logged("revoke_invite")].count(number) == 1


def test_a_request_is_granted_refused_and_taken_back_at_once(
    host: Host, standing: Server, names: Iterator[str]
) -> None:
    """One of the three happens: guest, host and audit log agree which."""
    for number in range(ROUNDS):
        name = next(names)
        with Newcomer(standing.join, name, source=f"127.9.{number}.1") as guest:
            guest.knock()
            listed = host.ask(messages.ListRequests)
            assert isinstance(listed, messages.Requests)
            (request,) = [each.request for each in listed.requests if each.username == name]
            heard: list[messages.KnockAnswered] = []

            def withdraw(
                guest: Newcomer = guest, heard: list[messages.KnockAnswered] = heard
            ) -> ToClient:
                guest.command(messages.Withdraw)
                while isinstance(said := guest.message(), messages.KnockAnswered):
                    heard.append(said)
                assert isinstance(said, messages.Done)
                return said

            admitted, denied, _ = at_once(
                partial(host.ask, messages.Admit, request=request),
                partial(host.ask, messages.Deny, request=request),
                withdraw,
            )
            is_in, is_out = (isinstance(each, messages.Done) for each in (admitted, denied))
            assert not (is_in and is_out)
            code = "admitted" if is_in else "refused"
            assert [each.code for each in heard] == [code] * (is_in or is_out)
            about = [each for each in host.logged("admit") if each["username"] == name]
            assert len(about) == is_in
            about = [each for each in host.logged("deny") if each["username"] == name]
            assert len(about) == is_out
            if is_in:
                assert isinstance(guest.join(heard[0].secret), messages.SignedIn)
        assert host.has(name) is is_in


def test_an_account_is_deleted_while_its_other_device_sends(
    host: Host, standing: Server, names: Iterator[str]
) -> None:
    """What was acknowledged was there before the deletion, and nothing came after it."""
    for _ in range(ROUNDS):
        name = next(names)
        acked: list[int] = []
        with (
            Session(standing.join, name) as writing,
            Session(standing.join, name, writing.token) as other,
        ):

            def talk(writing: Session = writing, acked: list[int] = acked) -> None:
                for number in range(50):
                    acked += [each.seq for each in writing.say_all(f"{number} a", f"{number} b")]

            def delete(other: Session = other) -> None:
                other.command(messages.DeleteMe, messages="keep")
                other.expect(messages.Done)

            _, gone = at_once(talk, delete)
        assert gone is None
        events = host.select(
            "SELECT kind, seq FROM events JOIN accounts ON accounts.number = sender"
            " WHERE username = ? ORDER BY seq",
            name,
        )
        kinds = [kind for kind, _ in events]
        assert (kinds[0], kinds[-1]) == ("join", "account_deleted")
        assert set(kinds[1:-1]) <= {"message"}
        assert set(acked) <= {seq for kind, seq in events if kind == "message"}
        with pytest.raises((AssertionError, HungUpError), match="account_deleted"):
            Session(standing.join, name, writing.token)
