// Measures one sample layout under one load. One row of figures on stdout, tab-separated:
//   layout load processors silence span_s samples bytes/sample samples/s cpu_us/sample written_B/s
//   meter_window_s meter_rows meter_ms processor_window_s processor_rows processor_ms rows_moved longest_move_us
//
//   layout LAYOUT LOAD PROCESSORS SILENCE SPAN_S FILE    measure (SILENCE: 1 = half of the meters at -80.0 dB)
//   layout plan LAYOUT                                   print the view and SQLite's plans for the usual queries
//
// Loads, for each processor: a = all 38 meters in one frame, 10 frames a second; b = 10 random meters in one frame,
// 10 frames a second; c = one random meter alone, 30 times a second, never two within 20 ms.
// Built with -DLATE_US=20000, a frame reaches the writer up to 20 ms after its time, so not in order and some in the next
// commit; each commit's rows are then sorted by time first, with -DUNSORTED as well they are not.
// Measured is the writing only (encode, sort, insert, commit, checkpoint), not the making of the values.
#define _GNU_SOURCE
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "schema.h"

enum { meters = 38, silent = -800, wal_page = 4096 + 24, checkpoint_bytes = 4 << 20, cache_kib = 16384 };
#ifndef LATE_US
#define LATE_US 0
#endif
static const int64_t start_us = 1760000000000000;

typedef struct { int64_t at, closed; int32_t processor, count; uint8_t slot[meters]; int16_t tenths[meters]; } Burst;  // a frame's values, slots ascending
typedef struct { int64_t at, meter; int tenths; } Lone;
typedef struct { int64_t at; int processor, bytes; char levels[meters * 2]; } Frame;

static sqlite3 *db;
static int wal_pages;
static const Layout *layout;
static Burst *bursts; static Frame *frames; static Lone *lone;
static int burst_count, late_count, frame_count, lone_count;
static int64_t sample_count, tenths_sum;

static void check(int code, const char *doing) {
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
    fprintf(stderr, "cannot %s: %s\n", doing, sqlite3_errmsg(db));
    exit(1);
}
static void run(const char *sql) { check(sqlite3_exec(db, sql, NULL, NULL, NULL), sql); }
static sqlite3_stmt *prepare(const char *sql) {
    sqlite3_stmt *s;
    check(sqlite3_prepare_v2(db, sql, -1, &s, NULL), sql);
    return s;
}
static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}
static double bytes_written(void) {  // all that this process handed to write(): WAL and database, nothing else
    char line[128]; double value = 0;
    FILE *f = fopen("/proc/self/io", "r");
    while (f && fgets(line, sizeof line, f)) sscanf(line, "wchar: %lf", &value);
    if (f) fclose(f);
    return value;
}
static uint64_t random_state = 88172645463325252u;
static uint32_t below(uint32_t n) {  // xorshift64: the same values in every run
    random_state ^= random_state << 13; random_state ^= random_state >> 7; random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) * n >> 32);
}
static int on_commit(void *unused, sqlite3 *d, const char *name, int pages) {
    (void)unused; (void)d; (void)name;
    wal_pages = pages;
    return SQLITE_OK;
}

