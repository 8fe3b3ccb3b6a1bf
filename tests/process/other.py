"""Another program's window, which can have the keyboard: ``python -m tests.process.other``."""

from __future__ import annotations

import tkinter as tk

if __name__ == "__main__":
    root = tk.Tk()
    root.title("Another program")
    root.geometry("300x200+20+560")
    root.mainloop()
