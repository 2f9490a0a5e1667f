-- Who took the meters in the window, how often, and for how long.
-- That is another program of the host that was bound later on the very address, or connected to the unit. A program that was
-- started again is the same one; last_by has its last pid.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or NULL for all).
WITH taken AS (
    SELECT at_us, id, processor, by_whom, started_us,
           -- Of one program its name alone, of several all that was said.
           CASE WHEN by_whom LIKE '% (pid %' AND by_whom NOT LIKE '%, %'
                THEN substr(by_whom, 1, instr(by_whom, ' (pid ') - 1) ELSE by_whom END AS program
      FROM (
          SELECT e.at_us, p.id, p.name AS processor,
                 -- Behind a semicolon: what is done about it.
                 coalesce(substr(e.detail, 1, instr(e.detail || ';', ';') - 1), 'unknown') AS by_whom,
                 (SELECT max(l.started_us) FROM link_state l
                   WHERE l.processor_id = e.processor_id AND l.link = 'meters' AND l.started_us <= e.at_us) AS started_us
            FROM event e JOIN processor p ON p.id = e.processor_id
           WHERE e.event = 'taken' AND e.at_us >= :since_us AND e.at_us < :until_us
             AND (:processor IS NULL OR p.name = :processor))
)
SELECT t.processor AS processor, t.program AS program, count(*) AS times,
       strftime('%Y-%m-%d %H:%M:%S', min(t.at_us) / 1000000, 'unixepoch', 'localtime')
       || printf('.%03d', min(t.at_us) / 1000 % 1000) AS first,
       strftime('%Y-%m-%d %H:%M:%S', max(t.at_us) / 1000000, 'unixepoch', 'localtime')
       || printf('.%03d', max(t.at_us) / 1000 % 1000) AS last,
       t.by_whom AS last_by,
       sum(max(0, min(coalesce(l.ended_us, r.ended_us, :until_us), :until_us) - max(l.started_us, :since_us))) / 1e6 AS seconds,
       min(t.at_us) AS first_us, max(t.at_us) AS last_us
  FROM taken t
  JOIN (SELECT ended_us FROM recorder_runs ORDER BY run DESC LIMIT 1) r
  LEFT JOIN link_state l ON l.processor_id = t.id AND l.link = 'meters' AND l.started_us = t.started_us AND l.cause = 'taken'
 GROUP BY t.processor, t.program
 ORDER BY max(t.at_us) DESC, t.processor;
