"""Switches between the join screen and the conversations of the open account."""

import logging
import tkinter as tk
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from chat_client.accounts import NEVER_MADE, AccountError, Accounts
from chat_client.cache.errors import CacheError, CacheFailedError
from chat_client.link_argument import DamagedLink, read_link
from chat_client.login_name import login_name
from chat_client.open_account import OpenAccount
from chat_client.options import Name, Options, name_of
from chat_client.settings import SettingsStore
from chat_client.state.account import Account
from chat_client.state.news import AccountChanged, News, Requested, StatusChanged
from chat_client.state.request import DeleteMe
from chat_client.state.status import WRONG_SERVER, Link, Status
from chat_client.window.join.attempt import JoinAttempt
from chat_client.window.join.hosting import find_server
from chat_client.window.join.model import Hooks, JoinModel, Prefill
from chat_client.window.join.network import Network
from chat_client.window.join.recognition import Recognition
from chat_client.window.join.screen import JoinScreen
from chat_client.window.join.search import Search
from chat_client.window.join.words import tried
from chat_client.window.main_screen import MainScreen
from chat_client.window.notifications import Notifications
from chat_client.window.other_starts import OtherStarts
from chat_client.window.settings.opener import SettingsOpener
from common.domain.invite import Invite, Place
from common.domain.reasons import Reason
from common.domain.sentences import as_sentence, whole_sentence
from common.system.private_files import FolderInUseError
from common.ui.program.garbage_collection import collect_here
from common.ui.program.mailbox import Mailbox
from common.ui.program.program import Program
from common.ui.settings.applied_looks import AppliedLooks
from common.ui.widgets.dialog import Choice, Dialog
from common.ui.widgets.editing import Editing
from common.ui.widgets.keys import FIND, GO_TO_DATE, SETTINGS, SETTINGS_TITLE
from common.ui.widgets.redirect import redirect_typing
from common.ui.widgets.safe_text import safe

if TYPE_CHECKING:
    from common.system.open_windows import WindowEntry
    from common.ui.settings.window import SettingsWindow

log = logging.getLogger(__name__)

DRAWN = 40
"""Milliseconds in which a new screen is drawn and has the keyboard."""
_LINGER: Final = 500
"""Milliseconds for which a screen that was replaced still takes the keys that were for it."""
_Told = tuple[int, Sequence[News]]


