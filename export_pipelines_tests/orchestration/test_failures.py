"""Which errors are tried again, how long is waited, and what is said in the end."""

import dagster as dg
import pytest

from export_pipelines.core.errors import (
    DatabaseUnavailableError,
    IntegrityError,
    NotFoundError,
    StoreUnavailableError,
    SupersededError,
    ValidationError,
)
from export_pipelines.orchestration.failures import translated


def raised(error: BaseException, *, tries: int | None = 0) -> BaseException:
    with pytest.raises(BaseException) as caught, translated(tries=tries):  # noqa: PT011
        raise error
    return caught.value


@pytest.mark.parametrize("error", [DatabaseUnavailableError("away"), StoreUnavailableError("away")], ids=repr)
def test_what_may_pass_by_itself_is_tried_again_after_thirty_and_then_ninety_seconds(error: Exception) -> None:
    requests = [raised(error, tries=tries) for tries in (0, 1)]
    assert [type(request) for request in requests] == [dg.RetryRequested] * 2
    assert [request.seconds_to_wait for request in requests] == [30.0, 90.0]


def test_after_two_retries_the_error_itself_is_the_failure() -> None:
    failure = raised(StoreUnavailableError("the store at s3://exports does not answer"), tries=2)
    assert isinstance(failure, dg.Failure)
    assert failure.description == "the store at s3://exports does not answer"
    assert not failure.allow_retries


@pytest.mark.parametrize(
    "error", [ValidationError("x"), NotFoundError("x"), IntegrityError("x"), SupersededError("x")], ids=repr
)
def test_what_the_next_try_would_meet_again_is_not_tried_again(error: Exception) -> None:
    failure = raised(error)
    assert isinstance(failure, dg.Failure)
    assert (failure.description, failure.allow_retries) == ("x", False)


def test_a_defect_is_called_one_and_not_tried_again() -> None:
    failure = raised(KeyError("dimension"))
    assert isinstance(failure, dg.Failure)
    assert "unexpected KeyError: 'dimension'. This is a defect" in failure.description
    assert not failure.allow_retries


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_an_order_to_stop_goes_through_as_it_is(interruption: BaseException) -> None:
    assert raised(interruption) is interruption
