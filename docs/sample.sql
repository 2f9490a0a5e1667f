-- The store that docs/sql.md asks: a made-up evening of two processors, 21 October 2025 from 15:30 to 01:30 in Chicago.
-- scripts/sample-store makes it: these rows, after the tables and views of Migrations/. Times are written as local time
-- there, -05:00.
PRAGMA application_id = 0x41746C52;
BEGIN;

INSERT INTO processor (id, name, host, control_port, firmware) VALUES
    (1, 'Main Bar', '192.168.5.101', 5321, '4.2.0'),
    (2, 'Patio', '192.168.5.102', 5321, '4.1.16');

INSERT INTO meter (id, processor_id, slot, name) VALUES
    (1, 1, 1, 'SourceMeter_0'), (2, 1, 2, 'SourceMeter_1'),
    (3, 1, 3, 'ZoneMeter_0'), (4, 1, 4, 'ZoneMeter_1'), (5, 1, 5, 'ZoneMeter_2'),
    (6, 2, 1, 'SourceMeter_0'), (7, 2, 2, 'ZoneMeter_0'), (8, 2, 3, 'ZoneMeter_1');

-- The first run was killed at 21:14, the second was stopped.
CREATE TEMP TABLE run (pid, started, ended, clean);
INSERT INTO run VALUES
    (812, '2025-10-21 15:30:00.000', '2025-10-21 21:14:07.400', 0),
    (1377, '2025-10-21 21:20:30.000', '2025-10-22 01:30:00.000', 1);
INSERT INTO recorder_run (started_us, ended_us, heartbeat_us, clean, version, pid, host)
SELECT strftime('%s', started || '-05:00') * 1000000 + substr(started, 21) * 1000,
       strftime('%s', ended || '-05:00') * 1000000 + substr(ended, 21) * 1000,
       strftime('%s', ended || '-05:00') * 1000000 + substr(ended, 21) * 1000, clean, '0.1.0', pid, 'bar-pc'
  FROM run;
INSERT INTO recorder_passage (run, from_us, until_us) SELECT run, started_us, ended_us FROM recorder_run;

-- What each link was, and since when; it ends where the next row begins, the last one at 01:30.
CREATE TEMP TABLE state (processor, link, at, state, cause);
INSERT INTO state VALUES
    (1, 'control', '2025-10-21 15:30:00.000', 'unknown', 'recorder_starting'),
    (1, 'control', '2025-10-21 15:30:00.210', 'up', NULL),
    (1, 'control', '2025-10-21 18:05:10.004', 'down', 'wedged'),
    (1, 'control', '2025-10-21 18:09:40.310', 'up', NULL),
    (1, 'control', '2025-10-21 21:14:07.400', 'unknown', 'recorder_stopped'),
    (1, 'control', '2025-10-21 21:20:30.000', 'unknown', 'recorder_starting'),
    (1, 'control', '2025-10-21 21:20:30.190', 'up', NULL),
    (1, 'control', '2025-10-22 00:15:00.120', 'down', 'closed'),
    (1, 'control', '2025-10-22 00:15:00.640', 'down', 'refused'),
    (1, 'control', '2025-10-22 00:16:35.200', 'up', NULL),
    (1, 'meters', '2025-10-21 15:30:00.000', 'unknown', 'recorder_starting'),
    (1, 'meters', '2025-10-21 15:30:00.020', 'down', 'EADDRINUSE'),
    (1, 'meters', '2025-10-21 16:30:00.020', 'up', NULL),
    (1, 'meters', '2025-10-21 21:14:07.400', 'unknown', 'recorder_stopped'),
    (1, 'meters', '2025-10-21 21:20:30.000', 'unknown', 'recorder_starting'),
    (1, 'meters', '2025-10-21 21:20:30.230', 'up', NULL),
    (1, 'meters', '2025-10-22 00:15:00.120', 'down', 'control_down'),
    (1, 'meters', '2025-10-22 00:16:35.260', 'up', NULL),
    (2, 'control', '2025-10-21 15:30:00.000', 'unknown', 'recorder_starting'),
    (2, 'control', '2025-10-21 15:30:00.230', 'up', NULL),
    (2, 'control', '2025-10-21 17:45:00.300', 'down', 'reset'),
    (2, 'control', '2025-10-21 17:45:04.100', 'up', NULL),
    (2, 'control', '2025-10-21 19:20:05.000', 'down', 'closed'),
    (2, 'control', '2025-10-21 19:20:05.520', 'down', 'refused'),
    (2, 'control', '2025-10-21 19:20:43.100', 'up', NULL),
    (2, 'control', '2025-10-21 21:14:07.400', 'unknown', 'recorder_stopped'),
    (2, 'control', '2025-10-21 21:20:30.000', 'unknown', 'recorder_starting'),
    (2, 'control', '2025-10-21 21:20:30.205', 'up', NULL),
    (2, 'control', '2025-10-21 22:40:00.050', 'down', 'silent'),
    (2, 'control', '2025-10-21 22:40:09.000', 'down', 'timeout'),
    (2, 'control', '2025-10-21 22:43:12.400', 'up', NULL),
    (2, 'meters', '2025-10-21 15:30:00.000', 'unknown', 'recorder_starting'),
    (2, 'meters', '2025-10-21 15:30:00.020', 'down', 'EADDRINUSE'),
    (2, 'meters', '2025-10-21 16:30:00.020', 'up', NULL),
    (2, 'meters', '2025-10-21 17:45:00.300', 'down', 'control_down'),
    (2, 'meters', '2025-10-21 17:45:04.160', 'up', NULL),
    (2, 'meters', '2025-10-21 19:20:05.000', 'down', 'control_down'),
    (2, 'meters', '2025-10-21 19:20:43.160', 'up', NULL),
    (2, 'meters', '2025-10-21 21:14:07.400', 'unknown', 'recorder_stopped'),
    (2, 'meters', '2025-10-21 21:20:30.000', 'unknown', 'recorder_starting'),
    (2, 'meters', '2025-10-21 21:20:30.240', 'up', NULL),
    (2, 'meters', '2025-10-21 22:40:00.050', 'down', 'control_down'),
    (2, 'meters', '2025-10-21 22:43:12.460', 'up', NULL);
