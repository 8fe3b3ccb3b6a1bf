"""The page "Joining" of the host's settings: who may join this chat."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

from common.ui.look.theme import Theme
from common.ui.settings.window import SettingsPage
from common.ui.widgets.basics import Label
from common.ui.widgets.choice_list import Alternative, ChoiceList
from common.ui.widgets.setting_row import SwitchRow

_RULES: Final = (
    Alternative(
        "invite_or_ask", "With an invite, or by asking",
        "Whoever has a link or a code joins at once. Everybody else on this network can ask, and "
        "you let them in.",
    ),
    Alternative(
        "invite", "With an invite only",
        "Nobody can ask. Whoever has a link or a code joins at once.",
    ),
    Alternative(
        "ask", "By asking only",
        "You let each new person in. Links and codes for new people don’t work meanwhile.",
    ),
    Alternative(
        "open", "Everyone on this network",
        "Nobody is asked anything: whoever can reach this computer from this network reads and "
        "writes along. Choose this only where you trust everybody on the network.",
    ),
)  # fmt: skip


class JoiningPage(SettingsPage):
    """Each change holds at once, for everybody who comes from then on.

    `rule()` is who may join, "" while the server does not run, and whether moderators may make
    invites. `change(rule, moderators_invite)` changes that.
    """

    TITLE: Final = "Joining"
    ICON: Final = "enter"

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        rule: Callable[[], tuple[str, bool]],
        change: Callable[[str, bool], object],
    ) -> None:
        super().__init__(parent, theme)
        self._rule, self._change = rule, change
        self._stopped = Label(
            self, theme, "This can be changed while the server runs.", tone="warning"
        )
        self._title = Label(self, theme, "Who may join", font="field_bold")
        self._title.pack(anchor="w", pady=(0, theme.px(12)))
        self.rules = ChoiceList(self, theme, _RULES, lambda rule: self._changed(rule=rule))
        self.rules.pack(fill="x", pady=(0, theme.px(24)))
        self.moderators = SwitchRow(
            self, theme, "Moderators may invite",
            "Moderators can make invite links for new members, and revoke their own.",
            lambda on: self._changed(moderators=on),
        )  # fmt: skip
        self.moderators.pack(fill="x")
        self.refresh()

    def refresh(self) -> None:
        """Show the rule that is in force."""
        rule, moderators = self._rule()
        self.rules.choose(rule)
        self.rules.enabled = bool(rule)
        self.moderators.switch.set(moderators)
        self.moderators.switch.enabled = bool(rule)
        if rule:
            self._stopped.pack_forget()
        else:
            self._stopped.pack(anchor="w", pady=(0, 12), before=self._title)

    def _changed(self, rule: str = "", *, moderators: bool | None = None) -> None:
        before, invited = self._rule()
        self._change(rule or before, invited if moderators is None else moderators)
