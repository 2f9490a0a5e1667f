-- What arrived is counted beside what was stored, and a view shows that the two agree.

-- NULL in rows of before: then nobody counted.
ALTER TABLE sample_minute ADD COLUMN datagrams INTEGER;  -- of this unit
ALTER TABLE sample_minute ADD COLUMN received INTEGER;   -- values in them and by TCP, counted as they were read

CREATE TABLE sample_hour (
    -- sample_minute.stored by the hour, so that the sum of a year need not read half a million minutes.
    start_us     INTEGER NOT NULL,  -- of the hour
    processor_id INTEGER NOT NULL REFERENCES processor,
    stored       INTEGER NOT NULL,
    PRIMARY KEY (start_us, processor_id)
) STRICT, WITHOUT ROWID;
INSERT INTO sample_hour (start_us, processor_id, stored)
SELECT start_us / 3600000000 * 3600000000, processor_id, sum(stored) FROM sample_minute GROUP BY 1, 2;

CREATE TRIGGER sample_minute_added AFTER INSERT ON sample_minute BEGIN
    INSERT INTO sample_hour (start_us, processor_id, stored)
    VALUES (new.start_us / 3600000000 * 3600000000, new.processor_id, new.stored)
    ON CONFLICT DO UPDATE SET stored = stored + excluded.stored;
END;
CREATE TRIGGER sample_minute_changed AFTER UPDATE OF stored ON sample_minute BEGIN
    UPDATE sample_hour SET stored = stored + new.stored - old.stored
     WHERE start_us = new.start_us / 3600000000 * 3600000000 AND processor_id = new.processor_id;
END;

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
