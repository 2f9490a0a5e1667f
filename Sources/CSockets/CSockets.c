#define _GNU_SOURCE
#include "CSockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define CONTROL_BYTES 64

struct csockets_batch {
    int slots;
    size_t slot_bytes;
    struct mmsghdr *headers;
    struct iovec *vectors;
    struct sockaddr_in *sources;
    uint8_t *control;
    uint8_t *memory;
    struct csockets_datagram *datagrams;
    // For passing on what was received: the same bytes, with their own lengths.
    struct mmsghdr *relay_headers;
    struct iovec *relay_vectors;
    uint8_t *relay_control;
};

struct csockets_batch *csockets_batch_create(int slots, int slot_bytes) {
    struct csockets_batch *batch = calloc(1, sizeof *batch);
    if (!batch) return NULL;
    batch->slots = slots;
    batch->slot_bytes = (size_t)slot_bytes;
    batch->headers = calloc((size_t)slots, sizeof *batch->headers);
    batch->vectors = calloc((size_t)slots, sizeof *batch->vectors);
    batch->sources = calloc((size_t)slots, sizeof *batch->sources);
    batch->datagrams = calloc((size_t)slots, sizeof *batch->datagrams);
    batch->control = calloc((size_t)slots, CONTROL_BYTES);
    batch->relay_headers = calloc((size_t)slots, sizeof *batch->relay_headers);
    batch->relay_vectors = calloc((size_t)slots, sizeof *batch->relay_vectors);
    batch->relay_control = calloc((size_t)slots, CONTROL_BYTES);
    // Anonymous pages: a slot of 64 KiB costs one page while datagrams are small.
    batch->memory = mmap(NULL, (size_t)slots * batch->slot_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (batch->memory == MAP_FAILED) batch->memory = NULL;
    if (!batch->headers || !batch->vectors || !batch->sources || !batch->datagrams || !batch->control || !batch->memory ||
        !batch->relay_headers || !batch->relay_vectors || !batch->relay_control) {
        csockets_batch_free(batch);
        return NULL;
    }
    for (int i = 0; i < slots; i++) {
        batch->vectors[i].iov_base = batch->memory + (size_t)i * batch->slot_bytes;
        batch->vectors[i].iov_len = batch->slot_bytes;
        batch->headers[i].msg_hdr.msg_iov = &batch->vectors[i];
        batch->headers[i].msg_hdr.msg_iovlen = 1;
        batch->headers[i].msg_hdr.msg_name = &batch->sources[i];
        batch->headers[i].msg_hdr.msg_control = batch->control + (size_t)i * CONTROL_BYTES;
    }
    return batch;
}

void csockets_batch_free(struct csockets_batch *batch) {
    if (!batch) return;
    if (batch->memory) munmap(batch->memory, (size_t)batch->slots * batch->slot_bytes);
    free(batch->headers);
    free(batch->vectors);
    free(batch->sources);
    free(batch->datagrams);
    free(batch->control);
    free(batch->relay_headers);
    free(batch->relay_vectors);
    free(batch->relay_control);
    free(batch);
}

static int64_t arrival(struct msghdr *header) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec t;
            memcpy(&t, CMSG_DATA(c), sizeof t);
            return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
        }
    }
    // The first datagrams after bind may have come before the option was set.
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int csockets_receive(int descriptor, struct csockets_batch *batch) {
    for (int i = 0; i < batch->slots; i++) {  // the kernel overwrites both with what came
        batch->headers[i].msg_hdr.msg_namelen = sizeof *batch->sources;
        batch->headers[i].msg_hdr.msg_controllen = CONTROL_BYTES;
    }
    int count = recvmmsg(descriptor, batch->headers, (unsigned)batch->slots, MSG_DONTWAIT, NULL);
    if (count < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        struct csockets_datagram *datagram = &batch->datagrams[i];
        datagram->bytes = batch->vectors[i].iov_base;
        datagram->length = batch->headers[i].msg_len;
        datagram->source = ntohl(batch->sources[i].sin_addr.s_addr);
        datagram->source_port = ntohs(batch->sources[i].sin_port);
        datagram->truncated = (batch->headers[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
        datagram->at_us = arrival(&batch->headers[i].msg_hdr);
    }
    return count;
}

const struct csockets_datagram *csockets_batch_datagrams(const struct csockets_batch *batch) { return batch->datagrams; }

int csockets_bind_udp(uint32_t address, uint16_t port, int buffer, int *buffer_got) {
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    int on = 1;
    struct sockaddr_in local = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
    if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) goto failed;
    if (setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0) goto failed;
    // FORCE passes net.core.rmem_max, where the right (CAP_NET_ADMIN) is given.
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
        (void)setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    socklen_t size = sizeof *buffer_got;
    if (getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, buffer_got, &size) != 0) *buffer_got = 0;
    if (bind(descriptor, (struct sockaddr *)&local, sizeof local) != 0) goto failed;
    return descriptor;
failed:;
    int error = errno;
    close(descriptor);
    return -error;
}

