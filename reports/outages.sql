-- Every outage that touches the window: contiguous time down, with its causes; seconds is what lies in the window.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or NULL for all).
SELECT processor, link, started, ended, started_us, ended_us,
       (min(coalesce(ended_us, :until_us), :until_us) - max(started_us, :since_us)) / 1e6 AS seconds,
       cause, causes
  FROM outages
 WHERE started_us < :until_us AND coalesce(ended_us, :until_us) > :since_us
   AND (:processor IS NULL OR processor = :processor)
 ORDER BY started_us, processor, link;
