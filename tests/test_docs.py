"""The pages for developers: every file that they name exists, and so do the terms and options."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from chat_client.options import parse_options as client_options
from chat_server.options import parse_options as server_options

ROOT: Final = Path(__file__).parent.parent
CONTRIBUTING: Final = ROOT / "docs" / "contributing.md"
ARCHITECTURE: Final = ROOT / "docs" / "architecture.md"
_PATH: Final = re.compile(r"`([\w.-]+(?:/[\w.-]+)+/?|[\w-]+\.(?:py|md|toml))`")
_LINK: Final = re.compile(r"\]\(((?:(?!https?:)[^)#\s])*)(?:#([\w-]+))?\)")
PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NO_PATHS: Final = {"profiles/NAME/", "127.0.0.0/8", "169.254.0.0/16"}
"""In a data folder, and networks."""
_OPTION: Final = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def named(page: str) -> set[str]:
    """The files and folders that a page names, from the top of the project."""
    return set(_PATH.findall(page))


def test_paths_on_every_page_exist() -> None:
    """Pages name paths from the top of the project; a moved file is renamed there, too."""
    missing = {
        (page.name, name)
        for page in PAGES
        for name in named(page.read_text("utf-8"))
        if not (ROOT / name).exists() and name not in NO_PATHS
    }
    assert missing == set()
    assert len(named(CONTRIBUTING.read_text("utf-8"))) > 30
    assert len(named(ARCHITECTURE.read_text("utf-8"))) > 80


def test_links_between_pages_lead_somewhere() -> None:
    """Relative links, and the heading behind a `#` if there is one."""
    for page in PAGES:
        for target, heading in _LINK.findall(page.read_text("utf-8")):
            other = page.parent / target if target else page
            assert other.exists(), (page.name, target)
            if heading:
                assert heading in headings(other.read_text("utf-8")), (page.name, target, heading)


def headings(page: str) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_term_is_where_the_list_says() -> None:
    """The list of terms names whole paths, and each term is there once."""
    text = ARCHITECTURE.read_text("utf-8").partition("\n## Terms\n")[2].partition("\n## ")[0]
    rows = [row.split(" | ") for row in text.splitlines() if row.startswith("| ")][2:]
    assert len(rows) > 40
    assert [name for name in sorted(named(text)) if not (ROOT / name).exists()] == []
    assert all(named(where) for _, _, where in rows)
    terms = [term.removeprefix("| ") for term, _, _ in rows]
    assert len(terms) == len(set(terms))


def test_a_name_that_is_not_there_would_be_found() -> None:
    """Files and folders, at the top or below it; commands and fields are no files."""
    page = "see `common/gone.py`, `gone.md`, `tests/gone/`, `python3 dev.py`, `re` and `a.b`"
    assert named(page) == {"common/gone.py", "gone.md", "tests/gone/"}


def test_the_readme_leads_there() -> None:
    """From its part for developers."""
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "(docs/contributing.md)" in readme.partition("## For developers")[2]


@pytest.mark.parametrize(
    ("options", "manual"),
    [(client_options, "chat-client.1"), (server_options, "chat-server.1")],
    ids=["client", "server"],
)
def test_every_option_is_in_the_manual(
    options: object, manual: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever adds an option tells what it does, in --help and in the page for `man`."""
    assert callable(options)
    with pytest.raises(SystemExit):
        options(["--help"])
    told = set(_OPTION.findall(capsys.readouterr().out)) - {"--help"}
    page = (ROOT / "build_specs" / "linux" / manual).read_text("utf-8").replace("\\-", "-")
    assert len(told) > 5
    assert told <= set(_OPTION.findall(page))
