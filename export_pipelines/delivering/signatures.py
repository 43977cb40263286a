"""Signatures of webhooks by the Standard Webhooks convention (https://www.standardwebhooks.com), symmetric form."""

import base64
import hmac
import secrets

PREFIX = "whsec_"
SECRET_BYTES = 32
"""The convention asks for 24 to 64."""


def new_secret() -> str:
    """A secret as the receiver's software takes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(secret: str, *, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers by which a receiver knows that the message is ours, which one it is, and how old."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }
