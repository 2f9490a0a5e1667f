-- How much of the window a recorder was running, in microseconds.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC).
SELECT coalesce(sum(max(0, min(coalesce(ended_us, :until_us), :until_us) - max(started_us, :since_us))), 0) AS recorded_us
  FROM recorder_runs
 WHERE started_us < :until_us AND coalesce(ended_us, :until_us) > :since_us;
