-- Samples by the hour, so that a report over a year need not read half a million minutes for each unit.

CREATE TABLE sample_hour (
    -- sample_minute.stored by the hour.
    start_us     INTEGER NOT NULL,  -- of the hour
    processor_id INTEGER NOT NULL REFERENCES processor,
    stored       INTEGER NOT NULL,
    PRIMARY KEY (start_us, processor_id)
) STRICT, WITHOUT ROWID;
INSERT INTO sample_hour (start_us, processor_id, stored)
SELECT start_us / 3600000000 * 3600000000, processor_id, sum(stored) FROM sample_minute GROUP BY 1, 2;

-- Whoever writes a minute writes its hour. An hour stays when its minutes are deleted.
CREATE TRIGGER sample_minute_added AFTER INSERT ON sample_minute BEGIN
    INSERT INTO sample_hour (start_us, processor_id, stored)
    VALUES (new.start_us / 3600000000 * 3600000000, new.processor_id, new.stored)
    ON CONFLICT DO UPDATE SET stored = stored + excluded.stored;
END;
CREATE TRIGGER sample_minute_changed AFTER UPDATE OF stored ON sample_minute BEGIN
    UPDATE sample_hour SET stored = stored + new.stored - old.stored
     WHERE start_us = new.start_us / 3600000000 * 3600000000 AND processor_id = new.processor_id;
END;
