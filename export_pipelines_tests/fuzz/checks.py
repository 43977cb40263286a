"""What schemathesis is to check beside its own: loaded by it, in a process of its own."""

import schemathesis
from schemathesis import Case, CheckContext, Response
from schemathesis.generation import GenerationMode

from export_pipelines.web.access import SAFE_HEADERS

PROBLEM_MEMBERS = {"type", "title", "status", "detail", "code"}


@schemathesis.check
def shape_as_described(ctx: CheckContext, response: Response, case: Case) -> None:
    """What fits the description may be refused for what it means, but never for its shape."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if response.status_code == 422:
        # Only refusals of a shape name fields; `detail` alone says what is unknown or does not go together.
        assert "errors" not in response.json(), f"the description allows what is refused: {response.json()['errors']}"


@schemathesis.check
def problems_say_what_to_do(ctx: CheckContext, response: Response, case: Case) -> None:
    """Whatever is not answered is a problem document with a next step."""
    if response.status_code >= 400 and case.method.upper() != "HEAD":
        assert response.headers["content-type"] == ["application/problem+json"], response.headers["content-type"]
        problem = response.json()
        assert problem.keys() >= PROBLEM_MEMBERS, problem
        assert problem["status"] == response.status_code
        assert problem["detail"].endswith((".", "!", "?")), problem["detail"]


@schemathesis.check
def safe_headers(ctx: CheckContext, response: Response, case: Case) -> None:
    """No answer goes out without the headers that keep it safe."""
    missing = [name for name in SAFE_HEADERS if name.lower() not in response.headers]
    assert not missing, f"{missing} missing in an answer of {response.status_code}"
