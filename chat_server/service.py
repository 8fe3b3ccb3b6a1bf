"""The server as a whole: its parts, the order in which they start, and how they stop."""

import errno
import gc
import logging
import ssl
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from socket import gethostname, socket
from typing import Final

from chat_server.address_watch import AddressWatch
from chat_server.addresses import listens_everywhere, reachable_addresses
from chat_server.chat_name import name_by_computer
from chat_server.disk_watch import DiskWatch
from chat_server.housekeeping import Housekeeping
from chat_server.hub.hub import Hub, ShowView
from chat_server.hub.queue import HubQueue
from chat_server.identity import IdentityError, damaged, load_identity
from chat_server.invite_publisher import InvitePublisher
from chat_server.net.acceptor import Acceptor, ip_versions, listen
from chat_server.net.beacon import Beacon
from chat_server.net.descriptors import (
    allow_connections,
    check_room,
    out_of_files,
)
from chat_server.net.endpoints.ctl import CtlEndpoint
from chat_server.net.endpoints.local import LocalEndpoint, LocalSession
from chat_server.net.io_thread import IoThread
from chat_server.net.query_workers import Readers
from chat_server.options import Options
from chat_server.rate_limit import TokenBuckets
from chat_server.ready_file import Running
from chat_server.rules import inputs
from chat_server.rules.directory import Directory
from chat_server.rules.join_requests import JoinRequests, first_numbers
from chat_server.rules.joining import MODERATORS_INVITE, RULE, known_rule
from chat_server.rules.message_limits import MessageLimits
from chat_server.rules.view import (
    DiskLow,
    DiskRoomy,
    InviteRenewed,
    NoMoreConnections,
    Renamed,
    ServerFailed,
    ViewEvent,
)
from chat_server.rules.world import ServerFacts, World
from chat_server.store.sqlite.errors import unusable
from chat_server.store.sqlite.reader import SqliteReader
from chat_server.store.sqlite.store import SqliteStore
from chat_server.store.store import Store, StoreFailedError, StoreUnusableError
from chat_server.x25519 import x25519
from common import __version__
from common.domain.dns_sd import Advert
from common.domain.invite import Invite, is_loopback, is_unspecified
from common.domain.names import GENERAL
from common.domain.reasons import Reason
from common.domain.sentences import sentence
from common.protocol.messages import DEFAULT_RULE
from common.system import logs
from common.system.data_folder import data_folder
from common.system.installation import installations_in, server_key
from common.system.open_files import is_out_of_files
from common.system.private_files import FolderInUseError, FolderLock, make_private_folder
from common.system.tls import server_context

log = logging.getLogger(__name__)

SWITCH_INTERVAL = 1e-4
"""Seconds after which a busy thread must release the GIL. With the default of 5 ms, a computing
thread raises the latency of the others a hundredfold."""


RUNNING_FILE = "running.json"


_DATABASE: Final = "chat.db"


class StartError(Exception):
    """The server can't start; the text says why and what to do, in one line."""


class PortBusyError(StartError):
    """The port is in use by another program."""


