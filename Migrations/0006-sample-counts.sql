-- What arrived is counted beside what was stored, and a view shows that the two agree.

-- NULL in rows of before: then nobody counted.
ALTER TABLE sample_minute ADD COLUMN datagrams INTEGER;  -- of this unit
ALTER TABLE sample_minute ADD COLUMN received INTEGER;   -- values in them and by TCP, counted as they were read

CREATE VIEW sample_counts AS
-- How many meter values came in each minute and what became of them: received = stored + duplicate + lost.
SELECT strftime('%Y-%m-%d %H:%M:%S', u.start_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', u.start_us / 1000 % 1000) AS time,
       u.start_us AS start_us, u.processor AS processor, u.datagrams AS datagrams, u.received AS received,
       u.stored AS stored, u.duplicate AS duplicate, u.lost AS lost
  FROM (
    SELECT m.start_us AS start_us, p.name AS processor, m.datagrams AS datagrams, m.received AS received,
           m.stored AS stored, m.duplicate AS duplicate,
           -- A row of losses lies within one minute.
           (SELECT coalesce(sum(l.samples), 0) FROM sample_loss l
             WHERE l.processor_id = m.processor_id AND l.until_us >= m.start_us AND l.until_us < m.start_us + 60000000
           ) AS lost
      FROM sample_minute m JOIN processor p ON p.id = m.processor_id
  ) u;
