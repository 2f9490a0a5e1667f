-- What is known stays known when the wall clock is set, and only time that somebody lived through counts as recorded.

CREATE TABLE recorder_passage (
    -- A stretch of wall time that a run lived through: it ends where the clock is set, the host sleeps or the recorder is
    -- held up, and the next one begins after that. Where the clock was set back two of them cover the same time.
    id       INTEGER PRIMARY KEY,
    run      INTEGER NOT NULL REFERENCES recorder_run,
    from_us  INTEGER NOT NULL,
    until_us INTEGER  -- NULL: it lasts
) STRICT;
INSERT INTO recorder_passage (run, from_us, until_us) SELECT run, started_us, ended_us FROM recorder_run;

CREATE TABLE link_state_ahead (
    -- When the clock is set back, the links' states after the time it shows are kept here: they are lived a second time, or
    -- the clock is set forward again, and then they fill the time that it skips.
    processor_id INTEGER NOT NULL REFERENCES processor,
    link         TEXT NOT NULL,
    started_us   INTEGER NOT NULL,
    ended_us     INTEGER NOT NULL,
    state        TEXT NOT NULL,
    cause        TEXT,
    PRIMARY KEY (processor_id, link, started_us)
) STRICT, WITHOUT ROWID;

DROP VIEW recorder_runs;
CREATE VIEW recorder_runs AS
-- Each start of the recorder; a run that was killed ends at its last heartbeat, not clean.
SELECT r.run AS run,
       strftime('%Y-%m-%d %H:%M:%S', r.started_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', r.started_us / 1000 % 1000) AS started,
       strftime('%Y-%m-%d %H:%M:%S', r.end_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', r.end_us / 1000 % 1000) AS ended,
       r.started_us AS started_us, r.end_us AS ended_us, r.clean AS clean, r.version AS version, r.pid AS pid,
       r.host AS host
  FROM (SELECT *, CASE
                 WHEN ended_us IS NOT NULL THEN ended_us
                 -- The recorder writes a heartbeat each second; 5 s from the last one it does not record. One that lies
                 -- ahead was written before the clock was set back.
                 WHEN abs((julianday('now') - 2440587.5) * 86400000000 - heartbeat_us) > 5000000 THEN heartbeat_us
             END AS end_us
        FROM recorder_run) r;
