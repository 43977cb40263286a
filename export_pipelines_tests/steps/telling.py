"""Exports that have somebody to tell, webhooks of the demonstration user, and one round of sending."""

from dataclasses import replace
from typing import Any

from export_pipelines.core.deliveries import Delivery, DeliveryRequest, DeliveryState
from export_pipelines.core.jobs import ExportJob
from export_pipelines.db import deliveries, jobs
from export_pipelines.db.evaluation import users
from export_pipelines.db.seed import DEMO_USER_EMAIL
from export_pipelines.steps import webhooks as hooks
from export_pipelines.steps.channels import open_channels
from export_pipelines.steps.deliver import deliver
from export_pipelines.steps.export import run_export
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines_tests.steps.orders import order

ADA = "ada@example.net"
PENDING, SENT, DEAD = DeliveryState.PENDING, DeliveryState.SENT, DeliveryState.DEAD


def told(*recipients: str, **fields: Any) -> DeliveryRequest:
    return DeliveryRequest(recipients=recipients or (ADA,), **fields)


def exported(services: Services, delivery: DeliveryRequest) -> ExportJob:
    """A real export with somebody to tell."""
    return run_export(services, submit(services, replace(order("DEFINITION_MD"), delivery=delivery)).id)


def failed(services: Services, delivery: DeliveryRequest, error: str = "the disk is full") -> ExportJob:
    """A job that has failed; quicker to have than a finished one."""
    job = submit(services, replace(order("DEFINITION_MD"), delivery=delivery))
    jobs.fail(services.database, job_id=job.id, attempt=None, error=error, now=services.clock())
    return jobs.get(services.database, job.id)


def add_hook(services: Services, url: str, name: str = "hook") -> str:
    """A webhook of the demonstration user; its secret."""
    user = users.get_by_email(services.database, DEMO_USER_EMAIL)
    poster = open_channels(services.settings).webhooks
    return hooks.add(services, poster, user_id=user.id, name=name, url=url).secret


def send(services: Services, **limits: Any) -> list[DeliveryState]:
    return [sent.state for sent in deliver(services, open_channels(services.settings), **limits)]


def row(services: Services) -> Delivery:
    [delivery] = deliveries.list_deliveries(services.database)
    return delivery


def body(message: Any, kind: str = "plain") -> str:
    return message.get_body([kind]).get_content()
