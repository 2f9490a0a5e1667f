// The unit that the recorders are measured with: as cheap as it can be, for it runs on the same cores as they do.
//   sender PORT METER_PORT DATAGRAMS_PER_SECOND SECONDS even|mixed   wait for a subscriber, then send to it
//   sender alone METER_PORT SECONDS even|mixed                       as fast as it can, at a socket that nobody reads
// even: ten meters a datagram, half of them silent, all datagrams of one length: the kernel cuts 64 of them from one send
// (UDP_SEGMENT, udp(7)). mixed: levels beyond tenths, exponents, lone values, so of many lengths, each in sendmmsg.
// Prints "ready" when it listens, and at the end: datagrams samples seconds CPU-seconds
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PARTS = 4, EACH = 10, CYCLE = 1024, BATCH = 64, LONGEST = 512 };
// Forty meters dealt so that the names of each part are of the same length together.
static const char *const names[PARTS][EACH] = {
    {"SourceMeter_10", "SourceMeter_0", "SourceMeter_1", "SourceMeter_2", "GroupMeter_0", "GroupMeter_1", "ZoneMeter_0",
     "ZoneMeter_1", "ZoneMeter_2", "MixMeter_8"},
    {"SourceMeter_11", "SourceMeter_3", "SourceMeter_4", "SourceMeter_5", "GroupMeter_2", "GroupMeter_3", "ZoneMeter_3",
     "ZoneMeter_4", "ZoneMeter_5", "MixMeter_9"},
    {"SourceMeter_12", "SourceMeter_6", "SourceMeter_7", "GroupMeter_4", "GroupMeter_5", "GroupMeter_6", "ZoneMeter_6",
     "ZoneMeter_7", "MixMeter_10", "MixMeter_11"},
    {"SourceMeter_13", "SourceMeter_8", "SourceMeter_9", "GroupMeter_7", "GroupMeter_8", "GroupMeter_9", "MixMeter_12",
     "MixMeter_13", "MixMeter_14", "MixMeter_15"},
};
// Every datagram of one round, one behind the other.
static char bytes[CYCLE * LONGEST];
static int begin[CYCLE + 1], count[CYCLE];
static int segment;  // the length of all datagrams; 0: they differ
static volatile sig_atomic_t stopped;

static void compose(int is_mixed) {
    static const char *const formats[] = {"%.1f", "%.2f", "%.1f", "%.3e", "%.0f", "%.5f"};
    unsigned seed = 1;
    segment = -1;
    for (int n = 0; n < CYCLE; n++) {
        // Of eight mixed datagrams four are one tick of all meters, and then one meter comes alone four times.
        int is_alone = is_mixed && n % 8 >= 4, part = n % PARTS;
        char *at = bytes + begin[n];
        at += sprintf(at, "{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"params\":[");
        count[n] = is_alone ? 1 : EACH;
        for (int i = 0; i < count[n]; i++) {
            seed = seed * 1103515245u + 12345u;
            double level = i < EACH / 2 && !is_alone ? -80.0 : -10.0 - (seed >> 16 & 511) / 10.0;
            if (is_mixed && i == 7) level += 90.0 + (seed >> 8 & 7) / 100.0;  // above zero, and what tenths cannot hold
            const char *format = is_mixed ? formats[(seed >> 20) % 6] : "%.1f";
            at += sprintf(at, "%s{\"param\":\"%s\",\"val\":", i ? "," : "", names[is_alone ? 0 : part][is_alone ? 6 : i]);
            at += sprintf(at, format, level);
            *at++ = '}';
        }
        at += sprintf(at, "]}\n");
        begin[n + 1] = (int)(at - bytes);
        int length = begin[n + 1] - begin[n];
        segment = segment == -1 || segment == length ? length : 0;
    }
}

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// Answers each line that has come: OK for an id, the keep-alive by both ways. False: the connection is over.
static const char alive[] = "{\"jsonrpc\":\"2.0\",\"method\":\"getResp\",\"params\":[{\"param\":\"KeepAlive\",\"str\":\"OK\"}]}\n";
static int answer(int tcp, int udp, int wait_ms) {
    static char buffer[1 << 20];
    static size_t held;
    struct pollfd p = {.fd = tcp, .events = POLLIN};
    while (poll(&p, 1, wait_ms) > 0) {
        ssize_t got = read(tcp, buffer + held, sizeof buffer - held - 1);
        if (got <= 0) return 0;
        held += (size_t)got;
        char *start = buffer, *end;
        while ((end = memchr(start, '\n', held - (size_t)(start - buffer)))) {
            *end = 0;
            const char *id = strstr(start, "\"id\":"), *reply = alive;
            char ok[128];
            if (id) snprintf(ok, sizeof ok, "{\"jsonrpc\":\"2.0\",\"result\":\"OK\",\"id\":%d}\n", atoi(id + 5)), reply = ok;
            if (write(tcp, reply, strlen(reply)) < 0) return 0;
            if (!id && send(udp, reply, strlen(reply), 0) < 0 && errno != ECONNREFUSED) perror("echo");
            start = end + 1;
        }
        held -= (size_t)(start - buffer);
        memmove(buffer, start, held);
    }
    return 1;
}

