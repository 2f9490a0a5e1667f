-- What did not become a sample in the window, by minute, processor and reason.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or NULL for all).
SELECT time, processor, reason, datagrams, samples, from_us, until_us
  FROM sample_losses
 WHERE until_us >= :since_us AND from_us < :until_us
   AND (:processor IS NULL OR processor = :processor OR processor IS NULL)
 ORDER BY from_us, processor, reason;