int csockets_connect(int descriptor, uint32_t address, uint16_t port) {
    struct sockaddr_in peer = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
    return connect(descriptor, (struct sockaddr *)&peer, sizeof peer) == 0 ? 0 : -errno;
}

int csockets_relay_create(int *keeps_source) {
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    int on = 1;
    if (setsockopt(descriptor, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) != 0) {
        int error = errno;
        close(descriptor);
        return -error;
    }
    *keeps_source = setsockopt(descriptor, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof on) == 0;
    return descriptor;
}

// Says which address the datagram comes from (IP_PKTINFO, ip(7)).
static void set_source(struct msghdr *header, uint8_t *control, struct in_addr source) {
    header->msg_control = control;
    header->msg_controllen = CMSG_SPACE(sizeof(struct in_pktinfo));
    struct cmsghdr *c = CMSG_FIRSTHDR(header);
    c->cmsg_level = IPPROTO_IP;
    c->cmsg_type = IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
    struct in_pktinfo info = {.ipi_spec_dst = source};
    memcpy(CMSG_DATA(c), &info, sizeof info);
}

int csockets_relay(int descriptor, struct csockets_batch *batch, int count, uint16_t port, int keeps_source, int *error) {
    struct sockaddr_in everybody = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7FFFFFFF)};
    for (int i = 0; i < count; i++) {
        batch->relay_vectors[i] = (struct iovec){batch->vectors[i].iov_base, batch->headers[i].msg_len};
        struct msghdr *header = &batch->relay_headers[i].msg_hdr;
        *header = (struct msghdr){
            .msg_name = &everybody, .msg_namelen = sizeof everybody, .msg_iov = &batch->relay_vectors[i], .msg_iovlen = 1};
        if (keeps_source) set_source(header, batch->relay_control + (size_t)i * CONTROL_BYTES, batch->sources[i].sin_addr);
    }
    int failed = 0;
    for (int done = 0; done < count;) {
        int sent = sendmmsg(descriptor, batch->relay_headers + done, (unsigned)(count - done), MSG_DONTWAIT);
        if (sent > 0) {
            done += sent;
        } else if (errno != EINTR) {  // of this datagram; the next one may go
            *error = errno;
            failed++;
            done++;
        }
    }
    return failed;
}

uint16_t csockets_local_port(int descriptor) {
    struct sockaddr_in local;
    socklen_t size = sizeof local;
    return getsockname(descriptor, (struct sockaddr *)&local, &size) == 0 ? ntohs(local.sin_port) : 0;
}

int64_t csockets_drops(int descriptor) {
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof info;
    if (getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, info, &size) != 0) return -errno;
    return info[SK_MEMINFO_DROPS];
}

int csockets_filling(int descriptor) {
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof info;
    if (getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, info, &size) != 0 || info[SK_MEMINFO_RCVBUF] == 0) return 0;
    return (int)((uint64_t)info[SK_MEMINFO_RMEM_ALLOC] * 100 / info[SK_MEMINFO_RCVBUF]);
}

int csockets_wake_create(void) {
    int descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

void csockets_wake(int descriptor) {
    uint64_t one = 1;
    ssize_t written = write(descriptor, &one, sizeof one);
    (void)written;  // full means: it is awake already
}

void csockets_wake_drain(int descriptor) {
    uint64_t count;
    ssize_t taken = read(descriptor, &count, sizeof count);
    (void)taken;
}

#define SAME_PLACE(field) \
    _Static_assert(offsetof(struct csockets_tcp_info, field) == offsetof(struct tcp_info, tcpi_##field), #field)
SAME_PLACE(unacked);
SAME_PLACE(last_data_recv);
SAME_PLACE(last_ack_recv);
SAME_PLACE(notsent_bytes);
SAME_PLACE(snd_wnd);

void csockets_name_process(const char *name) {
    int descriptor = open("/proc/self/comm", O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return;
    ssize_t written = write(descriptor, name, strlen(name));
    (void)written;  // only a name
    close(descriptor);
}

void csockets_name_thread(const char *name) { (void)pthread_setname_np(pthread_self(), name); }
