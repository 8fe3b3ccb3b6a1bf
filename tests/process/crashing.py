"""Runs one of the programs with a mistake in it: a function raises, naming all that it was given.

    python -m tests.process.crashing MODULE:NAME PROGRAM [ARGUMENT …]

NAME may be that of a method; of an object that it was given, all attributes are named.
"""

import importlib
import runpy
import sys
from typing import Any, NoReturn


def told(value: Any) -> str:
    """A value as a careless message of an exception would have it."""
    attributes = getattr(value, "__dict__", {})
    return f"{value!r} {dict(attributes)!r}"


def fail(*args: Any, **kwargs: Any) -> NoReturn:
    """In place of the function."""
    raise RuntimeError(f"a mistake with {[told(each) for each in (*args, *kwargs.values())]}")


if __name__ == "__main__":
    place, program, *arguments = sys.argv[1:]
    module, _, name = place.partition(":")
    holder: Any = importlib.import_module(module)
    *path, last = name.split(".")
    for part in path:
        holder = getattr(holder, part)
    assert callable(getattr(holder, last))
    setattr(holder, last, fail)
    sys.argv = [program, *arguments]
    runpy.run_module(program, run_name="__main__", alter_sys=True)