INSERT INTO link_state (processor_id, link, started_us, ended_us, state, cause)
SELECT processor, link, us, coalesce(lead(us) OVER (PARTITION BY processor, link ORDER BY us), 1761114600000000), state, cause
  FROM (SELECT *, strftime('%s', at || '-05:00') * 1000000 + substr(at, 21) * 1000 AS us FROM state);

CREATE TEMP TABLE happened (at, processor, link, event, cause, detail);
INSERT INTO happened VALUES
    ('2025-10-21 15:30:00.000', NULL, NULL, 'started', NULL, '0.1.0'),
    ('2025-10-21 15:30:00.020', 1, 'meters', 'meters_lost', 'EADDRINUSE', '192.168.5.20:3131: Address already in use, held by node (pid 2211)'),
    ('2025-10-21 15:30:00.020', 2, 'meters', 'meters_lost', 'EADDRINUSE', '192.168.5.20:3131: Address already in use, held by node (pid 2211)'),
    ('2025-10-21 15:30:00.021', 1, 'control', 'connected', NULL, 'from 192.168.5.20:40112'),
    ('2025-10-21 15:30:00.022', 2, 'control', 'connected', NULL, 'from 192.168.5.20:40114'),
    ('2025-10-21 15:30:00.210', 1, 'control', 'answering', NULL, NULL),
    ('2025-10-21 15:30:00.230', 2, 'control', 'answering', NULL, NULL),
    ('2025-10-21 16:30:00.020', 1, 'meters', 'bound', NULL, '192.168.5.20:3131, receive buffer 4096 KiB'),
    ('2025-10-21 16:30:00.020', 1, 'meters', 'meters_flowing', NULL, NULL),
    ('2025-10-21 16:30:00.020', 2, 'meters', 'meters_flowing', NULL, NULL),
    ('2025-10-21 17:04:58.300', 1, 'control', 'other_client', NULL, 'node (pid 2380)'),
    ('2025-10-21 17:31:20.000', 1, 'control', 'other_client_gone', NULL, NULL),
    ('2025-10-21 17:45:00.300', 2, 'control', 'disconnected', 'reset', NULL),
    ('2025-10-21 17:45:04.090', 2, 'control', 'connected', NULL, 'from 192.168.5.20:40210'),
    ('2025-10-21 17:45:04.100', 2, 'control', 'answering', NULL, NULL),
    ('2025-10-21 18:05:10.004', 1, 'control', 'wedged', 'wedged', NULL),
    ('2025-10-21 18:09:40.310', 1, 'control', 'answering', NULL, NULL),
    ('2025-10-21 19:20:05.000', 2, 'control', 'disconnected', 'closed', NULL),
    ('2025-10-21 19:20:05.520', 2, 'control', 'connect_failed', 'refused', '192.168.5.102:5321: Connection refused'),
    ('2025-10-21 19:20:43.000', 2, 'control', 'connected', NULL, 'from 192.168.5.20:40302'),
    ('2025-10-21 19:20:43.100', 2, 'control', 'answering', NULL, NULL),
    ('2025-10-21 19:20:43.350', 2, 'control', 'renamed', NULL, 'ZoneMeter_0: Smokers Corner -> Terrace'),
    ('2025-10-21 21:20:30.000', NULL, NULL, 'started', NULL, '0.1.0'),
    ('2025-10-21 21:20:30.190', 1, 'control', 'answering', NULL, NULL),
    ('2025-10-21 21:20:30.205', 2, 'control', 'answering', NULL, NULL),
    ('2025-10-21 22:40:09.000', 2, 'control', 'disconnected', 'silent', NULL),
    ('2025-10-21 22:43:12.400', 2, 'control', 'answering', NULL, NULL),
    ('2025-10-22 00:15:00.120', 1, 'control', 'disconnected', 'closed', NULL),
    ('2025-10-22 00:15:00.640', 1, 'control', 'connect_failed', 'refused', '192.168.5.101:5321: Connection refused'),
    ('2025-10-22 00:16:35.200', 1, 'control', 'answering', NULL, NULL),
    ('2025-10-22 01:30:00.000', NULL, NULL, 'stopped', NULL, NULL);
