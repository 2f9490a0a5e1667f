-- Fills an empty store with the year 2025 of one processor. Reads its numbers from the table temp.shape:
--   every: seconds between two outages of each link; meters: how many have minutes; begin, end: microseconds since 1970.
BEGIN;
INSERT INTO processor (id, name, host, control_port, firmware, first_seen_us, last_seen_us)
SELECT 1, 'Main Bar', '192.0.2.1', 5321, '4.5.12', "begin", "end" FROM shape;

-- When each outage is, how long, and why. Every 12th part of the year one of them is a restart of the recorder.
CREATE TEMP TABLE outage AS
WITH RECURSIVE n(k) AS (VALUES (0) UNION ALL SELECT k + 1 FROM n, shape WHERE k + 1 < ("end" - "begin") / (every * 1000000))
SELECT k, "begin" + k * every * 1000000 + (k * 7919 % (every / 3) + 1) * 1000000 AS from_us,
       (5 + k * 104729 % (every / 3)) * 1000000 + k * 15485863 % 1000000 AS length_us,
       k % max(1, ("end" - "begin") / (every * 12000000)) = 0 AS restart,
       CASE k % 5 WHEN 0 THEN 'refused' WHEN 1 THEN 'timeout' WHEN 2 THEN 'closed' WHEN 3 THEN 'silent' ELSE 'reset' END AS cause
  FROM n, shape;

-- Both links: up between the outages; every third outage has two causes, one after the other.
CREATE TEMP TABLE stretch AS
SELECT from_us AS started_us, CASE restart WHEN 1 THEN 'unknown' ELSE 'down' END AS state,
       CASE restart WHEN 1 THEN 'recorder_stopped' ELSE cause END AS cause FROM outage
UNION ALL SELECT from_us + length_us / 2, 'down', 'unreachable' FROM outage WHERE k % 3 = 1 AND NOT restart
UNION ALL SELECT from_us + length_us, 'up', NULL FROM outage
UNION ALL SELECT "begin", 'up', NULL FROM shape;
INSERT INTO link_state (processor_id, link, started_us, ended_us, state, cause)
SELECT 1, l.link, s.started_us, lead(s.started_us, 1, shape."end") OVER (PARTITION BY l.link ORDER BY s.started_us), s.state,
       CASE WHEN l.link = 'meters' AND s.state = 'down' THEN 'control_down' ELSE s.cause END
  FROM stretch s, shape, (SELECT 'control' AS link UNION ALL SELECT 'meters') l
 ORDER BY 1, 2, 3;

INSERT INTO recorder_run (started_us, ended_us, heartbeat_us, clean, version, pid, host)
SELECT from_us, to_us, to_us, 1, '0.1.0', 4711, 'bench' FROM (
    SELECT from_us + length_us AS from_us, lead(from_us, 1, (SELECT "end" FROM shape)) OVER (ORDER BY k) AS to_us
      FROM outage WHERE restart);
INSERT INTO recorder_passage (run, from_us, until_us) SELECT run, started_us, ended_us FROM recorder_run;

INSERT INTO event (at_us, processor_id, link, event, cause, detail)
SELECT o.from_us + e.after + e.late * o.length_us, 1, e.link, e.event, CASE e.late WHEN 0 THEN o.cause END, e.detail
  FROM outage o, (
    SELECT 'control' AS link, 'disconnected' AS event, 0 AS after, 0 AS late, NULL AS detail
    UNION ALL SELECT 'meters', 'meters_lost', 1, 0, NULL UNION ALL SELECT 'control', 'connected', 2, 1, 'from 192.0.2.9:5321'
    UNION ALL SELECT 'control', 'subscribed', 3, 1, '161 parameters' UNION ALL SELECT 'meters', 'meters_flowing', 4, 1, NULL) e
 ORDER BY 1;

-- An episode for each outage, some EADDRINUSE, and one error that came 184 times a minute for thirty days.
CREATE TEMP TABLE episode AS
SELECT 'tcp' AS socket, 'connect' AS operation, CASE k % 2 WHEN 0 THEN 'ECONNREFUSED' ELSE 'ETIMEDOUT' END AS code, from_us AS first_us,
       from_us + length_us AS last_us, 1 + length_us / 5000000 AS count FROM outage WHERE NOT restart
