-- What retention deletes, and a row that says so for each kind (docs/decisions/0009-retention.md).

CREATE TABLE retained (
    -- By kind what is kept, and what was deleted. No row: the recorder that ran last was of an older version.
    kind      TEXT PRIMARY KEY CHECK (kind IN ('samples', 'minutes', 'events')),
    keep_us   INTEGER,                     -- as the last run was told; NULL: for ever
    by_run    INTEGER NOT NULL DEFAULT 0,  -- 1: a run wrote keep_us; 0: only prune was here, whose limits hold for once
    before_us INTEGER,                     -- rows older than this are deleted, or being deleted; NULL: none was
    withdrawn_us INTEGER,                  -- before_us as it was, while the clock shows an earlier time; NULL: it does not
    removed   INTEGER NOT NULL DEFAULT 0,  -- rows, altogether
    reason    TEXT,                        -- of the last: age or size
    at_us     INTEGER,                     -- when the last one went
    told      INTEGER NOT NULL DEFAULT 0,  -- removed, as the last event pruned told it
    told_us   INTEGER                      -- when that was
) STRICT, WITHOUT ROWID;

ALTER TABLE minute_coverage ADD COLUMN withdrawn_us INTEGER;       -- fixed_us as it was; as of retained
ALTER TABLE minute_coverage ADD COLUMN withdrawn_from_us INTEGER;  -- from_us as it was then

ALTER TABLE recorder_run ADD COLUMN max_bytes INTEGER;  -- the limit of the store's size that is in force; NULL: any size

CREATE VIEW retention AS
-- What is no longer there, by kind. kept_from: older rows were removed; NULL: none were. keep_days NULL: kept for ever.
SELECT k.kind AS kind, r.keep_us / 86400e6 AS keep_days,
       strftime('%Y-%m-%d %H:%M:%S', r.before_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', r.before_us / 1000 % 1000) AS kept_from,
       coalesce(r.removed, 0) AS removed, r.reason AS reason,
       strftime('%Y-%m-%d %H:%M:%S', r.at_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', r.at_us / 1000 % 1000) AS time,
       r.before_us AS kept_from_us, r.at_us AS at_us
  FROM (SELECT 1 AS place, 'samples' AS kind UNION ALL SELECT 2, 'minutes' UNION ALL SELECT 3, 'events') k
  LEFT JOIN retained r ON r.kind = k.kind
 ORDER BY k.place;

-- A state that retention deletes changes no minute: those that were counted from it stay.
DROP TRIGGER link_state_goes;
CREATE TRIGGER link_state_goes AFTER DELETE ON link_state
    WHEN OLD.link = 'meters'
     AND (OLD.ended_us IS NULL
          OR OLD.ended_us > coalesce((SELECT r.before_us FROM retained r WHERE r.kind = 'events'), 0))
BEGIN
    INSERT INTO minutes_to_count
    SELECT OLD.processor_id,
           min(OLD.started_us, coalesce((SELECT b.ended_us FROM link_state b
                                     WHERE b.processor_id = OLD.processor_id AND b.link = 'meters'
                                       AND b.started_us < OLD.started_us AND b.cause IS NOT 'clock_step'
                                     ORDER BY b.started_us DESC LIMIT 1), OLD.started_us)) - 1000000;
END;