INSERT INTO event (at_us, processor_id, link, event, cause, detail)
SELECT strftime('%s', at || '-05:00') * 1000000 + substr(at, 21) * 1000, processor, link, event, cause, detail
  FROM happened;

-- Errors came every so many seconds, from the first to the last.
CREATE TEMP TABLE fault (processor, socket, operation, code, errno, address, holder, message, first, every, count);
INSERT INTO fault VALUES
    (NULL, 'udp', 'bind', 'EADDRINUSE', 98, '192.168.5.20:3131', 'node (pid 2211)', 'Address already in use', '2025-10-21 15:30:00.020', 2, 1800),
    (2, 'tcp', 'recv', 'ECONNRESET', 104, '192.168.5.102:5321', NULL, 'Connection reset by peer', '2025-10-21 17:45:00.300', 1, 1),
    (2, 'tcp', 'connect', 'ECONNREFUSED', 111, '192.168.5.102:5321', NULL, 'Connection refused', '2025-10-21 19:20:05.520', 4, 10),
    (2, 'tcp', 'connect', 'ETIMEDOUT', 110, '192.168.5.102:5321', NULL, 'Connection timed out', '2025-10-21 22:40:14.000', 10, 18),
    (1, 'tcp', 'connect', 'ECONNREFUSED', 111, '192.168.5.101:5321', NULL, 'Connection refused', '2025-10-22 00:15:00.640', 5, 19);
INSERT INTO socket_error (processor_id, socket, operation, code, errno, address, holder, message, first_us, last_us, count)
SELECT processor, socket, operation, code, errno, address, holder, message, us, us + (count - 1) * every * 1000000, count
  FROM (SELECT *, strftime('%s', first || '-05:00') * 1000000 + substr(first, 21) * 1000 AS us FROM fault);
INSERT INTO socket_error_minute (start_us, error_id, count)
WITH RECURSIVE hit (id, at_us, every, rest) AS (
    SELECT e.id, e.first_us, f.every * 1000000, e.count FROM socket_error e JOIN fault f ON f.rowid = e.id
    UNION ALL SELECT id, at_us + every, every, rest - 1 FROM hit WHERE rest > 1
)
SELECT at_us / 60000000 * 60000000, id, count(*) FROM hit GROUP BY 1, 2;

