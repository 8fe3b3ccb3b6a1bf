"""The root window's end."""

from common.ui.look.theme import Theme
from common.ui.program.root import end_root, make_root


def test_nothing_is_told_to_widgets_that_are_gone() -> None:
    """Ttk may get to tell of a change of theme only after everything was destroyed."""
    root = make_root("Chat", "chat-client", "light")
    Theme(root, "light").switch("dark")
    interpreter = root.tk
    end_root(root)
    interpreter.eval("ttk::ThemeChanged")  # as Tk does when nothing else is to be done
