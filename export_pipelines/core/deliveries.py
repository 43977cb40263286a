"""What is sent when an export has ended, and to whom; part of the request, since it outlives the process that asked."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DeliveryRequest:
    """Who hears of the end of an export.

    Attributes:
        recipients: each an e-mail address, or ``webhook:`` and the name of one of the user's webhooks.
        include_download_link: whether the message has a link that downloads the file.
        attach_file: whether an e-mail has the file itself, when it is small enough.
    """

    recipients: tuple[str, ...]
    include_download_link: bool = True
    attach_file: bool = False
