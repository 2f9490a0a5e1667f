-- How much of the window a recorder was running, in microseconds.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC).
WITH run AS (
    SELECT max(started_us, :since_us) AS from_us, min(coalesce(ended_us, :until_us), :until_us) AS to_us
      FROM recorder_runs
     WHERE started_us < :until_us AND coalesce(ended_us, :until_us) > :since_us
), following AS (
    -- Where the clock was set back two runs cover the same time: it counts once.
    SELECT to_us, max(from_us, coalesce(max(to_us) OVER (
               ORDER BY from_us, to_us ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), from_us)) AS from_us
      FROM run
)
SELECT coalesce(sum(max(0, to_us - from_us)), 0) AS recorded_us FROM following;
