"""One download over loopback, taken as fast as it comes and thrown away: ``PORT PATH``."""

import json
import socket
import sys

from benchmarks.usage import Usage

BUFFER_BYTES = 1024 * 1024


def main() -> None:
    port, path = sys.argv[1:]
    buffer, head, size = bytearray(BUFFER_BYTES), b"", 0
    usage = Usage()
    with socket.create_connection(("127.0.0.1", int(port))) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536)
        size = len(head.partition(b"\r\n\r\n")[2])
        while taken := connection.recv_into(buffer):
            size += taken
    if not head.startswith(b"HTTP/1.1 200 "):
        sys.exit(f"the server answers {head[:60]!r}")
    print(json.dumps({**usage.so_far(), "bytes": size}))


if __name__ == "__main__":
    main()
