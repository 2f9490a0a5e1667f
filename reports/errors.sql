-- Socket errors in the window, by code, socket and processor. EADDRINUSE is always there, with 0 when there was none:
-- the absence of an error is a finding. Within a minute that the window cuts, the whole minute is counted.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or NULL for all).
WITH touched AS (
    SELECT e.*, p.name AS processor,
           CASE WHEN e.first_us >= :since_us AND e.last_us < :until_us THEN e.count
                ELSE (SELECT coalesce(sum(m.count), 0) FROM socket_error_minute m
                       WHERE m.error_id = e.id AND m.start_us + 60000000 > :since_us AND m.start_us < :until_us
                         AND m.start_us > e.first_us - 60000000 AND m.start_us <= e.last_us) END AS hits
      FROM socket_error e LEFT JOIN processor p ON p.id = e.processor_id
     WHERE e.last_us >= :since_us AND e.first_us < :until_us
       AND (:processor IS NULL OR p.name = :processor OR e.processor_id IS NULL)
), found AS (
    SELECT code, socket, operation, processor, sum(hits) AS count, min(max(first_us, :since_us)) AS first_us,
           max(min(last_us, :until_us)) AS last_us, max(id) AS last_id
      FROM touched GROUP BY code, socket, operation, processor HAVING sum(hits) > 0
    UNION ALL
    SELECT 'EADDRINUSE', 'udp', 'bind', NULL, 0, NULL, NULL, NULL
     WHERE NOT EXISTS (SELECT 1 FROM touched WHERE code = 'EADDRINUSE' AND hits > 0)
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
           (SELECT b.last_us FROM socket_error b LEFT JOIN processor p ON p.id = b.processor_id
             WHERE b.code = f.code AND b.last_us < :since_us
               AND (:processor IS NULL OR p.name = :processor OR b.processor_id IS NULL)
             ORDER BY b.last_us DESC LIMIT 1) AS last_before_us
      FROM found f LEFT JOIN socket_error e ON e.id = f.last_id
  ) g
 ORDER BY g.code <> 'EADDRINUSE', g.count DESC, g.code, g.processor;
