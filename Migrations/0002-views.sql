-- The views: for `sqlite3 -readonly`. Filter on the …_us columns, they are indexed; time, started, ended are local.
-- They keep to SQLite 3.37. For local time: the whole seconds go through strftime, the milliseconds beside it.

CREATE VIEW meter_samples AS
-- Every meter value, level_db in dB, under the label that the unit used at that time.
SELECT strftime('%Y-%m-%d %H:%M:%S', u.at_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', u.at_us / 1000 % 1000) AS time,
       u.at_us AS at_us,
       u.processor AS processor,
       u.meter AS meter,
       (SELECT l.label FROM meter_label l
         WHERE l.processor_id = u.processor_id AND l.meter = u.meter AND l.from_us <= u.at_us
         ORDER BY l.from_us DESC LIMIT 1) AS label,
       u.level_db AS level_db
  FROM (
    -- CROSS JOIN keeps the order: the time's range first, whatever else is asked.
    SELECT f.at_us AS at_us, p.id AS processor_id, p.name AS processor, m.name AS meter,
           CASE substr(f.levels, m.slot, 1)
               WHEN char(2) THEN json_extract(f.exact, '$."' || m.slot || '"')
               ELSE (unicode(substr(f.levels, m.slot, 1)) - 832) / 10.0 END AS level_db
      FROM frame f
      CROSS JOIN processor p ON p.id = f.processor_id
      CROSS JOIN meter m ON m.processor_id = f.processor_id
     WHERE substr(f.levels, m.slot, 1) > char(1)
    UNION ALL
    SELECT s.at_us, p.id, p.name, m.name, CASE typeof(s.level) WHEN 'integer' THEN s.level / 10.0 ELSE s.level END
      FROM sample s
      CROSS JOIN meter m ON m.id = s.meter_id
      CROSS JOIN processor p ON p.id = m.processor_id
  ) u;

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
                 -- The recorder writes a heartbeat each second; over 5 s without one it does not record.
                 WHEN (julianday('now') - 2440587.5) * 86400000000 - heartbeat_us > 5000000 THEN heartbeat_us
             END AS end_us
        FROM recorder_run) r;