UNION ALL SELECT 'udp', 'bind', 'EADDRINUSE', from_us + 1, from_us + 30000001, 15 FROM outage WHERE restart
UNION ALL SELECT 'udp', 'recv', 'UNKNOWN_SENDER', "begin" + 8640000000000, "begin" + 8640000000000 + 2592000000000, 7948800 FROM shape;
INSERT INTO socket_error (processor_id, socket, operation, code, address, holder, message, first_us, last_us, count)
SELECT CASE socket WHEN 'tcp' THEN 1 END, socket, operation, code, '192.0.2.1:5321',
       CASE code WHEN 'EADDRINUSE' THEN 'node (pid 2211)' END, 'as the system says it', first_us, last_us, count
  FROM episode ORDER BY first_us;
INSERT INTO socket_error_minute (start_us, error_id, count)
WITH RECURSIVE m(id, at, last_us, share) AS (
    SELECT id, first_us / 60000000 * 60000000, last_us,
           count / (1 + last_us / 60000000 - first_us / 60000000) FROM socket_error
    UNION ALL SELECT id, at + 60000000, last_us, share FROM m WHERE at + 60000000 <= last_us)
SELECT at, id, max(1, share) FROM m ORDER BY at, id;

-- Each minute of the year: 38 meters at 10 Hz. A loss now and then.
CREATE TEMP TABLE minute AS
WITH RECURSIVE m(at) AS (SELECT "begin" FROM shape UNION ALL SELECT at + 60000000 FROM m, shape WHERE at + 60000000 < "end")
SELECT at FROM m;
INSERT INTO sample_minute (start_us, processor_id, stored, duplicate, datagrams, received)
SELECT at, 1, 22800, 0, 2400, 22800 FROM minute;
INSERT INTO sample_loss (processor_id, reason, from_us, until_us, datagrams, samples)
SELECT 1, 'kernel_drop', at, at + 1000000, 12, NULL FROM minute WHERE at / 60000000 % 1440 = 77
UNION ALL SELECT 1, 'store_refused', at + 2000000, at + 9000000, 0, 380 FROM minute WHERE at / 60000000 % 4320 = 99;

INSERT INTO meter (processor_id, slot, name)
WITH RECURSIVE n(k) AS (VALUES (0) UNION ALL SELECT k + 1 FROM n WHERE k < 37)
SELECT 1, k + 1, CASE WHEN k < 14 THEN 'SourceMeter_' || k WHEN k < 22 THEN 'ZoneMeter_' || (k - 14)
                      WHEN k < 30 THEN 'MixMeter_' || (k - 8) ELSE 'GroupMeter_' || (k - 30) END FROM n;
INSERT INTO meter_label (processor_id, meter, from_us, label) SELECT 1, name, "begin", 'Channel ' || slot FROM meter, shape;
INSERT INTO meter_minute (start_us, meter_id, samples, low, high, level_us, silent_us, known_us, last)
SELECT m.at, t.id, 600, -800, -35, (-200 - (m.at / 60000000 + t.id) % 300) * 60000000, m.at / 60000000 % 60 * 1000000, 60000000, -215
  FROM minute m, meter t WHERE t.slot <= (SELECT meters FROM shape) ORDER BY 1, 2;
INSERT INTO meter_hour (start_us, meter_id, samples, low_db, high_db, level_us, silent_us, known_us)
SELECT start_us / 3600000000 * 3600000000, meter_id, sum(samples), min(low) / 10.0, max(high) / 10.0, sum(level_us), sum(silent_us),
       sum(known_us) FROM meter_minute GROUP BY 1, 2;
INSERT INTO minute_coverage (processor_id, from_us, until_us, fixed_us) SELECT 1, "begin", "end", "end" FROM shape;

INSERT INTO parameter_change (at_us, processor_id, parameter, value, previous)
SELECT at + 5, 1, 'ZoneGain_' || (at / 60000000 % 8), -18.0 - at / 60000000 % 60, -17.0 FROM minute WHERE at / 60000000 % 15 = 0;

-- Frames of the last day only: 10 a second, half of the meters silent.
CREATE TEMP TABLE text AS
WITH RECURSIVE n(k) AS (VALUES (0) UNION ALL SELECT k + 1 FROM n WHERE k < 200)
SELECT group_concat(char(CASE k % 2 WHEN 0 THEN 32 ELSE 232 + k * 3 END), '') AS levels FROM n;
INSERT INTO frame (at_us, processor_id, levels)
WITH RECURSIVE n(k) AS (VALUES (0) UNION ALL SELECT k + 1 FROM n WHERE k < 863999)
SELECT "end" - 86400000000 + k * 100000, 1, substr(text.levels, 1 + k % 160, 38) FROM n, shape, text;
COMMIT;
