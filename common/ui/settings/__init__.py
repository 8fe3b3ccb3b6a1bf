"""The settings window, its pages, and what keeps a window as its settings say."""
