// Reads meters from a datagram's bytes: {"jsonrpc":"2.0","method":"update","params":[{"param":"ZoneMeter_0","val":-20.1},…]}
// in just this shape, which is the one that meters come in. Another order, white space or a keep-alive's echo is declined: a
// whole recorder has a slower way for them, which costs this one nothing.
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 256, NAMES = 1024, SLACK = 64, CAPACITY = 4096 };
enum { CODE_NONE = 1, CODE_EXACT = 2, CODE_ZERO = 832 };

typedef struct { uint16_t slot, code; double level; } Reading;  // slots count from 1; level counts where code is CODE_EXACT
typedef struct { uint64_t low, high; int slot; } Name;  // up to sixteen bytes, the rest zero

static Name known[NAMES];
static int slot_count;
static void meter_is_new(int slot, const char *name, int length);

/// How many bytes stand before the first quote in these eight; 8: none does.
static inline int until_quote(uint64_t word) {
    uint64_t x = word ^ 0x2222222222222222u;
    uint64_t found = (x - 0x0101010101010101u) & ~x & 0x8080808080808080u;
    return found ? __builtin_ctzll(found) >> 3 : 8;
}
static inline uint64_t only(uint64_t word, int bytes) { return bytes == 8 ? word : word & ((1ull << 8 * bytes) - 1); }

static int is_meter(const char *name, int length) {
    static const char *const families[] = {"SourceMeter_", "ZoneMeter_", "MixMeter_", "GroupMeter_"};
    for (int i = 0; i < 4; i++) {
        int digits = (int)strlen(families[i]);
        if (length > digits && length <= digits + 3 && !memcmp(name, families[i], (size_t)digits)) return 1;
    }
    return 0;
}

/// The slot of the name that begins here and ends with a quote; moves behind it. 0: no meter.
static inline int slot_of(const char **at) {
    uint64_t low, high;
    memcpy(&low, *at, 8), memcpy(&high, *at + 8, 8);
    int length = until_quote(low);
    if (length < 8) low = only(low, length), high = 0;
    else length += until_quote(high), high = only(high, length - 8);
    if (length == 16) return 0;  // no meter's name is as long
    unsigned place = (unsigned)((low * 0x9E3779B97F4A7C15u ^ high * 0xC2B2AE3D27D4EB4Fu) >> 54);
    const char *name = *at;
    *at += length + 1;
    for (;; place = (place + 1) % NAMES) {
        Name *n = &known[place];
        if (n->low == low && n->high == high && n->slot) return n->slot;
        if (n->slot) continue;
        if (slot_count == SLOTS - 1 || !is_meter(name, length)) return 0;
        *n = (Name){low, high, ++slot_count};
        meter_is_new(n->slot, name, length);
        return n->slot;
    }
}

/// Any number but the usual one: what tenths of a dB hold to the bit is tenths, all else is kept as it came.
static __attribute__((noinline)) int any_number(const char **at, Reading *r) {
    char *end;
    if (**at != '-' && (unsigned)(**at - '0') > 9) return 0;  // strtod takes more than JSON does
    r->level = strtod(*at, &end);
    if (!(fabs(r->level) <= 1000)) return 0;
    double tenths = round(r->level * 10);
    r->code = tenths >= -800 && tenths <= 1215 && tenths / 10 == r->level ? (uint16_t)(tenths + CODE_ZERO) : CODE_EXACT;
    *at = end;
    return 1;
}

static inline int number(const char **at, Reading *r) {
    const char *p = *at + (**at == '-'), *first = p;
    unsigned value = 0, digit;
    while ((digit = (unsigned)(*p - '0')) < 10 && p < first + 4) value = value * 10 + digit, p++;
    if (*p == '.' && p > first && (digit = (unsigned)(p[1] - '0')) < 10 && (p[2] == '}' || p[2] == ',')) {
        int tenths = (int)(value * 10 + digit);
        if (**at == '-') tenths = -tenths;
        if (tenths >= -800 && tenths <= 1215) {
            r->code = (uint16_t)(tenths + CODE_ZERO);
            *at = p + 2;
            return 1;
        }
    }
    return any_number(at, r);
}

#define TAKE(text) (memcmp(at, text, sizeof text - 1) ? 0 : (at += sizeof text - 1, 1))

/// The meters of one datagram, -1: declined. Behind its end there have to be SLACK bytes that may be read.
static inline int scan(char *bytes, int length, Reading *readings) {
    const char *at = bytes, *end = bytes + length;
    int n = 0;
    memset(bytes + length, 0, SLACK);  // so that nothing that is looked for goes on behind the end
    while (at < end) {  // a line each
        if (!TAKE("{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"params\":[")) return -1;
        do {
            if (n == CAPACITY || !TAKE("{\"param\":\"")) return -1;
            int slot = slot_of(&at);
            if (!slot || !TAKE(",\"val\":")) return -1;
            readings[n].slot = (uint16_t)slot;
            if (!number(&at, &readings[n]) || *at++ != '}') return -1;
            n++;
        } while (*at == ',' && at++);
        if (!TAKE("]}") || (at < end && *at++ != '\n')) return -1;
    }
    return at == end ? n : -1;
}
