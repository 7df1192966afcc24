"""How figures are spelt for readers, so that none looks better than it is: durations are rounded up to the second,
shares down to a tenth of a percent. Machine formats (JSON, CSV, XLSX) carry the exact values."""

from math import ceil, floor


def duration(seconds: float) -> str:
    """`8:20`, or `1:15:17` from an hour on."""
    whole = ceil(round(abs(seconds), 3))
    sign = "−" if seconds < 0 and whole else ""
    hours, rest = divmod(whole, 3600)
    return f"{sign}{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{sign}{rest // 60}:{rest % 60:02d}"


def percent(share: float) -> str:
    """`89.9 %`."""
    return f"{floor(round(share * 1000, 6)) / 10:.1f} %"


def points(change: float) -> str:
    """A change of a share in percentage points, with its sign."""
    return f"{change * 100:+.1f}".replace("-", "−")


def longer(change_s: float) -> str:
    """A change of a duration, with its sign."""
    return duration(change_s) if change_s < 0 else f"+{duration(change_s)}"
