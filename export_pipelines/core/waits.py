"""How long somebody is asked to wait, in words."""

import math

_MINUTE = 60


def wait_shown(seconds: int) -> str:
    """``36 seconds``, and from two minutes on ``60 minutes``, never less than it is."""
    if seconds < 2 * _MINUTE:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{math.ceil(seconds / _MINUTE)} minutes"
