-- Each link over the window in cells of equal length, 60 of them: down if it was down at any time in the cell.
-- Else unknown where more of the cell is unknown than up, else up. These are the blocks of the summary's timeline.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or NULL for all); :cells (how many,
-- NULL for 60).
WITH RECURSIVE span AS (
    SELECT CAST(:since_us AS INTEGER) AS since_us, CAST(coalesce(:cells, 60) AS INTEGER) AS cells,
           CAST(:until_us AS INTEGER) - CAST(:since_us AS INTEGER) AS length
), number(n) AS (
    SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < (SELECT cells FROM span)
), cell AS (
    SELECT n + 1 AS cell, since_us + length / cells * n + length % cells * n / cells AS from_us,
           since_us + length / cells * (n + 1) + length % cells * (n + 1) / cells AS to_us
      FROM span CROSS JOIN number
), recording AS (
    -- When the recording ended; NULL while a recorder runs.
    SELECT ended_us AS end_us FROM recorder_runs ORDER BY run DESC LIMIT 1
), placed AS (
    -- first_us: the row that the cell begins in. Rows follow one another without a hole; the primary key finds it.
    SELECT p.id AS id, p.name AS processor, k.link AS link, c.cell AS cell, c.from_us AS from_us, c.to_us AS to_us,
           coalesce((SELECT max(l.started_us) FROM link_state l
                      WHERE l.processor_id = p.id AND l.link = k.link AND l.started_us <= c.from_us),
                    c.from_us) AS first_us
      FROM processor p CROSS JOIN (SELECT 'control' AS link UNION ALL SELECT 'meters') k CROSS JOIN cell c
     WHERE :processor IS NULL OR p.name = :processor
)
SELECT strftime('%Y-%m-%d %H:%M:%S', c.from_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', c.from_us / 1000 % 1000) AS time,
       c.processor AS processor, c.link AS link, c.cell AS cell,
       CASE
           WHEN EXISTS (SELECT 1 FROM link_state s
                         WHERE s.processor_id = c.id AND s.link = c.link AND s.started_us >= c.first_us
                           AND s.started_us < c.to_us AND s.state = 'down'
                           AND coalesce(s.ended_us, max(r.end_us, s.started_us), c.to_us) > c.from_us) THEN 'down'
           WHEN 2 * (SELECT sum(max(0, min(coalesce(s.ended_us, max(r.end_us, s.started_us), c.to_us), c.to_us)
                                       - max(s.started_us, c.from_us))) FROM link_state s
                      WHERE s.processor_id = c.id AND s.link = c.link AND s.started_us >= c.first_us
                        AND s.started_us < c.to_us AND s.state = 'up') >= c.to_us - c.from_us THEN 'up'
           ELSE 'unknown' END AS state,
       c.from_us AS start_us, c.to_us AS end_us
  FROM placed c LEFT JOIN recording r
 ORDER BY c.processor, c.link, c.cell;
