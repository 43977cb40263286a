"""Who an export is for when nobody is named."""

from export_pipelines.core.errors import ValidationError
from export_pipelines.db.evaluation import users
from export_pipelines.steps.services import Services


def default_user(services: Services) -> str:
    """The user that the settings name; else the one who was there first: on one's own machine there often is no other.

    Raises:
        ValidationError: there are no users at all.
    """
    if services.settings.user:
        return services.settings.user
    everybody = users.list_all(services.database)
    if not everybody:
        raise ValidationError("there are no users yet; `export-pipelines db seed` makes some, with example data.")
    return min(everybody, key=lambda user: (user.created_at, user.id)).id
