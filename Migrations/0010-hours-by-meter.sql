-- A meter's hours lie together: a year of one meter is one stretch of the table, not a row in every page of it.

DROP VIEW meter_hours;
ALTER TABLE meter_hour RENAME TO meter_hour_by_time;

CREATE TABLE meter_hour (
    -- The minutes of each whole hour of UTC, summed.
    meter_id  INTEGER NOT NULL REFERENCES meter,
    start_us  INTEGER NOT NULL,
    samples   INTEGER NOT NULL,
    low_db    REAL,
    high_db   REAL,
    level_us  ANY NOT NULL,
    silent_us INTEGER NOT NULL,
    known_us  INTEGER NOT NULL,
    PRIMARY KEY (meter_id, start_us)
) STRICT, WITHOUT ROWID;
INSERT INTO meter_hour (meter_id, start_us, samples, low_db, high_db, level_us, silent_us, known_us)
SELECT meter_id, start_us, samples, low_db, high_db, level_us, silent_us, known_us
  FROM meter_hour_by_time ORDER BY meter_id, start_us;
DROP TABLE meter_hour_by_time;
CREATE INDEX meter_hour_at ON meter_hour (start_us);  -- retention deletes by time

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
      FROM processor p
     CROSS JOIN minute_coverage c ON c.processor_id = p.id
     CROSS JOIN meter m ON m.processor_id = p.id
     CROSS JOIN meter_hour t ON t.meter_id = m.id
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
