-- What a unit does by name - scenes, routines, messages, presets, bell schedules - is labelled like its channels: the
-- table meter_label holds their names, too, under the parameter that fires or chooses them (RecallScene_2).

DROP VIEW parameter_changes;

CREATE VIEW parameter_changes AS
-- Gains, mutes, sources and names that changed, and each time that a scene, routine, message or preset was fired; label is
-- the name at that time of the channel, or of what was fired. previous NULL: first known, or never told before.
SELECT strftime('%Y-%m-%d %H:%M:%S', c.at_us / 1000000, 'unixepoch', 'localtime')
           || printf('.%03d', c.at_us / 1000 % 1000) AS time,
       c.at_us AS at_us, p.name AS processor, c.parameter AS parameter,
       (SELECT l.label FROM meter_label l
         WHERE l.processor_id = c.processor_id AND l.from_us <= c.at_us
           AND l.meter = CASE
               WHEN c.parameter GLOB 'Source*_*' THEN 'SourceMeter_' WHEN c.parameter GLOB 'Zone*_*' THEN 'ZoneMeter_'
               WHEN c.parameter GLOB 'Mix*_*' THEN 'MixMeter_' WHEN c.parameter GLOB 'Group*_*' THEN 'GroupMeter_'
               WHEN c.parameter GLOB 'RecallScene*' OR c.parameter GLOB 'SceneName_*' THEN 'RecallScene_'
               WHEN c.parameter GLOB 'RecallRoutine*' OR c.parameter GLOB 'RoutineName_*' THEN 'RecallRoutine_'
               WHEN c.parameter GLOB 'PlayMessage*' OR c.parameter GLOB 'MessageName_*' THEN 'PlayMessage_'
               WHEN c.parameter GLOB 'RecallGpoPreset*' OR c.parameter GLOB 'GpoPresetName_*' THEN 'RecallGpoPreset_'
               WHEN c.parameter GLOB 'TodaysBellSchedule*' OR c.parameter GLOB 'BellScheduleName_*' THEN 'TodaysBellSchedule_'
               ELSE '' END
               -- Of a parameter that has no number, and of the day's bell schedule, the value is the number.
               || CASE WHEN c.parameter GLOB 'TodaysBellSchedule*' OR instr(c.parameter, '_') = 0 THEN c.value
                       ELSE substr(c.parameter, instr(c.parameter, '_') + 1) END
         ORDER BY l.from_us DESC LIMIT 1) AS label,
       c.value AS value, c.previous AS previous
  FROM parameter_change c JOIN processor p ON p.id = c.processor_id;
