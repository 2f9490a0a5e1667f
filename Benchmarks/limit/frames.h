// Frames by burst, gathered by the receiving thread into blocks that the writing thread takes
// (docs/decisions/0001-store-layout.md): a frame ends when a meter would come twice or 20 ms after its first value.
#include <pthread.h>
#include <stdio.h>

enum { FRAMES = 1024, BYTES = 64 * 1024, FRAME_ROOM = 16 * 1024, BLOCKS = 120, WAITING_LONG = 4 };  // about 16 MB of blocks
static const int64_t span_us = 20000, minute_us = 60000000;

typedef struct { int64_t at; int begin, levels, exact; } Frame;
typedef struct { int64_t at; double level; int slot, code; } Lone;
typedef struct { char text[17]; int slot; } NewMeter;
typedef struct Block {
    struct Block *next;
    int frame_count, lone_count, meter_count, used;
    int64_t minute, datagrams, received, stored;  // of this minute; a block ends with it
    Frame frames[FRAMES];
    Lone lone[FRAMES + SLOTS];
    NewMeter meters[SLOTS];
    char bytes[BYTES];
} Block;

// The queue: first in, first out. What the writer has taken comes back to `unused`.
static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;
    Block *first, **last, *unused;
    int waiting, is_over;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER, .last = &queue.first};

static Block *block;
static int64_t block_began, shed;
// The open frame.
static uint16_t codes[SLOTS + 1];  // by slot; 0: no value yet
static double exact_levels[SLOTS + 1];
static int values, highest, exact_values;
static int64_t began, last_frame_at;

static void meter_is_new(int slot, const char *name, int length) {
    NewMeter *m = &block->meters[block->meter_count++];
    m->slot = slot;
    memcpy(m->text, name, (size_t)length);
    m->text[length] = 0;
}

static void clear(Block *b) {
    b->frame_count = b->lone_count = b->meter_count = b->used = 0;
    b->datagrams = b->received = b->stored = 0;
}

/// Hands the block over, never waiting: where the writer is so far behind that none is empty, this one is emptied and counted.
static void hand_over(int64_t now) {
    block_began = now;
    if (!block->frame_count && !block->lone_count && !block->datagrams) return;
    pthread_mutex_lock(&queue.lock);
    Block *empty = queue.unused;
    if (empty) {
        queue.unused = empty->next;
        block->next = NULL;
        *queue.last = block;
        queue.last = &block->next;
        if (++queue.waiting == WAITING_LONG) pthread_cond_signal(&queue.more);
    }
    pthread_mutex_unlock(&queue.lock);
    if (empty) empty->minute = block->minute, block = empty;
    else shed += block->stored;
    int meters = empty ? 0 : block->meter_count;
    clear(block);
    block->meter_count = meters;  // they are still true
}

static int append_exact(char *out) {
    char *at = out;
    for (int slot = 1; slot <= highest; slot++) {
        if (codes[slot] != CODE_EXACT) continue;
        char text[32];
        for (int digits = 15; digits <= 17; digits++) {  // the shortest text that reads back the same
            snprintf(text, sizeof text, "%.*g", digits, exact_levels[slot]);
            if (strtod(text, NULL) == exact_levels[slot]) break;
        }
        at += sprintf(at, "%c\"%d\":%s", at == out ? '{' : ',', slot, text);
    }
    *at++ = '}';
    return (int)(at - out);
}

static void close_frame(void) {
    if (!values) return;
    int64_t at = began > last_frame_at ? began : last_frame_at + 1;
    char *out = block->bytes + block->used;
    int n = 0;
    for (int slot = 1; slot <= highest; slot++) {
        unsigned code = codes[slot] ? codes[slot] : CODE_NONE;
        int is_two = code >= 0x80;
        out[n] = (char)(is_two ? 0xC0 | code >> 6 : code);
        out[n + 1] = (char)(0x80 | (code & 0x3F));  // overwritten by the next one where it takes one byte
        n += 1 + is_two;
    }
    last_frame_at = at;
    if (values * 18 < 17 + n) {  // rows of their own are smaller
        for (int slot = 1; slot <= highest; slot++)
            if (codes[slot]) block->lone[block->lone_count++] = (Lone){at++, exact_levels[slot], slot, codes[slot]};
        last_frame_at = at - 1;
    } else {
        int exact = exact_values ? append_exact(out + n) : 0;
        block->frames[block->frame_count++] = (Frame){at, block->used, n, exact};
        block->used += n + exact;
    }
    memset(codes, 0, sizeof *codes * (size_t)(highest + 1));
    block->stored += values;
    values = highest = exact_values = 0;
    if (block->frame_count == FRAMES || block->lone_count >= FRAMES || block->used > BYTES - FRAME_ROOM) hand_over(at);
}

/// Takes a datagram's values; `at`: microseconds since 1970 UTC.
static inline void take(const Reading *readings, int n, int64_t at) {
    if (at - block->minute >= minute_us || at < block->minute) {  // so that each minute's counts agree by themselves
        close_frame();
        hand_over(at);
        block->minute = at / minute_us * minute_us;
    }
    block->datagrams++, block->received += n;
    if (values && (at - began >= span_us || at < began)) close_frame();
    for (int i = 0; i < n; i++) {
        int slot = readings[i].slot;
        if (codes[slot]) close_frame();
        if (!values) began = at;
        codes[slot] = readings[i].code;
        if (readings[i].code == CODE_EXACT) exact_levels[slot] = readings[i].level, exact_values++;
        values++;
        if (slot > highest) highest = slot;
    }
}
