"""Telling a suspension of the computer from the ordinary life of its clocks."""

from chat_client.state.suspension import SuspensionDetector


def test_a_suspension_is_told_once() -> None:
    """The wall clock is ahead by as much as it lasted."""
    detector = SuspensionDetector(wall=1e9, monotonic=50.0)
    assert not detector.was_suspended(1e9 + 5, 55.0)
    assert detector.was_suspended(1e9 + 3605, 60.0)
    assert not detector.was_suspended(1e9 + 3610, 65.0)


def test_small_corrections_are_no_suspension() -> None:
    """Those of NTP, however many."""
    detector = SuspensionDetector(wall=1e9, monotonic=0.0)
    assert not any(detector.was_suspended(1e9 + 2 * each, float(each)) for each in range(1, 60))


def test_a_clock_that_is_set_back_is_no_suspension() -> None:
    """Nor does it hide the next one."""
    detector = SuspensionDetector(wall=1e9, monotonic=0.0)
    assert not detector.was_suspended(1e9 - 86_400, 5.0)
    assert detector.was_suspended(1e9 - 86_400 + 65, 10.0)