class Server:
    """One server, started once and stopped once.

    `show` is called on the hub's thread, except for `ServerFailed`, `NoMoreConnections`, `DiskLow`
    and `DiskRoomy`, which may come from any. `changed` is called with the new facts whenever
    `running` changes, on the thread that noticed it, and must not call a method of this object.
    """

    def __init__(
        self,
        options: Options,
        data_dir: Path,
        show: ShowView,
        changed: Callable[[Running], object] = lambda _: None,
    ) -> None:
        self._options = options
        self._data_dir = data_dir
        self._show = show
        self._changed = changed
        self._queue = HubQueue()
        self._lock = FolderLock(data_dir)
        self._stopping = threading.Lock()
        self._publishing = threading.Lock()
        self._publisher: InvitePublisher | None = None
        self._beacon: Beacon | None = None
        self._ready_files: list[Path] = []
        self.failure: Reason | None = None
        """The reason, once one of its threads has failed: `stop` it then."""

    @property
    def running(self) -> Running | None:
        """The current facts about the server; None unless it runs."""
        publisher = self._publisher
        return None if publisher is None else publisher.running

    def publish_to(self, path: Path) -> None:
        """Write `running` to a file, update it with each change, and delete it in `stop`.

        Raises OSError if it can't be written now.
        """
        if self._publisher is not None:
            self._publisher.add_file(path)
            self._ready_files.append(path)

    def start(self, port: int | None = None) -> Running:
        """Start all threads and return once clients are accepted.

        Raises StartError with nothing left running; `start` may be called again then, with
        another port.
        """
        port = self._options.port if port is None else port
        allow_connections()
        try:
            check_room()
        except OSError as error:
            raise StartError(sentence(out_of_files(error))) from error
        try:
            if make_private_folder(self._data_dir):
                log.warning("%s was open to others; it is closed to them now", self._data_dir)
            self._lock.acquire()
        except FolderInUseError as error:
            raise StartError(
                f"another ChatServer uses {self._data_dir}; close it or choose another --data-dir"
            ) from error
        except OSError as error:
            why = f"the folder {self._data_dir} can't be used: {error.strerror or error}"
            raise StartError(why) from error
        try:
            return self._start(port)
        except BaseException:
            self._lock.release()
            raise

    def _start(self, port: int) -> Running:
        try:
            listening = listen(self._options.host, port)
        except OSError as error:
            raise _listen_error(error, self._options.host, port) from error
        with ExitStack() as undo:
            undo.callback(listening.close)
            try:
                running = self._start_on(listening, undo)
            except (IdentityError, StoreUnusableError) as error:
                raise StartError(str(error)) from error
            except StoreFailedError as error:
                raise StartError(str(unusable(self._data_dir / _DATABASE, error))) from error
            except OSError as error:
                if is_out_of_files(error):
                    raise StartError(sentence(out_of_files(error))) from error
                raise StartError(f"the folder {self._data_dir} can't be used: {error}") from error
            undo.pop_all()
        return running

    def _start_on(self, listening: socket, undo: ExitStack) -> Running:
        """Start everything else; `undo` gets the steps that stop it if something fails later."""
        options = self._options
        fingerprint, context = self._identity()
        self._store = store = SqliteStore(self._data_dir / _DATABASE)
        undo.callback(store.close)
        facts, directory = _load_or_create(store, options.name, fingerprint or b"")
        if not store.has_space():
            log.warning("the disk of %s is nearly full", self._data_dir)
        sys.setswitchinterval(SWITCH_INTERVAL)
        bound = listening.getsockname()[1]
        self._committed = facts
        """What is stored of the name and the secret; the hub's thread changes it."""
        self._world = world = World(
            facts,
            store,
            directory,
            since=time.time_ns() // 1_000_000,
            message_limits=MessageLimits(options.message_rate),
            join_limit=_join_limit(options.joins_per_minute),
            link=self._link,
            own_installations=partial(_own_installations, server_key(fingerprint, bound)),
            multiply=x25519,
            requests=JoinRequests(first_numbers()),
        )
        self._queue.post(inputs.PurgeSanctions())
        if directory.erasing:
            self._queue.post(inputs.EraseMessages())
        self._local = LocalEndpoint(self._queue)
        self._hub = Hub(self._queue, world, self._shown, self._thread_failed)
        self._io: Sequence[IoThread] = [IoThread(0, self._queue, context, self._thread_failed)]
        self._readers = Readers(
            lambda: SqliteReader(self._data_dir / _DATABASE),
            self._queue,
            self._leave_page,
            self._thread_failed,
        )
        self._ctl = CtlEndpoint(self._data_dir, self._local, self._thread_failed)
        self._acceptor = Acceptor(listening, self._io, self._thread_failed, self._is_full)
        stops = (self._readers.stop, *(io.stop for io in self._io), self._hub.stop)
        for stop in (*stops, self._ctl.stop, self._acceptor.stop):
            undo.callback(stop)
        self._versions = ip_versions(listening)
        invite = Invite(self._addresses(), bound, fingerprint, facts.secret, facts.name)
        publisher = self._links = InvitePublisher(invite, facts.epoch, self._changed)
        self._readers.start()
        self._hub.start(self._io, self._readers, self._local)
        for io in self._io:
            io.start()
        self._start_ctl()
        self._acceptor.start()
        # All objects so far stay: without this, each full collection scans them for 20 ms.
        gc.freeze()
        # A batch makes thousands of short-lived containers, which reference counting frees.
        # With Python's own threshold (700) cycles were looked for in the midst of each: 2 µs of
        # the 22 that a message takes.
        gc.set_threshold(50_000, 20, 50)
        try:
            publisher.add_file(self._data_dir / RUNNING_FILE)
        except OSError as error:
            # It only helps the client on this computer; the server runs without it.
            log.warning("%s can't be written: %s", RUNNING_FILE, error)
        self._publisher = publisher
        self._publish()  # a command line may have been quicker
        self._watch = AddressWatch(self._addresses, lambda found: publisher.update(addresses=found))
        if listens_everywhere(options.host):
            self._watch.start()
        self._beacon = self._make_beacon(listening, fingerprint, facts.name)
        if self._beacon is not None:
            self._beacon.start()
        self._start_timers()
        log.info("accepting clients on port %d", bound)
        return publisher.running

    def _start_timers(self) -> None:
        self._disk = DiskWatch(self._data_dir, self._show_disk)
        self._disk.start()
        self._housekeeping = Housekeeping(self._queue.post)
        self._housekeeping.start()

    def _start_ctl(self) -> None:
        """Accept command lines on this computer; if that fails, the server runs without them."""
        try:
            self._ctl.start()
        except OSError as error:
            log.warning("“ctl” can't be used: %s", error)

    def _make_beacon(
        self, listening: socket, fingerprint: bytes | None, name: str
    ) -> Beacon | None:
        """What lets guests find the server, unless that is switched off or only this computer can.

        None without TLS, too: then there is no certificate by which a guest could know the server.
        """
        host, port = listening.getsockname()[:2]
        if fingerprint is None or not self._options.discovery or is_loopback(host):
            return None
        source = None if is_unspecified(host) else host
        return Beacon(Advert(fingerprint, name, port), self._versions, source)

    @property
    def asked_at(self) -> int | None:
        """When another computer last looked for chats on this network, None if none did yet.

        In milliseconds since 1970-01-01 UTC.
        """
        beacon = self._beacon
        return None if beacon is None else beacon.asked_at

    def _addresses(self) -> tuple[str, ...]:
        return reachable_addresses(self._options.host, self._versions)

    def _identity(self) -> tuple[bytes | None, ssl.SSLContext | None]:
        if self._options.plaintext:
            return None, None
        identity = load_identity(self._data_dir)
        try:
            return identity.fingerprint, server_context(identity.path)
        except ssl.SSLError as error:
            raise damaged(identity.path) from error

    def host_session(self) -> LocalSession:
        """A new session of the host, while the server runs."""
        return self._local.open()

    def _leave_page(self, connection: int, number: int, frames: bytes) -> None:
        """Hand a page from a query worker to the I/O thread that owns the connection."""
        self._io[connection % len(self._io)].leave_page(connection, number, frames)

    def _shown(self, events: Sequence[ViewEvent]) -> None:
        """From the hub, once all of it is committed."""
        if any(isinstance(event, Renamed | InviteRenewed) for event in events):
            self._committed = self._world.facts
            # Not here: a file may be on a disk that hangs, and the hub serves everyone.
            threading.Thread(target=self._publish, name="publish", daemon=True).start()
        self._show(events)

    def _publish(self) -> None:
        """Publish the invite with the last committed name and secret.

        Not those of `World.facts`, which may belong to a batch that fails; and one thread at a
        time, or the slowest one could overwrite newer facts with older ones.
        """
        with self._publishing:
            publisher, facts = self._publisher, self._committed
            if publisher is not None:
                publisher.update(name=facts.name, secret=facts.secret)
                if self._beacon is not None:
                    self._beacon.rename(facts.name)

    def _link(self, facts: ServerFacts, username: str) -> str:
        """An invite's link with the current addresses; called by the hub.

        Not by `_publisher`, which is there only while the server runs: a command line may make an
        invite before and after that, and its secret is told in this link alone.
        """
        return self._links.link(facts.name, facts.secret, username)

    def stop(self) -> None:
        """Send goodbyes, write what is queued, join every thread. Idempotent."""
        with self._stopping:
            publisher, self._publisher = self._publisher, None
            if publisher is None:
                return
            # Every step runs, even if one before it raises; the steps run in reverse order.
            with ExitStack() as steps:
                steps.callback(log.info, "the server has stopped")
                # Last: whoever waits for this may start the next server in the same folder.
                for path in self._ready_files:
                    steps.callback(publisher.remove_file, path)
                steps.callback(self._lock.release)
                steps.callback(publisher.remove_file, self._data_dir / RUNNING_FILE)
                # The writer last: only it may fold the write-ahead log into the database.
                steps.callback(self._store.close)
                steps.callback(self._readers.stop)
                for io in self._io:
                    steps.callback(io.stop)
                steps.callback(self._hub.stop)
                steps.callback(self._queue.post, inputs.CloseEverything(), inputs.SaveSeen())
                steps.callback(self._acceptor.stop)
                steps.callback(self._ctl.stop)
                steps.callback(self._watch.stop)
                steps.callback(self._disk.stop)
                steps.callback(self._housekeeping.stop)
                # First of all, so that nobody comes to a closed door.
                if self._beacon is not None:
                    steps.callback(self._beacon.stop)

    def _is_full(self, why: Reason) -> None:
        """From the acceptor: no more connections can be accepted for now."""
        self._show([NoMoreConnections(why, time.time_ns() // 1_000_000)])

    def _show_disk(self, low: bool, free: int) -> None:
        """From the thread that watches the disk."""
        now = time.time_ns() // 1_000_000
        self._show([DiskLow(free, now) if low else DiskRoomy(now)])

    def _thread_failed(self, thread: str) -> None:
        """From a thread that failed: the server can't go on without it."""
        if self.failure is None:
            log_file = str(self._data_dir / logs.FILE)
            self.failure = Reason("thread_failed", {"thread": thread, "log": log_file})
            self._show([ServerFailed(self.failure, time.time_ns() // 1_000_000)])


def _join_limit(per_minute: int) -> TokenBuckets | None:
    return TokenBuckets(per_minute, per_minute / 60) if per_minute else None


def _own_installations(server: str) -> tuple[str, ...]:
    """The installations of the ChatClient of the user who runs the server."""
    return tuple(installations_in(data_folder("ChatClient"), server))


def _load_or_create(
    store: Store, name: str | None, fingerprint: bytes
) -> tuple[ServerFacts, Directory]:
    """The server's facts and the public room, created at the first start."""
    with store.transaction():
        if name is not None:
            store.set_meta("name", name)
        facts = ServerFacts(
            name=store.meta("name", name_by_computer(gethostname())),
            program=f"ChatServer {__version__}",
            epoch=store.epoch(),
            secret=store.invite_secret(time.time_ns() // 1_000_000),
            fingerprint=fingerprint,
            joining=known_rule(store.meta(RULE, DEFAULT_RULE)),
            moderators_invite=store.meta(MODERATORS_INVITE, "no") == "yes",
        )
        directory = store.load()
        if GENERAL not in directory.rooms:
            directory.add_room(store.add_room(GENERAL, 0))
    directory.commit()
    return facts, directory


def _listen_error(error: OSError, host: str | None, port: int) -> StartError:
    where = f"port {port}" if host is None else f"port {port} of {host}"
    if error.errno == errno.EADDRINUSE:
        return PortBusyError(f"{where} is used by another program; choose another --port")
    if error.errno == errno.EACCES:
        return PortBusyError(f"{where} is not allowed for you; choose a --port above 1023")
    return StartError(f"can't listen on {where}: {error.strerror or error}")
