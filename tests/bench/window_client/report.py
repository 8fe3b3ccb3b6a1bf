"""The figures as tables in Markdown, beside the targets, and the same for programs in JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from statistics import median, quantiles
from typing import Any, Final

from chat_client.state.history import PAGE as NEWEST
from tests.bench.report import Target
from tests.bench.tables import figure, table
from tests.bench.window_client.latency import Talking
from tests.bench.window_client.scenarios import FAR
from tests.bench.window_client.trials import AT_ONCE, AWAY, MISSED, Results

FRAME: Final = 16.7
"""Milliseconds of a screen that shows 60 pictures a second."""
_FRAMES: Final = {
    "opening": "opening the conversations",
    "append": "a message arrives and is drawn",
    "scroll": "scrolling by a notch",
    "page": "scrolling, with a page fetched at the top",
    "jump": "back to the newest message",
    "find": "a word said once, among the oldest: typed → shown",
    "find_gaps": "– longest block meanwhile",
    "next": "from one match to the next",
    "query": "two pages around any place, from the cache",
}


def _far(history: int) -> dict[str, str]:
    """Those of whose conversation most is on the server, by their scenarios."""
    return {
        "new": f"a new member, {history:,} messages",
        "far": f"{history:,} messages behind",
        "away": f"{AWAY:,} messages behind",
    }


class Report:
    """All that was measured; what was left out has no rows."""

    def __init__(self, talking: Sequence[Talking], results: Results, history: int) -> None:
        self._talking = list(talking)
        self._results = results
        self._history = history

    def markdown(self, about: str) -> str:
        """The tables, under a sentence on how it was measured."""
        tables = [
            *(self._typing(), self._blocks(), self._far(), self._frames(), self._verdicts()),
        ]
        return "\n\n".join(["## The client's window", about, *filter(None, tables)]) + "\n"

    def json(self) -> dict[str, Any]:
        """Every single figure: seconds, pixels, counts."""
        return {
            "typing": {
                each.build.title: {"echo": each.echoes, "seen": each.seen} for each in self._talking
            },
            **self._results,
            "targets": [{**asdict(target), "met": target.met} for target in self.targets()],
        }

    def targets(self) -> list[Target]:
        """What is promised."""
        found: list[Target] = []
        for each in self._talking:
            if each.seen:
                title = each.build.title
                found += [
                    Target(
                        f"{title}: Return → seen by the other", "ms", 20, _ms(median(each.seen))
                    ),
                    Target(f"{title}: key → echo", "ms", 2, _ms(median(each.echoes))),
                ]
        if burst := self._results.get("burst"):
            blocks = [_ms(max(trial["gaps"])) for trial in burst]
            found.append(Target(f"{AT_ONCE:,} at once: longest block", "ms", 30, median(blocks)))
        if behind := self._results.get("behind"):
            seconds = median(trial["seconds"][0] for trial in behind)
            lacking = max(NEWEST - trial["in_order"][0] for trial in behind)
            found += [
                Target(f"{MISSED:,} behind: newest shown", "ms", 300, _ms(seconds)),
                Target(f"{MISSED:,} behind: lacking of the newest", "messages", 0, lacking),
            ]
        for who, title in _far(self._history).items():
            if trials := self._results.get(who):
                shown, own, size = (
                    median(trial[what][0] for trial in trials)
                    for what in ("seconds", "acknowledged", "bytes")
                )
                work = median(max(trial["work"]) for trial in trials)
                found += [
                    Target(f"{title}: connecting → newest shown", "ms", 300, _ms(shown)),
                    Target(f"{title}: own message", "ms", 300, _ms(own)),
                    Target(f"{title}: cache", "kB", 1000, size / 1000),
                    Target(f"{title}: scrolling up, longest block, processor", "ms", 16, _ms(work)),
                ]
        for trial in self._results.get("long", []):
            for key in ("append", "scroll", "page", "jump", "next"):
                found.append(Target(f"{_FRAMES[key]}: worst", "ms", FRAME, _ms(max(trial[key]))))
            block = _ms(median(trial["find_gaps"]))
            found.append(Target("looking for a word: longest block", "ms", 30, block))
            found.append(Target("first line in view moves", "px", 0, max(trial["moved"])))
        return found

    def _typing(self) -> str:
        rows = [
            [each.build.title, _milliseconds(each.echoes), _milliseconds(each.seen)]
            for each in self._talking
            if each.seen
        ]
        return table(["typing", "key → echo, ms", "Return → seen, ms"], rows) if rows else ""

    def _blocks(self) -> str:
        rows = [
            [
                title,
                _milliseconds([trial["seconds"][0] for trial in trials]),
                _milliseconds([max(trial["gaps"]) for trial in trials]),
                _milliseconds([max(trial["work"]) for trial in trials]),
                _milliseconds([quantiles(trial["gaps"], n=100)[98] for trial in trials]),
            ]
            for title, trials in (
                (f"{AT_ONCE:,} messages at once", self._results.get("burst")),
                (f"{MISSED:,} messages behind", self._results.get("behind")),
            )
            if trials
        ]
        head = ["many messages", "all there, ms", "longest block, ms", "– of the processor, ms",
                "99 % of turns, ms"]  # fmt: skip
        return table(head, rows) if rows else ""

    def _far(self) -> str:
        rows = [
            [
                title,
                _milliseconds([trial["seconds"][0] for trial in trials]),
                _milliseconds([trial["acknowledged"][0] for trial in trials]),
                figure([trial["bytes"][0] / 1000 for trial in trials], "{:.0f}"),
                _milliseconds([trial["scrolling"][0] for trial in trials]),
                _milliseconds([max(trial["gaps"]) for trial in trials]),
                _milliseconds([max(trial["work"]) for trial in trials]),
            ]
            for who, title in _far(self._history).items()
            if (trials := self._results.get(who))
        ]
        head = ["most is on the server", "connecting → newest shown, ms", "own message, ms",
                "cache, kB", f"{FAR:,} messages up, ms", "longest block, ms",
                "– of the processor, ms"]  # fmt: skip
        return table(head, rows) if rows else ""

    def _frames(self) -> str:
        trials = self._results.get("long")
        if not trials:
            return ""
        rows = [[title, _milliseconds(trials[0][key])] for key, title in _FRAMES.items()]
        return table([f"{self._history:,} messages kept", "ms"], rows)

    def _verdicts(self) -> str:
        rows = [
            [
                target.what,
                f"≤ {target.limit:g} {target.unit}",
                f"{target.value:.1f}" if target.limit else f"{target.value:g}",
                "met" if target.met else "missed",
            ]
            for target in self.targets()
        ]
        return table(["target", "at most", "is", ""], rows)


def _ms(seconds: float) -> float:
    return seconds * 1000


def _milliseconds(seconds: Sequence[float]) -> str:
    return figure([_ms(each) for each in seconds], "{:.1f}")
