"""What Windows shows about an executable in its properties; imported only there."""

from __future__ import annotations

from PyInstaller.utils.win32.versioninfo import (
    FixedFileInfo,
    StringFileInfo,
    StringStruct,
    StringTable,
    VarFileInfo,
    VarStruct,
    VSVersionInfo,
)

from common import __version__

DESCRIPTIONS = {
    "ChatServer": "ChatServer: hosts a chat for the people on one network",
    "ChatClient": "ChatClient: chat with the people on your network",
}


def version_resource(name: str) -> VSVersionInfo:
    """The version resource of a program, in English and Unicode."""
    numbers = tuple(int(part) for part in __version__.split("."))
    four = (*numbers, 0, 0, 0, 0)[:4]
    facts = {
        "CompanyName": "the Chat authors",
        "FileDescription": DESCRIPTIONS[name],
        "FileVersion": __version__,
        "InternalName": name,
        "LegalCopyright": "MIT licence",
        "OriginalFilename": f"{name}.exe",
        "ProductName": "Chat",
        "ProductVersion": __version__,
    }
    strings = [StringStruct(key, text) for key, text in facts.items()]
    return VSVersionInfo(
        ffi=FixedFileInfo(filevers=four, prodvers=four),
        kids=[
            StringFileInfo([StringTable("040904B0", strings)]),
            VarFileInfo([VarStruct("Translation", [0x0409, 0x04B0])]),
        ],
    )