INSERT INTO sample_loss (processor_id, reason, from_us, until_us, datagrams, samples) VALUES
    (NULL, 'kernel_drop', strftime('%s', '2025-10-21 20:30:15-05:00') * 1000000, strftime('%s', '2025-10-21 20:30:48-05:00') * 1000000, 312, NULL),
    (2, 'unreadable', strftime('%s', '2025-10-21 21:10:02-05:00') * 1000000, strftime('%s', '2025-10-21 21:10:09-05:00') * 1000000, 4, NULL),
    (2, 'unreadable', strftime('%s', '2025-10-21 21:10:04-05:00') * 1000000, strftime('%s', '2025-10-21 21:10:04-05:00') * 1000000, 0, 6);

-- Names and since when: at 19:20 the Patio's unit was configured anew, without its zone 0.
CREATE TEMP TABLE named (processor, meter, at, label);
INSERT INTO named VALUES
    (1, 'SourceMeter_0', '2025-10-21 15:30:00.021', 'Jukebox'), (1, 'SourceMeter_1', '2025-10-21 15:30:00.021', 'DJ Booth'),
    (1, 'ZoneMeter_0', '2025-10-21 15:30:00.021', 'Front Bar'), (1, 'ZoneMeter_1', '2025-10-21 15:30:00.021', 'Dance Floor'),
    (1, 'ZoneMeter_2', '2025-10-21 15:30:00.021', 'Restrooms'),
    (1, 'RecallScene_1', '2025-10-21 15:30:00.021', 'Happy Hour'), (1, 'RecallScene_2', '2025-10-21 15:30:00.021', 'Late Night'),
    (2, 'SourceMeter_0', '2025-10-21 15:30:00.022', 'Streaming'), (2, 'ZoneMeter_0', '2025-10-21 15:30:00.022', 'Smokers Corner'),
    (2, 'ZoneMeter_1', '2025-10-21 15:30:00.022', 'Terrace'), (2, 'ZoneMeter_0', '2025-10-21 19:20:43.000', 'Terrace');
INSERT INTO meter_label (processor_id, meter, from_us, label)
SELECT processor, meter, strftime('%s', at || '-05:00') * 1000000 + substr(at, 21) * 1000, label FROM named;

-- What was told by TCP: first values, then changes.
CREATE TEMP TABLE told (at, processor, parameter, value, previous);
INSERT INTO told VALUES
    ('2025-10-21 15:30:00.310', 1, 'FirmwareVersion', '4.1.16', NULL),
    ('2025-10-21 15:30:00.320', 1, 'SourceName_0', 'Jukebox', NULL), ('2025-10-21 15:30:00.320', 1, 'SourceName_1', 'DJ Booth', NULL),
    ('2025-10-21 15:30:00.330', 1, 'ZoneName_0', 'Front Bar', NULL), ('2025-10-21 15:30:00.330', 1, 'ZoneName_1', 'Dance Floor', NULL),
    ('2025-10-21 15:30:00.330', 1, 'ZoneName_2', 'Restrooms', NULL),
    ('2025-10-21 15:30:00.340', 1, 'ZoneGain_0', -12, NULL), ('2025-10-21 15:30:00.340', 1, 'ZoneGain_1', -18, NULL),
    ('2025-10-21 15:30:00.340', 1, 'ZoneGain_2', -21, NULL),
    ('2025-10-21 15:30:00.350', 1, 'ZoneMute_0', 0, NULL), ('2025-10-21 15:30:00.350', 1, 'ZoneMute_1', 0, NULL),
    ('2025-10-21 15:30:00.350', 1, 'ZoneMute_2', 0, NULL),
    ('2025-10-21 15:30:00.360', 1, 'ZoneSource_0', 0, NULL), ('2025-10-21 15:30:00.360', 1, 'ZoneSource_1', 0, NULL),
    ('2025-10-21 15:30:00.360', 1, 'ZoneSource_2', 0, NULL),
    ('2025-10-21 15:30:00.370', 1, 'SceneName_1', 'Happy Hour', NULL), ('2025-10-21 15:30:00.370', 1, 'SceneName_2', 'Late Night', NULL),
    ('2025-10-21 15:30:00.312', 2, 'FirmwareVersion', '4.1.16', NULL), ('2025-10-21 15:30:00.322', 2, 'SourceName_0', 'Streaming', NULL),
    ('2025-10-21 15:30:00.332', 2, 'ZoneName_0', 'Smokers Corner', NULL), ('2025-10-21 15:30:00.332', 2, 'ZoneName_1', 'Terrace', NULL),
    ('2025-10-21 15:30:00.342', 2, 'ZoneGain_0', -24, NULL), ('2025-10-21 15:30:00.342', 2, 'ZoneGain_1', -15, NULL),
    ('2025-10-21 16:33:00.120', 1, 'ZoneGain_1', -80, -18),
    ('2025-10-21 16:50:10.480', 1, 'ZoneGain_1', -18, -80),
    ('2025-10-21 17:00:00.900', 1, 'RecallScene_1', 1, 0),
    ('2025-10-21 17:05:12.250', 1, 'ZoneMute_2', 1, 0),
    ('2025-10-21 19:20:43.350', 2, 'ZoneName_0', 'Terrace', 'Smokers Corner'),
    ('2025-10-21 19:20:43.360', 2, 'ZoneGain_0', -15, -24),
    ('2025-10-21 22:00:00.700', 1, 'RecallScene_2', 1, 0),
    ('2025-10-21 22:00:00.750', 1, 'ZoneSource_1', 1, 0), ('2025-10-21 22:00:00.760', 1, 'ZoneGain_1', -6, -18),
    ('2025-10-21 22:10:31.040', 1, 'ZoneMute_2', 0, 1),
    ('2025-10-22 00:16:35.330', 1, 'FirmwareVersion', '4.2.0', '4.1.16'),
    ('2025-10-22 00:30:00.910', 1, 'RecallScene_2', 1, 1);
