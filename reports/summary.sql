-- Each processor's two links: the state at the window's end, how long it was up, down and unknown, outages, samples.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or NULL for all).
-- up + down + unknown = the window, in whole microseconds; uptime_percent counts up and down only.
WITH span AS (
    SELECT CAST(:since_us AS INTEGER) AS since_us, CAST(:until_us AS INTEGER) AS until_us,
           -- The first and the last full minute: sample_minute answers between them, the frames beside them.
           (CAST(:since_us AS INTEGER) + 59999999) / 60000000 * 60000000 AS first_us,
           CAST(:until_us AS INTEGER) / 60000000 * 60000000 AS last_us
), wanted AS (
    SELECT p.id, p.name AS processor, p.host || CASE p.control_port WHEN 5321 THEN '' ELSE ':' || p.control_port END AS host
      FROM processor p WHERE :processor IS NULL OR p.name = :processor
), links(link) AS (VALUES ('control'), ('meters')),
clipped AS (
    SELECT s.processor, s.link, s.state, s.cause, s.started_us,
           max(s.started_us, since_us) AS from_us, min(coalesce(s.ended_us, until_us), until_us) AS to_us
      FROM link_states s, span
     WHERE s.started_us < until_us AND coalesce(s.ended_us, until_us) > since_us
), sums AS (
    SELECT processor, link, sum((to_us - from_us) * (state = 'up')) AS up_us,
           sum((to_us - from_us) * (state = 'down')) AS down_us
      FROM clipped GROUP BY processor, link
), at_end AS (
    SELECT c.processor, c.link, c.state, c.cause, c.started_us
      FROM clipped c, span WHERE c.to_us = until_us
), faults AS (
    SELECT o.processor, o.link, count(*) AS outages, min(o.started_us) AS first_us,
           max(min(coalesce(o.ended_us, until_us), until_us) - max(o.started_us, since_us)) AS longest_us,
           max(CASE WHEN coalesce(o.ended_us, until_us) >= until_us THEN o.started_us END) AS open_us
      FROM outages o, span
     WHERE o.started_us < until_us AND coalesce(o.ended_us, until_us) > since_us
     GROUP BY o.processor, o.link
), stored AS (
    SELECT m.processor_id, m.stored AS samples FROM sample_minute m, span
     WHERE m.start_us >= first_us AND m.start_us < last_us
    UNION ALL
    SELECT f.processor_id, length(replace(f.levels, char(1), '')) FROM frame f, span
     WHERE f.at_us >= since_us AND f.at_us < min(first_us, until_us)
    UNION ALL
    SELECT f.processor_id, length(replace(f.levels, char(1), '')) FROM frame f, span
     WHERE f.at_us >= max(first_us, last_us) AND f.at_us < until_us
    UNION ALL
    SELECT m.processor_id, 1 FROM sample s JOIN meter m ON m.id = s.meter_id, span
     WHERE s.at_us >= since_us AND s.at_us < min(first_us, until_us)
    UNION ALL
    SELECT m.processor_id, 1 FROM sample s JOIN meter m ON m.id = s.meter_id, span
     WHERE s.at_us >= max(first_us, last_us) AND s.at_us < until_us
), counts AS (
    SELECT processor_id, sum(samples) AS samples FROM stored GROUP BY processor_id
), lost AS (
    SELECT l.processor_id, sum(l.samples) AS samples FROM sample_loss l, span
     WHERE l.until_us >= span.since_us AND l.from_us < span.until_us GROUP BY l.processor_id
)
SELECT w.processor AS processor, w.host AS host, k.link AS link,
       coalesce(e.state, 'unknown') AS state,
       CASE e.state WHEN 'down' THEN coalesce(f.open_us, e.started_us) ELSE e.started_us END AS state_since_us,
       CASE WHEN e.state IS NULL THEN 'not_recorded' ELSE e.cause END AS cause,
       coalesce(s.up_us, 0) AS up_us, coalesce(s.down_us, 0) AS down_us,
       until_us - since_us - coalesce(s.up_us, 0) - coalesce(s.down_us, 0) AS unknown_us,
       CASE WHEN s.down_us = 0 AND s.up_us > 0 THEN 100.0
            -- 100 is said only of a link that was never down.
            ELSE min(s.up_us * 100.0 / nullif(s.up_us + s.down_us, 0), 99.9999) END AS uptime_percent,
       coalesce(f.outages, 0) AS outages, coalesce(f.longest_us, 0) AS longest_outage_us,
       coalesce(c.samples, 0) AS samples, coalesce(l.samples, 0) AS samples_lost
  FROM wanted w JOIN links k JOIN span
  LEFT JOIN sums s ON s.processor = w.processor AND s.link = k.link
  LEFT JOIN at_end e ON e.processor = w.processor AND e.link = k.link
  LEFT JOIN faults f ON f.processor = w.processor AND f.link = k.link
  LEFT JOIN counts c ON c.processor_id = w.id
  LEFT JOIN lost l ON l.processor_id = w.id
 ORDER BY w.processor, k.link;
