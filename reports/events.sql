-- What happened to the links and to the recorder in the window, in order.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or NULL for all).
SELECT time, processor, link, event, cause, detail
  FROM connection_events
 WHERE at_us >= :since_us AND at_us < :until_us
   AND (:processor IS NULL OR processor = :processor OR processor IS NULL)
 ORDER BY at_us;
