-- What became of the meter values that came, by processor: received = stored + duplicate + lost.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or NULL for all).
-- A minute that the window cuts is counted whole. unaccounted is received - stored - duplicate - lost: 0, or the recorder is
-- wrong. unread: datagrams that were dropped by the kernel, cut or unreadable; what they held is in no other column, and
-- those of which the unit cannot be told stand in the report losses only. NULL: recorded by a version that did not count.
WITH span AS (
    SELECT CAST(:since_us AS INTEGER) / 60000000 * 60000000 AS since_us,
           (CAST(:until_us AS INTEGER) + 59999999) / 60000000 * 60000000 AS until_us
), came AS (
    SELECT m.processor_id AS id, sum(m.datagrams) AS datagrams, sum(m.received) AS received, sum(m.stored) AS stored,
           sum(m.duplicate) AS duplicate, count(*) - count(m.received) AS uncounted
      FROM sample_minute m
     WHERE m.start_us >= (SELECT since_us FROM span) AND m.start_us < (SELECT until_us FROM span)
     GROUP BY m.processor_id
), went AS (
    SELECT l.processor_id AS id, sum(l.samples) AS lost,
           sum(CASE WHEN l.samples IS NULL AND l.reason <> 'parameters_dropped' THEN l.datagrams ELSE 0 END) AS unread
      FROM sample_loss l
     WHERE l.until_us >= (SELECT since_us FROM span) AND l.until_us < (SELECT until_us FROM span)
     GROUP BY l.processor_id
)
SELECT p.name AS processor, coalesce(c.datagrams, 0) AS datagrams,
       CASE WHEN coalesce(c.uncounted, 0) = 0 THEN coalesce(c.received, 0) END AS received,
       coalesce(c.stored, 0) AS stored, coalesce(c.duplicate, 0) AS duplicate, coalesce(w.lost, 0) AS lost,
       CASE WHEN coalesce(c.uncounted, 0) = 0
            THEN coalesce(c.received, 0) - coalesce(c.stored, 0) - coalesce(c.duplicate, 0) - coalesce(w.lost, 0)
       END AS unaccounted,
       coalesce(w.unread, 0) AS unread
  FROM processor p LEFT JOIN came c ON c.id = p.id LEFT JOIN went w ON w.id = p.id
 WHERE :processor IS NULL OR p.name = :processor
 ORDER BY p.name;
