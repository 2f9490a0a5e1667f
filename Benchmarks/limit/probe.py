"""One look at one program: a unit that sends, a recorder that receives, and what became of it."""

import collections
import glob
import os
import signal
import sqlite3
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MIGRATIONS = os.path.join(HERE, "../../Migrations")
PEER = os.path.join(HERE, "../peers/recorder.py")
CONTROL, METERS = "15329", "13139"
SETTLING = 1.2  # seconds: whoever commits once a second has done so
# One for each character of a frame that is no "no value", and the rows of values that came alone.
FRAMES = "SELECT (SELECT coalesce(sum(length(replace(levels, char(1), ''))), 0) FROM frame) + (SELECT count(*) FROM sample)"

Result = collections.namedtuple("Result", "asked rate sent samples stored user system sender_cpu memory bytes")


class Programs:
    """What is measured: a name, how it is started, how its samples are counted, and which tables hold them."""

    def __init__(self, recorder, folder):
        self.folder = folder
        self.sender, limit = folder + "/sender", folder + "/limit"
        for program, libraries in ((self.sender, []), (limit, ["-lsqlite3", "-lpthread", "-lm"])):
            source = f"{HERE}/{os.path.basename(program)}.c"
            subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", program, source, *libraries], check=True)
        run = [recorder, "run", "--processor", f"Bar=127.0.0.1:{CONTROL}", "--meter-port", METERS, "--store"]
        self.commands = {
            "C": lambda store: [limit, CONTROL, METERS, store, MIGRATIONS],
            "recorder": lambda store: [*run, store],
            "Python": lambda store: [sys.executable, PEER, CONTROL, METERS, store],
        }
        self.counts = {"C": FRAMES, "recorder": FRAMES, "Python": "SELECT count(*) FROM samples"}
        ours = ("frame", "sample")
        self.tables = {"C": ours, "recorder": ours, "Python": ("samples", "samples_meter")}

    def alone(self, seconds, load="even"):
        """Datagrams a second that the sender can send to a socket that nobody reads."""
        command = [self.sender, "alone", METERS, str(seconds), load]
        line = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        sent, _, elapsed, _ = map(float, line.split())
        return sent / elapsed

    def run(self, name, rate, seconds, load="even", measures_bytes=False, look=None):
        """`look`: called with a connection to the store before that is deleted; its result is returned instead."""
        store = f"{self.folder}/{name}.sqlite"
        sender = subprocess.Popen(
            [self.sender, CONTROL, METERS, str(int(rate)), str(seconds), load], stdout=subprocess.PIPE, text=True)
        program = None
        try:
            sender.stdout.readline()  # it listens
            with open(f"{self.folder}/{name}.log", "w") as log:
                program = subprocess.Popen(self.commands[name](store), stdout=log, stderr=log)
            line = sender.stdout.readline().split()
            time.sleep(SETTLING)
            usage, memory = end(program)
            if len(line) != 4 or program.returncode != 0:
                sys.exit(f"{name} did not go through with it: {open(f'{self.folder}/{name}.log').read()[-2000:]}")
        finally:
            for process in (program, sender):
                if process and process.returncode is None:
                    process.kill()
                    process.wait()
        sent, samples, elapsed, cpu = (float(word) for word in line)
        database = sqlite3.connect(store)
        if look:
            return look(database)
        stored = database.execute(self.counts[name]).fetchone()[0]
        size = None
        if measures_bytes:
            names = ", ".join(f"'{table}'" for table in self.tables[name])
            pages = f"SELECT sum(pgsize) FROM dbstat WHERE aggregate = 1 AND name IN ({names})"
            size = database.execute(pages).fetchone()[0]
        database.close()
        self.clear(name)
        times = (usage.ru_utime, usage.ru_stime, cpu / sent)
        return Result(rate, sent / elapsed, sent, samples, stored, *times, memory, size)

    def clear(self, name):
        for file in glob.glob(f"{self.folder}/{name}.sqlite*"):
            os.remove(file)


def end(program):
    """Stops it and waits: what it used, and the most memory it held in KiB. Not ru_maxrss, which counts what this process
    held before it became that program."""
    memory = peak(program.pid)
    program.send_signal(signal.SIGTERM)
    while True:
        memory = max(memory, peak(program.pid))
        pid, status, usage = os.wait4(program.pid, os.WNOHANG)
        if pid:
            program.returncode = os.waitstatus_to_exitcode(status)
            return usage, memory
        time.sleep(0.02)


def peak(pid):
    with open(f"/proc/{pid}/status") as status:
        return next((int(line.split()[1]) for line in status if line.startswith("VmHWM:")), 0)


def levels(database):
    """What a store holds, by meter, in the order of its time; and how many rows."""
    found = collections.defaultdict(list)
    for meter, level in database.execute("SELECT meter, level_db FROM meter_samples ORDER BY meter, at_us"):
        found[meter].append(level)
    rows = {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("frame", "sample")}
    exact = database.execute("SELECT count(*) FROM frame WHERE exact IS NOT NULL").fetchone()[0]
    return dict(found), rows | {"frames with exact": exact}


def compare(programs, rate=2000, seconds=4):
    """Whether the C program stores what the recorder does: the same levels of the same meters in the same order. Two runs of
    one load, so where a frame of theirs ends may differ by the time that it took to arrive, and with it the rows."""
    (limit, limit_rows), (recorder, recorder_rows) = (
        programs.run(name, rate, seconds, "mixed", look=levels) for name in ("C", "recorder"))
    values = sum(map(len, recorder.values()))
    print(f"rows: C {limit_rows}, recorder {recorder_rows}")
    if limit == recorder:
        distinct = len({(meter, level) for meter in limit for level in limit[meter]})
        print(f"verified: both stored the same {values:,} values of {len(limit)} meters in the same order, {distinct:,} distinct")
        return True
    for meter in sorted(limit.keys() | recorder.keys()):
        ours, theirs = limit.get(meter, []), recorder.get(meter, [])
        place = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
        if ours != theirs:
            begin = f"{ours[place:place + 3]} and {theirs[place:place + 3]}"
            print(f"NOT THE SAME: {meter}: {len(ours)} and {len(theirs)} values, from {place} on: {begin}")
    return False
