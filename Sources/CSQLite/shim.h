// SQLite's C API for Swift: what the importer cannot see by itself, as plain functions.
#ifndef ATLAS_RECORDER_CSQLITE_SHIM_H
#define ATLAS_RECORDER_CSQLITE_SHIM_H

#include <sqlite3.h>

// SQLITE_STATIC: the caller keeps the bytes alive until the statement is reset or bound anew.
static inline int csqlite_bind_text_static(sqlite3_stmt *statement, int index, const char *bytes, int count) {
    return sqlite3_bind_text(statement, index, bytes, count, SQLITE_STATIC);
}

// SQLITE_TRANSIENT: SQLite copies the bytes before it returns (the macro is a cast that Swift cannot import).
static inline int csqlite_bind_text_copy(sqlite3_stmt *statement, int index, const char *bytes, int count) {
    return sqlite3_bind_text(statement, index, bytes, count, SQLITE_TRANSIENT);
}

// Keep the -wal and -shm files after the last connection closes, so that a reader without write permission can
// still open the store; https://sqlite.org/c3ref/c_fcntl_begin_atomic_write.html#sqlitefcntlpersistwal
static inline int csqlite_persist_wal(sqlite3 *database) {
    int on = 1;
    return sqlite3_file_control(database, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
}

// Whether triggers fire; https://sqlite.org/c3ref/c_dbconfig_defensive.html#sqlitedbconfigenabletrigger
static inline int csqlite_enable_triggers(sqlite3 *database, int on) {
    return sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_TRIGGER, on, (int *)0);
}

#endif