class Screens:
    """Owns the open account and the current screen."""

    status = 0
    owns_folder = True  # several windows may share it: each account has a folder of its own

    def __init__(
        self, program: "Program[Screens]", options: Options, entry: "WindowEntry | None" = None
    ) -> None:
        self._root, self._theme, self._options = program.root, program.theme, options
        self._end = program.close
        self._accounts = Accounts(program.data_dir)
        self.settings = SettingsStore(program.data_dir)
        self.notifications = Notifications(program.root, program.icon, self.settings)
        self.other_starts = OtherStarts(
            program.root, program.data_dir, entry, self.notifications.attention, self.open_link
        )
        self._is_beginning = False
        """Whether the screen is opened that this program was started for."""
        self.session: OpenAccount | None = None
        self.screen: JoinScreen | MainScreen | None = None
        self._gone: dict[JoinScreen | MainScreen, str] = {}
        """Screens that another one has replaced, and the timers for when they are destroyed."""
        self.looks = AppliedLooks(program, self.settings, self._rebuild, options.theme)
        self.settings_opener = SettingsOpener(
            program, options, self.settings, self.looks, self.notifications
        )
        self.looks.apply()
        self._grow = program.grow
        self._generation = 0
        self._beginning: str | None = None
        self._coming_back = ""
        """The key of the account that needs another invite, as long as the join screen is shown."""
        self._mailbox: Mailbox[_Told] = Mailbox(program.root, self._take)
        self._recognition = Recognition(program.root)
        collect_here(program.root)
        program.root.bind(FIND, lambda _: self._find())
        program.root.bind(GO_TO_DATE, lambda _: self._go_to_date())
        redirect_typing(program.root, self._written, self._submit)
        program.root.bind("<Escape>", lambda _: self._escape())
        program.root.bind(SETTINGS, lambda _: self.show_settings())
        program.root.bind("<<Paste>>", self._pasted, add="+")
        program.root.bind("<FocusIn>", self._focused, add="+")
        program.root.bind("<Map>", self._mapped, add="+")

    def begin(self) -> None:
        """The screen that the command line and the data folder ask for."""
        self._is_beginning = True
        self._begin_with(self._options.join, self._options.name)
        self._is_beginning = False
        self.other_starts.begin()

    def _begin_with(self, invite: Invite | None, name: Name | None) -> None:
        damaged = self._options.damaged
        if damaged is not None:
            self._show_damaged(damaged)
            return
        account = None
        if invite is not None or not self._options.new_window:
            try:
                account = self._account_for(invite, name)
            except AccountError as error:
                self.show_join(invite, problem=str(error))
                return
        if account is not None and account.joined:
            self.open(account if invite is None else account.with_invite(invite))
            return
        former = invite is not None and self._accounts.former(invite, None) is not None
        if name is None and self._options.login_name and not former:
            name = name_of(login_name())
        screen = self.show_join(invite, name.display_name if name else "")
        if invite is not None and name is not None:
            self._join(invite, name)
        elif former and not self._options.from_outside:
            screen.join()

    def _account_for(self, invite: Invite | None, name: Name | None) -> Account | None:
        username = name.username if name is not None else None
        if username is None and invite is not None:
            username = invite.username or None  # the link is for a device of somebody
        return self._accounts.find(invite, username)

    def open_link(self, text: str) -> None:
        """Show an invite link that another program opened; nothing is joined unasked."""
        link = read_link(text)
        if isinstance(link, DamagedLink):
            self._show_damaged(link)
            return
        try:
            account = self._account_for(link, None)
        except AccountError as error:
            self.show_join(link, problem=str(error))
            return
        if account is None or not account.joined:
            if isinstance(self.screen, JoinScreen):
                self.screen.take(link)  # with the name that is being typed
            elif self._may_leave():
                self.show_join(link)
            return
        known = account.with_invite(link)
        if self.session is None or self.session.account.key != known.key:
            # It may be open in another window, which comes to the front then.
            self.other_starts.raise_window_of(
                known.key, lambda raised: self._open_unless(raised, known)
            )
        elif not self._is_online:
            self.open(known)

    def _open_unless(self, raised: bool, account: Account) -> None:
        if not raised and self._may_leave():
            self.open(account)

    def _show_damaged(self, link: DamagedLink) -> None:
        problem = as_sentence(link.problem)
        if isinstance(self.screen, MainScreen):
            self.screen.tell(f"The link that was opened is no invite. {problem}")
        elif isinstance(self.screen, JoinScreen):
            self.screen.show_damaged(link.text, problem)
        else:
            self.show_join(link=link.text, problem=problem, field="invite")

    def may_close(self) -> bool:
        """Nothing is lost by closing, so nothing is asked; but for what can't be stored now."""
        return self._may_lose("Close and lose what you wrote?", "Close", "Keep open")

    def _may_leave(self) -> bool:
        return self._may_lose("Open the link and lose what you wrote?", "Open it", "Stay here")

    def _may_lose(self, question: str, yes: str, no: str) -> bool:
        if not isinstance(self.screen, MainScreen) or not self.screen.would_lose:
            return True
        dialog = Dialog(
            self._root,
            self._theme,
            question,
            "This computer can't store anything now, so what you wrote and did not send would be "
            "gone. Make room on its disk, or copy the text to another place.",
            (Choice("close", yes, "danger"), Choice("keep", no, "primary")),
            cancel="keep",
        )
        return dialog.ask().choice == "close"

    def close(self, ended: Callable[[], object]) -> None:
        """Close the account; nothing that was written is lost. Then call `ended`."""
        # Gone from the screen at once; storing what was written last takes a moment more.
        self._root.withdraw()
        self.other_starts.stop()
        self._mailbox.close()
        self._recognition.close()
        self.notifications.stop()
        self.looks.stop()
        for timer in self._gone.values():
            self._root.after_cancel(timer)
        self._close_session()
        if self.screen is not None:
            self.screen.close()
        ended()

    # Screens

    def show_join(
        self,
        invite: Invite | None = None,
        name: str = "",
        *,
        place: Place | None = None,
        account: Account | None = None,
        problem: str = "",
        field: str = "",
        link: str = "",
    ) -> JoinScreen:
        """The join screen, with an invite, at a chat whose host is asked, or for an account.

        That one needs another invite to come back into its chat, which may be at `place`.
        """
        self._close_session()
        self._coming_back = account.key if account is not None else ""
        try:
            known = [account for account in self._accounts.all() if account.joined]
        except AccountError as error:
            known, problem = [], problem or str(error)
        self._root.title("ChatClient")
        # Who asks at a place that is known already is not who is signed in there.
        proposed = login_name() if place is None and account is None else ""
        first = Prefill(
            invite,
            name or proposed,
            problem=problem,
            field=field,
            place=place,
            account=account,
            link=link,
        )
        hooks = Hooks(self._join, self.open, self._cancel, self.show_settings)
        screen = JoinScreen(self._root, self._theme, self._make_model(known), hooks, first)
        self._show(screen)
        return screen

    def _make_model(self, known: Sequence[Account]) -> JoinModel:
        network, installation = Network(), self._accounts.installation
        return JoinModel(
            Search(self._root, network, known, find_server()),
            JoinAttempt(self._root, network, installation),
        )

    def open(self, account: Account) -> None:
        """The conversations of an account that has joined."""
        if self._start(account):
            self._show_main()

    def _show_main(self) -> None:
        if self.session is not None:
            self._grow()
            self._show(self._main(self.session))
            # The cached messages are shown, and can be answered, before anything is connected.
            self._beginning = self._root.after(DRAWN, self._begin)

    def _begin(self) -> None:
        self._beginning = None
        if self.session is not None:
            self.session.begin()
        if self.settings.problem is not None and isinstance(self.screen, MainScreen):
            self.screen.tell(f"Something is wrong with the settings: press {SETTINGS_TITLE}")

    def _main(self, session: OpenAccount, former: MainScreen | None = None) -> MainScreen:
        return MainScreen(
            self._root,
            self._theme,
            session,
            self.notifications,
            former,
            on_title=lambda title: self._root.title(f"{title} — ChatClient"),
            on_leave=self.show_join,
            on_another=self._join_as_another,
            on_come_back=self._come_back,
            on_reopen=lambda: self.open(session.account),
            on_remove=self._remove_account,
            on_settings=self.show_settings,
            on_mode=self.looks.toggle_mode,
        )

    def _join_as_another(self) -> None:
        """The join screen, at the chat that is open."""
        place = self.session.account.invite.place if self.session is not None else None
        self.show_join(place=place)

    def _come_back(self, why: Reason) -> None:
        """The join screen, where this account comes back into its chat, and why it has to."""
        if self.session is not None:
            account = self.session.account
            self._leave_account()
            # A code is of no use where another server answers.
            place = None if why.code in WRONG_SERVER else account.invite.place
            said = safe(whole_sentence(why))
            self.show_join(place=place, account=account, problem=said, field="invite")

    # Settings

    @property
    def settings_window(self) -> "SettingsWindow | None":
        """The settings window, if it is open."""
        return self.settings_opener.window

    def show_settings(self, page: str = "Notifications") -> None:
        """Show the settings of the open account, or those of none."""
        account = self.session.account.key if self.session is not None else None
        self.settings_opener.show(page, account, self._name_of_room)

    def _name_of_room(self, room: str) -> str:
        if not isinstance(self.screen, MainScreen):
            return room
        return self.screen.overview.title(room)

    def _rebuild(self) -> None:
        """Make all that is shown anew, for another size of text; nothing of it is lost."""
        former = self.screen
        if isinstance(former, MainScreen) and self.session is not None:
            place = former.transcript.first_in_view
            screen = self._main(self.session, former)
            self._replace(former)
            self._show(screen)
            screen.view.show_place(place)
        elif isinstance(former, JoinScreen):
            # Its model stays: it is the new one's, too.
            anew = former.made_anew()
            former.pack_forget()
            self.screen = None
            self._show(anew)
            anew.take_keyboard(former)
            former.destroy()
        self.settings_opener.rebuild()

    def _destroy(self, former: JoinScreen | MainScreen) -> None:
        del self._gone[former]
        former.destroy()

    def _show(self, screen: JoinScreen | MainScreen) -> None:
        if isinstance(self.screen, JoinScreen):
            self._replace(self.screen)
        elif self.screen is not None:
            self.screen.close()
        self.screen = screen
        screen.pack(fill="both", expand=True)

    def _replace(self, former: JoinScreen | MainScreen) -> None:
        """Take a screen away, in whose place another one comes at once.

        Keys that are pressed meanwhile are sent to what is below the pointer: Tk drops those for
        windows that are no more. So it lingers.
        """
        former.close(destroy=False)
        former.pack_forget()
        self._gone[former] = self._root.after(_LINGER, lambda: self._destroy(former))
        self.screen = None

    def _written(self) -> Editing | None:
        """Where one's next message is written, if there is such a place."""
        return self.screen.composer.editing if isinstance(self.screen, MainScreen) else None

    def _submit(self) -> None:
        if isinstance(self.screen, MainScreen):
            self.screen.composer.submit()

    def _find(self) -> None:
        if isinstance(self.screen, MainScreen):
            self.screen.find.show()

    def _go_to_date(self) -> None:
        if isinstance(self.screen, MainScreen):
            self.screen.view.go_to_date()

    def _escape(self) -> None:
        if self.screen is not None:
            self.screen.escape()

    def _pasted(self, event: "tk.Event[tk.Misc]") -> None:
        """Somebody pasted where nothing is typed: on the join screen that is a link."""
        if isinstance(self.screen, JoinScreen) and not isinstance(event.widget, tk.Entry):
            self.screen.pasted()

    def _focused(self, event: "tk.Event[tk.Misc]") -> None:
        """The window has the keyboard again: a link may have been copied meanwhile.

        Or another window of this program changed a setting.
        """
        if event.widget is self._root:
            self.looks.look_again()
        # The window's binding also hears of each widget in it.
        if event.widget is self._root and isinstance(self.screen, JoinScreen):
            self.screen.clipboard.ask()

    def _mapped(self, event: "tk.Event[tk.Misc]") -> None:
        """The window is on the screen again."""
        if event.widget is self._root and isinstance(self.screen, MainScreen):
            self.screen.look()

    # Joining

    def _join(self, invite: Invite, name: Name) -> None:
        """Try to join; the join screen stays until the server has answered."""
        if invite.username:
            name = Name(invite.username, name.display_name)
        account = self._accounts.find(invite, name.username)
        if account is not None and account.joined and account.key != self._coming_back:
            self.open(account.with_invite(invite))
            return
        former = self._accounts.former(invite, name.username) if account is None else None
        if former is None:
            self._join_as(account or self._new(invite, name), invite, name)
            return
        self._close_session()
        self._on_join_screen().joining(f"Checking whether it knows @{former.username}…")

        def answered(is_known: bool) -> None:
            if is_known:
                self.open(former.with_invite(invite))
            else:
                self._join_as(self._new(invite, name), invite, name)

        def unanswered(why: str) -> None:
            # Not joined as somebody new: the name and all that was said would be left behind.
            self._on_join_screen().refuse(why, "invite")

        self._recognition.ask(former, invite, answered, unanswered)

    def _new(self, invite: Invite, name: Name) -> Account:
        return self._accounts.new(invite, name.username, name.display_name)

    def _join_as(self, account: Account, invite: Invite, name: Name) -> None:
        # The token of an earlier try stays: the server may have taken it.
        called = account if account.joined else account.called(name.display_name)
        if self._start(called.with_invite(invite)):
            self._on_join_screen().joining()
            if self.session is not None:
                self.session.begin()

    def _cancel(self) -> None:
        self._close_session()
        self._on_join_screen().refuse("", "")

    def _on_join_screen(self) -> JoinScreen:
        return self.screen if isinstance(self.screen, JoinScreen) else self.show_join()

    def _start(self, account: Account) -> bool:
        """Open an account; if that can't be, the join screen says why."""
        self._close_session()
        self._generation += 1
        # Not `self`: the threads of a connection may be the last to refer to what they call.
        generation, mailbox = self._generation, self._mailbox
        try:
            self.session = OpenAccount(
                self._accounts, account, lambda told: mailbox.post((generation, told))
            )
        except FolderInUseError:
            why = (
                f"{account.display_name} is open in another ChatClient window. "
                "Use that one, or join under another name."
            )
            is_all = self._is_beginning
            self.other_starts.raise_window_of(
                account.key, lambda raised: self._was_raised(raised and is_all)
            )
        except (AccountError, CacheError, OSError, CacheFailedError) as error:
            why = f"The messages on this computer can't be opened: {error}."
        else:
            self.other_starts.show(account.key)
            return True
        self._on_join_screen().refuse(why, "")
        return False

    def _was_raised(self, is_done: bool) -> None:
        """The other window is in front; this one ends if it was started for nothing else."""
        if is_done and self.session is None:
            self._end()

    @property
    def _is_online(self) -> bool:
        screen = self.screen
        return isinstance(screen, MainScreen) and screen.connection.status.link is Link.ONLINE

    def _close_session(self) -> None:
        self._recognition.cancel()
        self.settings_opener.close()
        if self._beginning is not None:
            self._root.after_cancel(self._beginning)
            self._beginning = None
        if self.session is not None:
            if isinstance(self.screen, MainScreen):
                self.screen.save_draft()
            self.session.close()
            self.session = None
            self.other_starts.show("")

    # News

    def _take(self, items: list[_Told]) -> None:
        # News of the core of a closed account are dropped.
        told = [item for number, part in items if number == self._generation for item in part]
        if self.session is not None:
            self._apply(self.session, told)

    def _apply(self, session: OpenAccount, told: Sequence[News]) -> None:
        for item in told:
            if self.session is not session:
                return  # Something in it ended the session.
            if isinstance(item, AccountChanged):
                self._save(item.account)
                session.account = item.account
                if isinstance(self.screen, JoinScreen):
                    self._show_main()
            elif isinstance(item, StatusChanged) and isinstance(self.screen, JoinScreen):
                self._join_went(session, self.screen, item)
            elif isinstance(item, StatusChanged) and item.status.link is Link.SIGNED_OUT:
                self._signed_out(item.status)
            elif isinstance(item, Requested) and _is_deletion(item):
                self._remove_account()
        if isinstance(self.screen, MainScreen):
            self.screen.apply(told)

    def _signed_out(self, status: Status) -> None:
        """This device or its account is no longer: nothing can be done from here."""
        if status.code == "account_deleted":
            self._leave_account()
            self.show_join(problem=safe(whole_sentence(status.reason)))
        elif status.code == "device_removed":
            self._come_back(status.reason)

    def _remove_account(self) -> None:
        """Remove a deleted account from this computer, with the copies of its conversations."""
        session = self.session
        if session is None:
            return
        self._leave_account()
        account = session.account
        said = f"Your account in {safe(account.invite.server_name)} was deleted."
        try:
            self._accounts.delete(account)
        except OSError as error:
            log.exception("the folder of a deleted account could not be removed")
            said += f" Its folder can't be removed: {error.strerror or error}."
        self.show_join(problem=said)

    def _leave_account(self) -> None:
        """Close the open account; no dialog of its screen is left."""
        if isinstance(self.screen, MainScreen) and self.screen.dialog is not None:
            self.screen.dialog.close()
        self._close_session()

    def _save(self, account: Account) -> None:
        try:
            self._accounts.save(account)
        except (AccountError, OSError):
            # On a full disk. What stands there has the token already: with it one comes in again.
            log.exception("the account could not be stored as the server confirmed it")

    def _join_went(self, session: OpenAccount, screen: JoinScreen, changed: StatusChanged) -> None:
        status = changed.status
        if status.link is Link.PAUSED:
            screen.joining("Trying again…", tried(status))
        elif status.link in {Link.REFUSED, Link.SIGNED_OUT, Link.STOPPED}:
            field = "username" if status.code in {"name_taken", "name_alike"} else status.field
            self._close_session()
            if status.code in NEVER_MADE and not session.account.joined:
                self._accounts.remove(session.account)
            screen.refuse(tried(status), field, str(status.reason.params.get("suggestion", "")))


def _is_deletion(item: Requested) -> bool:
    """Whether this account was deleted from here."""
    return isinstance(item.what, DeleteMe) and item.why is None
