#define _GNU_SOURCE
#include "CSockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <unistd.h>

int csockets_try_port(uint16_t port) {
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    int on = 1;
    // 127.83.113.1: nobody sends there, so that whoever is on the port misses nothing meanwhile.
    struct sockaddr_in local = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7F537101)};
    int failed = setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
                 bind(descriptor, (struct sockaddr *)&local, sizeof local) != 0;
    int error = failed ? errno : 0;
    close(descriptor);
    return -error;
}

int csockets_try_buffer(int buffer) {
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
        (void)setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    int got = 0;
    socklen_t size = sizeof got;
    int failed = getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &got, &size) != 0;
    int error = errno;
    close(descriptor);
    return failed ? -error : got;
}

int csockets_clock_synchronized(void) {
    struct timex state = {.modes = 0};
    int code = adjtimex(&state);
    if (code < 0) return -errno;
    return code != TIME_ERROR && !(state.status & STA_UNSYNC);
}