// -- the load --------------------------------------------------------------------------------------------------------
static int16_t (*level)[meters];
static int compare_closed(const void *a, const void *b) { int64_t x = ((const Burst *)a)->closed, y = ((const Burst *)b)->closed; return (x > y) - (x < y); }
#if LATE_US && !defined UNSORTED
static int compare_at(const void *a, const void *b) { int64_t x = ((const Burst *)a)->at, y = ((const Burst *)b)->at; return (x > y) - (x < y); }
#endif
static int next_level(int processor, int slot, int silence) {
    if (silence && slot % 2 == 0) return silent;
    int l = level[processor][slot] + (int)below(41) - 20;
    return level[processor][slot] = l > 0 ? -l : l < -600 ? -1200 - l : l;
}
/// One second of all processors, in order of arrival.
static void make_second(char load, int processors, int silence, int64_t from) {
    int rate = load == 'c' ? 30 : 10, values = load == 'a' ? meters : load == 'b' ? 10 : 1;
    memmove(bursts, bursts + burst_count, sizeof *bursts * late_count);  // left from the second before
    burst_count = late_count;
    for (int p = 0; p < processors; p++)
        for (int tick = 0; tick < rate; tick++) {
            Burst *b = &bursts[burst_count++];
            int64_t step = 1000000 / rate, phase = p * 7919LL % (step - 12000);  // units are not in step with one another
            *b = (Burst){.at = from + tick * step + phase + below(10000), .processor = p + 1};
            b->closed = b->at + (LATE_US ? below(LATE_US) : 0);
            for (int slot = 0; slot < meters; slot++)  // selection sampling: each subset of `values` slots equally likely
                if ((int)below(meters - slot) < values - b->count) {
                    int l = next_level(p, slot, silence);
                    b->slot[b->count] = slot + 1; b->tenths[b->count++] = l;
                    sample_count++; tenths_sum += l;
                }
        }
    qsort(bursts, burst_count, sizeof *bursts, compare_closed);
    for (late_count = 0; burst_count > 0 && bursts[burst_count - 1].closed >= from + 1000000; late_count++) burst_count--;
}

