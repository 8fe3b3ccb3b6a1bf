"""The sign of a server: two words and a colour by which people tell chats of one name apart.

Both programs work it out of the certificate's fingerprint, so that a guest can ask across the room:
"are you *quiet heron*, the green one?" It is no proof. There are 32,768 signs, and whoever wants
one of them makes certificates until it comes up, in seconds. What proves a server is the pin of
an invite, or the digits and the code of somebody who joins.
"""

import hashlib
from typing import Final, NamedTuple

_CONTEXT: Final = b"Chat sign 1"

ADJECTIVES: Final = (
    "agile", "bold", "breezy", "brisk", "calm", "candid", "cheery", "clever",
    "cosy", "crisp", "daring", "dewy", "eager", "early", "famous", "fluffy",
    "fresh", "gentle", "giant", "glad", "grand", "handy", "honest", "humble",
    "jolly", "keen", "kind", "lively", "lofty", "loyal", "lucky", "mellow",
    "merry", "mighty", "modest", "nimble", "noble", "patient", "placid", "plucky",
    "polite", "proud", "quiet", "rapid", "ready", "round", "rustic", "salty",
    "shiny", "sleepy", "smooth", "snowy", "steady", "stormy", "sunny", "swift",
    "tidy", "trusty", "upbeat", "vivid", "warm", "windy", "witty", "zesty",
)  # fmt: skip
"""None is a colour, which could contradict the one beside it, and none says anything of a person's
looks: the words stand for somebody's chat."""

NOUNS: Final = (
    "acorn", "anchor", "badger", "beaver", "birch", "bison", "cedar", "comet",
    "coral", "cricket", "dolphin", "eagle", "ember", "falcon", "fern", "finch",
    "gecko", "glacier", "harbour", "hedgehog", "heron", "island", "jasmine", "kestrel",
    "koala", "lagoon", "lemon", "lily", "lotus", "lynx", "maple", "meadow",
    "moose", "nettle", "newt", "oak", "ocean", "orchid", "osprey", "otter",
    "panda", "pebble", "pelican", "pine", "plover", "puffin", "quail", "rabbit",
    "reef", "river", "robin", "salmon", "seal", "sparrow", "spruce", "swan",
    "thistle", "tiger", "tulip", "turtle", "valley", "walnut", "willow", "zebra",
)  # fmt: skip

COLOURS: Final = (
    "#be525b", "#a6662c", "#74743a", "#398450", "#197f86", "#3d77bb", "#7665d3", "#ae54a0",
)  # fmt: skip
"""`#rrggbb` behind white letters, each with a contrast of at least 4.5:1, in the order of hues."""


class Sign(NamedTuple):
    """What both programs show of a server besides its name."""

    words: str
    """An adjective and a noun, such as "quiet heron"."""
    colour: str
    """`#rrggbb`, behind white letters."""


def sign_of(fingerprint: bytes) -> Sign:
    """The sign of the server whose certificate has this SHA-256."""
    # Hashed again: the first bytes of a fingerprint are in the server's advert as its name.
    lot = hashlib.sha256(_CONTEXT + fingerprint).digest()
    words = f"{ADJECTIVES[lot[0] % len(ADJECTIVES)]} {NOUNS[lot[1] % len(NOUNS)]}"
    return Sign(words, COLOURS[lot[2] % len(COLOURS)])
