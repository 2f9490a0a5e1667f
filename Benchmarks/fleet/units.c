// Many units on one loopback address each, 127.16.0.1 and up, as cheap as they can be: they run on the recorder's cores.
// Usage: units COUNT PORT METER_PORT SECONDS
// Prints "ready" when all listen. Once all have a connection and a second has gone by without a subscription, each sends its 38
// meters ten times a second, in four datagrams (of one send: UDP_SEGMENT, udp(7)), the units evenly spread over the tenth.
// Then prints: datagrams samples seconds CPU-seconds latest-tick-in-ms; and goes on answering until it is ended.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PARTS = 4, METERS = 38, TICKS = 64, HZ = 10, MOST = 10000, LINE = 1 << 16 };
// Dealt so that the names of each part are of the same length together; the last has two fewer.
static const char *const names[PARTS][10] = {
    {"SourceMeter_10", "SourceMeter_0", "SourceMeter_1", "SourceMeter_2", "GroupMeter_0", "GroupMeter_1", "ZoneMeter_0",
     "ZoneMeter_1", "ZoneMeter_2", "MixMeter_8"},
    {"SourceMeter_11", "SourceMeter_3", "SourceMeter_4", "SourceMeter_5", "GroupMeter_2", "GroupMeter_3", "ZoneMeter_3",
     "ZoneMeter_4", "ZoneMeter_5", "MixMeter_9"},
    {"SourceMeter_12", "SourceMeter_6", "SourceMeter_7", "GroupMeter_4", "GroupMeter_5", "GroupMeter_6", "ZoneMeter_6",
     "ZoneMeter_7", "MixMeter_10", "MixMeter_11"},
    {"SourceMeter_13", "SourceMeter_8", "SourceMeter_9", "GroupMeter_7", "MixMeter_0", "MixMeter_1", "MixMeter_2",
     "MixMeter_3"},
};
static char ticks[TICKS][PARTS * 512];
static size_t tick_length;
static int segment;
static struct unit {
    int listener, tcp, udp;
    char *held;  // of a line that has not ended
    size_t length;
} units[MOST];
static int count, connected, subscriptions, loop;
static const char alive[] =
    "{\"jsonrpc\":\"2.0\",\"method\":\"getResp\",\"params\":[{\"param\":\"KeepAlive\",\"str\":\"OK\"}]}\n";

static _Noreturn void fail(const char *what) {
    perror(what);
    exit(1);
}

static void compose(void) {
    unsigned seed = 1;
    for (int t = 0; t < TICKS; t++) {
        char *at = ticks[t];
        for (int part = 0; part < PARTS; part++) {
            char *begin = at;
            at += sprintf(at, "{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"params\":[");
            for (int i = 0; i < 10 && names[part][i]; i++) {
                seed = seed * 1103515245u + 12345u;
                double level = i % 2 ? -80.0 : -10.0 - (seed >> 16 & 511) / 10.0;
                at += sprintf(at, "%s{\"param\":\"%s\",\"val\":%.1f}", i ? "," : "", names[part][i], level);
            }
            at += sprintf(at, "]}\n");
            if (part == 0) segment = (int)(at - begin);
            if (part < PARTS - 1 ? at - begin != segment : at - begin > segment) fprintf(stderr, "lengths differ\n"), exit(1);
        }
        tick_length = (size_t)(at - ticks[t]);
    }
}

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void watch(int descriptor, uint64_t what) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = what};
    if (epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &event)) fail("epoll_ctl");
}

static void open_unit(int n, int port, int meter_port) {
    struct unit *unit = &units[n];
    int on = 1;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl((127u << 24 | 16u << 16) + 1 + (unsigned)n)};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    to.sin_port = htons((uint16_t)meter_port);
    unit->tcp = -1;
    unit->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (unit->udp < 0 || bind(unit->udp, (struct sockaddr *)&here, sizeof here) ||
        connect(unit->udp, (struct sockaddr *)&to, sizeof to) ||
        setsockopt(unit->udp, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment))
        fail("udp");
    unit->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(unit->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    here.sin_port = htons((uint16_t)port);
    if (bind(unit->listener, (struct sockaddr *)&here, sizeof here) || listen(unit->listener, 1)) fail("listen");
    watch(unit->listener, (uint64_t)n << 1);
}

