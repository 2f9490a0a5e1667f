// The socket calls of the receiving path that plain `import Glibc` lacks: recvmmsg(2) with its control messages, and
// the socket's own count of drops. One page, no state of its own but the memory of a batch.
#ifndef ATLAS_RECORDER_CSOCKETS_H
#define ATLAS_RECORDER_CSOCKETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// One received datagram; `bytes` points into the batch and holds until the next receive.
struct csockets_datagram {
    const uint8_t *bytes;
    uint32_t length;         // as kept
    uint32_t source;         // IPv4 address, host byte order
    uint16_t source_port;    // host byte order
    uint8_t truncated;       // the datagram was longer than a slot (MSG_TRUNC)
    int64_t at_us;           // kernel's time of arrival, microseconds since 1970 UTC
};

// The memory of one recvmmsg call: so many slots of so many bytes; pages are touched only as they fill.
struct csockets_batch;
struct csockets_batch *csockets_batch_create(int slots, int slot_bytes);
void csockets_batch_free(struct csockets_batch *batch);
// Receives what is there, never waits. Returns how many datagrams, 0 for none, -errno for a failure.
int csockets_receive(int descriptor, struct csockets_batch *batch);
const struct csockets_datagram *csockets_batch_datagrams(const struct csockets_batch *batch);

// A non-blocking UDP socket bound with SO_REUSEADDR (never SO_REUSEPORT) and kernel time stamps, with a receive buffer
// of `buffer` bytes as far as the host allows. Returns the descriptor or -errno; `*buffer_got` is what came back.
int csockets_bind_udp(uint32_t address, uint16_t port, int buffer, int *buffer_got);
// Takes only what comes from this peer from now on, and before every socket that is not connected. Returns 0 or -errno.
int csockets_connect(int descriptor, uint32_t address, uint16_t port);

// A non-blocking UDP socket to pass received datagrams on with, allowed to broadcast. Returns the descriptor or -errno.
// `*keeps_source` is 1 if it may send under a foreign address (IP_TRANSPARENT, ip(7): CAP_NET_RAW or CAP_NET_ADMIN).
int csockets_relay_create(int *keeps_source);
// Sends the first `count` datagrams of the batch on to 127.255.255.255:`port`, with their own source address if
// `keeps_source`; never waits. Returns how many could not be sent; `*error` is the last errno of those.
int csockets_relay(int descriptor, struct csockets_batch *batch, int count, uint16_t port, int keeps_source, int *error);

// The port that a bound socket has, host byte order; 0 if it cannot be told.
uint16_t csockets_local_port(int descriptor);
// Datagrams that the kernel dropped at this socket since it was made (SO_MEMINFO, sock(7), SK_MEMINFO_DROPS); -errno.
int64_t csockets_drops(int descriptor);

// How full the socket's receive buffer is, in per cent (SO_MEMINFO, socket(7)); 0 if it cannot be told.
int csockets_filling(int descriptor);

// Whether a socket with SO_REUSEADDR can be bound to a UDP port beside those that are there: 0, or -errno; -EADDRINUSE
// says that one bound to 0.0.0.0 (or [::], speaking IPv4) did not ask for address reuse.
int csockets_try_port(uint16_t port);
// Whether an address is none of this host's: 1 or 0, -errno if that cannot be told. (With net.ipv4.ip_nonlocal_bind every
// address passes for one of its own.)
int csockets_is_gone(uint32_t address);
// The address of this host that something sent to `peer` would come from now; 0: there is no way to it. Sends nothing.
uint32_t csockets_source(uint32_t peer);
// The index of the interface that has an address; 0: none has it.
unsigned csockets_interface(uint32_t address);
// The inodes of the IPv6 sockets on a UDP port, bound and not connected, that take IPv6 only (IPV6_V6ONLY; sock_diag(7)
// tells, /proc/net/udp6 does not). Returns how many were written, at most `size`; -errno if the kernel does not say.
int csockets_ipv6_only(uint16_t port, uint32_t *inodes, int size);
// What `csockets_bind_udp` would get of the receive buffer it asks for, with the rights of now: SO_RCVBUF or -errno.
int csockets_try_buffer(int buffer);
// Whether somebody keeps the host's clock right, as the kernel was told (adjtimex(2)): 1 or 0, -errno.
int csockets_clock_synchronized(void);
// What TCP_INFO (tcp(7)) tells on Linux 5.4 and later; glibc's struct tcp_info ends with total_retrans.
struct csockets_tcp_info {
    uint8_t state, ca_state, retransmits, probes, backoff, options, scales, flags;
    uint32_t rto, ato, snd_mss, rcv_mss;
    uint32_t unacked;  // segments that are sent and not acknowledged
    uint32_t sacked, lost, retrans, fackets;
    uint32_t last_data_sent, last_ack_sent;
    uint32_t last_data_recv, last_ack_recv;  // milliseconds ago
    uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering, rcv_rtt, rcv_space;
    uint32_t total_retrans;
    uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
    uint32_t segs_out, segs_in;
    uint32_t notsent_bytes;  // written and not sent: no route, or no room in the peer's window
    uint32_t min_rtt, data_segs_in, data_segs_out;
    uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
    uint32_t delivered, delivered_ce;
    uint64_t bytes_sent, bytes_retrans;
    uint32_t dsack_dups, reord_seen, rcv_ooopack;
    uint32_t snd_wnd;  // bytes that the peer has room for
};

