"""What both programs must agree on: frames, messages, names, invites and limits.

Nothing in here opens a socket, starts a thread or draws a window; only `common.tls`,
`common.datafolder` and `common.database` touch the outside world (certificates and files).
"""

__version__ = "0.1.0"
