"""What the widgets can ask for; the app carries it out."""

from collections.abc import Callable
from dataclasses import dataclass

from chat_server.window.model import ClientRow


@dataclass(frozen=True, slots=True)
class Actions:
    """Each is called on the Tk thread.

    `rename(text)` gives the chat another name, if it can be one: the view tells what came of it.
    `open_client` starts ChatClient, in this chat; it is None where there is none.
    `switch(on)` starts or stops the server; `copy(text, said)` puts text on the clipboard
    and tells the person `said` unless that is empty.
    """

    switch: Callable[[bool], object]
    terminate: Callable[[ClientRow], object]
    copy: Callable[[str, str], object]
    search: Callable[[str], object]
    toggle_theme: Callable[[], object]
    rename: Callable[[str], object]
    open_client: Callable[[], object] | None
