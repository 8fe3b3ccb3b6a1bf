"""What both programs must agree on: frames, messages, names, invites and limits.

`protocol` is what goes over the wire, `domain` what names, texts, invites and reasons are, `system`
what the operating system gives (files, processes, databases, sockets), `ui` the Tk kit of the
windows. Only `ui` starts threads or draws, and only windows import it.
"""

__version__ = "0.1.0"
