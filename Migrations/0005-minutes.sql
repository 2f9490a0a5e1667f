-- Each meter by the minute and by the hour, counted from what is stored (docs/decisions/0004-minutes.md).

DROP VIEW meter_hours;
DROP VIEW meter_minutes;
DROP TABLE meter_minute;  -- no version has ever filled it

CREATE TABLE meter_minute (
    -- Each meter by the minute, weighted by time: a value holds until the next one while the meters link is up. Only what
    -- minute_coverage names is valid; the view meter_minutes shows just that.
    start_us  INTEGER NOT NULL,
    meter_id  INTEGER NOT NULL REFERENCES meter,
    samples   INTEGER NOT NULL,
    low       ANY,               -- INTEGER: tenths of dB; REAL: dB; NULL: nothing of the minute is known
    high      ANY,               -- the same
    level_us  ANY NOT NULL,      -- tenths of dB times microseconds, summed over what is known
    silent_us INTEGER NOT NULL,  -- at -80 dB
    known_us  INTEGER NOT NULL,  -- how much of the minute is known
    last      ANY,               -- like low: the value that goes on holding after the minute; NULL: none
    PRIMARY KEY (start_us, meter_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE meter_hour (
    -- The minutes of each whole hour of UTC, summed.
    start_us  INTEGER NOT NULL,
    meter_id  INTEGER NOT NULL REFERENCES meter,
    samples   INTEGER NOT NULL,
    low_db    REAL,
    high_db   REAL,
    level_us  ANY NOT NULL,
    silent_us INTEGER NOT NULL,
    known_us  INTEGER NOT NULL,
    PRIMARY KEY (start_us, meter_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE minute_coverage (
    -- From when until when each unit's minutes are counted, both whole minutes. The triggers set until_us back when what a
    -- minute was counted from changes: then it is counted again.
    processor_id INTEGER PRIMARY KEY REFERENCES processor,
    from_us      INTEGER NOT NULL,
    until_us     INTEGER NOT NULL,
    fixed_us     INTEGER NOT NULL DEFAULT 0  -- minutes before it are never counted again: their samples may be gone
) STRICT;

-- Of what was recorded before this version there are no minutes: report levels answers from the samples.
INSERT INTO minute_coverage (processor_id, from_us, until_us, fixed_us)
SELECT p.id, r.first_us, r.first_us, r.first_us
  FROM processor p, (SELECT (max(coalesce(ended_us, heartbeat_us)) / 60000000 + 1) * 60000000 AS first_us
                       FROM recorder_run) r
 WHERE r.first_us IS NOT NULL;

CREATE VIEW minutes_to_count AS
-- From when on each unit's minutes are still to be counted. INSERT INTO it counts those from from_us on once more.
SELECT processor_id, until_us AS from_us FROM minute_coverage;

CREATE TRIGGER minutes_to_count_again INSTEAD OF INSERT ON minutes_to_count
BEGIN
    UPDATE minute_coverage
       SET until_us = max(fixed_us, NEW.from_us / 60000000 * 60000000),
           from_us = min(from_us, max(fixed_us, NEW.from_us / 60000000 * 60000000))
     WHERE processor_id = NEW.processor_id AND until_us > max(fixed_us, NEW.from_us);
END;

-- Another state, or another time of it. A value of the second before the link is up counts from then on, and one of before a
-- clock step holds after it, so what begins reaches back.
CREATE TRIGGER link_state_begins AFTER INSERT ON link_state WHEN NEW.link = 'meters'
BEGIN
    INSERT INTO minutes_to_count
    SELECT NEW.processor_id,
           min(NEW.started_us, coalesce((SELECT b.ended_us FROM link_state b
                                     WHERE b.processor_id = NEW.processor_id AND b.link = 'meters'
                                       AND b.started_us < NEW.started_us AND b.cause IS NOT 'clock_step'
                                     ORDER BY b.started_us DESC LIMIT 1), NEW.started_us)) - 1000000;
END;

CREATE TRIGGER link_state_goes AFTER DELETE ON link_state WHEN OLD.link = 'meters'
BEGIN
    INSERT INTO minutes_to_count
    SELECT OLD.processor_id,
           min(OLD.started_us, coalesce((SELECT b.ended_us FROM link_state b
                                     WHERE b.processor_id = OLD.processor_id AND b.link = 'meters'
                                       AND b.started_us < OLD.started_us AND b.cause IS NOT 'clock_step'
                                     ORDER BY b.started_us DESC LIMIT 1), OLD.started_us)) - 1000000;
END;

CREATE TRIGGER link_state_turns AFTER UPDATE ON link_state
    WHEN NEW.link = 'meters' AND (OLD.state <> NEW.state OR OLD.cause IS NOT NEW.cause)
BEGIN
    INSERT INTO minutes_to_count
    SELECT NEW.processor_id,
           min(NEW.started_us, coalesce((SELECT b.ended_us FROM link_state b
                                     WHERE b.processor_id = NEW.processor_id AND b.link = 'meters'
                                       AND b.started_us < NEW.started_us AND b.cause IS NOT 'clock_step'
                                     ORDER BY b.started_us DESC LIMIT 1), NEW.started_us)) - 1000000;
END;

CREATE TRIGGER link_state_ends AFTER UPDATE ON link_state
    WHEN NEW.link = 'meters' AND OLD.ended_us IS NOT NEW.ended_us
BEGIN
    INSERT INTO minutes_to_count
    VALUES (NEW.processor_id, min(coalesce(OLD.ended_us, NEW.ended_us), coalesce(NEW.ended_us, OLD.ended_us)));
END;

-- Samples of a minute that was counted already: they came late, or the clock was set back.
CREATE TRIGGER sample_minute_begins AFTER INSERT ON sample_minute WHEN NEW.stored > 0
BEGIN
    INSERT INTO minutes_to_count VALUES (NEW.processor_id, NEW.start_us);
END;

CREATE TRIGGER sample_minute_grows AFTER UPDATE OF stored ON sample_minute WHEN NEW.stored > OLD.stored
BEGIN
    INSERT INTO minutes_to_count VALUES (NEW.processor_id, NEW.start_us);
END;

CREATE VIEW meter_minutes AS
-- Each meter by the minute, weighted by time; mean_db is the mean of the dB values, seconds is how much is known. The last
-- minute comes some seconds after it ended.
SELECT strftime('%Y-%m-%d %H:%M:%S', u.start_us / 1000000, 'unixepoch', 'localtime') || '.000' AS time,
       u.start_us AS start_us, u.processor AS processor, u.meter AS meter,
       (SELECT l.label FROM meter_label l
         WHERE l.processor_id = u.processor_id AND l.meter = u.meter AND l.from_us < u.start_us + 60000000
         ORDER BY l.from_us DESC LIMIT 1) AS label,
       u.samples AS samples, u.low_db AS low_db, u.mean_db AS mean_db, u.high_db AS high_db,
       u.silent_seconds AS silent_seconds, u.seconds AS seconds
  FROM (
    -- CROSS JOIN keeps the order: the time's range first, whatever else is asked.
    SELECT t.start_us AS start_us, p.id AS processor_id, p.name AS processor, m.name AS meter, t.samples AS samples,
           CASE typeof(t.low) WHEN 'integer' THEN t.low / 10.0 ELSE t.low END AS low_db,
           t.level_us / (10.0 * t.known_us) AS mean_db,
           CASE typeof(t.high) WHEN 'integer' THEN t.high / 10.0 ELSE t.high END AS high_db,
           t.silent_us / 1e6 AS silent_seconds, t.known_us / 1e6 AS seconds
      FROM meter_minute t
     CROSS JOIN meter m ON m.id = t.meter_id
     CROSS JOIN minute_coverage c ON c.processor_id = m.processor_id
     CROSS JOIN processor p ON p.id = m.processor_id
     WHERE t.start_us >= c.from_us AND t.start_us < c.until_us AND (t.known_us > 0 OR t.samples > 0)
  ) u;

CREATE VIEW meter_hours AS
-- The minutes summed by the hour of UTC: where summer time ends, two of them have one local time. The hour that lasts holds
-- its minutes so far.
SELECT strftime('%Y-%m-%d %H:%M:%S', u.start_us / 1000000, 'unixepoch', 'localtime') || '.000' AS time,
       u.start_us AS start_us, u.processor AS processor, u.meter AS meter,
       (SELECT l.label FROM meter_label l
         WHERE l.processor_id = u.processor_id AND l.meter = u.meter AND l.from_us < u.start_us + 3600000000
         ORDER BY l.from_us DESC LIMIT 1) AS label,
       u.samples AS samples, u.low_db AS low_db, u.mean_db AS mean_db, u.high_db AS high_db,
       u.silent_seconds AS silent_seconds, u.seconds AS seconds
  FROM (
    SELECT t.start_us AS start_us, p.id AS processor_id, p.name AS processor, m.name AS meter, t.samples AS samples,
           t.low_db AS low_db, t.level_us / (10.0 * t.known_us) AS mean_db, t.high_db AS high_db,
           t.silent_us / 1e6 AS silent_seconds, t.known_us / 1e6 AS seconds
      FROM meter_hour t
     CROSS JOIN meter m ON m.id = t.meter_id
     CROSS JOIN minute_coverage c ON c.processor_id = m.processor_id
     CROSS JOIN processor p ON p.id = m.processor_id
     WHERE t.start_us + 3600000000 > c.from_us AND t.start_us + 3600000000 <= c.until_us
    UNION ALL
    SELECT t.start_us / 3600000000 * 3600000000, p.id, p.name, m.name, sum(t.samples),
           min(CASE typeof(t.low) WHEN 'integer' THEN t.low / 10.0 ELSE t.low END),
           sum(t.level_us) / (10.0 * sum(t.known_us)),
           max(CASE typeof(t.high) WHEN 'integer' THEN t.high / 10.0 ELSE t.high END),
           sum(t.silent_us) / 1e6, sum(t.known_us) / 1e6
      FROM (SELECT min(until_us) / 3600000000 * 3600000000 AS first_us FROM minute_coverage) o
     CROSS JOIN meter_minute t ON t.start_us >= o.first_us
     CROSS JOIN meter m ON m.id = t.meter_id
     CROSS JOIN minute_coverage c ON c.processor_id = m.processor_id
     CROSS JOIN processor p ON p.id = m.processor_id
     WHERE t.start_us >= max(c.from_us, c.until_us / 3600000000 * 3600000000) AND t.start_us < c.until_us
       AND (t.known_us > 0 OR t.samples > 0)
     GROUP BY t.start_us / 3600000000, t.meter_id
  ) u;