// -- the writing -----------------------------------------------------------------------------------------------------
static int encode(const Burst *b, char *out) {  // code point 832 + tenths, as UTF-8; U+0001 for a slot without a value
    int n = 0;
    for (int i = 0, slot = 1; i < b->count; i++, slot++) {
        for (; slot < b->slot[i]; slot++) out[n++] = 1;
        int c = 832 + b->tenths[i];
        if (c < 128) out[n++] = c;
        else { out[n++] = 0xC0 | c >> 6; out[n++] = 0x80 | (c & 63); }
    }
    return n;
}
static int compare_frames(const void *a, const void *b) {
    const Frame *x = a, *y = b;
    return x->processor != y->processor ? x->processor - y->processor : (x->at > y->at) - (x->at < y->at);
}
static int compare_lone(const void *a, const void *b) {
    const Lone *x = a, *y = b;
    return x->meter != y->meter ? (x->meter > y->meter) - (x->meter < y->meter) : (x->at > y->at) - (x->at < y->at);
}
static sqlite3_stmt *insert_frame, *insert_lone, *insert_second;
static void insert(sqlite3_stmt *s) { check(sqlite3_step(s), "insert"); sqlite3_reset(s); }
static int64_t moved, longest_move;
static void insert_at(sqlite3_stmt *s, int64_t at) {  // a time that is taken: the next microsecond
    int code;
    int64_t move = 0;
    for (;; move++) {
        sqlite3_bind_int64(s, 1, at + move);
        if ((code = sqlite3_step(s)) != SQLITE_CONSTRAINT) break;
        sqlite3_reset(s);
    }
    check(code, "insert");
    sqlite3_reset(s);
    moved += move > 0;
    if (move > longest_move) longest_move = move;
}
static void write_packed(int processors, int64_t from) {
    static char (*text)[1024]; static int *used;
    if (!text) text = malloc(sizeof *text * (processors + 1)), used = malloc(sizeof *used * (processors + 1));
    memset(used, 0, sizeof *used * (processors + 1));
    for (int i = 0; i < burst_count; i++) {
        const Burst *b = &bursts[i];
        for (int k = 0; k < b->count; k++) {
            int p = b->processor, room = (int)sizeof *text - used[p];
            used[p] += snprintf(text[p] + used[p], room, "%c%d,%d,%d", used[p] ? ',' : '[', (int)(b->at - from), b->slot[k], b->tenths[k]);
        }
    }
    for (int p = 1; p <= processors; p++) {
        text[p][used[p]++] = ']';
        sqlite3_bind_int64(insert_second, 1, from); sqlite3_bind_int(insert_second, 2, p);
        sqlite3_bind_text(insert_second, 3, text[p], used[p], SQLITE_STATIC);
        insert(insert_second);
    }
}
static void write_second(int processors, int64_t from) {
    frame_count = lone_count = 0;
#if LATE_US && !defined UNSORTED
    qsort(bursts, burst_count, sizeof *bursts, compare_at);
#endif
    run("BEGIN IMMEDIATE");
    if (layout->lone == 2) write_packed(processors, from);
    else for (int i = 0; i < burst_count; i++) {
        const Burst *b = &bursts[i];
        Frame *f = &frames[frame_count];
        int narrow = !layout->frames;
        if (layout->frames) {
            *f = (Frame){.at = b->at, .processor = b->processor};
            f->bytes = encode(b, f->levels);
            narrow = layout->lone && layout->narrow_row * b->count < layout->row + f->bytes;
            frame_count += !narrow;
        }
        for (int k = 0; narrow && k < b->count; k++)
            lone[lone_count++] = (Lone){b->at, (b->processor - 1) * meters + b->slot[k], b->tenths[k]};
    }
    if (!layout->by_time) {  // give the keys that do not begin with time their best case: each page touched once a commit
        qsort(frames, frame_count, sizeof *frames, compare_frames);
        qsort(lone, lone_count, sizeof *lone, compare_lone);
    }
    for (const Frame *f = frames; f < frames + frame_count; f++) {
        sqlite3_bind_int(insert_frame, 2, f->processor);
        sqlite3_bind_text(insert_frame, 3, f->levels, f->bytes, SQLITE_STATIC);
        insert_at(insert_frame, f->at);
    }
    for (const Lone *s = lone; s < lone + lone_count; s++) {
        sqlite3_bind_int64(insert_lone, 2, s->meter); sqlite3_bind_int(insert_lone, 3, s->tenths);
        insert_at(insert_lone, s->at);
    }
    run("COMMIT");
    if ((int64_t)wal_pages * wal_page >= checkpoint_bytes)
        check(sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL), "checkpoint");
}
static void create(const char *file, int processors) {
    check(sqlite3_open(file, &db), "open");
    run("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
        "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 4194304;");
    char text[64];
    snprintf(text, sizeof text, "PRAGMA cache_size = -%d", cache_kib);
    run(text); run("BEGIN"); run(NAMES); run(layout->tables); run(layout->view);
    sqlite3_stmt *s = prepare("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)"
                              " INSERT INTO processor SELECT i, 'unit ' || i FROM n");
    sqlite3_bind_int(s, 1, processors); insert(s); sqlite3_finalize(s);
    run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 38)"
        " INSERT INTO meter SELECT (p.id - 1) * 38 + i, p.id, i, 'Meter_' || (i - 1) FROM processor p, n;"
        "INSERT INTO meter_label SELECT id, 0, 'Label ' || slot FROM meter; COMMIT;");
    check(sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL), "checkpoint");
    sqlite3_wal_hook(db, on_commit, NULL);
    if (layout->frames) insert_frame = prepare("INSERT INTO frame (at_us, processor_id, levels) VALUES (?, ?, ?)");
    if (layout->lone == 1) insert_lone = prepare("INSERT INTO sample (at_us, meter_id, level) VALUES (?, ?, ?)");
    if (layout->lone == 2) insert_second = prepare("INSERT INTO second (second_us, processor_id, updates) VALUES (?, ?, ?)");
}