// OK for an id, the keep-alive by both ways. A writer that nobody reads is not waited for: the recorder reads.
static void answer_line(struct unit *unit, const char *line) {
    const char *id = strstr(line, "\"id\":"), *reply = alive;
    char ok[128];
    if (id) snprintf(ok, sizeof ok, "{\"jsonrpc\":\"2.0\",\"result\":\"OK\",\"id\":%d}\n", atoi(id + 5)), reply = ok;
    if (write(unit->tcp, reply, strlen(reply)) < 0) return;
    // What an earlier datagram met (ECONNREFUSED) is told of with the next one, which is not sent then.
    if (!id && send(unit->udp, reply, strlen(reply), 0) < 0) send(unit->udp, reply, strlen(reply), 0);
    if (id) subscriptions++;
}

static void come(struct unit *unit) {
    if (!unit->held) unit->held = malloc(LINE);
    ssize_t got = recv(unit->tcp, unit->held + unit->length, LINE - unit->length - 1, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        close(unit->tcp);
        unit->tcp = -1, unit->length = 0, connected--;
        return;
    }
    unit->length += (size_t)got;
    char *start = unit->held, *end;
    while ((end = memchr(start, '\n', unit->length - (size_t)(start - unit->held)))) {
        *end = 0;
        answer_line(unit, start);
        start = end + 1;
    }
    unit->length -= (size_t)(start - unit->held);
    memmove(unit->held, start, unit->length);
    if (!unit->length) free(unit->held), unit->held = NULL;
}

static void answer(int wait_ms) {
    static struct epoll_event events[256];
    int n = epoll_wait(loop, events, 256, wait_ms);
    for (int i = 0; i < n; i++) {
        int number = (int)(events[i].data.u64 >> 1);
        struct unit *unit = &units[number];
        if (events[i].data.u64 & 1) {
            if (unit->tcp >= 0) come(unit);
            continue;
        }
        int tcp = accept4(unit->listener, NULL, NULL, SOCK_CLOEXEC);
        if (tcp < 0) continue;
        if (unit->tcp >= 0) close(unit->tcp), connected--;
        unit->tcp = tcp, unit->length = 0, connected++;
        watch(tcp, (uint64_t)number << 1 | 1);
    }
}

static volatile sig_atomic_t stopped;
static void stop(int signal) { (void)signal, stopped = 1; }

int main(int argc, char **argv) {
    if (argc != 5 || atoi(argv[1]) < 1 || atoi(argv[1]) > MOST) {
        fprintf(stderr, "usage: units COUNT PORT METER_PORT SECONDS\n");
        return 64;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    struct sigaction ends = {.sa_handler = stop};
    sigaction(SIGTERM, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    compose();
    loop = epoll_create1(EPOLL_CLOEXEC);
    count = atoi(argv[1]);
    for (int n = 0; n < count; n++) open_unit(n, atoi(argv[2]), atoi(argv[3]));
    puts("ready"), fflush(stdout);

    double quiet = seconds(CLOCK_MONOTONIC);
    while (!stopped && (connected < count || seconds(CLOCK_MONOTONIC) - quiet < 1)) {
        int before = subscriptions;
        answer(50);
        if (subscriptions != before || connected < count) quiet = seconds(CLOCK_MONOTONIC);
    }

    // One step is one unit's tick; a step that is late is sent all the same.
    int64_t total = (int64_t)count * HZ * atoi(argv[4]), sent = 0;
    double start = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), latest = 0, asked = start;
    while (sent < total && !stopped) {
        double now = seconds(CLOCK_MONOTONIC);
        if (now - asked > 0.02) answer(0), asked = now;
        int64_t due = (int64_t)((now - start) * count * HZ);
        if (due > total) due = total;
        if (due <= sent) {
            usleep(500);
            continue;
        }
        double late = now - start - (double)sent / (count * HZ);
        if (late > latest) latest = late;
        for (int batch = 0; batch < 64 && sent < due; batch++, sent++) {
            int n = (int)(sent % count), t = (int)((sent / count + n) % TICKS);
            if (send(units[n].udp, ticks[t], tick_length, 0) < 0 && errno != ECONNREFUSED) fail("send");
        }
    }
    printf("%lld %lld %.3f %.3f %.0f\n", (long long)sent * PARTS, (long long)sent * METERS, seconds(CLOCK_MONOTONIC) - start,
           seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, latest * 1000);
    fflush(stdout);
    while (!stopped) answer(200);
    return 0;
}
