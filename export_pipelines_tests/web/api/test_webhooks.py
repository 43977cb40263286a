"""``/api/webhooks`` on a running service, with a real receiver."""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from export_pipelines.steps.services import Services
from export_pipelines_tests.receiver import Receiver, receiver
from export_pipelines_tests.web.api_site import ApiSite, api_site

PATH = "/api/webhooks"


@pytest.fixture
def hook(tmp_path: Path) -> Iterator[Receiver]:
    with receiver(tmp_path / "messages") as server:
        yield server


@pytest.fixture
def reaching(services: Services) -> Iterator[ApiSite]:
    """A service whose webhooks may reach this machine."""
    with api_site(services, webhook_allow_networks=(ip_network("127.0.0.0/8"),)) as running:
        yield running


def test_a_webhook_from_its_making_to_its_end(reaching: ApiSite, hook: Receiver) -> None:
    owner = reaching.owner
    made = owner.post(PATH, json={"name": "ours", "url": hook.url()})
    assert made.status_code == 201
    secret = made.json()["secret"]
    assert owner.post(f"{PATH}/ours/test").json() == {"status": 200}
    message = Webhook(secret).verify(hook.received[-1].body, hook.received[-1].headers)
    assert message["type"] == "webhook.test"
    assert secret not in owner.get(PATH).text
    assert owner.post(f"{PATH}/ours/pause").json()["active"] is False
    assert owner.post(f"{PATH}/ours/resume").json()["active"] is True
    assert owner.post(PATH, json={"name": "ours", "url": hook.url()}).json()["code"] == "conflict"
    other = reaching.clients["other"]
    assert other.get(PATH).json() == {"items": []}
    asked = [other.post(f"{PATH}/ours/{what}").status_code for what in ("test", "pause", "resume")]
    assert {*asked, other.delete(f"{PATH}/ours").status_code} == {404}
    assert owner.delete(f"{PATH}/ours").status_code == 204
    assert owner.delete(f"{PATH}/ours").status_code == 404


def test_a_receiver_that_is_away_is_no_fault_of_the_service(reaching: ApiSite, hook: Receiver) -> None:
    reaching.owner.post(PATH, json={"name": "down", "url": hook.url("/status/500")})
    answer = reaching.owner.post(f"{PATH}/down/test")
    assert (answer.status_code, answer.json()["code"]) == (422, "receiver-unavailable")


def test_addresses_that_are_not_public_are_refused(api: ApiSite) -> None:
    for name, url in (("ours", "http://127.0.0.1:9/x"), ("ours", "ftp://example.org"), ("a b", "https://example.org")):
        answer = api.owner.post(PATH, json={"name": name, "url": url})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
