"""How times, spans and numbers are written on the page; in UTC, which a script turns into the reader's own zone."""

from datetime import UTC, date, datetime, timedelta

from markupsafe import Markup

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_ORDINALS = {1: "st", 2: "nd", 3: "rd"}


def number(value: int) -> str:
    """A whole number with its thousands apart."""
    return f"{value:,}"


def plural(count: int, noun: str, many: str = "") -> str:
    """The count and its noun: ``1 row``, ``1,200 rows``."""
    return f"{number(count)} {noun if count == 1 else many or noun + 's'}"


def span(seconds: float) -> str:
    """A length of time in its two largest units: ``45 s``, ``3 min``, ``2 h 5 min``, ``3 d 4 h``."""
    whole = max(0, round(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    larger, smaller, names = (_HOUR, _MINUTE, "h min") if whole < 2 * _DAY else (_DAY, _HOUR, "d h")
    big, small = names.split()
    rest = whole % larger // smaller
    return f"{whole // larger} {big}" + (f" {rest} {small}" if rest else "")


def until(moment: datetime, now: datetime) -> str:
    """How long it is until the moment; nothing once it is over."""
    return span(max(0.0, (moment - now).total_seconds()))


def ago(moment: datetime, now: datetime) -> str:
    """How long ago it was."""
    passed = (now - moment).total_seconds()
    return "just now" if passed < 10 else f"{span(passed)} ago"


def written(moment: datetime) -> str:
    """The moment for people: ``1 Mar 2026, 12:00 UTC``."""
    at = moment.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def moment(value: datetime) -> Markup:
    """The moment as an element that a script may show in the reader's own zone."""
    return Markup('<time datetime="{}" data-local>{}</time>').format(machine(value), written(value))


def clock(value: datetime) -> Markup:
    """The moment's time of day alone, for lists of what happened within minutes; the day on pointing at it."""
    at = value.astimezone(UTC)
    return Markup('<time datetime="{}" data-local="clock" title="{}">{} UTC</time>').format(
        machine(value), written(value), f"{at:%H:%M:%S}"
    )


def counting(value: datetime, now: datetime) -> Markup:
    """How long it is until the moment, as an element that a script counts down."""
    return Markup('<time datetime="{}" data-until title="{}">{}</time>').format(
        machine(value), written(value), until(value, now)
    )


def machine(value: datetime) -> str:
    """The moment for programs: RFC 3339, UTC."""
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def day(value: date, today: date) -> str:
    """The day for headings: ``Today``, ``Yesterday``, ``24 November``, with the year when it is another."""
    if value == today:
        return "Today"
    if value == today - timedelta(days=1):
        return "Yesterday"
    return f"{value.day} {value:%B}" + ("" if value.year == today.year else f" {value.year}")


def ordinal(value: int) -> str:
    """``1st``, ``2nd``, ``13th``."""
    teen = value % 100 in range(11, 14)
    return f"{number(value)}{'th' if teen else _ORDINALS.get(value % 10, 'th')}"


def words(name: str) -> str:
    """An option's or phase's name as words: ``allow_partial`` is ``Allow partial``."""
    return name.replace("_", " ").capitalize()
