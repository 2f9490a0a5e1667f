// The candidate layouts as SQL: tables, the view `meter_samples` over each, and the queries that are timed.
// Everything here keeps to SQLite 3.37.
#pragma once

#define NAMES                                                                                                          \
    "CREATE TABLE processor (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"                               \
    "CREATE TABLE meter (id INTEGER PRIMARY KEY, processor_id INTEGER NOT NULL REFERENCES processor,"                  \
    " slot INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (processor_id, slot), UNIQUE (processor_id, name)) STRICT;"    \
    "CREATE TABLE meter_label (meter_id INTEGER NOT NULL REFERENCES meter, from_us INTEGER NOT NULL, label TEXT,"      \
    " PRIMARY KEY (meter_id, from_us)) STRICT, WITHOUT ROWID;"

#define FRAME(KEY)                                                                                                     \
    "CREATE TABLE frame (at_us INTEGER NOT NULL, processor_id INTEGER NOT NULL REFERENCES processor,"                  \
    " levels TEXT NOT NULL, exact TEXT, PRIMARY KEY (" KEY ")) STRICT, WITHOUT ROWID;"
#define SAMPLE(KEY)                                                                                                    \
    "CREATE TABLE sample (at_us INTEGER NOT NULL, meter_id INTEGER NOT NULL REFERENCES meter,"                         \
    " level ANY NOT NULL, PRIMARY KEY (" KEY ")) STRICT, WITHOUT ROWID;"
#define FRAME_ROWID                                                                                                    \
    "CREATE TABLE frame (at_us INTEGER PRIMARY KEY, processor_id INTEGER NOT NULL REFERENCES processor,"               \
    " levels TEXT NOT NULL, exact TEXT) STRICT;"
#define SAMPLE_ROWID                                                                                                   \
    "CREATE TABLE sample (at_us INTEGER PRIMARY KEY, meter_id INTEGER NOT NULL REFERENCES meter,"                      \
    " level ANY NOT NULL) STRICT;"
#define SECOND                                                                                                         \
    "CREATE TABLE second (second_us INTEGER NOT NULL, processor_id INTEGER NOT NULL REFERENCES processor,"             \
    " updates TEXT NOT NULL, PRIMARY KEY (second_us, processor_id)) STRICT, WITHOUT ROWID;"

// CROSS JOIN is SQLite's way to fix the order of the loops: samples first where time leads the key, names first
// where the processor or meter leads it.
#define LEVEL_OF_FRAME                                                                                                 \
    "CASE WHEN f.exact IS NULL THEN (unicode(substr(f.levels, m.slot, 1)) - 832) / 10.0"                               \
    " ELSE coalesce(json_extract(f.exact, '$.\"' || m.slot || '\"'),"                                                  \
    " (unicode(substr(f.levels, m.slot, 1)) - 832) / 10.0) END"
#define FRAME_COLUMNS                                                                                                  \
    "SELECT f.at_us AS at_us, p.name AS processor, m.name AS meter, m.id AS meter_id, " LEVEL_OF_FRAME " AS level_db"
#define FRAME_ARM_BY_TIME                                                                                              \
    FRAME_COLUMNS " FROM frame f CROSS JOIN processor p ON p.id = f.processor_id"                                      \
                  " CROSS JOIN meter m ON m.processor_id = f.processor_id"                                             \
                  " WHERE substr(f.levels, m.slot, 1) > char(1)"
#define FRAME_ARM_BY_PROCESSOR                                                                                         \
    FRAME_COLUMNS " FROM processor p CROSS JOIN frame f ON f.processor_id = p.id"                                      \
                  " CROSS JOIN meter m ON m.processor_id = p.id WHERE substr(f.levels, m.slot, 1) > char(1)"
#define SAMPLE_COLUMNS                                                                                                 \
    "SELECT s.at_us AS at_us, p.name AS processor, m.name AS meter, m.id AS meter_id,"                                 \
    " CASE typeof(s.level) WHEN 'integer' THEN s.level / 10.0 ELSE s.level END AS level_db"
#define SAMPLE_ARM_BY_TIME                                                                                             \
    SAMPLE_COLUMNS " FROM sample s CROSS JOIN meter m ON m.id = s.meter_id"                                            \
                   " CROSS JOIN processor p ON p.id = m.processor_id"
#define SAMPLE_ARM_BY_METER                                                                                            \
    SAMPLE_COLUMNS " FROM processor p CROSS JOIN meter m ON m.processor_id = p.id"                                     \
                   " CROSS JOIN sample s ON s.meter_id = m.id"
