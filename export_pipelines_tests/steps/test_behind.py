"""Two halves of a job on two threads: everything arrives, in its order; an error of either ends both."""

import threading
import time
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.steps.behind import _Pipe, taken_behind


class Stopped(BaseException):
    """How Dagster interrupts a step: no ``Exception``."""


class BrokenError(Exception):
    """What a store raises."""


@given(items=st.lists(st.binary(max_size=30), max_size=40), ahead=st.integers(1, 50))
def test_everything_arrives_in_its_order(items: list[bytes], ahead: int) -> None:
    assert taken_behind(items, list, size=len, ahead_bytes=ahead) == items


def test_making_and_taking_are_done_by_two_threads() -> None:
    threads = set()

    def made() -> Iterator[int]:
        threads.add(threading.get_ident())
        yield 1

    def take(items: Iterable[int]) -> int:
        threads.add(threading.get_ident())
        return sum(items)

    assert taken_behind(made(), take, size=lambda item: 1) == 1
    assert len(threads) == 2
    assert threading.get_ident() in threads


def test_who_makes_waits_for_who_takes() -> None:
    ahead = made = taken = 0

    def items() -> Iterator[bytes]:
        nonlocal made
        for _ in range(50):
            made += 1
            yield bytes(10)

    def take(chunks: Iterable[bytes]) -> None:
        nonlocal ahead, taken
        for _ in chunks:
            taken += 1
            time.sleep(0.002)
            ahead = max(ahead, made - taken)

    taken_behind(items(), take, size=len, ahead_bytes=40)
    assert taken == 50
    # Four of ten bytes each, one that is being put and one that is being made.
    assert 1 <= ahead <= 6


def test_an_error_while_taking_stops_the_making_and_is_raised() -> None:
    made = 0

    def items() -> Iterator[bytes]:
        nonlocal made
        while True:
            made += 1
            yield b"x"

    def take(chunks: Iterator[bytes]) -> None:
        next(chunks)
        raise BrokenError("disk full")

    with pytest.raises(BrokenError, match="disk full"):
        taken_behind(items(), take, size=len, ahead_bytes=5)
    assert made < 20


@pytest.mark.parametrize("error", [ValueError, Stopped])
def test_an_error_while_making_stops_the_taking_and_is_raised(error: type[BaseException]) -> None:
    finished = threading.Event()

    def items() -> Iterator[bytes]:
        yield b"x"
        raise error

    def take(chunks: Iterable[bytes]) -> None:
        for _ in chunks:
            pass
        finished.set()

    with pytest.raises(error):
        taken_behind(items(), take, size=len)
    # What is half made must not be taken for whole.
    assert not finished.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("behind")]


def test_an_interruption_when_all_is_made_ends_the_taking_too(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = threading.Event()

    def interrupted(_: object) -> None:
        assert taken.wait(timeout=20)
        raise Stopped

    def take(chunks: Iterator[bytes]) -> None:
        next(chunks)
        taken.set()
        for _ in chunks:
            pass

    def work() -> None:
        with pytest.raises(Stopped):
            taken_behind([b"x"], take, size=len)

    monkeypatch.setattr(_Pipe, "end", interrupted)
    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(timeout=20)
    assert not worker.is_alive()


def test_who_takes_may_stop_early() -> None:
    assert taken_behind((b"x" for _ in range(1000)), next, size=len, ahead_bytes=3) == b"x"
