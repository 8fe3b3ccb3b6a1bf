"""A bare Tk window, as large as the programs' own at first: their start is measured against it."""

import tkinter as tk

root = tk.Tk()
root.geometry("1180x760")
root.mainloop()
