"""Dagster's own home and storage, prepared so that one command is enough."""

import os
import shutil
from collections.abc import MutableMapping
from pathlib import Path

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.settings import PREFIX, Settings
from export_pipelines.db.database import dagster_database_url

DATABASE_VARIABLE = f"{PREFIX}DAGSTER_DATABASE_URL"
"""What ``dagster.yaml`` reads the storage's address from."""


def prepare_instance(settings: Settings, environ: MutableMapping[str, str] = os.environ) -> Path:
    """Set what Dagster needs in ``environ``, and put ``dagster.yaml`` into its home.

    A ``DAGSTER_HOME`` that is set already is left alone: it is the deployment's.

    Returns:
        Dagster's home.

    Raises:
        ValidationError: its home cannot be written.
    """
    environ[DATABASE_VARIABLE] = dagster_database_url(settings)
    given = environ.get("DAGSTER_HOME")
    if given:
        return Path(given)
    home = settings.home / "dagster"
    # Copied anew each time: the file in the project is the one that people edit.
    copy = home / f".dagster.yaml.{os.getpid()}"
    try:
        home.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(project_file("dagster.yaml"), copy)
        copy.replace(home / "dagster.yaml")
    except OSError as error:
        raise ValidationError(
            f"Dagster's home {home} cannot be written: {error.strerror}; set EXPORT_PIPELINES_HOME to another folder."
        ) from error
    environ["DAGSTER_HOME"] = str(home)
    return home


def project_file(name: str) -> Path:
    """``dagster.yaml`` or ``workspace.yaml``: beside the package in a checkout, inside it in a wheel.

    Raises:
        ValidationError: the installation is broken; the message says what is missing.
    """
    package = Path(__file__).parents[1]
    for folder in (package.parent, package / "deployment"):
        if (folder / name).is_file():
            return folder / name
    raise ValidationError(f"{name} is not where this installation keeps it; install export-pipelines again.")
