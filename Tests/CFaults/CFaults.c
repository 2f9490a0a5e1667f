#define _GNU_SOURCE
#include "CFaults.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KIND(kind) (1u << (kind))
#define LONGEST_STORM 50

static _Thread_local struct {
    int armed;
    cfaults_kind kind;
    long at;
    int lasting;
    int has_no_room;  // the write before was cut short
    cfaults_outcome outcome;
} plan;

// Whether this call, which the kinds of `mask` can strike, has to fail now.
static int strikes(unsigned mask) {
    if (!plan.armed || !(mask & KIND(plan.kind))) return 0;
    long point = ++plan.outcome.points;
    if (plan.at == 0 || point < plan.at) return 0;
    if (point > plan.at && !plan.lasting) return 0;
    if (plan.kind == CFAULTS_EINTR && plan.outcome.hits >= LONGEST_STORM) return 0;
    plan.outcome.hits++;
    static const int codes[] = {ENOSPC, EIO, EINTR, ENOSPC, EAGAIN, ENOMEM};
    errno = codes[plan.kind];
    return 1;
}

// MARK: system calls

static int failing_open(const char *path, int flags, int mode) {
    unsigned mask = KIND(CFAULTS_EIO) | KIND(CFAULTS_EINTR);
    if (flags & O_CREAT) mask |= KIND(CFAULTS_ENOSPC);
    return strikes(mask) ? -1 : open(path, flags, mode);
}

static ssize_t failing_pread(int file, void *bytes, size_t count, off_t offset) {
    if (!strikes(KIND(CFAULTS_EIO) | KIND(CFAULTS_EINTR) | KIND(CFAULTS_SHORT))) return pread(file, bytes, count, offset);
    // A file's read never gives nothing but at its end.
    return plan.kind == CFAULTS_SHORT ? pread(file, bytes, (count + 1) / 2, offset) : -1;
}

static ssize_t failing_pwrite(int file, const void *bytes, size_t count, off_t offset) {
    unsigned mask = KIND(CFAULTS_ENOSPC) | KIND(CFAULTS_EIO) | KIND(CFAULTS_EINTR) | KIND(CFAULTS_SHORT);
    if (plan.armed && plan.has_no_room) {
        plan.has_no_room = 0;
        errno = ENOSPC;
        return -1;
    }
    if (!strikes(mask)) return pwrite(file, bytes, count, offset);
    if (plan.kind != CFAULTS_SHORT || count < 2) return -1;
    plan.has_no_room = 1;
    return pwrite(file, bytes, count / 2, offset);
}

static int failing_ftruncate(int file, off_t size) {
    return strikes(KIND(CFAULTS_ENOSPC) | KIND(CFAULTS_EIO) | KIND(CFAULTS_EINTR)) ? -1 : ftruncate(file, size);
}

static int failing_fcntl(int file, int command, ...) {
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    int takes = command == F_SETLK && ((struct flock *)argument)->l_type != F_UNLCK;
    return takes && strikes(KIND(CFAULTS_BUSY) | KIND(CFAULTS_EINTR)) ? -1 : fcntl(file, command, argument);
}

static int failing_fstat(int file, struct stat *status) { return strikes(KIND(CFAULTS_EIO)) ? -1 : fstat(file, status); }

static int failing_unlink(const char *path) { return strikes(KIND(CFAULTS_EIO)) ? -1 : unlink(path); }

static void *failing_mmap(void *at, size_t length, int protection, int flags, int file, off_t offset) {
    return strikes(KIND(CFAULTS_NOMEM)) ? MAP_FAILED : mmap(at, length, protection, flags, file, offset);
}

int fsync(int file) {
    return strikes(KIND(CFAULTS_EIO) | KIND(CFAULTS_EINTR)) ? -1 : (int)syscall(SYS_fsync, file);
}

int fdatasync(int file) {
    return strikes(KIND(CFAULTS_EIO) | KIND(CFAULTS_EINTR)) ? -1 : (int)syscall(SYS_fdatasync, file);
}

static int (*really_sleep)(sqlite3_vfs *, int);
static int brief_sleep(sqlite3_vfs *vfs, int microseconds) {
    return plan.armed ? microseconds : really_sleep(vfs, microseconds);
}

static void replace_calls(void) {
    static const struct {
        const char *name;
        sqlite3_syscall_ptr call;
    } calls[] = {
        {"open", (sqlite3_syscall_ptr)failing_open},
        // Which of the two it asks depends on how the library was built.
        {"pread", (sqlite3_syscall_ptr)failing_pread},
        {"pread64", (sqlite3_syscall_ptr)failing_pread},
        {"pwrite", (sqlite3_syscall_ptr)failing_pwrite},
        {"pwrite64", (sqlite3_syscall_ptr)failing_pwrite},
        {"ftruncate", (sqlite3_syscall_ptr)failing_ftruncate},
        {"fcntl", (sqlite3_syscall_ptr)failing_fcntl},
        {"fstat", (sqlite3_syscall_ptr)failing_fstat},
        {"unlink", (sqlite3_syscall_ptr)failing_unlink},
        {"mmap", (sqlite3_syscall_ptr)failing_mmap},
    };
    sqlite3_vfs *vfs = sqlite3_vfs_find(0);
    for (unsigned index = 0; index < sizeof calls / sizeof *calls; index++) {
        // What this build of SQLite does not use has no entry: SQLITE_NOTFOUND.
        if (vfs->xGetSystemCall(vfs, calls[index].name)) vfs->xSetSystemCall(vfs, calls[index].name, calls[index].call);
    }
    really_sleep = vfs->xSleep;
    vfs->xSleep = brief_sleep;
}

// MARK: memory

static sqlite3_mem_methods real;

static void *failing_malloc(int size) { return strikes(KIND(CFAULTS_NOMEM)) ? 0 : real.xMalloc(size); }
static void *failing_realloc(void *memory, int size) {
    return strikes(KIND(CFAULTS_NOMEM)) ? 0 : real.xRealloc(memory, size);
}

// SQLite takes this only before its first use, so it is said before main().
__attribute__((constructor)) static void replace_memory(void) {
    sqlite3_mem_methods methods;
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real) != SQLITE_OK) return;
    methods = real;
    methods.xMalloc = failing_malloc;
    methods.xRealloc = failing_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}

// MARK: the test's side

void cfaults_arm(cfaults_kind kind, long at, int lasting) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, replace_calls);
    plan.kind = kind;
    plan.at = at;
    plan.lasting = lasting;
    plan.has_no_room = 0;
    plan.outcome = (cfaults_outcome){0, 0};
    plan.armed = 1;
}

cfaults_outcome cfaults_disarm(void) {
    plan.armed = 0;
    return plan.outcome;
}
