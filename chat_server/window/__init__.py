"""The host's window: connections, activity, moderation, and the invite.

`app` opens it and `host` connects its parts; `presenter`, `feed`, `message_rate` and `formats`
decide what is shown and are independent of Tk; `server_thread` runs the server on a thread of its
own; the rest draws.
"""
