-- The tables that the recorder writes. Ask your questions of the views (0002): their names and columns stay.
-- Times are microseconds since 1970-01-01 00:00 UTC, as integers: …_us.

CREATE TABLE recorder_run (
    -- One start of the recorder. After a crash or a power cut the next start closes it at its last heartbeat.
    run          INTEGER PRIMARY KEY,
    started_us   INTEGER NOT NULL,
    ended_us     INTEGER,                     -- NULL while it records
    heartbeat_us INTEGER NOT NULL,            -- written with every commit, at least each second
    batch        INTEGER NOT NULL DEFAULT 0,  -- number of the last commit: tells whether a commit that failed is there
    clean        INTEGER NOT NULL DEFAULT 0,  -- 1: stopped on request
    version      TEXT NOT NULL,
    pid          INTEGER NOT NULL,
    host         TEXT NOT NULL
) STRICT;

CREATE TABLE processor (
    -- One unit, known by the name it was given on the command line.
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    host          TEXT NOT NULL,
    control_port  INTEGER NOT NULL,
    simulated     INTEGER NOT NULL DEFAULT 0,  -- 1: invented by run --simulate
    firmware      TEXT,
    first_seen_us INTEGER,  -- when it was first and last heard from, by TCP or UDP
    last_seen_us  INTEGER
) STRICT;

CREATE TABLE meter (
    -- A meter of a unit and its place in that unit's frames. Slots count from 1 and are never used again.
    id           INTEGER PRIMARY KEY,
    processor_id INTEGER NOT NULL REFERENCES processor,
    slot         INTEGER NOT NULL,
    name         TEXT NOT NULL,  -- the device's name, ZoneMeter_0
    UNIQUE (processor_id, slot),
    UNIQUE (processor_id, name)
) STRICT;

CREATE TABLE frame (
    -- Meter values of one unit that arrived together (docs/decisions/0001-store-layout.md).
    at_us        INTEGER PRIMARY KEY,  -- when the first datagram of the frame arrived; the next free one if it is taken
    processor_id INTEGER NOT NULL REFERENCES processor,
    levels       TEXT NOT NULL,        -- character n is the meter in slot n: code point 832 + tenths of dB;
                                       -- U+0001: no value; U+0002: the value is in exact
    exact        TEXT                  -- JSON object slot -> dB, for what whole tenths of dB cannot hold
) STRICT;

CREATE TABLE sample (
    -- Values that came alone, where a row each is smaller than a frame.
    at_us    INTEGER PRIMARY KEY,
    meter_id INTEGER NOT NULL REFERENCES meter,
    level    ANY NOT NULL  -- INTEGER: tenths of dB; REAL: dB
) STRICT;

CREATE TABLE latest_level (
    -- Each unit's last values, written at least each second while they change.
    processor_id INTEGER PRIMARY KEY REFERENCES processor,
    levels       TEXT NOT NULL  -- JSON: [[at_us, dB], …] by slot, null where there was none yet
) STRICT;

