"""The recorder that a script loads."""

import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def binary(named):
    """The one that is named; else installs and builds what is missing."""
    if named:
        return os.path.abspath(named)
    subprocess.run([ROOT + "/scripts/install-missing", "/usr/include/sqlite3.h=libsqlite3-dev"], check=True)
    print("building (the first time takes some minutes)", flush=True)
    subprocess.run("swift build -c release --static-swift-stdlib --product atlas-recorder".split(), cwd=ROOT, check=True)
    return ROOT + "/.build/release/atlas-recorder"
