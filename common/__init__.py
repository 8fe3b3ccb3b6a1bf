"""What both programs must agree on: frames, messages, names, invites and limits.

Nothing in here opens a socket, starts a thread or draws a window; only `common.tls` and
`common.datafolder` touch the outside world (certificates and files).
"""

__version__ = "0.1.0"