CREATE TABLE sample_minute (
    -- How many meter values were stored, and how many were another program's copies.
    start_us     INTEGER NOT NULL,  -- of the minute
    processor_id INTEGER NOT NULL REFERENCES processor,
    stored       INTEGER NOT NULL,
    duplicate    INTEGER NOT NULL,
    PRIMARY KEY (start_us, processor_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE meter_minute (
    -- Each meter by the minute, weighted by time: a value holds until the next one while the meters link is up.
    start_us  INTEGER NOT NULL,
    meter_id  INTEGER NOT NULL REFERENCES meter,
    samples   INTEGER NOT NULL,
    low_db    REAL NOT NULL,
    mean_db   REAL NOT NULL,
    high_db   REAL NOT NULL,
    silent_us INTEGER NOT NULL,  -- at -80 dB
    known_us  INTEGER NOT NULL,  -- how much of the minute is known
    PRIMARY KEY (start_us, meter_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sample_loss (
    -- What did not become a sample, and why. One row a minute for each unit and reason.
    id           INTEGER PRIMARY KEY,
    processor_id INTEGER REFERENCES processor,  -- NULL: cannot be told
    reason       TEXT NOT NULL,
    from_us      INTEGER NOT NULL,
    until_us     INTEGER NOT NULL,
    datagrams    INTEGER NOT NULL,
    samples      INTEGER  -- NULL: cannot be told
) STRICT;
CREATE INDEX sample_loss_until ON sample_loss (until_us);

CREATE TABLE event (
    -- What happened to the links and to the recorder, in order.
    id           INTEGER PRIMARY KEY,
    at_us        INTEGER NOT NULL,
    processor_id INTEGER REFERENCES processor,  -- NULL: of the recorder itself
    link         TEXT,
    event        TEXT NOT NULL,
    cause        TEXT,
    detail       TEXT
) STRICT;
CREATE INDEX event_at ON event (at_us);

CREATE TABLE link_state (
    -- Every stretch of time of each link: rows follow one another without overlap and without a hole.
    processor_id INTEGER NOT NULL REFERENCES processor,
    link         TEXT NOT NULL CHECK (link IN ('control', 'meters')),
    started_us   INTEGER NOT NULL,
    ended_us     INTEGER,  -- NULL: it lasts
    state        TEXT NOT NULL CHECK (state IN ('up', 'down', 'unknown')),
    cause        TEXT CHECK ((cause IS NULL) = (state = 'up')),
    PRIMARY KEY (processor_id, link, started_us)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_state_open ON link_state (processor_id, link) WHERE ended_us IS NULL;

CREATE TABLE socket_error (
    -- An episode: the same error of the same socket, until success or 60 s without it.
    id           INTEGER PRIMARY KEY,
    processor_id INTEGER REFERENCES processor,
    socket       TEXT NOT NULL CHECK (socket IN ('tcp', 'udp')),
    operation    TEXT NOT NULL CHECK (operation IN ('bind', 'connect', 'send', 'recv')),
    code         TEXT NOT NULL,  -- the errno's name
    errno        INTEGER,
    address      TEXT,
    holder       TEXT,           -- who holds the port, 'node (pid 2211)'
    message      TEXT,
    first_us     INTEGER NOT NULL,
    last_us      INTEGER NOT NULL,
    count        INTEGER NOT NULL
) STRICT;
CREATE INDEX socket_error_last ON socket_error (last_us);
CREATE INDEX socket_error_code ON socket_error (code, last_us);

CREATE TABLE socket_error_minute (
    -- The same errors by the minute, so that any window counts right.
    start_us INTEGER NOT NULL,
    error_id INTEGER NOT NULL REFERENCES socket_error,
    count    INTEGER NOT NULL,
    PRIMARY KEY (start_us, error_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE meter_label (
    -- What the unit called a meter's channel, and from when. A unit that is configured anew names its channels anew.
    processor_id INTEGER NOT NULL REFERENCES processor,
    meter        TEXT NOT NULL,     -- ZoneMeter_0
    from_us      INTEGER NOT NULL,
    label        TEXT NOT NULL,     -- Main Bar
    PRIMARY KEY (processor_id, meter, from_us)
) STRICT, WITHOUT ROWID;

CREATE TABLE parameter_change (
    -- A parameter that is no meter took another value: gain, mute, source, name.
    id           INTEGER PRIMARY KEY,
    at_us        INTEGER NOT NULL,
    processor_id INTEGER NOT NULL REFERENCES processor,
    parameter    TEXT NOT NULL,
    value        ANY,
    previous     ANY  -- NULL: none was known
) STRICT;
CREATE INDEX parameter_change_at ON parameter_change (at_us);
CREATE INDEX parameter_change_last ON parameter_change (processor_id, parameter, at_us);
