"""The Tk kit both windows are built from: colours, type, shapes, icons and widgets.

It knows nothing of chat. Every widget takes its parent and a `window.theme.Theme`
and repaints itself when the theme is switched. All measures in the kit's
signatures are pixels at 96 dpi; the theme scales them to the screen.

Importing a module of the kit is cheap: Pillow is loaded with the first shape drawn.
"""
