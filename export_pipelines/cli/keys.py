"""``export-pipelines keys``: API keys, and the keys that sign manifests."""

from typing import Annotated

import typer

from export_pipelines.cli import api_keys, console, session
from export_pipelines.core.errors import NotFoundError
from export_pipelines.packaging.signing import PublicKey
from export_pipelines.steps import signing

app = typer.Typer(help="API keys; and `keys signing ...` for those that sign manifests.", no_args_is_help=True)
app.command("create")(api_keys.create)
app.command("list")(api_keys.list_)
app.command("revoke")(api_keys.revoke)
signing_app = typer.Typer(help="The Ed25519 keys that sign manifests.", no_args_is_help=True)
app.add_typer(signing_app, name="signing")

PemOption = Annotated[bool, typer.Option("--pem", help="As PEM, for openssl; else base64 on one line.")]
KeyIdArgument = Annotated[
    str | None,
    typer.Argument(metavar="[KEY_ID]", help="An older key, or the beginning of its id; else the one that signs."),
]


@signing_app.command()
def create() -> None:
    """Make the key that signs, before the first export would; prints its id."""
    console.out.print(signing.create(session.settings()).id)


@signing_app.command()
def rotate() -> None:
    """Let a new key sign from now on; what older keys signed still verifies. Prints the new key's id."""
    console.out.print(signing.rotate(session.settings()).id)


@signing_app.command(name="list")
def list_() -> None:
    """List the public keys that `verify` trusts here, the oldest first."""
    rows = [
        (trusted.key.id, "signs" if trusted.signs else "verifies", trusted.since, trusted.key.base64)
        for trusted in signing.trusted(session.settings())
    ]
    columns = ("KEY ID", "USE", "SINCE (UTC)", "PUBLIC KEY")
    console.print_table(columns, rows, empty="No keys yet; the first export makes one, or `keys signing create`.")


@signing_app.command()
def public(key_id: KeyIdArgument = None, pem: PemOption = False) -> None:
    """Print a public key, for those who verify files elsewhere."""
    key = _find(key_id)
    console.out.print(key.pem().decode().rstrip() if pem else key.base64, markup=False)


def _find(key_id: str | None) -> PublicKey:
    fitting = [
        trusted.key
        for trusted in signing.trusted(session.settings())
        if (trusted.signs if key_id is None else trusted.key.id.startswith(key_id))
    ]
    if len(fitting) != 1:
        wanted = "that signs" if key_id is None else f"that alone begins with {key_id!r}"
        raise NotFoundError(
            f"there is no key {wanted}; see `keys signing list`, or make one with `keys signing create`."
        )
    return fitting[0]
