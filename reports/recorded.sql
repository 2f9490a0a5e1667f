-- How much of the window a recorder lived through, in microseconds; of one processor, only while it was recorded, too.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or NULL for all).
WITH passage AS (
    SELECT max(p.from_us, :since_us) AS from_us, min(coalesce(p.until_us, r.ended_us, :until_us), :until_us) AS to_us
      FROM recorder_passage p JOIN recorder_runs r ON r.run = p.run
     WHERE p.from_us < :until_us AND coalesce(p.until_us, r.ended_us, :until_us) > :since_us
       -- A run that does not name the processor knows nothing of it: the links' row at that time says so.
       AND (:processor IS NULL OR NOT coalesce((
           SELECT s.cause IS 'not_recorded' FROM processor u CROSS JOIN link_state s
            WHERE u.name = :processor AND s.processor_id = u.id AND s.link = 'control' AND s.started_us <= p.from_us
            ORDER BY s.started_us DESC LIMIT 1), 0))
), following AS (
    -- Where the clock was set back two of them cover the same time: it counts once.
    SELECT to_us, max(from_us, coalesce(max(to_us) OVER (
               ORDER BY from_us, to_us ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), from_us)) AS from_us
      FROM passage
)
SELECT coalesce(sum(max(0, to_us - from_us)), 0) AS recorded_us FROM following;
