-- Each processor's two links: the state at the window's end, how long it was up, down and unknown, outages, samples.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or NULL for all).
-- up + down + unknown = the window, in whole microseconds; uptime_percent counts up and down only.
WITH span AS (
    SELECT CAST(:since_us AS INTEGER) AS since_us, CAST(:until_us AS INTEGER) AS until_us,
           -- The first and the last full minute, the first and the last full hour: sample_hour answers between the hours,
           -- sample_minute between the minutes beside them, the frames beside those.
           (CAST(:since_us AS INTEGER) + 59999999) / 60000000 * 60000000 AS first_us,
           CAST(:until_us AS INTEGER) / 60000000 * 60000000 AS last_us,
           (CAST(:since_us AS INTEGER) + 3599999999) / 3600000000 * 3600000000 AS first_hour_us,
           CAST(:until_us AS INTEGER) / 3600000000 * 3600000000 AS last_hour_us,
           -- Whether anything was stored from the window's end on.
           coalesce((SELECT max(at_us) FROM frame), 0) >= CAST(:until_us AS INTEGER)
               OR coalesce((SELECT max(at_us) FROM sample), 0) >= CAST(:until_us AS INTEGER) AS is_past,
           -- Before it retention removed the samples.
           coalesce((SELECT before_us FROM retained WHERE kind = 'samples'), 0) AS gone_us
), wanted AS (
    SELECT p.id, p.name AS processor, p.host || CASE p.control_port WHEN 5321 THEN '' ELSE ':' || p.control_port END AS host
      FROM processor p WHERE :processor IS NULL OR p.name = :processor
), links(link) AS (VALUES ('control'), ('meters')),
recording AS (
    -- When the recording ended; NULL while a recorder runs.
    SELECT ended_us AS end_us FROM recorder_runs ORDER BY run DESC LIMIT 1
), ends AS (
    -- The rows that the window's two ends lie in. Rows follow one another without a hole, and the primary key finds these.
    SELECT w.id, k.link,
           coalesce((SELECT max(l.started_us) FROM link_state l
                      WHERE l.processor_id = w.id AND l.link = k.link AND l.started_us <= since_us),
                    (SELECT min(l.started_us) FROM link_state l WHERE l.processor_id = w.id AND l.link = k.link)) AS first_us,
           (SELECT max(l.started_us) FROM link_state l
             WHERE l.processor_id = w.id AND l.link = k.link AND l.started_us < until_us) AS last_us
      FROM span CROSS JOIN wanted w CROSS JOIN links k
), covered AS (
    SELECT e.id, e.link, e.first_us, s.state, s.cause, s.started_us, r.end_us, since_us, until_us,
           max(e.first_us, since_us) AS from_us,
           min(coalesce(s.ended_us, max(r.end_us, s.started_us), until_us), until_us) AS to_us
      FROM span CROSS JOIN recording r CROSS JOIN ends e
     CROSS JOIN link_state s ON s.processor_id = e.id AND s.link = e.link AND s.started_us = e.last_us
), at_end AS (
    SELECT id, link, state, cause,
           -- An outage that lasts began where the last row that was not down ended.
           CASE state WHEN 'down' THEN coalesce(
               (SELECT l.ended_us FROM link_state l
                 WHERE l.processor_id = c.id AND l.link = c.link AND l.started_us < c.started_us AND l.state <> 'down'
                 ORDER BY l.started_us DESC LIMIT 1),
               (SELECT min(l.started_us) FROM link_state l WHERE l.processor_id = c.id AND l.link = c.link))
           ELSE started_us END AS began_us
      FROM covered c WHERE to_us = until_us
    UNION ALL
    SELECT id, link, 'unknown', 'recorder_stopped', to_us FROM covered WHERE to_us < until_us
), figures AS MATERIALIZED (
    -- An outage is what lies between two rows that are not down, or beside the first and the last: a gap. The rows of one
    -- link are read in the order of their key, so nothing is sorted, and once: so the figures come as one array.
    SELECT c.id, c.link, max(0, c.to_us - c.from_us) AS length_us, (
        SELECT json_array(coalesce(sum((state = 'up') * (to_us - from_us)), 0), coalesce(sum(to_us - from_us + gap_us), 0),
                          coalesce(sum(gap_us), 0), coalesce(sum(gap_us > 0), 0), coalesce(max(gap_us), 0))
          FROM (SELECT state, from_us, to_us, from_us - lag(to_us, 1, c.from_us) OVER (ORDER BY started_us) AS gap_us
                  FROM (SELECT s.state, s.started_us, max(s.started_us, c.since_us) AS from_us,
                               min(coalesce(s.ended_us, max(c.end_us, s.started_us), c.until_us), c.until_us) AS to_us
                          FROM link_state s
                         WHERE s.processor_id = c.id AND s.link = c.link AND s.started_us >= c.first_us
                           AND s.started_us < c.until_us AND s.state <> 'down')
                 WHERE to_us > c.since_us)) AS figures
      FROM covered c
), sums AS MATERIALIZED (
    -- rest_us: the last gap, which no row follows.
    SELECT id, link, json_extract(figures, '$[0]') AS up_us, json_extract(figures, '$[2]') + rest_us AS down_us,
           json_extract(figures, '$[3]') + (rest_us > 0) AS outages, max(json_extract(figures, '$[4]'), rest_us) AS longest_us
      FROM (SELECT *, length_us - json_extract(figures, '$[1]') AS rest_us FROM figures)
), edge AS (
    -- The minutes that the window's ends cut are counted value by value, on the side of the end that has less of them.
    -- sign -1: the whole minute was taken, and this part of it does not belong to the window. Where nothing was stored after
    -- the window's end, as in a window until now, that is no part at all.
    SELECT since_us / 60000000 * 60000000 AS minute_us, since_us AS from_us, min(first_us, until_us) AS to_us, 1 AS sign,
           min(first_us, until_us) - since_us AS inside_us
      FROM span WHERE since_us < first_us AND (first_us > last_us OR first_us - since_us <= 30000000)
    UNION ALL
    SELECT first_us - 60000000, first_us - 60000000, since_us, -1, first_us - since_us FROM span
     WHERE first_us <= last_us AND first_us - since_us > 30000000
    UNION ALL
    SELECT last_us, last_us, until_us, 1, until_us - last_us FROM span
     WHERE first_us <= last_us AND until_us > last_us AND until_us - last_us <= 30000000 AND is_past
    UNION ALL
    SELECT last_us, until_us, last_us + 60000000, -1, until_us - last_us FROM span
     WHERE first_us <= last_us AND until_us > last_us AND NOT (until_us - last_us <= 30000000 AND is_past)
), cut AS (
    -- Of a minute whose values are no longer kept only the count is left: it is spread evenly.
    SELECT e.*, minute_us < gone_us
               OR (NOT EXISTS (SELECT 1 FROM frame f WHERE f.at_us >= minute_us AND f.at_us < minute_us + 60000000)
                   AND NOT EXISTS (SELECT 1 FROM sample s WHERE s.at_us >= minute_us AND s.at_us < minute_us + 60000000))
                   AS is_gone
      FROM span CROSS JOIN edge e
), stored AS (
    SELECT h.processor_id, h.stored AS samples FROM span CROSS JOIN sample_hour h
     WHERE h.start_us >= first_hour_us AND h.start_us < last_hour_us
    UNION ALL
    SELECT m.processor_id, m.stored FROM span CROSS JOIN sample_minute m
     WHERE m.start_us >= span.first_us AND m.start_us < min(first_hour_us, span.last_us)
    UNION ALL
    SELECT m.processor_id, m.stored FROM span CROSS JOIN sample_minute m
     WHERE m.start_us >= max(first_hour_us, last_hour_us) AND m.start_us < span.last_us
    UNION ALL
    SELECT m.processor_id, CASE WHEN c.is_gone THEN (m.stored * c.inside_us + 30000000) / 60000000
                                WHEN c.sign < 0 THEN m.stored ELSE 0 END
      FROM cut c CROSS JOIN sample_minute m WHERE m.start_us = c.minute_us
    UNION ALL
    SELECT f.processor_id, e.sign * length(replace(f.levels, char(1), '')) FROM cut e CROSS JOIN frame f
     WHERE NOT e.is_gone AND f.at_us >= e.from_us AND f.at_us < e.to_us
    UNION ALL
    SELECT m.processor_id, e.sign FROM cut e CROSS JOIN sample s CROSS JOIN meter m ON m.id = s.meter_id
     WHERE NOT e.is_gone AND s.at_us >= e.from_us AND s.at_us < e.to_us
), counts AS (
    SELECT processor_id, sum(samples) AS samples FROM stored GROUP BY processor_id
), losses AS (
    SELECT l.processor_id, l.datagrams, l.samples, max(0, since_us - l.from_us) AS skipped_us,
           span.until_us - l.from_us AS reached_us, max(1, l.until_us - l.from_us) AS length_us,
           l.until_us < span.until_us AS is_over
      FROM span CROSS JOIN sample_loss l WHERE l.until_us >= since_us AND l.from_us < span.until_us
), lost AS (
    -- Of a row that the window cuts, what lies in the window: as reports/losses.sql counts.
    SELECT processor_id,
           sum(CASE WHEN is_over THEN samples
                    ELSE min(samples, 1 + (max(0, samples - 2) * reached_us + length_us / 2) / length_us) END
             - min(samples, (skipped_us > 0) + (max(0, samples - 2) * skipped_us + length_us / 2) / length_us)) AS samples,
           sum(CASE WHEN samples IS NOT NULL THEN 0 ELSE
               CASE WHEN is_over THEN datagrams
                    ELSE min(datagrams, 1 + (max(0, datagrams - 2) * reached_us + length_us / 2) / length_us) END
             - min(datagrams, (skipped_us > 0) + (max(0, datagrams - 2) * skipped_us + length_us / 2) / length_us) END)
               AS datagrams
      FROM losses GROUP BY processor_id
)
SELECT w.processor AS processor, w.host AS host, k.link AS link,
       coalesce(e.state, 'unknown') AS state,
       e.began_us AS state_since_us,
       CASE WHEN e.state IS NULL THEN 'not_recorded' ELSE e.cause END AS cause,
       coalesce(s.up_us, 0) AS up_us, coalesce(s.down_us, 0) AS down_us,
       until_us - since_us - coalesce(s.up_us, 0) - coalesce(s.down_us, 0) AS unknown_us,
       CASE WHEN s.down_us = 0 AND s.up_us > 0 THEN 100.0
            -- 100 is said only of a link that was never down.
            ELSE min(s.up_us * 100.0 / nullif(s.up_us + s.down_us, 0), 99.9999) END AS uptime_percent,
       coalesce(s.outages, 0) AS outages, coalesce(s.longest_us, 0) AS longest_outage_us,
       coalesce(c.samples, 0) AS samples, coalesce(l.samples, 0) AS samples_lost,
       coalesce(l.datagrams, 0) AS datagrams_lost
  FROM wanted w JOIN links k JOIN span
  LEFT JOIN sums s ON s.id = w.id AND s.link = k.link
  LEFT JOIN at_end e ON e.id = w.id AND e.link = k.link
  LEFT JOIN counts c ON c.processor_id = w.id
  LEFT JOIN lost l ON l.processor_id = w.id
 ORDER BY w.processor, k.link;