INSERT INTO parameter_change (at_us, processor_id, parameter, value, previous)
SELECT strftime('%s', at || '-05:00') * 1000000 + substr(at, 21) * 1000, processor, parameter, value, previous FROM told;

-- A value of every meter each 10 s while the meters' link was up: tenths of dB, with something like music in them.
CREATE TEMP TABLE level (processor, at_us, slot, tenths, PRIMARY KEY (processor, at_us, slot)) WITHOUT ROWID;
INSERT INTO level
WITH RECURSIVE beat (unit, t) AS (
    SELECT id, 1761078600 FROM processor
    UNION ALL SELECT unit, t + 10 FROM beat WHERE t < 1761114590
), playing AS (
    -- t is seconds since 1970: 1761078600 is 15:30 in Chicago, 1761102000 is 22:00, 1761113400 is 01:10.
    SELECT b.unit, b.t, t * 1000000 + CASE unit WHEN 1 THEN 137000 ELSE 512000 END AS at_us, m.slot,
           ((b.t / 10 * 1103515245 + m.id * 12345) >> 16) % 41 + (b.t / 60 * 40503 + m.id * 7) % 23 AS music,
           b.t >= 1761102000 AS late, b.t >= 1761113400 AS closed, m.id AS meter
      FROM beat b JOIN meter m ON m.processor_id = b.unit
)
SELECT p.unit, p.at_us, p.slot, CASE
           WHEN closed THEN -800
           WHEN meter = 1 THEN -180 - music
           WHEN meter = 2 THEN CASE WHEN late THEN -120 - music ELSE -800 END
           WHEN meter = 3 THEN CASE WHEN late THEN -160 - music ELSE -240 - music END
           WHEN meter = 4 AND t BETWEEN 1761082380 AND 1761083410 THEN -800  -- its gain was at -80 dB
           WHEN meter = 4 THEN CASE WHEN late THEN -100 - music ELSE -300 - music END + CASE t / 60 WHEN 29351801 THEN 40 ELSE 0 END
           WHEN meter = 5 AND t BETWEEN 1761084320 AND 1761102630 THEN -800  -- it was muted
           WHEN meter = 5 THEN -330 - music
           WHEN meter = 6 THEN -200 - music
           WHEN meter = 7 AND t < 1761092440 THEN -380 - music  -- Smokers Corner
           ELSE -260 - music  -- Terrace: zone 1, and after 19:20 zone 0
       END
  FROM playing p JOIN link_state s ON s.processor_id = p.unit AND s.link = 'meters' AND s.state = 'up'
   AND p.at_us BETWEEN s.started_us AND s.ended_us
 WHERE NOT (meter = 8 AND t >= 1761092440);

