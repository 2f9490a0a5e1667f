#define _GNU_SOURCE
#include "CSockets.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
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
