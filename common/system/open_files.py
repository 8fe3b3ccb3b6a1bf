"""Recognising that too many files are open, which any call that opens one may report."""

import errno
from typing import Final

_OUT_OF_FILES: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


def is_out_of_files(error: OSError) -> bool:
    """Whether that failed because there are too many open files, here or on the computer."""
    return error.errno in _OUT_OF_FILES
