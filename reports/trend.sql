-- Each meter over the window in columns of equal length, about 60: low, mean and high in dB, silence, how much is known.
-- Weighted by time, from meter_minute, as report levels; from meter_hour where the columns are hours. A column is so many
-- whole minutes, or hours where it would be longer than 24 minutes; one that the window cuts has what lies in the window,
-- and a minute (an hour) that it cuts counts whole. Columns of which nothing is known are left out.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or NULL for all); :cells (how many
-- columns, NULL for 60).
WITH RECURSIVE span AS (
    SELECT *, (length_us + cells * 60000000 - 1) / (cells * 60000000) AS minutes,
           (length_us + cells * 3600000000 - 1) / (cells * 3600000000) AS hours
      FROM (SELECT CAST(:since_us AS INTEGER) AS since_us, CAST(:until_us AS INTEGER) AS until_us,
                   CAST(:until_us AS INTEGER) - CAST(:since_us AS INTEGER) AS length_us,
                   CAST(coalesce(:cells, 60) AS INTEGER) AS cells)
), step AS (
    -- So that the columns begin at a full hour, or at midnight UTC, where they can.
    SELECT since_us, until_us, minutes > 24 AS by_hour,
           CASE WHEN minutes > 24
                THEN 3600000000 * CASE WHEN hours <= 4 THEN hours WHEN hours <= 6 THEN 6 WHEN hours <= 8 THEN 8
                                       WHEN hours <= 12 THEN 12 ELSE (hours + 23) / 24 * 24 END
                ELSE 60000000 * CASE WHEN minutes <= 6 THEN minutes WHEN minutes <= 10 THEN 10 WHEN minutes <= 12 THEN 12
                                     WHEN minutes <= 15 THEN 15 WHEN minutes <= 20 THEN 20 ELSE 30 END END AS step_us
      FROM span
), unit AS MATERIALIZED (
    -- Which minutes are read, [first_us, last_us), and which hours, [first_hour_us, last_hour_us). Of the hour that lasts
    -- there are only minutes.
    SELECT p.id AS id, p.name AS processor, t.step_us AS step_us,
           (SELECT min(m.id) FROM meter m WHERE m.processor_id = p.id) AS first_id,
           (SELECT max(m.id) FROM meter m WHERE m.processor_id = p.id) AS last_id,
           max(c.from_us, t.since_us / 60000000 * 60000000,
               CASE WHEN t.by_hour THEN c.until_us / 3600000000 * 3600000000 ELSE 0 END) AS first_us,
           min(c.until_us, t.until_us) AS last_us,
           CASE WHEN t.by_hour THEN t.since_us / 3600000000 * 3600000000 END AS first_hour_us,
           min(t.until_us, c.until_us - 3599999999) AS last_hour_us, c.from_us - 3600000000 AS covered_us
      FROM step t CROSS JOIN processor p CROSS JOIN minute_coverage c ON c.processor_id = p.id
     WHERE :processor IS NULL OR p.name = :processor
), minute_start(id, start_us, last_us) AS (
    SELECT id, first_us, last_us FROM unit WHERE first_us < last_us
    UNION ALL SELECT id, start_us + 60000000, last_us FROM minute_start WHERE start_us + 60000000 < last_us
), part AS (
    -- A unit's meters have their numbers one after the other, or nearly.
    SELECT u.id AS id, t.meter_id AS meter_id, t.start_us / u.step_us AS place, t.samples AS samples,
           CASE typeof(t.low) WHEN 'integer' THEN t.low / 10.0 ELSE t.low END AS low_db,
           CASE typeof(t.high) WHEN 'integer' THEN t.high / 10.0 ELSE t.high END AS high_db,
           t.level_us AS level_us, t.silent_us AS silent_us, t.known_us AS known_us
      FROM unit u CROSS JOIN minute_start s ON s.id = u.id
     CROSS JOIN meter_minute t ON t.start_us = s.start_us AND t.meter_id BETWEEN u.first_id AND u.last_id
     WHERE t.known_us > 0
    UNION ALL
    SELECT u.id, t.meter_id, t.start_us / u.step_us, t.samples, t.low_db, t.high_db, t.level_us, t.silent_us, t.known_us
      FROM unit u CROSS JOIN meter m ON m.processor_id = u.id
     CROSS JOIN meter_hour t ON t.meter_id = m.id AND t.start_us >= u.first_hour_us AND t.start_us < u.last_hour_us
     WHERE t.start_us > u.covered_us AND t.known_us > 0
), total AS (
    SELECT id, meter_id, place, sum(samples) AS samples, min(low_db) AS low_db, max(high_db) AS high_db,
           sum(level_us) AS level_us, sum(silent_us) AS silent_us, sum(known_us) AS known_us
      FROM part GROUP BY meter_id, place, id
)
SELECT strftime('%Y-%m-%d %H:%M:%S', t.place * u.step_us / 1000000, 'unixepoch', 'localtime') || '.000' AS time,
       u.processor AS processor, m.name AS meter,
       (SELECT l.label FROM meter_label l
         WHERE l.processor_id = u.id AND l.meter = m.name AND l.from_us < (t.place + 1) * u.step_us
         ORDER BY l.from_us DESC LIMIT 1) AS label,
       t.samples AS samples, t.low_db AS low_db, round(t.level_us / (10.0 * t.known_us), 6) AS mean_db,
       t.high_db AS high_db, t.silent_us / 1e6 AS silent_seconds, t.known_us / 1e6 AS seconds,
       t.place * u.step_us AS start_us, (t.place + 1) * u.step_us AS end_us
  FROM total t CROSS JOIN unit u ON u.id = t.id CROSS JOIN meter m ON m.id = t.meter_id AND m.processor_id = t.id
 ORDER BY u.processor, substr(m.name, 1, instr(m.name, '_')), CAST(substr(m.name, instr(m.name, '_') + 1) AS INTEGER),
          t.place;
