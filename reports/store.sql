-- What the store takes: by kind how many, bytes and share, how it grows in a day, and in how many days it reaches its limit.
-- samples are values; bytes_each of them is what the other kinds leave of the file, divided by their number. The other kinds
-- are counted, and their bytes estimated from what their rows take; minutes from the hours in which samples came, for nobody
-- counts the minutes of a thousand units one by one. Of a store that is not ten minutes old no growth is told.
-- a_day is what came in the last 7 days before :until_us, by the day; at_rest_bytes what a kind takes once as much goes as
-- comes. free is pages that what comes next will fill; log the write-ahead log (:log_bytes, which SQL cannot see).
-- Parameters: :until_us (microseconds since 1970 UTC), :log_bytes (NULL: not told).
WITH file AS (
    SELECT p.page_count * s.page_size AS bytes, f.freelist_count * s.page_size AS free_bytes,
           (SELECT max_bytes FROM recorder_run ORDER BY run DESC LIMIT 1) AS max_bytes,
           coalesce(:log_bytes, 0) AS log_bytes
      FROM pragma_page_count p, pragma_freelist_count f, pragma_page_size s
), span AS (
    SELECT CAST(:until_us AS INTEGER) - 604800000000 AS week_us, CAST(:until_us AS INTEGER) AS now_us,
           -- How much of those days there is; NULL: too little.
           min(7.0, (SELECT CASE WHEN CAST(:until_us AS INTEGER) - min(started_us) >= 600000000
                                 THEN (CAST(:until_us AS INTEGER) - min(started_us)) / 86400e6 END FROM recorder_run)) AS days,
           coalesce((SELECT before_us FROM retained WHERE kind = 'samples'), 0) AS gone_us,
           max(coalesce((SELECT before_us FROM retained WHERE kind = 'minutes'), 0),
               coalesce((SELECT min(started_us) FROM recorder_run), 0)) AS minutes_us
), hour AS (
    -- Of each unit: how many minutes of the hour are over and kept, and how many meters it has.
    SELECT h.start_us, m.meters,
           max(0, min(h.start_us + 3600000000, now_us) - max(h.start_us, minutes_us)) / 60000000 AS minutes
      FROM span CROSS JOIN sample_hour h
      JOIN (SELECT processor_id, count(*) AS meters FROM meter GROUP BY processor_id) m ON m.processor_id = h.processor_id
     WHERE h.start_us > minutes_us - 3600000000
), minute AS (
    SELECT coalesce(sum(minutes * meters), 0) AS minutes, coalesce(sum((minutes = 60) * meters), 0) AS hours,
           coalesce(sum(minutes), 0) AS counts,
           coalesce(sum((start_us BETWEEN week_us AND now_us) * minutes * meters), 0) AS recent_minutes,
           coalesce(sum((start_us BETWEEN week_us AND now_us) * (minutes = 60) * meters), 0) AS recent_hours,
           coalesce(sum((start_us BETWEEN week_us AND now_us) * minutes), 0) AS recent_counts
      FROM span CROSS JOIN hour
), part(kind, count, bytes, recent) AS (
    -- Bytes of a row with its share of indexes, pages and pointers, as dbstat shows them.
    SELECT 'minutes', minutes, 46.0 * minutes, recent_minutes FROM minute
    UNION ALL SELECT 'minutes', hours, 80.0 * hours, recent_hours FROM minute
    UNION ALL SELECT 'minutes', counts, 23.0 * counts, recent_counts FROM minute
    UNION ALL SELECT 'events', count(*), (46.0 + coalesce((
        SELECT avg(coalesce(length(cause), 0) + coalesce(length(detail), 0) + length(event))
          FROM (SELECT * FROM event ORDER BY id DESC LIMIT 1000)), 0)) * count(*),
        sum(at_us BETWEEN week_us AND now_us) FROM event, span
    UNION ALL SELECT 'events', count(*), 60.0 * count(*), sum(started_us BETWEEN week_us AND now_us) FROM link_state, span
    UNION ALL SELECT 'events', count(*), 200.0 * count(*), sum(last_us BETWEEN week_us AND now_us) FROM socket_error, span
    UNION ALL SELECT 'events', count(*), 18.0 * count(*), sum(start_us BETWEEN week_us AND now_us)
      FROM socket_error_minute, span
    UNION ALL SELECT 'events', count(*), 110.0 * count(*), sum(at_us BETWEEN week_us AND now_us) FROM parameter_change, span
    UNION ALL SELECT 'events', count(*), 65.0 * count(*), sum(until_us BETWEEN week_us AND now_us) FROM sample_loss, span
    UNION ALL SELECT 'events', count(*), 21.0 * count(*), sum(start_us BETWEEN week_us AND now_us) FROM sample_hour, span
    UNION ALL SELECT 'events', count(*), 120.0 * count(*), sum(started_us BETWEEN week_us AND now_us) FROM recorder_run, span
), known AS (
    SELECT kind, sum(coalesce(count, 0)) AS count, sum(coalesce(bytes, 0)) AS bytes,
           sum(bytes * recent / nullif(count, 0)) AS recent_bytes, sum(coalesce(recent, 0)) AS recent
      FROM part GROUP BY kind
), samples AS (
    SELECT (SELECT coalesce(sum(h.stored), 0) FROM sample_hour h
             WHERE h.start_us >= (gone_us + 3599999999) / 3600000000 * 3600000000)
         + (SELECT coalesce(sum(m.stored), 0) FROM sample_minute m
             WHERE m.start_us >= gone_us AND m.start_us < (gone_us + 3599999999) / 3600000000 * 3600000000) AS count,
           (SELECT coalesce(sum(h.stored), 0) FROM sample_hour h WHERE h.start_us BETWEEN week_us AND now_us) AS recent,
           max(0, (SELECT bytes - free_bytes FROM file) - (SELECT sum(bytes) FROM known)) AS bytes
      FROM span
), kinds AS (
    SELECT 1 AS place, 'samples' AS kind, count, bytes, recent, bytes * recent / nullif(count, 0) AS recent_bytes FROM samples
    UNION ALL SELECT 2, kind, count, bytes, recent, recent_bytes FROM known WHERE kind = 'minutes'
    UNION ALL SELECT 3, kind, count, bytes, recent, recent_bytes FROM known WHERE kind = 'events'
), figures AS (
    SELECT k.place, k.kind, k.count, k.bytes, k.bytes / nullif(k.count, 0) AS bytes_each, k.recent / days AS a_day,
           coalesce(k.recent_bytes, 0) / days AS bytes_a_day, r.keep_us / 86400e6 AS keep_days, r.before_us
      FROM kinds k CROSS JOIN span LEFT JOIN retained r ON r.kind = k.kind
), growth AS (
    -- Of a kind of which rows have been removed as much goes as comes.
    SELECT sum((before_us IS NULL) * bytes_a_day) AS bytes_a_day FROM figures
)
SELECT kind, CAST(count AS INTEGER) AS count, CAST(round(f.bytes) AS INTEGER) AS bytes,
       round(f.bytes * 100.0 / nullif(file.bytes, 0), 1) AS percent, round(f.bytes_each, 2) AS bytes_each,
       CAST(round(a_day) AS INTEGER) AS a_day, CAST(round(bytes_a_day) AS INTEGER) AS bytes_a_day, keep_days,
       CAST(round(bytes_a_day * keep_days) AS INTEGER) AS at_rest_bytes,
       strftime('%Y-%m-%d %H:%M:%S', before_us / 1000000, 'unixepoch', 'localtime') AS kept_from,
       NULL AS limit_bytes, NULL AS days_to_limit
  FROM (SELECT * FROM figures ORDER BY place) f, file
UNION ALL
SELECT 'free', NULL, free_bytes, round(free_bytes * 100.0 / nullif(bytes, 0), 1), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM file
UNION ALL
SELECT 'log', NULL, log_bytes, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM file
UNION ALL
SELECT 'store', NULL, bytes + log_bytes, NULL, NULL, NULL, CAST(round(g.bytes_a_day) AS INTEGER), NULL, NULL, NULL, max_bytes,
       CASE WHEN max_bytes IS NOT NULL AND g.bytes_a_day > 0
            THEN round(max(0, max_bytes - bytes - log_bytes) / g.bytes_a_day, 1) END
  FROM file, growth g;
