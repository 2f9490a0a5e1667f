-- Socket errors in the window, by code, socket and processor; EADDRINUSE is always there, with 0 if there was none.
-- The first and the last error of an episode have their times, those between are counted by the minute: of a minute that
-- the window cuts they count as if spread evenly over it. So what is before and after a time adds up to the whole.
-- first and last are exact where the episode began and ended in the window, else the ends of the minute in which there
-- was an error, or of the window. Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or
-- NULL for all).
WITH touched AS MATERIALIZED (
    SELECT e.id, e.code, e.socket, e.operation, e.first_us, e.last_us, e.count, p.name AS processor,
           e.first_us >= :since_us AND e.last_us < :until_us AS is_whole
      FROM socket_error e LEFT JOIN processor p ON p.id = e.processor_id
     WHERE e.last_us >= :since_us AND e.first_us < :until_us
       AND (:processor IS NULL OR p.name = :processor OR e.processor_id IS NULL)
), edge AS (
    -- The minutes that an end of the window lies in, of the episodes that it cuts: when in the minute an error can have
    -- been, and whether its first and last are known.
    SELECT t.id, m.start_us, m.count, t.first_us >= m.start_us AS knows_first,
           t.last_us < m.start_us + 60000000 AS knows_last,
           max(m.start_us, min(t.first_us, m.start_us + 59999999)) AS from_us,
           min(m.start_us + 59999999, max(t.last_us, m.start_us)) AS to_us
      FROM touched t
     CROSS JOIN socket_error_minute m
        ON m.start_us IN (:since_us / 60000000 * 60000000, :until_us / 60000000 * 60000000) AND m.error_id = t.id
     WHERE NOT t.is_whole AND NOT (m.start_us >= :since_us AND m.start_us <= :until_us - 60000000)
), part AS (
    -- Of such a minute: the errors before :until_us without those before :since_us.
    SELECT id, start_us AS first_us, start_us AS last_us,
           CASE WHEN :until_us <= from_us THEN 0 WHEN :until_us > to_us THEN count
                ELSE knows_first + (spread * (:until_us - from_us) + length_us / 2) / length_us END
         - CASE WHEN :since_us <= from_us THEN 0 WHEN :since_us > to_us THEN count
                ELSE knows_first + (spread * (:since_us - from_us) + length_us / 2) / length_us END
           AS hits
      FROM (SELECT *, max(0, count - knows_first - knows_last) AS spread, to_us + 1 - from_us AS length_us FROM edge)
    UNION ALL
    -- The minutes between, whole. No grouping: a lasting error has half a million of them in a year.
    SELECT id,
           (SELECT m.start_us FROM socket_error_minute m WHERE m.start_us BETWEEN from_us AND to_us AND m.error_id = t.id
             ORDER BY m.start_us LIMIT 1),
           (SELECT m.start_us FROM socket_error_minute m WHERE m.start_us BETWEEN from_us AND to_us AND m.error_id = t.id
             ORDER BY m.start_us DESC LIMIT 1),
           (SELECT sum(m.count) FROM socket_error_minute m
             WHERE m.start_us BETWEEN from_us AND to_us AND m.error_id = t.id)
      FROM (SELECT id, max(:since_us, first_us - 59999999) AS from_us, min(:until_us - 60000000, last_us) AS to_us
              FROM touched WHERE NOT is_whole) t
), cut AS (
    SELECT id, sum(hits) AS hits, max(min(first_us), :since_us) AS first_us,
           min(max(last_us) + 60000000, :until_us) AS last_us
      FROM part WHERE hits > 0 GROUP BY id
), counted AS MATERIALIZED (
    SELECT t.id, t.code, t.socket, t.operation, t.processor,
           CASE WHEN t.is_whole THEN t.count ELSE coalesce(c.hits, 0) END AS hits,
           CASE WHEN t.first_us >= :since_us THEN t.first_us ELSE c.first_us END AS first_us,
           CASE WHEN t.last_us < :until_us THEN t.last_us ELSE c.last_us END AS last_us
      FROM touched t LEFT JOIN cut c ON c.id = t.id
), found AS (
    SELECT code, socket, operation, processor, sum(hits) AS count, min(first_us) AS first_us, max(last_us) AS last_us,
           max(id) AS last_id
      FROM counted WHERE hits > 0 GROUP BY code, socket, operation, processor
    UNION ALL
    SELECT 'EADDRINUSE', 'udp', 'bind', NULL, 0, NULL, NULL, NULL
     WHERE NOT EXISTS (SELECT 1 FROM counted WHERE code = 'EADDRINUSE' AND hits > 0)
)
SELECT g.code AS code, g.socket AS socket, g.operation AS operation, g.processor AS processor, g.count AS count,
       strftime('%Y-%m-%d %H:%M:%S', g.first_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', g.first_us / 1000 % 1000) AS first,
       strftime('%Y-%m-%d %H:%M:%S', g.last_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', g.last_us / 1000 % 1000) AS last,
       strftime('%Y-%m-%d %H:%M:%S', g.last_before_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', g.last_before_us / 1000 % 1000) AS last_before,
       g.holder AS holder, g.address AS address, g.message AS message,
       g.first_us AS first_us, g.last_us AS last_us, g.last_before_us AS last_before_us
  FROM (
    SELECT f.*, e.holder AS holder, e.address AS address, e.message AS message,
           -- Of an episode that lasts over the window's begin the last error before it is not known to the microsecond.
           (SELECT min(b.last_us, :since_us) FROM socket_error b LEFT JOIN processor p ON p.id = b.processor_id
             WHERE b.code = f.code AND b.first_us < :since_us
               AND (:processor IS NULL OR p.name = :processor OR b.processor_id IS NULL)
             ORDER BY b.last_us DESC LIMIT 1) AS last_before_us
      FROM found f LEFT JOIN socket_error e ON e.id = f.last_id
  ) g
 ORDER BY g.code <> 'EADDRINUSE', g.count DESC, g.code, g.processor;
