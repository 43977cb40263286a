"""``/api/webhooks``: where a user wants messages posted."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from export_pipelines.core.deliveries import WebhookEndpoint
from export_pipelines.core.errors import NotFoundError, ReceiverUnavailableError, ValidationError
from export_pipelines.db import webhooks
from export_pipelines.steps import webhooks as steps
from export_pipelines.steps.channels import open_poster
from export_pipelines.web.api.bodies import Answer, Body, Moment, problems
from export_pipelines.web.api.resource import resource
from export_pipelines.web.callers import CallerOf
from export_pipelines.web.context import WebOf
from export_pipelines.web.problems import Problem, ProblemError

routes = resource("/webhooks", tag="webhooks")


class WebhookBody(Body):
    """A new webhook."""

    name: Annotated[str, Field(min_length=1, max_length=63, description="Recipients call it `webhook:NAME`.")]
    url: Annotated[str, Field(min_length=1, max_length=2000, description="A public address: https://, or http://.")]

    model_config = ConfigDict(
        strict=True, json_schema_extra={"examples": [{"name": "ours", "url": "https://hooks.example.org/exports"}]}
    )


_EXAMPLE: dict[str, Any] = {
    "name": "ours",
    "url": "https://hooks.example.org/exports",
    "active": True,
    "user_id": "c0mwxrwrp2w7dy0wv1ga46s9k",
    "created_at": "2026-03-01T12:00:00.000Z",
}


class WebhookAnswer(Answer):
    """A webhook; its secret is not shown again."""

    name: str
    url: str
    active: bool
    user_id: str
    created_at: Moment

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})


class NewWebhookAnswer(WebhookAnswer):
    """A webhook that was just added, with the secret that its messages are signed with, this once."""

    secret: str

    model_config = ConfigDict(json_schema_extra={"examples": [{**_EXAMPLE, "secret": "whsec_..."}]})


class WebhookList(Answer):
    """The caller's webhooks, by name; there are too few for pages."""

    items: list[WebhookAnswer]


class TestedAnswer(Answer):
    """What the receiver answered."""

    status: int

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": 204}]})


@routes.get("", summary="List webhooks", responses=problems())
def get_list(web: WebOf, caller: CallerOf) -> WebhookList:
    """The caller's webhooks."""
    found = webhooks.list_for_user(web.services.database, caller.user.id)
    return WebhookList(items=[WebhookAnswer.model_validate(one) for one in found])


@routes.post("", status_code=201, summary="Add a webhook", responses=problems(400, 408, 409, 413, 422))
def post(body: WebhookBody, web: WebOf, caller: CallerOf) -> NewWebhookAnswer:
    """Keep it, with a new secret that signs its messages (Standard Webhooks)."""
    poster = open_poster(web.services.settings)
    try:
        new = steps.add(web.services, poster, user_id=caller.user.id, name=body.name, url=body.url)
    except ReceiverUnavailableError as error:
        raise _away(error) from error
    return NewWebhookAnswer(**WebhookAnswer.model_validate(new.endpoint).model_dump(), secret=new.secret)


@routes.post("/{name}/test", summary="Try a webhook out", responses=problems(404, 422))
def test(name: str, web: WebOf, caller: CallerOf) -> TestedAnswer:
    """Post a signed message of the type `webhook.test`; the status that the receiver answered, 200 to 299."""
    endpoint = _find(web, caller, name)
    poster = open_poster(web.services.settings)
    try:
        status = steps.try_out(web.services, poster, user_id=endpoint.user_id, name=endpoint.name)
    except ReceiverUnavailableError as error:
        raise _away(error) from error
    return TestedAnswer(status=status)


@routes.post("/{name}/pause", summary="Pause a webhook", responses=problems(404))
def pause(name: str, web: WebOf, caller: CallerOf) -> WebhookAnswer:
    """Send it nothing until it is resumed; messages meanwhile are given up, and can be retried."""
    return _set_active(web, caller, name, active=False)


@routes.post("/{name}/resume", summary="Resume a webhook", responses=problems(404))
def resume(name: str, web: WebOf, caller: CallerOf) -> WebhookAnswer:
    """Let it go on; one whose receiver answered 410 was paused by that."""
    return _set_active(web, caller, name, active=True)


@routes.delete("/{name}", status_code=204, summary="Remove a webhook", responses=problems(404))
def delete(name: str, web: WebOf, caller: CallerOf) -> None:
    """Forget it and its secret."""
    endpoint = _find(web, caller, name)
    webhooks.remove(web.services.database, user_id=endpoint.user_id, name=endpoint.name)


def _set_active(web: WebOf, caller: CallerOf, name: str, *, active: bool) -> WebhookAnswer:
    endpoint = _find(web, caller, name)
    changed = webhooks.set_active(
        web.services.database, user_id=endpoint.user_id, name=endpoint.name, active=active
    )  # fmt: skip
    return WebhookAnswer.model_validate(changed)


def _find(web: WebOf, caller: CallerOf, name: str) -> WebhookEndpoint:
    """The caller's webhook of that name; a text that can be no name is one that nobody has."""
    try:
        return webhooks.get(web.services.database, user_id=caller.user.id, name=steps.check_name(name))
    except (NotFoundError, ValidationError):
        raise NotFoundError(f"You have no webhook {name[:80]!r}; GET /api/webhooks lists yours.") from None


def _away(error: ReceiverUnavailableError) -> ProblemError:
    """The receiver is at fault, not the service."""
    return ProblemError(
        Problem(status=422, code="receiver-unavailable", title="The receiver cannot be reached", detail=str(error))
    )