// Sends up to `wanted` datagrams from `from` on; returns how many went.
static int send_some(int udp, int from, int wanted) {
    int n = wanted < BATCH ? wanted : BATCH;
    if (n > CYCLE - from) n = CYCLE - from;
    if (segment) return send(udp, bytes + begin[from], (size_t)(n * segment), 0) < 0 ? -1 : n;
    static struct mmsghdr headers[BATCH];
    static struct iovec vectors[BATCH];
    for (int i = 0; i < n; i++) {
        vectors[i] = (struct iovec){bytes + begin[from + i], (size_t)(begin[from + i + 1] - begin[from + i])};
        headers[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    return sendmmsg(udp, headers, (unsigned)n, 0);
}

// rate 0: as fast as it can. tcp -1: nobody to answer.
static int flood(int udp, int tcp, int64_t rate, double duration) {
    int64_t sent = 0, samples = 0, total = rate ? (int64_t)((double)rate * duration) : INT64_MAX;
    double start = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), now = start, asked = start;
    // Whoever cannot be kept up with is not waited for longer than half the time again.
    while (sent < total && !stopped && now - start < duration * (rate ? 1.5 : 1)) {
        now = seconds(CLOCK_MONOTONIC);
        if (tcp >= 0 && now - asked > 0.1) {
            if (!answer(tcp, udp, 0)) break;
            asked = now;
        }
        int64_t due = rate ? (int64_t)((now - start) * (double)rate) : total;
        if (due > total) due = total;
        if (due <= sent) {
            usleep(rate > 10000 ? 200 : 2000);
            continue;
        }
        int from = (int)(sent % CYCLE), done = send_some(udp, from, due - sent > BATCH ? BATCH : (int)(due - sent));
        if (done < 0 && errno != ECONNREFUSED) return perror("send"), 1;
        for (int i = 0; i < done; i++) samples += count[from + i];
        if (done > 0) sent += done;
    }
    printf("%lld %lld %.3f %.3f\n", (long long)sent, (long long)samples, seconds(CLOCK_MONOTONIC) - start,
           seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    fflush(stdout);
    return 0;
}

static void stop(int signal) { (void)signal, stopped = 1; }

int main(int argc, char **argv) {
    int is_alone = argc == 5 && !strcmp(argv[1], "alone");
    if (!is_alone && argc != 6) {
        fprintf(stderr, "usage: sender PORT METER_PORT DATAGRAMS_PER_SECOND SECONDS even|mixed\n"
                        "       sender alone METER_PORT SECONDS even|mixed\n");
        return 64;
    }
    signal(SIGTERM, stop);
    signal(SIGPIPE, SIG_IGN);
    compose(!strcmp(argv[argc - 1], "mixed"));
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, to = here;
    to.sin_port = htons((uint16_t)atoi(argv[2]));
    int udp = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
    if (bind(udp, (struct sockaddr *)&here, sizeof here) || connect(udp, (struct sockaddr *)&to, sizeof to))
        return perror("bind"), 1;
    if (segment && setsockopt(udp, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment)) segment = 0;
    if (is_alone) {
        int sink = socket(AF_INET, SOCK_DGRAM, 0);
        if (bind(sink, (struct sockaddr *)&to, sizeof to)) return perror("bind"), 1;
        return flood(udp, -1, 0, atof(argv[3]));
    }
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    here.sin_port = htons((uint16_t)atoi(argv[1]));
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 1)) return perror("listen"), 1;
    puts("ready"), fflush(stdout);
    int tcp = accept(listener, NULL, NULL);
    if (tcp < 0 || !answer(tcp, udp, 600)) return 1;  // until it asks for nothing more: it has subscribed
    if (flood(udp, tcp, atoll(argv[3]), atof(argv[4]))) return 1;
    while (!stopped && answer(tcp, udp, 500)) {}  // until the recorder ends the connection
    return 0;
}
