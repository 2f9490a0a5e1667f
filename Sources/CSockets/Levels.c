#define _GNU_SOURCE
#include "CSockets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

// Linux 6.3 and 5.1; glibc 2.36 does not name them.
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

float *csockets_levels_create(size_t count, int *descriptor) {
    int file = memfd_create("atlas-levels", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
    if (file < 0 && errno == EINVAL) file = memfd_create("atlas-levels", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0) return NULL;
    void *memory = MAP_FAILED;
    if (ftruncate(file, (off_t)(count * sizeof(float))) == 0)
        memory = mmap(NULL, count * sizeof(float), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    // Who gets it may rely on its size, and write nothing into it; before Linux 5.1 the latter cannot be asked for.
    int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    if (memory != MAP_FAILED
        && (fcntl(file, F_ADD_SEALS, seals | F_SEAL_FUTURE_WRITE) == 0 || fcntl(file, F_ADD_SEALS, seals) == 0)) {
        *descriptor = file;
        return memory;
    }
    int reason = errno;
    if (memory != MAP_FAILED) munmap(memory, count * sizeof(float));
    close(file);
    errno = reason;
    return NULL;
}

const float *csockets_levels_map(int descriptor, size_t *count) {
    struct stat status;
    // Memory that may shrink would end who reads it by SIGBUS.
    int seals = fcntl(descriptor, F_GET_SEALS);
    if (seals < 0 || fstat(descriptor, &status) != 0) return NULL;
    if (!(seals & F_SEAL_SHRINK) || status.st_size <= 0 || status.st_size % (off_t)sizeof(float) != 0) {
        errno = EINVAL;
        return NULL;
    }
    void *memory = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED) return NULL;
    *count = (size_t)status.st_size / sizeof(float);
    return memory;
}

void csockets_levels_unmap(const float *levels, size_t count) { munmap((void *)levels, count * sizeof(float)); }

ssize_t csockets_send_with(int socket, const void *bytes, size_t count, int descriptor) {
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
    ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent >= 0 ? sent : -errno;
}

ssize_t csockets_receive_with(int socket, void *bytes, size_t count, int *descriptor) {
    struct iovec part = {.iov_base = bytes, .iov_len = count};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    // Of several the kernel keeps what does not fit (MSG_CTRUNC): there is room for one.
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = CMSG_LEN(sizeof(int))};
    *descriptor = -1;
    ssize_t received;
    do received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0) return -errno;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS
        && header->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(descriptor, CMSG_DATA(header), sizeof(int));
    return received;
}
