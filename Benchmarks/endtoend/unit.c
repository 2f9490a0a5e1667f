// A unit under load: answers the control connection like a processor and sends meters at a given rate.
// Usage: unit PORT METER_PORT DATAGRAMS_PER_SECOND SECONDS METERS_PER_DATAGRAM SILENT_PERCENT
// Waits for a connection and its subscriptions, then sends for SECONDS and prints what it sent:
//   datagrams samples late_batches
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { METERS = 40, BATCH = 64, VARIANTS = 64 };
static char payload[VARIANTS][METERS / 1][2048];
static size_t length[VARIANTS][METERS];

static const char *name(int meter) {
    static char text[32];
    if (meter < 14) snprintf(text, sizeof text, "SourceMeter_%d", meter);
    else if (meter < 22) snprintf(text, sizeof text, "ZoneMeter_%d", meter - 14);
    else if (meter < 32) snprintf(text, sizeof text, "MixMeter_%d", meter - 8);
    else snprintf(text, sizeof text, "GroupMeter_%d", meter - 32);
    return text;
}

static void compose(int per_datagram, int silent_percent) {
    unsigned seed = 1;
    for (int v = 0; v < VARIANTS; v++) {
        for (int group = 0; group * per_datagram < METERS; group++) {
            char *at = payload[v][group];
            at += sprintf(at, "{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"params\":[");
            for (int i = 0; i < per_datagram && group * per_datagram + i < METERS; i++) {
                int meter = group * per_datagram + i;
                int silent = meter * 100 / METERS < silent_percent;
                seed = seed * 1103515245u + 12345u;
                double level = silent ? -80.0 : -0.1 * (seed >> 16 & 511);
                at += sprintf(at, "%s{\"param\":\"%s\",\"val\":%.1f}", i ? "," : "", name(meter), level);
            }
            at += sprintf(at, "]}\n");
            length[v][group] = (size_t)(at - payload[v][group]);
        }
    }
}

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

// Answers each complete line that has come: OK for an id, the keep-alive by both ways.
static void answer(int tcp, int udp, struct sockaddr_in *to, int wait_ms) {
    static char buffer[1 << 20];
    static size_t held;
    struct pollfd p = {.fd = tcp, .events = POLLIN};
    while (poll(&p, 1, wait_ms) > 0) {
        ssize_t got = read(tcp, buffer + held, sizeof buffer - held - 1);
        if (got <= 0) return;
        held += (size_t)got;
        char *start = buffer, *end;
        while ((end = memchr(start, '\n', held - (size_t)(start - buffer)))) {
            *end = 0;
            char *id = strstr(start, "\"id\":");
            char reply[128];
            if (id) {
                int n = snprintf(reply, sizeof reply, "{\"jsonrpc\":\"2.0\",\"result\":\"OK\",\"id\":%d}\n", atoi(id + 5));
                if (write(tcp, reply, (size_t)n) < 0) return;
            } else {
                const char *echo = "{\"jsonrpc\":\"2.0\",\"method\":\"getResp\",\"params\":[{\"param\":\"KeepAlive\",\"str\":\"OK\"}]}\n";
                if (write(tcp, echo, strlen(echo)) < 0) return;
                sendto(udp, echo, strlen(echo), 0, (struct sockaddr *)to, sizeof *to);
            }
            start = end + 1;
        }
        held -= (size_t)(start - buffer);
        memmove(buffer, start, held);
    }
}

int main(int argc, char **argv) {
    if (argc != 7) {
        fprintf(stderr, "usage: unit PORT METER_PORT DATAGRAMS_PER_SECOND SECONDS METERS_PER_DATAGRAM SILENT_PERCENT\n");
        return 64;
    }
    int rate = atoi(argv[3]), seconds = atoi(argv[4]), per_datagram = atoi(argv[5]);
    compose(per_datagram, atoi(argv[6]));
    int groups = (METERS + per_datagram - 1) / per_datagram;

    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 1)) return perror("listen"), 1;
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in from = here, to = here;
    from.sin_port = 0;
    to.sin_port = htons((uint16_t)atoi(argv[2]));
    if (bind(udp, (struct sockaddr *)&from, sizeof from)) return perror("bind"), 1;
    int tcp = accept(listener, NULL, NULL);
    answer(tcp, udp, &to, 1000);  // until a second passes without a command: it has subscribed

    struct mmsghdr headers[BATCH];
    struct iovec vectors[BATCH];
    int64_t sent = 0, samples = 0, late = 0, start = now_us(), total = (int64_t)rate * seconds, asked = start;
    while (sent < total) {
        int64_t due = (now_us() - start) * rate / 1000000;
        if (due > total) due = total;
        if (due - sent > rate / 20) late++;
        if (due <= sent) {
            usleep(rate > 10000 ? 200 : 2000);
            if (now_us() - asked > 100000) answer(tcp, udp, &to, 0), asked = now_us();
            continue;
        }
        int count = due - sent > BATCH ? BATCH : (int)(due - sent);
        for (int i = 0; i < count; i++) {
            int64_t n = sent + i;
            int v = (int)(n / groups % VARIANTS), group = (int)(n % groups);
            vectors[i] = (struct iovec){payload[v][group], length[v][group]};
            memset(&headers[i], 0, sizeof headers[i]);
            headers[i].msg_hdr = (struct msghdr){.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &vectors[i], .msg_iovlen = 1};
        }
        int done = sendmmsg(udp, headers, (unsigned)count, 0);
        if (done < 0 && errno == ECONNREFUSED) continue;
        if (done < 0) return perror("sendmmsg"), 1;
        for (int i = 0; i < done; i++) {
            int group = (int)((sent + i) % groups);
            samples += group * per_datagram + per_datagram > METERS ? METERS - group * per_datagram : per_datagram;
        }
        sent += done;
    }
    printf("%lld %lld %lld\n", (long long)sent, (long long)samples, (long long)late);
    fflush(stdout);
    answer(tcp, udp, &to, 30000);  // until the recorder ends the connection
    return 0;
}
