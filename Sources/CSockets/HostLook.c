#define _GNU_SOURCE
#include "CSockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
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

int csockets_is_gone(uint32_t address) {
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    int error = bind(descriptor, (struct sockaddr *)&local, sizeof local) == 0 ? 0 : errno;
    close(descriptor);
    return error == EADDRNOTAVAIL ? 1 : -error;
}

uint32_t csockets_source(uint32_t peer) {
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return 0;
    struct sockaddr_in remote = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(peer)}, local;
    socklen_t size = sizeof local;
    int failed = connect(descriptor, (struct sockaddr *)&remote, sizeof remote) != 0 ||
                 getsockname(descriptor, (struct sockaddr *)&local, &size) != 0;
    close(descriptor);
    return failed ? 0 : ntohl(local.sin_addr.s_addr);
}

unsigned csockets_interface(uint32_t address) {
    struct ifaddrs *all;
    if (getifaddrs(&all) != 0) return 0;
    unsigned index = 0;
    for (struct ifaddrs *one = all; one && !index; one = one->ifa_next) {
        if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET) continue;
        if (ntohl(((struct sockaddr_in *)one->ifa_addr)->sin_addr.s_addr) == address) index = if_nametoindex(one->ifa_name);
    }
    freeifaddrs(all);
    return index;
}

// Whether one socket's answer says IPv6 only.
static int says_ipv6_only(struct nlmsghdr *message) {
    struct rtattr *attribute = (struct rtattr *)((char *)NLMSG_DATA(message) + NLMSG_ALIGN(sizeof(struct inet_diag_msg)));
    int left = (int)NLMSG_PAYLOAD(message, sizeof(struct inet_diag_msg));
    for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
        if (attribute->rta_type == INET_DIAG_SKV6ONLY) return *(uint8_t *)RTA_DATA(attribute) != 0;
    return 0;
}

int csockets_ipv6_only(uint16_t port, uint32_t *inodes, int size) {
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (descriptor < 0) return -errno;
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 what;
    } request = {
        .header = {.nlmsg_len = sizeof request, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .what = {.sdiag_family = AF_INET6, .sdiag_protocol = IPPROTO_UDP, .idiag_states = ~0u, .id.idiag_sport = htons(port)}};
    int count = 0, error = send(descriptor, &request, sizeof request, 0) < 0 ? errno : 0;
    for (int done = 0; !error && !done;) {
        _Alignas(struct nlmsghdr) char buffer[16384];
        ssize_t got = recv(descriptor, buffer, sizeof buffer, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            error = got < 0 ? errno : EPIPE;
            break;
        }
        int left = (int)got;
        for (struct nlmsghdr *message = (struct nlmsghdr *)buffer; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
            if (message->nlmsg_type == NLMSG_DONE) done = 1;
            if (message->nlmsg_type == NLMSG_ERROR) error = -((struct nlmsgerr *)NLMSG_DATA(message))->error;
            if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY) continue;
            struct inet_diag_msg *found = NLMSG_DATA(message);
            if (found->id.idiag_sport == htons(port) && count < size && says_ipv6_only(message)) inodes[count++] = found->idiag_inode;
        }
    }
    close(descriptor);
    return error ? -error : count;
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