// Names the calling thread, at most 15 characters, for ps and top.
void csockets_name_thread(const char *name);
// The process's, /proc/self/comm, from any thread; cut to 15 characters.
void csockets_name_process(const char *name);

// eventfd(2), to wake the receiving thread.
int csockets_wake_create(void);
void csockets_wake(int descriptor);
void csockets_wake_drain(int descriptor);

// Gives up every capability (capabilities(7)) that a recorder has no use for, for good, and the right to gain any by execve(2)
// (PR_SET_NO_NEW_PRIVS). Of the calling thread and those that it starts: call it before there are others. 0 or -errno.
int csockets_drop_privileges(void);

// Who owns the file of a socket that this process has bound to `path` and does not listen on yet, and who may connect. Where the
// owner may not be given away the file stays ours, where the group may not either it has mode `mode_without`. 0 or -errno: -ESTALE
// if the name leads to anything but such a socket by now, which is then left as it is.
int csockets_give_socket(const char *path, uint32_t uid, uint32_t gid, uint32_t mode, uint32_t mode_without);

// Renames a file, unless something has the new name (renameat2(2), RENAME_NOREPLACE). 0 or the errno; EINVAL where the file
// system cannot promise it.
int csockets_rename_new(const char *from, const char *to);
// Locks the first byte of an open file for writing, without waiting, for as long as this descriptor or a copy of it is open
// (fcntl(2), F_OFD_SETLK). 0 or the errno; EAGAIN where somebody else has it.
int csockets_lock_first_byte(int descriptor);

// Memory for so many levels, which other processes may map and read (memfd_create(2), sealed: fcntl(2)). NULL and errno;
// `*descriptor` is what to hand them. It begins with zeros: nothing heard yet.
float *csockets_levels_create(size_t count, int *descriptor);
// Maps what another process handed over, to read. NULL and errno: EINVAL where its size is not sealed.
const float *csockets_levels_map(int descriptor, size_t *count);
void csockets_levels_unmap(const float *levels, size_t count);
// One level in dB. What was not heard yet has no bit set, so 0 dB is written as its negative.
static inline void csockets_level_write(float *place, float level) {
    if (level == 0) level = -0.0f;
    __atomic_store(place, &level, __ATOMIC_RELAXED);
}
static inline void csockets_level_clear(float *place) { __atomic_store_n((uint32_t *)place, 0, __ATOMIC_RELAXED); }
// Whether one was heard; what it is.
static inline int csockets_level_read(const float *place, float *level) {
    uint32_t bits = __atomic_load_n((const uint32_t *)place, __ATOMIC_RELAXED);
    __builtin_memcpy(level, &bits, sizeof bits);
    return bits != 0;
}

// Sends bytes and a copy of a descriptor with them on a Unix stream socket (SCM_RIGHTS, unix(7)); never waits. Who reads
// without asking for it does not get the copy. Returns how many bytes were sent, or -errno.
ssize_t csockets_send_with(int socket, const void *bytes, size_t count, int descriptor);
// Reads bytes, and the descriptor that came with the first of them; -1: none did. Returns how many, or -errno.
ssize_t csockets_receive_with(int socket, void *bytes, size_t count, int *descriptor);

#endif
