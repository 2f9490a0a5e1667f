-- Every state of each link that touches the window: up, down or unknown, its cause, from when until when.
-- ended is NULL for the row that lasts; seconds is what lies in the window. Before a link's first row nothing was recorded.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or NULL for all).
WITH recording AS (
    -- When the recording ended; NULL while a recorder runs.
    SELECT ended_us AS end_us FROM recorder_runs ORDER BY run DESC LIMIT 1
), place AS (
    -- The rows that the window's two ends lie in. Rows follow one another without a hole, and the primary key finds these.
    SELECT p.id AS id, p.name AS processor, k.link AS link,
           coalesce((SELECT max(l.started_us) FROM link_state l
                      WHERE l.processor_id = p.id AND l.link = k.link AND l.started_us <= :since_us), 0) AS first_us,
           (SELECT max(l.started_us) FROM link_state l
             WHERE l.processor_id = p.id AND l.link = k.link AND l.started_us < :until_us) AS last_us
      FROM processor p CROSS JOIN (SELECT 'control' AS link UNION ALL SELECT 'meters') k
     WHERE :processor IS NULL OR p.name = :processor
), state AS (
    SELECT p.processor AS processor, p.link AS link, s.state AS state, s.cause AS cause, s.started_us AS started_us,
           coalesce(s.ended_us, max(r.end_us, s.started_us)) AS ended_us
      FROM recording r CROSS JOIN place p
     CROSS JOIN link_state s ON s.processor_id = p.id AND s.link = p.link AND s.started_us >= p.first_us
       AND s.started_us < :until_us
    UNION ALL
    -- Since the recording ended, nothing is known.
    SELECT p.processor, p.link, 'unknown', 'recorder_stopped', coalesce(s.ended_us, max(r.end_us, s.started_us)), NULL
      FROM recording r CROSS JOIN place p
     CROSS JOIN link_state s ON s.processor_id = p.id AND s.link = p.link AND s.started_us = p.last_us
     WHERE coalesce(s.ended_us, max(r.end_us, s.started_us)) < :until_us
)
SELECT processor, link, state, cause,
       strftime('%Y-%m-%d %H:%M:%S', started_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', started_us / 1000 % 1000) AS started,
       strftime('%Y-%m-%d %H:%M:%S', ended_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', ended_us / 1000 % 1000) AS ended,
       started_us, ended_us,
       (min(coalesce(ended_us, :until_us), :until_us) - max(started_us, :since_us)) / 1e6 AS seconds
  FROM state
 WHERE coalesce(ended_us, :until_us) > :since_us
 ORDER BY processor, link, started_us;
