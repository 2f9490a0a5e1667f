// Makes SQLite's system calls and allocations fail, one at a time: a test's hand on what lies under the store.
//
// SQLite asks the system through a table of its unix VFS that is there to be replaced by tests (sqlite3_vfs.xSetSystemCall,
// https://sqlite.org/c3ref/vfs.html), and for memory through SQLITE_CONFIG_MALLOC. A layer above the VFS could only hand back
// result codes; down here it is SQLite's own code that loops on EINTR, goes on after a short write and sorts the errno.
// fsync(2) is not in that table: the program's own fsync() and fdatasync() take the C library's place.
//
// A fault concerns the calling thread only, and only between arm and disarm: tests that run beside it notice nothing.
#ifndef ATLAS_RECORDER_CFAULTS_H
#define ATLAS_RECORDER_CFAULTS_H

typedef enum {
    CFAULTS_ENOSPC,  // pwrite, ftruncate, open that makes a file
    CFAULTS_EIO,     // pread, pwrite, ftruncate, fsync, open, fstat, unlink
    CFAULTS_EINTR,   // open, pread, pwrite, ftruncate, fcntl, fsync; lasting: 50 times in a row, for SQLite asks again at once
    CFAULTS_SHORT,   // pread: half of the bytes; pwrite: half of them are written, and for the rest there is no space
    CFAULTS_BUSY,    // fcntl that takes a lock: EAGAIN, as if somebody else had it
    CFAULTS_NOMEM,   // SQLite's allocations give NULL, mmap ENOMEM
} cfaults_kind;

typedef struct {
    long points;  // calls that this kind of fault could have struck
    long hits;    // how many it did
} cfaults_outcome;

// From now on the `at`-th call (from 1) that `kind` can strike fails, and with `lasting` all that follow it. `at` 0: none
// fails, they are counted. SQLite's sleeps end at once meanwhile: who waits for a lock has waited.
void cfaults_arm(cfaults_kind kind, long at, int lasting);

cfaults_outcome cfaults_disarm(void);

#endif