CREATE VIEW link_states AS
-- What each link was at every moment since the recorder first ran. ended is NULL for the row that lasts.
SELECT u.processor AS processor, u.link AS link, u.state AS state, u.cause AS cause,
       strftime('%Y-%m-%d %H:%M:%S', u.started_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', u.started_us / 1000 % 1000) AS started,
       strftime('%Y-%m-%d %H:%M:%S', u.ended_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', u.ended_us / 1000 % 1000) AS ended,
       u.started_us AS started_us, u.ended_us AS ended_us,
       (coalesce(u.ended_us, max(u.started_us, CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)))
           - u.started_us) / 1e6 AS seconds
  FROM (
    -- CROSS JOIN keeps the order: the processor first, then its rows by the primary key's range.
    SELECT p.name AS processor, s.link AS link, s.state AS state, s.cause AS cause, s.started_us AS started_us,
           coalesce(s.ended_us, max(r.ended_us, s.started_us)) AS ended_us
      -- The last run's end is NULL while a recorder runs.
      FROM (SELECT ended_us FROM recorder_runs ORDER BY run DESC LIMIT 1) r
     CROSS JOIN processor p
     CROSS JOIN link_state s ON s.processor_id = p.id
    UNION ALL
    -- Since the recording ended, nothing is known.
    SELECT p.name, s.link, 'unknown', 'recorder_stopped', coalesce(s.ended_us, max(r.ended_us, s.started_us)), NULL
      FROM (SELECT ended_us FROM recorder_runs ORDER BY run DESC LIMIT 1) r
     CROSS JOIN processor p
     CROSS JOIN (SELECT 'control' AS link UNION ALL SELECT 'meters') k
     CROSS JOIN link_state s ON s.processor_id = p.id AND s.link = k.link
     WHERE r.ended_us IS NOT NULL
       AND s.started_us = (SELECT max(l.started_us) FROM link_state l WHERE l.processor_id = p.id AND l.link = k.link)
  ) u;

CREATE VIEW outages AS
-- Runs of contiguous down rows. cause is the one that lasted longest, causes all of them, in order of time.
SELECT o.processor AS processor, o.link AS link,
       (SELECT t.cause FROM (
           SELECT c.cause AS cause,
                  coalesce(c.ended_us, o.ended_us, (julianday('now') - 2440587.5) * 86400000000) - c.started_us AS lasted
             FROM link_state c
            WHERE c.processor_id = o.processor_id AND c.link = o.link AND c.started_us >= o.started_us
              AND c.started_us < coalesce(o.ended_us, 1 << 62)) t
         GROUP BY t.cause ORDER BY sum(t.lasted) DESC LIMIT 1) AS cause,
       (SELECT json_group_array(t.cause) FROM (
           SELECT c.cause AS cause FROM link_state c
            WHERE c.processor_id = o.processor_id AND c.link = o.link AND c.started_us >= o.started_us
              AND c.started_us < coalesce(o.ended_us, 1 << 62)
            GROUP BY c.cause ORDER BY min(c.started_us)) t) AS causes,
       strftime('%Y-%m-%d %H:%M:%S', o.started_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', o.started_us / 1000 % 1000) AS started,
       strftime('%Y-%m-%d %H:%M:%S', o.ended_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', o.ended_us / 1000 % 1000) AS ended,
       o.started_us AS started_us, o.ended_us AS ended_us,
       (coalesce(o.ended_us, max(o.started_us, CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)))
           - o.started_us) / 1e6 AS seconds
  FROM (
    -- It begins with a down row after one that is not, and ends where the next one that is not begins, or with the last.
    SELECT p.id AS processor_id, p.name AS processor, d.link AS link, d.started_us AS started_us,
           coalesce((SELECT n.started_us FROM link_state n
                      WHERE n.processor_id = d.processor_id AND n.link = d.link AND n.started_us > d.started_us
                        AND n.state <> 'down' ORDER BY n.started_us LIMIT 1),
                    (SELECT coalesce(n.ended_us, max(r.ended_us, n.started_us)) FROM link_state n
                      WHERE n.processor_id = d.processor_id AND n.link = d.link
                      ORDER BY n.started_us DESC LIMIT 1)) AS ended_us
      FROM (SELECT ended_us FROM recorder_runs ORDER BY run DESC LIMIT 1) r
     CROSS JOIN processor p
     CROSS JOIN link_state d ON d.processor_id = p.id
     WHERE d.state = 'down'
       AND (SELECT b.state FROM link_state b
             WHERE b.processor_id = d.processor_id AND b.link = d.link AND b.started_us < d.started_us
             ORDER BY b.started_us DESC LIMIT 1) IS NOT 'down'
  ) o;

CREATE VIEW latest_levels AS
-- Each meter's last value. current is 1 while the meters link is up.
SELECT p.name AS processor, m.name AS meter,
       (SELECT l.label FROM meter_label l WHERE l.processor_id = m.processor_id AND l.meter = m.name
         ORDER BY l.from_us DESC LIMIT 1) AS label,
       json_extract(v.value, '$[1]') AS level_db,
       strftime('%Y-%m-%d %H:%M:%S', json_extract(v.value, '$[0]') / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', json_extract(v.value, '$[0]') / 1000 % 1000) AS time,
       json_extract(v.value, '$[0]') AS at_us,
       coalesce((SELECT s.state = 'up' FROM link_state s, recorder_runs r
                  WHERE s.processor_id = p.id AND s.link = 'meters' AND s.ended_us IS NULL
                    AND r.run = (SELECT max(run) FROM recorder_run) AND r.ended_us IS NULL), 0) AS current
  FROM latest_level t JOIN processor p ON p.id = t.processor_id
  JOIN json_each(t.levels) v JOIN meter m ON m.processor_id = p.id AND m.slot = v.key + 1
 WHERE v.type = 'array';

CREATE VIEW meter_minutes AS
-- Each meter by the minute, weighted by time; mean_db is the mean of the dB values, seconds is how much is known.
SELECT strftime('%Y-%m-%d %H:%M:%S', t.start_us / 1000000, 'unixepoch', 'localtime') || '.000' AS time,
       t.start_us AS start_us, p.name AS processor, m.name AS meter,
       (SELECT l.label FROM meter_label l
         WHERE l.processor_id = m.processor_id AND l.meter = m.name AND l.from_us < t.start_us + 60000000
         ORDER BY l.from_us DESC LIMIT 1) AS label,
       t.samples AS samples, t.low_db AS low_db, t.mean_db AS mean_db, t.high_db AS high_db,
       t.silent_us / 1e6 AS silent_seconds, t.known_us / 1e6 AS seconds
  FROM meter_minute t JOIN meter m ON m.id = t.meter_id JOIN processor p ON p.id = m.processor_id;

CREATE VIEW meter_hours AS
-- The minutes, by the hour of UTC.
SELECT strftime('%Y-%m-%d %H:%M:%S', t.start_us / 1000000, 'unixepoch', 'localtime') || '.000' AS time,
       t.start_us AS start_us, p.name AS processor, m.name AS meter,
       (SELECT l.label FROM meter_label l
         WHERE l.processor_id = m.processor_id AND l.meter = m.name AND l.from_us < t.start_us + 3600000000
         ORDER BY l.from_us DESC LIMIT 1) AS label,
       t.samples AS samples, t.low_db AS low_db, t.mean_db AS mean_db, t.high_db AS high_db,
       t.silent_us / 1e6 AS silent_seconds, t.known_us / 1e6 AS seconds
  FROM (SELECT start_us / 3600000000 * 3600000000 AS start_us, meter_id, sum(samples) AS samples, min(low_db) AS low_db,
               sum(mean_db * known_us) / nullif(sum(known_us), 0) AS mean_db, max(high_db) AS high_db,
               sum(silent_us) AS silent_us, sum(known_us) AS known_us
          FROM meter_minute GROUP BY start_us / 3600000000, meter_id) t
  JOIN meter m ON m.id = t.meter_id JOIN processor p ON p.id = m.processor_id;

CREATE VIEW connection_events AS
-- What happened to the links and to the recorder. processor and link are NULL for the recorder's own events.
SELECT strftime('%Y-%m-%d %H:%M:%S', e.at_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', e.at_us / 1000 % 1000) AS time,
       e.at_us AS at_us, p.name AS processor, e.link AS link, e.event AS event, e.cause AS cause, e.detail AS detail
  FROM event e LEFT JOIN processor p ON p.id = e.processor_id;

CREATE VIEW socket_errors AS
-- Episodes: the same error of the same socket is one row with a count.
SELECT strftime('%Y-%m-%d %H:%M:%S', e.first_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', e.first_us / 1000 % 1000) AS first_time,
       strftime('%Y-%m-%d %H:%M:%S', e.last_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', e.last_us / 1000 % 1000) AS last_time,
       e.first_us AS first_us, e.last_us AS last_us, e.count AS count, p.name AS processor, e.socket AS socket,
       e.operation AS operation, e.code AS code, e.errno AS errno, e.address AS address, e.holder AS holder,
       e.message AS message
  FROM socket_error e LEFT JOIN processor p ON p.id = e.processor_id;

CREATE VIEW socket_error_minutes AS
-- How often each error came, by the minute.
SELECT t.start_us AS start_us, p.name AS processor, e.socket AS socket, e.operation AS operation, e.code AS code,
       sum(t.count) AS count
  FROM socket_error_minute t JOIN socket_error e ON e.id = t.error_id LEFT JOIN processor p ON p.id = e.processor_id
 GROUP BY t.start_us, e.processor_id, e.socket, e.operation, e.code;

CREATE VIEW sample_losses AS
-- What did not become a sample, and why. samples is NULL where only the datagrams could be counted.
SELECT strftime('%Y-%m-%d %H:%M:%S', l.from_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', l.from_us / 1000 % 1000) AS time,
       l.from_us AS from_us, l.until_us AS until_us, p.name AS processor, l.reason AS reason,
       l.datagrams AS datagrams, l.samples AS samples
  FROM sample_loss l LEFT JOIN processor p ON p.id = l.processor_id;

CREATE VIEW parameter_changes AS
-- Gains, mutes, sources and names that changed; label is the channel's at that time.
SELECT strftime('%Y-%m-%d %H:%M:%S', c.at_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', c.at_us / 1000 % 1000) AS time,
       c.at_us AS at_us, p.name AS processor, c.parameter AS parameter,
       (SELECT l.label FROM meter_label l
         WHERE l.processor_id = c.processor_id AND l.from_us <= c.at_us
           AND l.meter = CASE
               WHEN c.parameter GLOB 'Source*_*' THEN 'SourceMeter_' WHEN c.parameter GLOB 'Zone*_*' THEN 'ZoneMeter_'
               WHEN c.parameter GLOB 'Mix*_*' THEN 'MixMeter_' WHEN c.parameter GLOB 'Group*_*' THEN 'GroupMeter_'
               ELSE '' END || substr(c.parameter, instr(c.parameter, '_') + 1)
         ORDER BY l.from_us DESC LIMIT 1) AS label,
       c.value AS value, c.previous AS previous
  FROM parameter_change c JOIN processor p ON p.id = c.processor_id;

CREATE VIEW processors AS
-- The units, as they were named, and when they were first and last heard from.
SELECT name AS processor, host, control_port, firmware,
       strftime('%Y-%m-%d %H:%M:%S', first_seen_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', first_seen_us / 1000 % 1000) AS first_seen,
       strftime('%Y-%m-%d %H:%M:%S', last_seen_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', last_seen_us / 1000 % 1000) AS last_seen
  FROM processor;
