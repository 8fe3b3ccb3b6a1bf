"""The host's window: who is connected, how busy it is, and the way to invite and to end.

`app` ties it together; `presenter`, `feed`, `message_rate` and `formats` decide what is shown and
know no Tk; `server_thread` runs the server on a thread of its own; the rest draws.
"""
