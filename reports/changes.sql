-- What somebody changed at the units in the window: gains, mutes, sources, names, firmware; scenes and messages fired.
-- A value that became known for the first time is no change; the view parameter_changes has those, and the raw values.
-- Parameters: :since_us, :until_us (microseconds since 1970 UTC), :processor (a name, or NULL for all).
WITH changed AS (
    SELECT v.*, p.id AS processor_id, row_number() OVER (ORDER BY v.at_us) AS n,
           -- An action has no state: each row says that it was fired.
           v.parameter GLOB 'RecallScene*' OR v.parameter GLOB 'RecallRoutine*' OR v.parameter GLOB 'PlayMessage*'
               OR v.parameter GLOB 'RecallGpoPreset*' AS fired
      FROM parameter_changes v JOIN processor p ON p.name = v.processor
     WHERE v.at_us >= :since_us AND v.at_us < :until_us AND (:processor IS NULL OR v.processor = :processor)
), told AS (
    SELECT n, 'value' AS which, value AS raw, at_us, processor_id, parameter FROM changed
     WHERE previous IS NOT NULL AND NOT fired
    UNION ALL
    SELECT n, 'previous', previous, at_us, processor_id, parameter FROM changed
     WHERE previous IS NOT NULL AND NOT fired
    UNION ALL
    SELECT n, 'value', 'fired', at_us, processor_id, parameter FROM changed WHERE fired
), readable AS (
    SELECT n, which, CASE
               WHEN typeof(raw) = 'text' THEN raw
               WHEN parameter GLOB '*Gain_*' THEN raw || ' dB'
               WHEN raw IN (0, 1) AND (parameter GLOB '*Mute_*' OR parameter GLOB '*Grouped_*' OR parameter GLOB '*Active_*'
                    OR parameter GLOB 'GpoState*' OR parameter GLOB 'LoudNoise*') THEN CASE raw WHEN 1 THEN 'on' ELSE 'off' END
               WHEN parameter GLOB '*Source_*' AND raw = -1 THEN 'none'
               -- The name that the source, mix or bell schedule of this number had then. A number is a source's or a mix's.
               ELSE coalesce((SELECT l.label FROM meter_label l
                               WHERE l.processor_id = t.processor_id AND l.from_us <= t.at_us
                                 AND l.meter = CASE WHEN parameter GLOB '*Source_*' THEN 'SourceMeter_' || raw
                                                    WHEN parameter GLOB 'TodaysBell*' THEN 'TodaysBellSchedule_' || raw END
                               ORDER BY l.from_us DESC LIMIT 1),
                             (SELECT l.label FROM meter_label l
                               WHERE l.processor_id = t.processor_id AND l.from_us <= t.at_us
                                 AND l.meter = CASE WHEN parameter GLOB '*Source_*' THEN 'MixMeter_' || raw END
                               ORDER BY l.from_us DESC LIMIT 1),
                             CAST(raw AS TEXT))
           END AS text
      FROM told t
)
SELECT c.time AS time, c.processor AS processor, c.parameter AS parameter, c.label AS label,
       max(CASE r.which WHEN 'value' THEN r.text END) AS value,
       max(CASE r.which WHEN 'previous' THEN r.text END) AS previous, c.at_us AS at_us
  FROM changed c JOIN readable r ON r.n = c.n
 GROUP BY c.n
 ORDER BY c.n;
