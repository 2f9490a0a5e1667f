// Sends what no configured unit sent: flood METER_PORT DATAGRAMS_PER_SECOND SECONDS BYTES ADDRESSES
// From so many loopback addresses 127.9.x.y to 127.0.0.1. A rate of 0: as fast as it can. Prints how many it sent.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, ADDRESSES = 1000 };

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: flood METER_PORT DATAGRAMS_PER_SECOND SECONDS BYTES ADDRESSES\n");
        return 64;
    }
    int64_t rate = atoi(argv[2]), end = atoi(argv[3]) * INT64_C(1000000);
    int bytes = atoi(argv[4]), addresses = atoi(argv[5]);
    if (addresses < 1 || addresses > ADDRESSES) return 64;
    static int sockets[ADDRESSES];
    for (int i = 0; i < addresses; i++) {
        struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7F090000u + (uint32_t)i + 1)};
        sockets[i] = socket(AF_INET, SOCK_DGRAM, 0);
        if (bind(sockets[i], (struct sockaddr *)&from, sizeof from)) return perror("bind"), 1;
    }
    char *payload = malloc((size_t)bytes + 256);
    if (!payload) return 1;
    int head = sprintf(payload, "{\"method\":\"update\",\"params\":[{\"param\":\"ZoneMeter_0\",\"val\":-1}]}");
    if (bytes > head) memset(payload + head, ' ', (size_t)(bytes - head));
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct iovec vector = {payload, (size_t)bytes};
    struct mmsghdr headers[BATCH];
    for (int i = 0; i < BATCH; i++)
        headers[i].msg_hdr = (struct msghdr){.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &vector, .msg_iovlen = 1};

    int64_t sent = 0, start = now_us(), passed;
    for (int64_t turn = 0; (passed = now_us() - start) < end;) {
        int64_t due = rate ? passed * rate / 1000000 - sent : BATCH;
        if (due <= 0) {
            usleep(100);
            continue;
        }
        int done = sendmmsg(sockets[turn++ % addresses], headers, due > BATCH ? BATCH : (unsigned)due, 0);
        if (done > 0) sent += done;
    }
    printf("%lld\n", (long long)sent);
    return 0;
}
