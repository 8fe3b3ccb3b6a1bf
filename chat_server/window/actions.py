"""The actions that widgets can request; `HostController` carries them out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chat_server.window.model import (
    ClientRow,
    InviteRow,
    Page,
    PersonRow,
    RequestRow,
    SanctionRow,
)


@dataclass(frozen=True, slots=True)
class JoiningActions:
    """What has to do with joining. Each is called on the Tk thread.

    `admit`, `refuse` and `block` answer a request, the last one after a confirmation.
    `show_code` puts a code on the screen, and makes one if there is none; `hide_code` takes it
    away, `end_code` also ends it, and `renew_code` shows another one in its place.
    `create_invite` asks what the invite is to be, and shows its link; `revoke` ends one.
    `add_device` makes an invite for one more device of a person, `devices` shows those there are,
    `delete_account` asks before it deletes.
    `set_rule(rule, moderators_invite)` changes who may join.
    """

    admit: Callable[[RequestRow], object]
    refuse: Callable[[RequestRow], object]
    block: Callable[[RequestRow], object]
    show_code: Callable[[], object]
    hide_code: Callable[[], object]
    renew_code: Callable[[], object]
    end_code: Callable[[], object]
    create_invite: Callable[[], object]
    revoke: Callable[[InviteRow], object]
    add_device: Callable[[PersonRow], object]
    devices: Callable[[PersonRow], object]
    delete_account: Callable[[PersonRow], object]
    set_rule: Callable[[str, bool], object]


@dataclass(frozen=True, slots=True)
class Actions:
    """Each is called on the Tk thread.

    `rename(text)` renames the chat if the name is valid; the next view has the outcome.
    `open_client` starts ChatClient in this chat; it is None where there is no ChatClient.
    Moderation applies to the people of all given rows, after a confirmation where one is needed.
    `lift` ends a ban or a mute, `new_invite` makes a new link, `go` shows a page.
    `show_settings` opens the settings window. `switch(on)` starts or stops the server;
    `copy(text, said)` puts text on the clipboard and shows `said` in a toast unless that is empty.
    """

    switch: Callable[[bool], object]
    terminate: Callable[[Sequence[ClientRow]], object]
    mute: Callable[[Sequence[PersonRow]], object]
    unmute: Callable[[Sequence[PersonRow]], object]
    ban: Callable[[Sequence[PersonRow]], object]
    unban: Callable[[Sequence[PersonRow]], object]
    set_role: Callable[[Sequence[PersonRow], str], object]
    lift: Callable[[SanctionRow], object]
    new_invite: Callable[[], object]
    go: Callable[[Page], object]
    copy: Callable[[str, str], object]
    search: Callable[[str], object]
    toggle_theme: Callable[[], object]
    rename: Callable[[str], object]
    open_client: Callable[[], object] | None
    show_settings: Callable[[], object]
    joining: JoiningActions
