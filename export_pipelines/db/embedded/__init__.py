"""Our own PostgreSQL server for whoever configured none: started by any command that needs it, stopped by ``db stop``.

Only the programs inside a PyPI wheel are used, not the wheel's code. What is promised: any number of processes may ask
for the server at once and get the same one; whatever is killed, at whatever moment, the next command puts things right;
the server outlives the process that started it; nothing outside our own folders is created or changed, also as root.
"""

from export_pipelines.db.embedded.server import EmbeddedServer
from export_pipelines.db.embedded.supervisor import ensure_running, remove, status, stop

__all__ = ["EmbeddedServer", "ensure_running", "remove", "status", "stop"]