// -- the reading -----------------------------------------------------------------------------------------------------
static double one_value(const char *sql) {
    sqlite3_stmt *s = prepare(sql);
    check(sqlite3_step(s), sql);
    double v = sqlite3_column_double(s, 0);
    sqlite3_finalize(s);
    return v;
}
static int ascending(const void *a, const void *b) { double x = *(const double *)a, y = *(const double *)b; return (x > y) - (x < y); }
/// Times the query over the last `window` seconds of the store, warm: the median of five.
static void time_query(const char *sql, int window, int span) {
    if (window > span) window = span;
    sqlite3_stmt *s = prepare(sql);
    int rows = 0; double ms[5];
    for (int i = 0; i < 5; i++) {
        double began = seconds(CLOCK_MONOTONIC);
        sqlite3_bind_int64(s, 1, start_us + (span - window) * 1000000LL);
        sqlite3_bind_int64(s, 2, start_us + span * 1000000LL - 1);
        for (rows = 0; sqlite3_step(s) == SQLITE_ROW; rows++) sqlite3_column_double(s, 1);
        sqlite3_reset(s);
        ms[i] = (seconds(CLOCK_MONOTONIC) - began) * 1e3;
    }
    qsort(ms, 5, sizeof *ms, ascending);
    printf("\t%d\t%d\t%.2f", window, rows, ms[2]);
    sqlite3_finalize(s);
}
static void print_plans(void) {
    create(":memory:", 10);
    printf("%s\n%s\n", layout->tables, layout->view);
    for (unsigned i = 0; i < sizeof plans / sizeof *plans; i++) {
        char sql[1024];
        snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", plans[i]);
        printf("\n%s\n", plans[i]);
        sqlite3_stmt *s = prepare(sql);
        while (sqlite3_step(s) == SQLITE_ROW) printf("    %s\n", sqlite3_column_text(s, 3));
        sqlite3_finalize(s);
    }
}

int main(int argc, char **argv) {
    int planning = argc == 3 && !strcmp(argv[1], "plan");
    const char *name = planning ? argv[2] : argc == 7 ? argv[1] : "";
    for (unsigned i = 0; i < sizeof layouts / sizeof *layouts; i++) if (!strcmp(layouts[i].name, name)) layout = &layouts[i];
    if (!layout) { fprintf(stderr, "usage: layout LAYOUT LOAD PROCESSORS SILENCE SPAN_S FILE | layout plan LAYOUT\n"); return 64; }
    if (planning) { print_plans(); return 0; }
    char load = argv[2][0];
    int processors = atoi(argv[3]), silence = atoi(argv[4]), span = atoi(argv[5]);
    create(argv[6], processors);
    bursts = malloc(sizeof *bursts * processors * 60); frames = malloc(sizeof *frames * processors * 30);
    lone = malloc(sizeof *lone * processors * 10 * meters); level = malloc(sizeof *level * processors);
    for (int p = 0; p < processors; p++) for (int s = 0; s < meters; s++) level[p][s] = -(int)below(601);

    double wall = 0, cpu = 0, half = 0;
    for (int second = 0; second < span; second++) {
        int64_t from = start_us + second * 1000000LL;
        make_second(load, processors, silence, from);
        if (second == span / 2) half = bytes_written();
        double w = seconds(CLOCK_MONOTONIC), c = seconds(CLOCK_PROCESS_CPUTIME_ID);
        write_second(processors, from);
        wall += seconds(CLOCK_MONOTONIC) - w; cpu += seconds(CLOCK_PROCESS_CPUTIME_ID) - c;
    }
    double w = seconds(CLOCK_MONOTONIC), c = seconds(CLOCK_PROCESS_CPUTIME_ID);
    check(sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL), "checkpoint");
    wall += seconds(CLOCK_MONOTONIC) - w; cpu += seconds(CLOCK_PROCESS_CPUTIME_ID) - c;
    double written = (bytes_written() - half) / (span - span / 2);  // the second half: the trees have grown by then

    double bytes = one_value("SELECT sum(pgsize) FROM dbstat WHERE aggregate = 1 AND name IN ('frame', 'sample', 'second')");
    printf("%s\t%c\t%d\t%d\t%d\t%lld\t%.3f\t%.0f\t%.4f\t%.0f", layout->name, load, processors, silence, span,
           (long long)sample_count, bytes / sample_count, sample_count / wall, cpu * 1e6 / sample_count, written);
    time_query(ONE_METER, 3600, span);
    time_query(ONE_PROCESSOR, 600, span);
    printf("\t%lld\t%lld\n", (long long)moved, (long long)longest_move);
    if (sample_count < 100000 && !LATE_US) {  // a short run checks itself: every value comes back through the view
        if (one_value("SELECT count(*) FROM meter_samples") != sample_count
            || one_value("SELECT sum(round(level_db * 10)) FROM meter_samples") != tenths_sum) {
            fprintf(stderr, "%s %c: the view does not return what was written\n", layout->name, load);
            return 1;
        }
    }
    return 0;
}
