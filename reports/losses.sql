-- What did not become a sample in the window, by minute, processor and reason.
-- A row has the times of its first and its last loss; those between count as if spread evenly. Of a row that the window
-- cuts, datagrams and samples are what lies in the window: what is before and after a time adds up to the whole.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or NULL for all).
WITH touched AS (
    SELECT *, max(0, :since_us - from_us) AS skipped_us, :until_us - from_us AS reached_us,
           max(1, until_us - from_us) AS length_us, until_us < :until_us AS is_over
      FROM sample_losses
     WHERE until_us >= :since_us AND from_us < :until_us
       AND (:processor IS NULL OR processor = :processor OR processor IS NULL)
), counted AS (
    -- Those before :until_us without those before :since_us.
    SELECT *,
           CASE WHEN is_over THEN datagrams
                ELSE min(datagrams, 1 + (max(0, datagrams - 2) * reached_us + length_us / 2) / length_us) END
         - min(datagrams, (skipped_us > 0) + (max(0, datagrams - 2) * skipped_us + length_us / 2) / length_us) AS datagrams_in,
           CASE WHEN is_over THEN samples
                ELSE min(samples, 1 + (max(0, samples - 2) * reached_us + length_us / 2) / length_us) END
         - min(samples, (skipped_us > 0) + (max(0, samples - 2) * skipped_us + length_us / 2) / length_us) AS samples_in
      FROM touched
)
SELECT time, processor, reason, datagrams_in AS datagrams, samples_in AS samples, from_us, until_us
  FROM counted
 -- The row of a recorder that was killed, or of a store that was set aside, has no numbers.
 WHERE datagrams_in > 0 OR samples_in > 0 OR (datagrams = 0 AND samples IS NULL)
 ORDER BY from_us, processor, reason;
