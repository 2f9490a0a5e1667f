-- The longest time without an error in the window, by code, and without any: as long as that, silence is no news.
-- Between two errors of one episode at most 60 s pass: those are not looked at.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or NULL for all).
WITH begin AS (
    -- Before anybody recorded it was quiet for nobody.
    SELECT max(:since_us, coalesce((SELECT min(from_us) FROM recorder_passage), :since_us)) AS begin_us
), episode AS (
    SELECT e.code AS code, max(e.first_us, :since_us) AS from_us, min(e.last_us, :until_us) AS to_us
      FROM socket_error e LEFT JOIN processor p ON p.id = e.processor_id
     WHERE e.last_us >= :since_us AND e.first_us < :until_us
       AND (:processor IS NULL OR p.name = :processor OR e.processor_id IS NULL)
), noise AS (
    SELECT code, from_us, to_us FROM episode
    UNION ALL SELECT 'any', from_us, to_us FROM episode
    -- The window's end closes the last gap.
    UNION ALL SELECT DISTINCT code, :until_us, :until_us FROM episode
    UNION ALL SELECT 'any', :until_us, :until_us
), gap AS (
    SELECT code, from_us AS ended_us, max(begin_us, coalesce(max(to_us) OVER (
               PARTITION BY code ORDER BY from_us, to_us
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), begin_us)) AS started_us
      FROM noise, begin
)
SELECT code, max(0, max(ended_us - started_us)) / 1e6 AS seconds,
       strftime('%Y-%m-%d %H:%M:%S', started_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', started_us / 1000 % 1000) AS started,
       strftime('%Y-%m-%d %H:%M:%S', ended_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', ended_us / 1000 % 1000) AS ended,
       started_us, ended_us
  FROM gap GROUP BY code ORDER BY code = 'any', code;