INSERT INTO frame (at_us, processor_id, levels)
SELECT at_us, processor, group_concat(coalesce(character, char(1)), '')
  FROM (SELECT f.at_us AS at_us, f.processor AS processor,
               (SELECT char(832 + l.tenths) FROM level l
                 WHERE l.at_us = f.at_us AND l.slot = m.slot AND l.processor = f.processor) AS character
          FROM (SELECT DISTINCT at_us, processor FROM level) f JOIN meter m ON m.processor_id = f.processor
         ORDER BY f.at_us, m.slot)
 GROUP BY at_us;
INSERT INTO sample_minute (start_us, processor_id, stored, duplicate, datagrams, received)
SELECT v.at_us / 60000000 * 60000000, v.processor, count(*), 0,
       count(DISTINCT v.at_us) + coalesce((SELECT sum(l.datagrams) FROM sample_loss l
                                            WHERE l.processor_id = v.processor AND l.from_us / 60000000 = v.at_us / 60000000), 0),
       count(*) + coalesce((SELECT sum(l.samples) FROM sample_loss l
                             WHERE l.processor_id = v.processor AND l.from_us / 60000000 = v.at_us / 60000000), 0)
  FROM level v GROUP BY 1, 2;

INSERT INTO latest_level (processor_id, levels)
SELECT processor, json_group_array(json_array(at_us, tenths / 10.0))
  FROM (SELECT processor, slot, max(at_us) AS at_us, tenths FROM level GROUP BY processor, slot ORDER BY processor, slot)
 GROUP BY processor;

UPDATE processor SET first_seen_us = (SELECT min(at_us) FROM event e WHERE e.processor_id = processor.id AND e.event = 'answering'),
                     last_seen_us = (SELECT max(at_us) FROM level l WHERE l.processor = processor.id);

-- Each meter by the minute: a value holds until the next one, as long as the link is up.
INSERT INTO meter_minute (start_us, meter_id, samples, low, high, level_us, silent_us, known_us)
WITH held AS (
    SELECT m.id AS meter_id, l.tenths, l.at_us,
           min(s.ended_us, lead(l.at_us, 1, s.ended_us) OVER (PARTITION BY l.processor, l.slot ORDER BY l.at_us)) AS until_us,
           l.at_us / 60000000 * 60000000 + 60000000 AS next_us
      FROM level l JOIN meter m ON m.processor_id = l.processor AND m.slot = l.slot
      JOIN link_state s ON s.processor_id = l.processor AND s.link = 'meters' AND l.at_us BETWEEN s.started_us AND s.ended_us
       AND s.state = 'up'
), piece AS (
    SELECT next_us - 60000000 AS start_us, meter_id, tenths, 1 AS samples, min(until_us, next_us) - at_us AS us FROM held
    UNION ALL
    SELECT next_us, meter_id, tenths, 0, until_us - next_us FROM held WHERE until_us > next_us
)
SELECT start_us, meter_id, sum(samples), min(tenths), max(tenths), sum(tenths * us), sum((tenths <= -800) * us), sum(us)
  FROM piece GROUP BY start_us, meter_id;
INSERT INTO meter_hour (start_us, meter_id, samples, low_db, high_db, level_us, silent_us, known_us)
SELECT start_us / 3600000000 * 3600000000, meter_id, sum(samples), min(low) / 10.0, max(high) / 10.0, sum(level_us),
       sum(silent_us), sum(known_us) FROM meter_minute GROUP BY 1, 2;
INSERT OR REPLACE INTO minute_coverage (processor_id, from_us, until_us)
SELECT p.id, (SELECT min(start_us) FROM meter_minute), (SELECT max(start_us) + 60000000 FROM meter_minute) FROM processor p;
COMMIT;
-- What the recorder was told to keep.
INSERT INTO retained (kind, keep_us, by_run) VALUES
    ('samples', 7776000000000, 1), ('minutes', 157788000000000, 1), ('events', NULL, 1);
