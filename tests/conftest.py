"""What every test here shares: how Hypothesis looks for counterexamples."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No deadline for one example: a busy machine is no bug, and pytest-timeout ends what hangs.
settings.register_profile(
    "chat", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("chat")
