-- The window by hour of the day, local time, all days together: which faults keep a schedule. Times in seconds.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or NULL for all).
-- recorded of seconds is how much of that hour a recorder ran; up and down are sums over the processors, the rest is
-- unknown. outages began in that hour; lost counts samples, and datagrams where nobody knows how many were in them.
WITH RECURSIVE span AS (
    SELECT CAST(:since_us AS INTEGER) AS since_us, CAST(:until_us AS INTEGER) AS until_us
), step(from_us, to_us) AS (
    -- The window cut where a local hour ends: so many seconds after to_us as the local clock lacks. If it shows another
    -- hour in the last of them, the clocks change on the way: then by the minute.
    SELECT NULL, since_us FROM span
    UNION ALL
    SELECT to_us, min(until_us, CASE
               WHEN strftime('%H', to_us / 1000000 + 3599 - strftime('%s', to_us / 1000000, 'unixepoch', 'localtime') % 3600,
                             'unixepoch', 'localtime') = strftime('%H', to_us / 1000000, 'unixepoch', 'localtime')
                   THEN (to_us / 1000000 + 3600 - strftime('%s', to_us / 1000000, 'unixepoch', 'localtime') % 3600) * 1000000
               ELSE (to_us / 60000000 + 1) * 60000000 END)
      FROM step, span WHERE to_us < until_us
), slot AS MATERIALIZED (
    SELECT CAST(strftime('%H', from_us / 1000000, 'unixepoch', 'localtime') AS INTEGER) AS hour, from_us, to_us
      FROM step WHERE from_us IS NOT NULL
), wanted AS (
    SELECT id FROM processor WHERE :processor IS NULL OR name = :processor
), recording AS (
    -- When the recording ended; NULL while a recorder runs.
    SELECT ended_us AS end_us FROM recorder_runs ORDER BY run DESC LIMIT 1
), reach AS (
    -- From when to when each link is known, or known to be unknown: rows follow one another without overlap or hole.
    SELECT w.id, k.link,
           (SELECT min(s.started_us) FROM link_state s WHERE s.processor_id = w.id AND s.link = k.link) AS from_us,
           (SELECT coalesce(s.ended_us, max(r.end_us, s.started_us), until_us) FROM link_state s
             WHERE s.processor_id = w.id AND s.link = k.link ORDER BY s.started_us DESC LIMIT 1) AS to_us
      FROM span CROSS JOIN recording r CROSS JOIN wanted w CROSS JOIN (SELECT 'control' AS link UNION ALL SELECT 'meters') k
), absent AS (
    -- What is not up. For each slot and link the row that holds at its begin, and those that begin within: the primary key
    -- finds them.
    SELECT g.hour AS hour, s.link = 'meters' AS of_meters, s.state = 'down' AS is_down, s.cause AS cause,
           max(0, min(coalesce(s.ended_us, k.to_us), g.to_us) - max(s.started_us, g.from_us)) AS us,
           s.state = 'down' AND s.started_us >= g.from_us
               AND (SELECT b.state FROM link_state b
                     WHERE b.processor_id = s.processor_id AND b.link = s.link AND b.started_us < s.started_us
                     ORDER BY b.started_us DESC LIMIT 1) IS NOT 'down' AS begins
      FROM reach k CROSS JOIN slot g
     CROSS JOIN link_state s ON s.processor_id = k.id AND s.link = k.link AND s.started_us < g.to_us
       AND s.started_us >= coalesce((SELECT max(l.started_us) FROM link_state l
                                      WHERE l.processor_id = k.id AND l.link = k.link AND l.started_us <= g.from_us),
                                    g.from_us)
     WHERE s.state <> 'up'
     -- All of it; but so it is a loop of its own, and what is sorted by hour are six columns, not the tables' twelve.
     LIMIT -1
), links AS MATERIALIZED (
    SELECT hour, of_meters, is_down, cause, sum(us) AS us, sum(begins) AS outages
      FROM absent GROUP BY hour, of_meters, is_down, cause
), link_hours AS (
    SELECT hour, sum((NOT of_meters) * up) AS control_up, sum((NOT of_meters) * down) AS control_down,
           sum((NOT of_meters) * outages) AS control_outages,
           sum(of_meters * up) AS meters_up, sum(of_meters * down) AS meters_down, sum(of_meters * outages) AS meters_outages
      FROM (SELECT hour, of_meters, -us AS up, is_down * us AS down, outages FROM links
            UNION ALL
            SELECT g.hour, k.link = 'meters', sum(max(0, min(k.to_us, g.to_us) - max(k.from_us, g.from_us))), 0, 0
              FROM reach k CROSS JOIN slot g GROUP BY g.hour, k.link)
     GROUP BY hour
), causes AS (
    SELECT hour, group_concat(cause || printf(' %.1f s', us / 1e6), ', ') AS causes
      FROM (SELECT hour, cause, sum(us) AS us FROM links
             WHERE is_down AND cause <> 'control_down' GROUP BY hour, cause ORDER BY hour, sum(us) DESC, cause)
     GROUP BY hour
), error_codes AS (
    SELECT g.hour, e.code, sum(m.count) AS count
      FROM span CROSS JOIN slot g
     -- A minute that the window cuts counts whole, as in the report errors.
     CROSS JOIN socket_error_minute m ON m.start_us >= g.from_us / 60000000 * 60000000 AND m.start_us < g.to_us
       AND (m.start_us >= g.from_us OR g.from_us = since_us)
     CROSS JOIN socket_error e ON e.id = m.error_id AND e.last_us >= since_us AND e.first_us < until_us
      LEFT JOIN processor p ON p.id = e.processor_id
     WHERE :processor IS NULL OR p.name = :processor OR e.processor_id IS NULL
     GROUP BY g.hour, e.code
), errors AS (
    SELECT hour, sum(count) AS errors, sum((code = 'EADDRINUSE') * count) AS EADDRINUSE,
           group_concat(code || ' ' || count, ', ') AS codes
      FROM (SELECT * FROM error_codes ORDER BY hour, count DESC, code) GROUP BY hour
), losses AS (
    SELECT g.hour, sum(l.samples) AS samples, sum(CASE WHEN l.samples IS NULL THEN l.datagrams ELSE 0 END) AS datagrams
      FROM span CROSS JOIN slot g
     -- A row lies within a minute; one that the window's end cuts counts whole, as in the report losses.
     CROSS JOIN sample_loss l ON l.until_us >= g.from_us
       AND l.until_us < g.to_us + CASE g.to_us WHEN span.until_us THEN 60000000 ELSE 0 END AND l.from_us < span.until_us
      LEFT JOIN processor p ON p.id = l.processor_id
     WHERE :processor IS NULL OR p.name = :processor OR l.processor_id IS NULL
     GROUP BY g.hour
), passage AS (
    SELECT p.from_us, coalesce(p.until_us, r.ended_us, span.until_us) AS until_us
      FROM recorder_passage p JOIN recorder_runs r ON r.run = p.run, span
     WHERE p.from_us < span.until_us AND coalesce(p.until_us, r.ended_us, span.until_us) > since_us
), edges AS (
    -- Where slots begin (hour is set), and where the recorder's time begins and ends: where the clock was set back, two
    -- passages cover the same time.
    SELECT from_us AS at_us, hour, 0 AS running FROM slot
    UNION ALL SELECT max(from_us, since_us), NULL, 1 FROM passage, span
    UNION ALL SELECT min(passage.until_us, span.until_us), NULL, -1 FROM passage, span
), pieces AS (
    SELECT hour, count(hour) OVER earlier AS slot,
           (sum(running) OVER earlier > 0) * (coalesce(lead(at_us) OVER earlier, until_us) - at_us) AS us
      FROM edges, span
    WINDOW earlier AS (ORDER BY at_us, hour IS NULL ROWS UNBOUNDED PRECEDING)
), recorded AS (
    SELECT hour, sum(us) AS us FROM (SELECT max(hour) AS hour, sum(us) AS us FROM pieces GROUP BY slot) GROUP BY hour
), hours(hour) AS (SELECT 0 UNION ALL SELECT hour + 1 FROM hours WHERE hour < 23)
SELECT printf('%02d:00', h.hour) AS hour,
       coalesce(w.us, 0) / 1e6 AS seconds,
       coalesce(r.us, 0) / 1e6 AS recorded,
       coalesce(l.control_up, 0) / 1e6 AS control_up, coalesce(l.control_down, 0) / 1e6 AS control_down,
       coalesce(l.control_outages, 0) AS control_outages,
       coalesce(l.meters_up, 0) / 1e6 AS meters_up, coalesce(l.meters_down, 0) / 1e6 AS meters_down,
       coalesce(l.meters_outages, 0) AS meters_outages,
       coalesce(e.errors, 0) AS errors, coalesce(e.EADDRINUSE, 0) AS EADDRINUSE,
       coalesce(s.samples, 0) AS samples_lost, coalesce(s.datagrams, 0) AS datagrams_lost,
       c.causes AS down_by_cause, e.codes AS errors_by_code
  FROM hours h
  LEFT JOIN (SELECT hour, sum(to_us - from_us) AS us FROM slot GROUP BY hour) w ON w.hour = h.hour
  LEFT JOIN recorded r ON r.hour = h.hour
  LEFT JOIN link_hours l ON l.hour = h.hour
  LEFT JOIN causes c ON c.hour = h.hour
  LEFT JOIN errors e ON e.hour = h.hour
  LEFT JOIN losses s ON s.hour = h.hour
 ORDER BY h.hour;