#define SECOND_ARM                                                                                                     \
    "SELECT c.second_us + o.value AS at_us, p.name AS processor, m.name AS meter, m.id AS meter_id,"                   \
    " json_extract(c.updates, '$[' || (o.key + 2) || ']') / 10.0 AS level_db"                                          \
    " FROM second c CROSS JOIN processor p ON p.id = c.processor_id CROSS JOIN json_each(c.updates) o"                 \
    " CROSS JOIN meter m ON m.processor_id = p.id AND m.slot = json_extract(c.updates, '$[' || (o.key + 1) || ']')"    \
    " WHERE o.key % 3 = 0"

// Two levels. What a WHERE may name (at_us, processor, meter) lies inside, so SQLite pushes it into each arm; what
// costs time for each row (time, label) lies outside, so a query that does not ask for it does not pay for it.
#define VIEW(ARMS)                                                                                                     \
    "CREATE VIEW meter_samples AS SELECT"                                                                              \
    " strftime('%Y-%m-%d %H:%M:%S', u.at_us / 1000000, 'unixepoch', 'localtime')"                                      \
    " || printf('.%03d', u.at_us / 1000 % 1000) AS time, u.at_us AS at_us, u.processor AS processor,"                  \
    " u.meter AS meter, (SELECT l.label FROM meter_label l WHERE l.meter_id = u.meter_id AND l.from_us <= u.at_us"     \
    " ORDER BY l.from_us DESC LIMIT 1) AS label, u.level_db AS level_db FROM (" ARMS ") u;"

typedef struct {
    const char *name;
    int frames, lone, by_time;  // frames: full rows; lone: 1 narrow rows, 2 packed seconds; both: hybrid
    int row, narrow_row;        // bytes of a frame's row without its levels, and of a narrow row, for the hybrid's choice
    const char *tables, *view;
} Layout;

static const Layout layouts[] = {
    {"F1", 1, 0, 1, 19, 20, FRAME("at_us, processor_id"), VIEW(FRAME_ARM_BY_TIME)},
    {"F2", 1, 0, 0, 19, 20, FRAME("processor_id, at_us"), VIEW(FRAME_ARM_BY_PROCESSOR)},
    {"S1", 0, 1, 1, 19, 20, SAMPLE("at_us, meter_id"), VIEW(SAMPLE_ARM_BY_TIME)},
    {"S2", 0, 1, 0, 19, 20, SAMPLE("meter_id, at_us"), VIEW(SAMPLE_ARM_BY_METER)},
    {"H1", 1, 1, 1, 19, 20, FRAME("at_us, processor_id") SAMPLE("at_us, meter_id"),
     VIEW(FRAME_ARM_BY_TIME " UNION ALL " SAMPLE_ARM_BY_TIME)},
    {"H2", 1, 1, 0, 19, 20, FRAME("processor_id, at_us") SAMPLE("meter_id, at_us"),
     VIEW(FRAME_ARM_BY_PROCESSOR " UNION ALL " SAMPLE_ARM_BY_METER)},
    {"F3", 1, 0, 1, 17, 18, FRAME_ROWID, VIEW(FRAME_ARM_BY_TIME)},
    {"S3", 0, 1, 1, 17, 18, SAMPLE_ROWID, VIEW(SAMPLE_ARM_BY_TIME)},
    {"H3", 1, 1, 1, 17, 18, FRAME_ROWID SAMPLE_ROWID, VIEW(FRAME_ARM_BY_TIME " UNION ALL " SAMPLE_ARM_BY_TIME)},
    {"P", 0, 2, 1, 0, 0, SECOND, VIEW(SECOND_ARM)},
};

#define ONE_METER                                                                                                      \
    "SELECT at_us, level_db FROM meter_samples WHERE processor = 'unit 1' AND meter = 'Meter_7'"                       \
    " AND at_us BETWEEN :from AND :until"
#define ONE_PROCESSOR                                                                                                  \
    "SELECT at_us, meter, level_db FROM meter_samples WHERE processor = 'unit 1' AND at_us BETWEEN :from AND :until"

static const char *const plans[] = {  // what users ask; `layout plan` prints SQLite's plan for each
    ONE_METER,
    ONE_PROCESSOR,
    "SELECT * FROM meter_samples WHERE at_us BETWEEN :from AND :until",
    "SELECT meter, label, min(level_db), avg(level_db), max(level_db) FROM meter_samples"
    " WHERE processor = 'unit 1' AND at_us >= :from AND at_us < :until GROUP BY meter",
    "SELECT time, label, level_db FROM meter_samples WHERE meter = 'Meter_7' AND at_us BETWEEN :from AND :until"
    " ORDER BY at_us DESC LIMIT 10",
};
