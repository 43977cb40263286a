"""What programs call the calls: the API's operation ids, from which clients make the names of their functions."""

from collections.abc import Mapping
from types import MappingProxyType

from fastapi.routing import APIRoute

OPERATIONS: Mapping[str, str] = MappingProxyType(
    {
        "GET /api/me": "getMe",
        "GET /api/types": "listTypes",
        "GET /api/runs": "searchRuns",
        "GET /api/definitions": "searchDefinitions",
        "POST /api/exports/preview": "previewExport",
        "POST /api/exports": "createExport",
        "GET /api/exports": "listExports",
        "GET /api/exports/{export_id}": "getExport",
        "DELETE /api/exports/{export_id}": "endExport",
        "POST /api/exports/{export_id}/retry": "retryExport",
        "GET /api/exports/{export_id}/status": "getExportStatus",
        "GET /api/exports/{export_id}/events": "streamExportEvents",
        "GET /api/exports/{export_id}/download": "makeDownloadLink",
        "POST /api/exports/{export_id}/share": "shareExport",
        "GET /api/exports/{export_id}/share": "listShares",
        "DELETE /api/exports/{export_id}/share/{grant}": "revokeShare",
        "GET /api/schedules": "listSchedules",
        "POST /api/schedules": "createSchedule",
        "GET /api/schedules/preview": "previewSchedule",
        "GET /api/schedules/{schedule_id}": "getSchedule",
        "PATCH /api/schedules/{schedule_id}": "changeSchedule",
        "DELETE /api/schedules/{schedule_id}": "removeSchedule",
        "POST /api/schedules/{schedule_id}/pause": "pauseSchedule",
        "POST /api/schedules/{schedule_id}/resume": "resumeSchedule",
        "POST /api/schedules/{schedule_id}/run-now": "runScheduleNow",
        "GET /api/subscriptions": "listSubscriptions",
        "POST /api/subscriptions": "createSubscription",
        "GET /api/subscriptions/{subscription_id}": "getSubscription",
        "PATCH /api/subscriptions/{subscription_id}": "changeSubscription",
        "DELETE /api/subscriptions/{subscription_id}": "removeSubscription",
        "POST /api/subscriptions/{subscription_id}/pause": "pauseSubscription",
        "POST /api/subscriptions/{subscription_id}/resume": "resumeSubscription",
        "GET /api/deliveries": "listDeliveries",
        "GET /api/deliveries/{delivery_id}": "getDelivery",
        "POST /api/deliveries/{delivery_id}/retry": "retryDelivery",
        "POST /api/deliveries/retry-dead": "retryDeadDeliveries",
        "GET /api/webhooks": "listWebhooks",
        "POST /api/webhooks": "addWebhook",
        "DELETE /api/webhooks/{name}": "removeWebhook",
        "POST /api/webhooks/{name}/test": "testWebhook",
        "POST /api/webhooks/{name}/pause": "pauseWebhook",
        "POST /api/webhooks/{name}/resume": "resumeWebhook",
        "GET /api/usage": "getUsage",
        "GET /api/audit": "listAuditEvents",
        "GET /api/audit/verify": "verifyAuditLog",
    }
)


def operation_id(route: APIRoute) -> str:
    """The call's name; its address where it has none."""
    call = f"{min(route.methods or ())} {route.path_format}"
    return OPERATIONS.get(call, call)
