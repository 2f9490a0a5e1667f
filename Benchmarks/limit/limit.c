// What a recorder could cost at least: the way from a datagram to a committed row as tightly as C can go it, and nothing else.
// One thread receives, scans and gathers frames, one writes them; the rows are the recorder's own (Benchmarks/run --verify
// compares). What it leaves out: everything that is not that way - the control link and its health, other programs'
// subscriptions, the relay, the feed, last values, minutes by meter, errors that go on.
//   limit CONTROL_PORT METER_PORT STORE MIGRATIONS   until SIGTERM
// Prints at the end: datagrams samples stored shed dropped-by-the-kernel declined
#define _GNU_SOURCE
#include "scan.h"

#include "frames.h"

#include "store.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

// A slot takes the longest datagram; that the slots lie 64 KiB apart costs nothing (2 KiB apart: no difference was seen).
enum { BATCH = 128, SLOT_BYTES = 64 * 1024, BUSY = 4, NAP = 500, SOCKET_BYTES = 4 << 20 };
static const int64_t hand_over_us = 200000;

static struct mmsghdr headers[BATCH];
static struct iovec vectors[BATCH];
static char control[BATCH][64];
static Reading readings[CAPACITY];
static int64_t datagrams, samples, declined;
static volatile sig_atomic_t stopped;

static int64_t micros(const struct timespec *t) { return (int64_t)t->tv_sec * 1000000 + t->tv_nsec / 1000; }
static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return micros(&t);
}

static int64_t arrival(struct msghdr *header) {
    struct cmsghdr *c = CMSG_FIRSTHDR(header);
    if (!c || c->cmsg_type != SCM_TIMESTAMPNS) return now_us();
    struct timespec t;
    memcpy(&t, CMSG_DATA(c), sizeof t);
    return micros(&t);
}

/// How many were read.
static int receive(int udp) {
    for (int i = 0; i < BATCH; i++) headers[i].msg_hdr.msg_controllen = sizeof control[i];
    int count = recvmmsg(udp, headers, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        int n = scan(vectors[i].iov_base, (int)headers[i].msg_len, readings);
        if (n < 0) {
            declined++;
            continue;
        }
        datagrams++, samples += n;
        take(readings, n, arrival(&headers[i].msg_hdr));
    }
    return count < 0 ? 0 : count;
}

static void receive_all(int udp) {
    while (!stopped) {
        struct pollfd p = {.fd = udp, .events = POLLIN};
        poll(&p, 1, 100);
        int total = 0, count;
        do total += count = receive(udp); while (count == BATCH && total < 4 * BATCH);
        int64_t now = now_us();
        if (values && now - began >= span_us && count < BATCH) close_frame();
        if (now - block_began >= hand_over_us) hand_over(now);
        if (total >= BUSY) usleep(NAP);  // a batch that is fuller costs less
    }
    for (int i = 0; i < 64 && receive(udp) == BATCH;) i++;
    close_frame();
    hand_over(now_us());
}

static struct sockaddr_in loopback(int port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int bind_udp(int port) {
    int udp = socket(AF_INET, SOCK_DGRAM, 0), on = 1, bytes = SOCKET_BYTES;
    struct sockaddr_in here = loopback(port);
    setsockopt(udp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(udp, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes))
        setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (bind(udp, (struct sockaddr *)&here, sizeof here)) perror("bind"), exit(1);
    return udp;
}

static void stop(int signal) { (void)signal, stopped = 1; }

int main(int argc, char **argv) {
    if (argc != 5) return fprintf(stderr, "usage: limit CONTROL_PORT METER_PORT STORE MIGRATIONS\n"), 64;
    signal(SIGTERM, stop);
    open_store(argv[3], argv[4]);
    char *memory = mmap(NULL, (size_t)BATCH * SLOT_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return perror("mmap"), 1;
    for (int i = 0; i < BATCH; i++) {
        vectors[i] = (struct iovec){memory + (size_t)i * SLOT_BYTES, SLOT_BYTES - SLACK};
        headers[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1, .msg_control = control[i]};
    }
    for (int i = 0; i < BLOCKS; i++) {
        Block *b = mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (b == MAP_FAILED) return perror("mmap"), 1;
        b->next = queue.unused, queue.unused = b;
    }
    block = queue.unused, queue.unused = block->next;
    int udp = bind_udp(atoi(argv[2])), tcp = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in unit = loopback(atoi(argv[1]));
    if (connect(tcp, (struct sockaddr *)&unit, sizeof unit)) return perror("connect"), 1;  // the least that makes it send

    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    receive_all(udp);
    pthread_mutex_lock(&queue.lock);
    queue.is_over = 1;
    pthread_cond_signal(&queue.more);
    pthread_mutex_unlock(&queue.lock);
    pthread_join(thread, NULL);
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof info;
    getsockopt(udp, SOL_SOCKET, SO_MEMINFO, info, &size);
    printf("%lld %lld %lld %lld %u %lld\n", (long long)datagrams, (long long)samples, (long long)(samples - shed),
           (long long)shed, info[SK_MEMINFO_DROPS], (long long)declined);
    for (sqlite3_stmt *s; (s = sqlite3_next_stmt(db, NULL));) sqlite3_finalize(s);
    check(sqlite3_close(db), "close the store");
    return 0;
}
