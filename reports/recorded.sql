-- How much of the window a recorder lived through, in microseconds; of one processor, only while it was recorded, too.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or NULL for all).
WITH passage AS (
    SELECT max(p.from_us, :since_us) AS from_us, min(coalesce(p.until_us, r.ended_us, :until_us), :until_us) AS to_us
      FROM recorder_passage p JOIN recorder_runs r ON r.run = p.run
     WHERE p.from_us < :until_us AND coalesce(p.until_us, r.ended_us, :until_us) > :since_us
), following AS (
    -- Where the clock was set back two of them cover the same time: it counts once.
    SELECT to_us, max(from_us, coalesce(max(to_us) OVER (
               ORDER BY from_us, to_us ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), from_us)) AS from_us
      FROM passage
), absent AS (
    -- A run that does not name the processor, or not yet or no more, knows nothing of it: the links' rows say so, and before
    -- their first there was none that did.
    SELECT s.started_us AS from_us, coalesce(s.ended_us, :until_us) AS to_us
      FROM processor u CROSS JOIN link_state s
     WHERE u.name = :processor AND s.processor_id = u.id AND s.link = 'control' AND s.cause = 'not_recorded'
       AND s.started_us < :until_us AND coalesce(s.ended_us, :until_us) > :since_us
    UNION ALL
    SELECT :since_us, coalesce((SELECT min(s.started_us) FROM link_state s
                                 WHERE s.processor_id = u.id AND s.link = 'control'), :until_us)
      FROM processor u WHERE u.name = :processor
)
SELECT coalesce(sum(max(0, to_us - from_us)), 0)
       - (SELECT coalesce(sum(max(0, min(f.to_us, a.to_us) - max(f.from_us, a.from_us))), 0)
            FROM following f CROSS JOIN absent a) AS recorded_us
  FROM following;
