-- Each meter in the window: low, mean and high in dB, time at silence (-80 dB), and how much of the window is known.
-- Weighted by time: a value holds until the next one while the meters link is up. Whole hours and minutes come from
-- meter_hour and meter_minute; what the window cuts of a minute, and what has no minutes, from the samples.
-- Where retention removed the samples, a minute that the window cuts counts whole.
-- samples counts the values that came; label has the names one after the other when the channel was renamed.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or NULL for all).
WITH RECURSIVE span AS (
    SELECT CAST(:since_us AS INTEGER) AS since_us, CAST(:until_us AS INTEGER) AS until_us,
           -- What is stored of a recorder that runs goes up to its last heartbeat.
           (SELECT coalesce(ended_us, heartbeat_us) FROM recorder_run ORDER BY run DESC LIMIT 1) AS stored_us,
           -- Before it there are no samples any more.
           coalesce((SELECT before_us FROM retained WHERE kind = 'samples'), 0) AS gone_us
), unit AS MATERIALIZED (
    -- The whole minutes of the window that are counted: [first_us, last_us); none: both are the window's end.
    SELECT id, processor, from_us, counted_us, since_us, until_us, stored_us,
           CASE WHEN first_us < last_us THEN first_us ELSE until_us END AS first_us,
           CASE WHEN first_us < last_us THEN last_us ELSE until_us END AS last_us
      FROM (SELECT p.id AS id, p.name AS processor, s.*, c.from_us AS from_us, c.until_us AS counted_us,
                   max((s.since_us + CASE WHEN s.since_us < s.gone_us THEN 0 ELSE 59999999 END) / 60000000 * 60000000,
                       coalesce(c.from_us, s.until_us)) AS first_us,
                   min((s.until_us + CASE WHEN s.until_us < s.gone_us THEN 59999999 ELSE 0 END) / 60000000 * 60000000,
                       coalesce(c.until_us, s.since_us)) AS last_us
              FROM span s CROSS JOIN processor p LEFT JOIN minute_coverage c ON c.processor_id = p.id
             WHERE :processor IS NULL OR p.name = :processor)
), hours AS MATERIALIZED (
    -- The whole hours among them: [first_us, last_us).
    SELECT id, (first_us + 3599999999) / 3600000000 * 3600000000 AS first_us,
           max(last_us / 3600000000, (first_us + 3599999999) / 3600000000) * 3600000000 AS last_us
      FROM unit WHERE first_us < last_us
), hour_start(id, start_us, last_us) AS (
    SELECT id, first_us, last_us FROM hours WHERE first_us < last_us
    UNION ALL SELECT id, start_us + 3600000000, last_us FROM hour_start WHERE start_us + 3600000000 < last_us
), minutes(id, first_us, last_us) AS (
    SELECT u.id, u.first_us, min(h.first_us, u.last_us) FROM unit u JOIN hours h ON h.id = u.id
    UNION ALL SELECT u.id, max(h.last_us, u.first_us), u.last_us FROM unit u JOIN hours h ON h.id = u.id
     WHERE h.first_us < u.last_us
), minute_start(id, start_us, last_us) AS (
    SELECT id, first_us, last_us FROM minutes WHERE first_us < last_us
    UNION ALL SELECT id, start_us + 60000000, last_us FROM minute_start WHERE start_us + 60000000 < last_us
), cut(id, from_us, to_us, covered_us, counted_us, stored_us) AS (
    -- What is left of the window, and the counted minute's end that lies before it or in it.
    SELECT id, since_us, first_us, from_us, counted_us, stored_us FROM unit WHERE since_us < first_us
    UNION ALL
    SELECT id, last_us, until_us, from_us, counted_us, stored_us FROM unit WHERE first_us < until_us AND last_us < until_us
), piece AS MATERIALIZED (
    -- Its values are read from base_us on: where a counted minute ends, or where the link came up. What held then, the
    -- minute source_us tells: the one before, or, after a step of the clock, the last one before that.
    SELECT row_number() OVER () AS piece, id, from_us, to_us, covered_us, stored_us,
           (min(carried_us, coalesce((SELECT l.ended_us FROM link_state l
                                       WHERE l.processor_id = c.id AND l.link = 'meters' AND l.started_us < carried_us
                                         AND l.cause IS NOT 'clock_step' ORDER BY l.started_us DESC LIMIT 1),
                                     carried_us)) - 1) / 60000000 * 60000000 AS source_us,
           coalesce(carried_us,
                    -- The last state before it in which no value holds.
                    (SELECT min(coalesce(l.ended_us, c.from_us), c.from_us) FROM link_state l
                      WHERE l.processor_id = c.id AND l.link = 'meters' AND l.started_us <= c.from_us AND l.state <> 'up'
                        AND l.cause IS NOT 'clock_step' ORDER BY l.started_us DESC LIMIT 1) - 1000000,
                    (SELECT min(l.started_us) FROM link_state l WHERE l.processor_id = c.id AND l.link = 'meters')
                        - 1000000, c.from_us) AS base_us
      FROM (SELECT *, CASE WHEN min(from_us / 60000000 * 60000000, counted_us) > covered_us
                           THEN min(from_us / 60000000 * 60000000, counted_us) END AS carried_us FROM cut) c
), state AS MATERIALIZED (
    SELECT p.piece AS piece, l.started_us AS started_us,
           coalesce(l.ended_us, max(l.started_us, p.stored_us)) AS ended_us, l.state = 'up' AS is_up,
           l.state = 'unknown' AS is_unknown, l.state <> 'up' AND l.cause IS NOT 'clock_step' AS is_break
      FROM piece p
     CROSS JOIN link_state l ON l.processor_id = p.id AND l.link = 'meters'
       AND l.started_us >= coalesce((SELECT max(b.started_us) FROM link_state b
                                      WHERE b.processor_id = p.id AND b.link = 'meters'
                                        AND b.started_us <= p.base_us / 60000000 * 60000000 - 2000000), 0)
       AND l.started_us < (p.to_us / 60000000 + 1) * 60000000 + 1000000
), stretch AS MATERIALIZED (
    -- Time up. Values from takes_us on are its own; in stretches of one chain they go on holding: nothing but a set clock
    -- lies between them.
    SELECT piece, started_us, ended_us, chain, max(coalesce(before_us, 0), started_us - 1000000) AS takes_us
      FROM (SELECT *, sum(is_break OR started_us > end_us) OVER (PARTITION BY piece ORDER BY started_us) AS chain,
                   max(CASE WHEN is_up THEN ended_us END) OVER (
                       PARTITION BY piece ORDER BY started_us
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before_us
              FROM (SELECT *, lag(ended_us, 1, started_us) OVER (PARTITION BY piece ORDER BY started_us) AS end_us
                      FROM state))
     WHERE is_up
), value AS (
    -- level: INTEGER: tenths of dB; REAL: dB.
    SELECT p.piece AS piece, t.meter_id AS meter_id, p.base_us AS at_us, 0 AS rank, t.last AS level
      FROM piece p
     CROSS JOIN meter m ON m.processor_id = p.id
     CROSS JOIN meter_minute t ON t.start_us = p.source_us AND t.meter_id = m.id
     WHERE t.last IS NOT NULL AND p.source_us >= p.covered_us
    UNION ALL
    SELECT p.piece, m.id, f.at_us, 1,
           CASE substr(f.levels, m.slot, 1)
               WHEN char(2) THEN json_extract(f.exact, '$."' || m.slot || '"')
               ELSE unicode(substr(f.levels, m.slot, 1)) - 832 END
      FROM piece p
     -- The + keeps SQLite from first making an index of every frame in the store: the range of time is the way in.
     CROSS JOIN frame f ON f.at_us >= p.base_us AND f.at_us < p.to_us AND +f.processor_id = p.id
     CROSS JOIN meter m ON m.processor_id = p.id
     WHERE substr(f.levels, m.slot, 1) > char(1)
    UNION ALL
    SELECT p.piece, s.meter_id, s.at_us, 2, s.level
      FROM piece p
     CROSS JOIN sample s ON s.at_us >= p.base_us AND s.at_us < p.to_us
     CROSS JOIN meter m ON m.id = s.meter_id AND m.processor_id = p.id
), placed AS MATERIALIZED (
    SELECT v.*, CASE v.rank
               WHEN 0 THEN (SELECT t.chain FROM stretch t WHERE t.piece = v.piece AND t.ended_us > v.at_us
                             ORDER BY t.started_us LIMIT 1)
               ELSE (SELECT t.chain FROM stretch t
                      WHERE t.piece = v.piece AND t.takes_us <= v.at_us AND t.ended_us > v.at_us) END AS chain
      FROM value v
     -- What is beyond 1,000 dB an older version took for a level: it is none.
     WHERE typeof(v.level) = 'integer' OR abs(v.level) <= 1000
), held AS (
    SELECT h.meter_id AS meter_id, h.level AS level,
           min(h.next_us, t.ended_us, p.to_us) - max(h.at_us, t.started_us, p.from_us) AS known_us
      FROM (SELECT *, lead(at_us, 1, 9223372036854775807) OVER (PARTITION BY piece, meter_id ORDER BY at_us, rank)
                          AS next_us
              FROM placed WHERE chain IS NOT NULL) h
      JOIN piece p ON p.piece = h.piece
      JOIN stretch t ON t.piece = h.piece AND t.chain = h.chain AND t.ended_us > h.at_us AND t.started_us < h.next_us
), part AS (
    SELECT t.meter_id AS meter_id, t.samples AS samples, t.low_db AS low_db, t.high_db AS high_db,
           t.level_us AS level_us, t.silent_us AS silent_us, t.known_us AS known_us
      FROM hour_start h
     CROSS JOIN meter m ON m.processor_id = h.id
     CROSS JOIN meter_hour t ON t.start_us = h.start_us AND t.meter_id = m.id
    UNION ALL
    SELECT t.meter_id, t.samples, CASE typeof(t.low) WHEN 'integer' THEN t.low / 10.0 ELSE t.low END,
           CASE typeof(t.high) WHEN 'integer' THEN t.high / 10.0 ELSE t.high END, t.level_us, t.silent_us, t.known_us
      FROM minute_start s
     CROSS JOIN meter m ON m.processor_id = s.id
     CROSS JOIN meter_minute t ON t.start_us = s.start_us AND t.meter_id = m.id
    UNION ALL
    SELECT meter_id, 0, min(CASE typeof(level) WHEN 'integer' THEN level / 10.0 ELSE level END),
           max(CASE typeof(level) WHEN 'integer' THEN level / 10.0 ELSE level END),
           sum(CASE typeof(level) WHEN 'integer' THEN level ELSE 10.0 * level END * known_us),
           sum(CASE WHEN level = -800 AND typeof(level) = 'integer' THEN known_us ELSE 0 END), sum(known_us)
      FROM held WHERE known_us > 0 GROUP BY meter_id
    UNION ALL
    SELECT v.meter_id, count(*), NULL, NULL, 0, 0, 0
      FROM placed v JOIN piece p ON p.piece = v.piece
     WHERE v.rank > 0 AND v.at_us >= p.from_us
       -- Not in a minute of which nobody recorded anything.
       AND (v.chain IS NOT NULL
            OR EXISTS (SELECT 1 FROM state s
                        WHERE s.piece = v.piece AND NOT s.is_unknown
                          AND s.started_us - s.is_up * 1000000 < (v.at_us / 60000000 + 1) * 60000000
                          AND s.ended_us > v.at_us / 60000000 * 60000000))
     GROUP BY v.meter_id
), total AS (
    SELECT meter_id, sum(samples) AS samples, min(low_db) AS low_db, max(high_db) AS high_db, sum(level_us) AS level_us,
           sum(silent_us) AS silent_us, sum(known_us) AS known_us
      FROM part GROUP BY meter_id
)
SELECT u.processor AS processor, m.name AS meter,
       (SELECT group_concat(n.label, ' / ')
          FROM (SELECT l.label AS label FROM meter_label l
                 WHERE l.processor_id = u.id AND l.meter = m.name AND l.from_us < u.until_us
                   AND l.from_us >= coalesce((SELECT max(b.from_us) FROM meter_label b
                                               WHERE b.processor_id = u.id AND b.meter = m.name
                                                 AND b.from_us <= u.since_us), 0)
                 ORDER BY l.from_us) n) AS label,
       coalesce(t.samples, 0) AS samples, t.low_db AS low_db,
       round(t.level_us / (10.0 * t.known_us), 6) AS mean_db, t.high_db AS high_db,
       coalesce(t.silent_us, 0) / 1e6 AS silent_seconds, coalesce(t.known_us, 0) / 1e6 AS seconds
  FROM unit u
  JOIN meter m ON m.processor_id = u.id
  LEFT JOIN total t ON t.meter_id = m.id
 ORDER BY u.processor, substr(m.name, 1, instr(m.name, '_')), CAST(substr(m.name, instr(m.name, '_') + 1) AS INTEGER);
