// The writing thread: a store with the recorder's own tables and settings, a commit each 500 ms or each 4,096 frames.
#include <glob.h>
#include <sqlite3.h>
#include <time.h>

static sqlite3 *db;
static int log_pages;

static void check(int code, const char *doing) {
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
    fprintf(stderr, "cannot %s: %s\n", doing, sqlite3_errmsg(db));
    exit(1);
}
static void run(const char *sql) { check(sqlite3_exec(db, sql, NULL, NULL, NULL), sql); }
static sqlite3_stmt *prepare(const char *sql) {
    sqlite3_stmt *s;
    check(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL), sql);
    return s;
}
static int on_commit(void *unused, sqlite3 *d, const char *name, int pages) {
    (void)unused, (void)d, (void)name;
    log_pages = pages;
    return SQLITE_OK;
}

static void run_file(const char *path) {
    static char sql[1 << 17];
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(sql, 1, sizeof sql - 1, f) : 0;
    if (!f || n == sizeof sql - 1) fprintf(stderr, "cannot read %s\n", path), exit(1);
    fclose(f);
    sql[n] = 0;
    run(sql);
}

static void open_store(const char *path, const char *migrations) {
    char pattern[4096];
    glob_t files;
    check(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL), "open the store");
    run("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;"
        "PRAGMA mmap_size = 0; PRAGMA journal_size_limit = 4194304; PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = NORMAL");
    snprintf(pattern, sizeof pattern, "%s/*.sql", migrations);
    if (glob(pattern, 0, NULL, &files)) fprintf(stderr, "no %s\n", pattern), exit(1);
    run("BEGIN");
    for (size_t i = 0; i < files.gl_pathc; i++) run_file(files.gl_pathv[i]);
    run("INSERT INTO processor (id, name, host, control_port) VALUES (1, 'unit', '127.0.0.1', 0); COMMIT");
    globfree(&files);
    sqlite3_wal_hook(db, on_commit, NULL);
}

static int64_t moved;

/// At its time or the next free microsecond.
static inline void insert_at(sqlite3_stmt *s, int64_t at) {
    int code;
    for (;; at++, moved++) {
        sqlite3_bind_int64(s, 1, at);
        code = sqlite3_step(s);
        sqlite3_reset(s);
        if (code != SQLITE_CONSTRAINT) break;
    }
    check(code, "insert");
}

static sqlite3_stmt *begin, *commit, *insert_frame, *insert_sample, *insert_meter, *add_minute;

static void step(sqlite3_stmt *s) {
    check(sqlite3_step(s), sqlite3_sql(s));
    sqlite3_reset(s);
}

static void write_block(const Block *b) {
    for (int i = 0; i < b->meter_count; i++) {
        sqlite3_bind_int(insert_meter, 1, b->meters[i].slot);
        sqlite3_bind_text(insert_meter, 2, b->meters[i].text, -1, SQLITE_STATIC);
        step(insert_meter);
    }
    for (int i = 0; i < b->frame_count; i++) {
        const Frame *f = &b->frames[i];
        const char *levels = b->bytes + f->begin;
        sqlite3_bind_text(insert_frame, 2, levels, f->levels, SQLITE_STATIC);
        if (f->exact) sqlite3_bind_text(insert_frame, 3, levels + f->levels, f->exact, SQLITE_STATIC);
        else sqlite3_bind_null(insert_frame, 3);
        insert_at(insert_frame, f->at);
    }
    for (int i = 0; i < b->lone_count; i++) {
        const Lone *l = &b->lone[i];
        sqlite3_bind_int(insert_sample, 2, l->slot);
        if (l->code == CODE_EXACT) sqlite3_bind_double(insert_sample, 3, l->level);
        else sqlite3_bind_int(insert_sample, 3, l->code - CODE_ZERO);
        insert_at(insert_sample, l->at);
    }
    sqlite3_bind_int64(add_minute, 1, b->minute);
    sqlite3_bind_int64(add_minute, 2, b->stored);
    sqlite3_bind_int64(add_minute, 3, b->datagrams);
    sqlite3_bind_int64(add_minute, 4, b->received);
    step(add_minute);
}

/// All that waits in one transaction.
static void write_all(Block *first) {
    Block *last = NULL;
    step(begin);
    for (Block *b = first; b; last = b, b = b->next) write_block(b);
    step(commit);
    pthread_mutex_lock(&queue.lock);
    last->next = queue.unused;
    queue.unused = first;
    pthread_mutex_unlock(&queue.lock);
    if (log_pages < 1000) return;
    int left, taken;
    check(sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, &left, &taken), "checkpoint");
    if (left == taken) log_pages = 0;
}

static void *writer(void *unused) {
    (void)unused;
    begin = prepare("BEGIN IMMEDIATE"), commit = prepare("COMMIT");
    insert_frame = prepare("INSERT INTO frame (at_us, processor_id, levels, exact) VALUES (?, 1, ?, ?)");
    insert_sample = prepare("INSERT INTO sample (at_us, meter_id, level) VALUES (?, ?, ?)");
    insert_meter = prepare("INSERT INTO meter (id, processor_id, slot, name) VALUES (?1, 1, ?1, ?2)");
    add_minute = prepare("INSERT INTO sample_minute (start_us, processor_id, stored, duplicate, datagrams, received)"
                         " VALUES (?1, 1, ?2, 0, ?3, ?4) ON CONFLICT DO UPDATE SET stored = stored + ?2,"
                         " datagrams = datagrams + ?3, received = received + ?4");
    struct timespec due;
    clock_gettime(CLOCK_REALTIME, &due);
    for (int is_over = 0; !is_over;) {
        due.tv_nsec += 500000000;
        if (due.tv_nsec >= 1000000000) due.tv_nsec -= 1000000000, due.tv_sec++;
        pthread_mutex_lock(&queue.lock);
        while (queue.waiting < WAITING_LONG && !queue.is_over)
            if (pthread_cond_timedwait(&queue.more, &queue.lock, &due)) break;
        Block *first = queue.first;
        queue.first = NULL, queue.last = &queue.first, queue.waiting = 0;
        is_over = queue.is_over;
        pthread_mutex_unlock(&queue.lock);
        if (first) write_all(first);
        clock_gettime(CLOCK_REALTIME, &due);
    }
    check(sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL), "checkpoint");
    return NULL;
}
