#!/usr/bin/env python3
"""A recorder as a good user would write one in Python: one socket with a large receive buffer, json, a row a value with an
index, WAL, executemany and a commit a second. One thread: sqlite3 lets go of the interpreter's lock for every row, and a
second thread that receives would take it for 5 ms each time.

    recorder.py CONTROL_PORT METER_PORT STORE   until SIGTERM
"""

import json
import signal
import socket
import sqlite3
import sys
import time

FAMILIES = (("Source", 14), ("Zone", 8), ("Group", 12), ("Mix", 16))
METERS = [f"{family}Meter_{i}" for family, count in FAMILIES for i in range(count)]


def main():
    control_port, meter_port, store = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    database = sqlite3.connect(store)
    database.executescript(
        """
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = NORMAL;
        CREATE TABLE samples (at_us INTEGER NOT NULL, meter TEXT NOT NULL, level_db REAL NOT NULL);
        CREATE INDEX samples_meter ON samples (meter, at_us);
        """
    )
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    meters = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    meters.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    meters.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    meters.bind(("127.0.0.1", meter_port))
    meters.settimeout(0.1)
    control = socket.create_connection(("127.0.0.1", control_port))
    wanted = [{"param": meter, "fmt": "val"} for meter in METERS]
    subscription = {"jsonrpc": "2.0", "id": 1, "method": "sub", "params": wanted}
    control.sendall(json.dumps(subscription).encode() + b"\n")

    rows, last = [], time.monotonic()
    while True:
        is_empty = False
        try:
            message = json.loads(meters.recv(65536))
        except socket.timeout:
            is_empty = True
        except ValueError:
            continue
        else:
            if message.get("method") == "update":
                at = time.time_ns() // 1000
                rows += [(at, value["param"], value["val"]) for value in message["params"] if "val" in value]
        if time.monotonic() - last >= 1 or (stopped and is_empty):
            with database:
                database.executemany("INSERT INTO samples VALUES (?, ?, ?)", rows)
            rows, last = [], time.monotonic()
        if stopped and is_empty:
            break
    database.close()


if __name__ == "__main__":
    main()
