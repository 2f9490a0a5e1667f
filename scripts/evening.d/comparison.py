"""What was recorded of a scripted evening, beside its script."""

import dataclasses
import datetime
import sqlite3


@dataclasses.dataclass
class Expected:
    """A fault, and the time of one link that has to be recorded for it."""

    fault: str
    link: str
    state: str
    causes: tuple
    start: float  # seconds since 1970
    end: float
    early: float  # seconds that the recorded start may lie before
    late_start: float  # and after, and the recorded end after
    late_end: float
    early_end: float = 0.2  # and the end before


def clock(seconds):
    return datetime.datetime.fromtimestamp(seconds).strftime("%H:%M:%S.%f")[:-3]


def recorded(store):
    """Every row that is not up, of the evening's runs."""
    database = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    query = """SELECT link, state, cause, started_us / 1e6, ended_us / 1e6 FROM link_states
                WHERE state <> 'up' AND ended_us IS NOT NULL ORDER BY started_us"""
    return database.execute(query).fetchall()


def compare(store, evening, origin):
    """Prints the table of what was expected since `origin`; returns whether all was found, and nothing else."""
    rows, explained, good = recorded(store), set(), True
    heads = ("fault", "recorded", "scripted", "recorded", "start", "end", "")
    lines = [heads]
    for expected in evening:
        found = [
            row for row in rows
            if row[0] == expected.link and row[1] == expected.state and row[2] in expected.causes
            and row[3] < expected.end and row[4] > expected.start - expected.early
        ]
        explained.update(found)
        scripted = f"{clock(expected.start)} - {clock(expected.end)}"
        if not found:
            lines.append((expected.fault, f"{expected.link}: not found", scripted, "-", "-", "-", "MISSING"))
            good = False
            continue
        start, end = found[0][3], found[-1][4]
        late = (start - expected.start, end - expected.end)
        holes = any(one[4] != other[3] for one, other in zip(found, found[1:]))
        fits = -expected.early <= late[0] <= expected.late_start and -expected.early_end <= late[1] <= expected.late_end
        good = good and fits and not holes
        causes = ", ".join(dict.fromkeys(row[2] for row in found))
        lines.append((
            expected.fault, f"{expected.link} {expected.state}: {causes}", scripted,
            f"{clock(start)} - {clock(end)}", f"{late[0]:+.3f} s", f"{late[1]:+.3f} s",
            "HOLE" if holes else "" if fits else "NOT IN TIME",
        ))
    widths = [max(len(line[index]) for line in lines) for index in range(len(heads))]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())
    for row in rows:
        starting = row[2] in ("recorder_starting", "recorder_stopped") and row[4] - row[3] < 2
        if row not in explained and not starting and row[3] > origin:
            print(f"NOT SCRIPTED: {row[0]} {row[1]}: {row[2]}, {clock(row[3])} - {clock(row[4])}")
            good = False
    return good
