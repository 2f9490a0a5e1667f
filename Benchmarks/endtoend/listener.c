// A program on the meters' port as others are: bound to 0.0.0.0 with address reuse. Decodes nothing.
// Usage: listener PORT
// Until SIGTERM; then prints how many it received and how many its receive buffer had no room for:
//   received dropped
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t ended;
static void end(int signal) { ended = signal; }

int main(int argc, char **argv) {
    if (argc != 2) return fprintf(stderr, "usage: listener PORT\n"), 64;
    struct sigaction action = {.sa_handler = end};
    sigaction(SIGTERM, &action, NULL);
    int udp = socket(AF_INET, SOCK_DGRAM, 0), on = 1, buffer = 4 << 20;
    setsockopt(udp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer)) setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    if (bind(udp, (struct sockaddr *)&here, sizeof here)) return perror("bind"), 1;
    enum { SLOTS = 64, BYTES = 2048 };
    static char bytes[SLOTS][BYTES];
    static struct mmsghdr headers[SLOTS];
    static struct iovec vectors[SLOTS];
    for (int i = 0; i < SLOTS; i++) {
        vectors[i] = (struct iovec){bytes[i], BYTES};
        headers[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    long long received = 0;
    while (!ended) {
        int count = recvmmsg(udp, headers, SLOTS, MSG_WAITFORONE, NULL);
        if (count > 0) received += count;
        else if (count < 0 && errno != EINTR) return perror("recvmmsg"), 1;
    }
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof info;
    getsockopt(udp, SOL_SOCKET, SO_MEMINFO, info, &size);
    printf("%lld %u\n", received, info[SK_MEMINFO_DROPS]);
    return 0;
}
