// The socket calls of the receiving path that plain `import Glibc` lacks: recvmmsg(2) with its control messages, and
// the socket's own count of drops. One page, no state of its own but the memory of a batch.
#ifndef ATLAS_RECORDER_CSOCKETS_H
#define ATLAS_RECORDER_CSOCKETS_H

#include <stdint.h>

// One received datagram; `bytes` points into the batch and holds until the next receive.
struct csockets_datagram {
    const uint8_t *bytes;
    uint32_t length;         // as kept
    uint32_t source;         // IPv4 address, host byte order
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
// The port that a bound socket has, host byte order; 0 if it cannot be told.
uint16_t csockets_local_port(int descriptor);
// Datagrams that the kernel dropped at this socket since it was made (SO_MEMINFO, sock(7), SK_MEMINFO_DROPS); -errno.
int64_t csockets_drops(int descriptor);

// Names the calling thread, at most 15 characters, for ps and top.
void csockets_name_thread(const char *name);

// eventfd(2), to wake the receiving thread.
int csockets_wake_create(void);
void csockets_wake(int descriptor);
void csockets_wake_drain(int descriptor);

#endif
