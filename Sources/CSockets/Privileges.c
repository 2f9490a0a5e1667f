#define _GNU_SOURCE
#include "CSockets.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// What a recorder can use: the unit's own address on what it relays, a larger receive buffer, the names of other users'
// programs; and as root its own files, whosever they are.
static const int wanted[] = {CAP_NET_RAW, CAP_NET_ADMIN, CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_CHOWN};

int csockets_drop_privileges(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct had[2] = {{0}}, kept[2] = {{0}};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -errno;
    if (syscall(SYS_capget, &header, had) != 0) return -errno;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        unsigned bit = CAP_TO_MASK(wanted[i]);
        int word = CAP_TO_INDEX(wanted[i]);
        kept[word].effective |= had[word].effective & bit;
        kept[word].permitted |= had[word].permitted & bit;
    }
    return syscall(SYS_capset, &header, kept) != 0 ? -errno : 0;
}

// Whoever may write the folder can put something else under the name between bind(2) and here, a link to anybody's file for one.
// So the file is held (O_PATH) and looked at, and only what is held is changed, never what a name leads to. A socket of this user
// with this one name is ours: another of that kind would have to be moved here from a folder that is the same stranger's.
int csockets_give_socket(const char *path, uint32_t uid, uint32_t gid, uint32_t mode, uint32_t mode_without) {
    int held = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (held < 0) return -errno;
    struct stat status;
    int failure = 0;
    if (fstat(held, &status) != 0) {
        failure = -errno;
    } else if (!S_ISSOCK(status.st_mode) || status.st_uid != geteuid() || status.st_nlink != 1) {
        failure = -ESTALE;
    } else {
        int given = fchownat(held, "", uid, gid, AT_EMPTY_PATH) == 0 || fchownat(held, "", (uid_t)-1, gid, AT_EMPTY_PATH) == 0;
        // fchmod(2) refuses a descriptor of this kind, and fchmodat(2) takes an empty path since Linux 6.6 only.
        char name[32];
        snprintf(name, sizeof name, "/proc/self/fd/%d", held);
        if (chmod(name, given ? mode : mode_without) != 0) failure = -errno;
    }
    close(held);
    return failure;
}
