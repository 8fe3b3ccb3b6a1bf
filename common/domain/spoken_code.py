"""The spoken code: eight characters that a host reads out, and a guest types as they hear them.

The alphabet has 32 characters, so that a code has 40 bits: without I, L, O and U, which sound or
look like others (as Crockford's base 32 does). It is written in two groups, as K7QM-3XPA.
"""

from typing import Final

from common.domain.typed_text import as_ascii

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 8
_GROUP: Final = 4
_SEEN_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})


def new_code() -> str:
    """A random code, without a hyphen."""
    # Here, as a command line only writes codes, and is started often.
    import secrets

    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def written_code(code: str) -> str:
    """The code as it is shown: in two groups."""
    return f"{code[:_GROUP]}-{code[_GROUP:]}"


def typed_code(text: str) -> str:
    """The characters of a code in what somebody has typed so far, or pasted.

    Case makes no difference; O is taken for 0, I and L for 1; full width and the digits of other
    scripts for what they are. Whatever else is there is left out, as are white space and hyphens.
    """
    # ASCII alone: some other letters have a capital in it, as the dotless i has.
    typed = "".join(each for each in as_ascii(text) if each.isascii())
    letters = typed.upper().translate(_SEEN_AS)
    return "".join(each for each in letters if each in ALPHABET)


def is_code(typed: str) -> bool:
    """Whether `typed_code` is a whole code."""
    return len(typed) == LENGTH and all(each in ALPHABET for each in typed)
