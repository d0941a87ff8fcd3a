/* A WebSocket server faster than any client: pushes one JSON text frame a write, staggered over
 * all connections, at a total rate. Compiled on the spot by receive_path.py.
 *
 *   pusher PORT RATE_PER_S [HELD_US [TEMPLATE]]    prints "listening" once it accepts; SIGTERM: the totals
 *
 * Each frame carries the send time in microseconds ("ts") and a number without gaps per connection
 * ("seq"). A connection that does not take a frame at once loses it: "dropped".
 * HELD_US dates every frame back, as a server does that stamps a frame and then holds it so long.
 * TEMPLATE is a file with another frame, of 126 bytes or more; in it stand runs of one byte: 16 times 1
 * for the send time in microseconds, 13 times 2 for milliseconds, 10 times 3 for the number, 10 times 4
 * for the one before, 27 times 5 for the time as RFC 3339 has it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define MAX_FDS 20000
#define PAYLOAD 200
#define MOST_PAYLOAD 4096
#define MOST_SLOTS 8

static volatile sig_atomic_t stopping;
static void on_term(int number) { (void)number; stopping = 1; }

static uint64_t now_us(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static uint32_t rotate(uint32_t x, int n) { return (x << n) | (x >> (32 - n)); }

/* SHA-1 of at most 119 bytes (FIPS 180-4): the handshake's key and GUID are 60. */
static void sha1(const char *text, size_t length, unsigned char digest[20]) {
    unsigned char block[128] = {0};
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    size_t blocks = length < 56 ? 1 : 2;
    memcpy(block, text, length);
    block[length] = 0x80;
    for (int i = 0; i < 8; i++) block[blocks * 64 - 1 - i] = (unsigned char)(length * 8 >> (8 * i));
    for (size_t b = 0; b < blocks; b++) {
        uint32_t w[80];
        for (int i = 0; i < 16; i++) {
            const unsigned char *p = block + b * 64 + i * 4;
            w[i] = (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
        }
        for (int i = 16; i < 80; i++) w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        uint32_t a = h[0], bb = h[1], c = h[2], d = h[3], e = h[4];
        for (int i = 0; i < 80; i++) {
            uint32_t f, k;
            if (i < 20) f = (bb & c) | (~bb & d), k = 0x5A827999;
            else if (i < 40) f = bb ^ c ^ d, k = 0x6ED9EBA1;
            else if (i < 60) f = (bb & c) | (bb & d) | (c & d), k = 0x8F1BBCDC;
            else f = bb ^ c ^ d, k = 0xCA62C1D6;
            uint32_t t = rotate(a, 5) + f + e + k + w[i];
            e = d; d = c; c = rotate(bb, 30); bb = a; a = t;
        }
        h[0] += a; h[1] += bb; h[2] += c; h[3] += d; h[4] += e;
    }
    for (int i = 0; i < 20; i++) digest[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static void base64(const unsigned char *in, char out[29]) {
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char padded[21] = {0};
    memcpy(padded, in, 20);
    for (int i = 0; i < 7; i++) {
        uint32_t v = (uint32_t)padded[i * 3] << 16 | padded[i * 3 + 1] << 8 | padded[i * 3 + 2];
        for (int j = 0; j < 4; j++) out[i * 4 + j] = set[v >> (18 - 6 * j) & 63];
    }
    out[27] = '=';
    out[28] = 0;
}

static int shake_hands(int fd) {
    char request[4096], text[128], accept[29], reply[256];
    unsigned char digest[20];
    ssize_t got = recv(fd, request, sizeof request - 1, 0);
    if (got <= 0) return 0;
    request[got] = 0;
    char *key = strcasestr(request, "Sec-WebSocket-Key:");
    if (!key || sscanf(key + 18, " %24s", text) != 1) return 0;
    strcat(text, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    sha1(text, strlen(text), digest);
    base64(digest, accept);
    int length = snprintf(reply, sizeof reply,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: %s\r\n\r\n", accept);
    return send(fd, reply, (size_t)length, MSG_NOSIGNAL) == length;
}

static unsigned char frame[4 + MOST_PAYLOAD];
static size_t payload_size;
static struct { unsigned char kind; char *at; } slots[MOST_SLOTS];
static int slot_count;

static int read_template(const char *path) {
    char *body = (char *)frame + 4;
    if (path) {
        FILE *file = fopen(path, "rb");
        if (!file) return 0;
        payload_size = fread(body, 1, MOST_PAYLOAD, file);
        fclose(file);
    } else {
        static const char text[] = "{\"jsonrpc\":\"2.0\",\"method\":\"subscription\",\"params\":{\"channel\":"
            "\"ticker.BTC-PERPETUAL.100ms\",\"data\":{\"ts\":"
            "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1,\"seq\":\3\3\3\3\3\3\3\3\3\3"
            ",\"best_bid_price\":64250.5,\"best_a\":1}}}";
        payload_size = PAYLOAD;
        memset(body, ' ', PAYLOAD);
        memcpy(body, text, sizeof text - 1);
    }
    if (payload_size < 126) return 0;
    frame[0] = 0x81; frame[1] = 126;
    frame[2] = (unsigned char)(payload_size >> 8); frame[3] = (unsigned char)payload_size;
    for (size_t i = 0; i < payload_size && slot_count < MOST_SLOTS; i++)
        if (body[i] > 0 && body[i] <= 5 && (i == 0 || body[i - 1] != body[i])) {
            slots[slot_count].kind = (unsigned char)body[i];
            slots[slot_count++].at = body + i;
        }
    return 1;
}

static void write_slots(uint64_t at_us, uint32_t number) {
    static time_t known; static char second[32]; char digits[48];
    for (int i = 0; i < slot_count; i++) {
        int length;
        switch (slots[i].kind) {
            case 1: length = snprintf(digits, sizeof digits, "%016llu", (unsigned long long)at_us); break;
            case 2: length = snprintf(digits, sizeof digits, "%013llu", (unsigned long long)at_us / 1000); break;
            case 3: length = snprintf(digits, sizeof digits, "%010u", number); break;
            case 4: length = snprintf(digits, sizeof digits, "%010u", number - 1); break;
            default: {
                time_t now = (time_t)(at_us / 1000000); struct tm parts;
                if (now != known) {
                    gmtime_r(&now, &parts);
                    strftime(second, sizeof second, "%Y-%m-%dT%H:%M:%S", &parts);
                    known = now;
                }
                length = snprintf(digits, sizeof digits, "%s.%06uZ", second, (unsigned)(at_us % 1000000));
            }
        }
        memcpy(slots[i].at, digits, (size_t)length);
    }
}

int main(int argc, char **argv) {
    static int open_fds[MAX_FDS];
    static uint32_t sequence[MAX_FDS];
    static char ready[MAX_FDS];
    int count = 0;
    if (argc < 3 || argc > 5) return 2;
    if (!read_template(argc == 5 ? argv[4] : NULL)) return 4;
    uint64_t held_us = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    double rate = atof(argv[2]);
    signal(SIGTERM, on_term);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (void *)&address, sizeof address) || listen(listener, 4096)) return 3;
    int set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(set, EPOLL_CTL_ADD, listener, &event);
    puts("listening");
    fflush(stdout);

    size_t size = 4 + payload_size;
    uint64_t sent = 0, dropped = 0, begin = now_us(CLOCK_MONOTONIC);
    double due = 0;
    int next = 0;
    while (!stopping) {
        int n = epoll_wait(set, events, 256, count ? 0 : 10);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int client;
                while ((client = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0 && client < MAX_FDS) {
                    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    event.events = EPOLLIN; event.data.fd = client;
                    epoll_ctl(set, EPOLL_CTL_ADD, client, &event);
                    ready[client] = 0;
                }
            } else if (!ready[fd]) {
                if (shake_hands(fd)) {
                    ready[fd] = 1; sequence[fd] = 1000000001; open_fds[count++] = fd;
                } else close(fd);
            } else {
                char junk[512];
                if (recv(fd, junk, sizeof junk, 0) > 0) continue;
                for (int j = 0; j < count; j++)
                    if (open_fds[j] == fd) { open_fds[j] = open_fds[--count]; break; }
                close(fd);
            }
        }
        uint64_t now = now_us(CLOCK_MONOTONIC);
        due += rate * (double)(now - begin) / 1e6;
        begin = now;
        if (due > rate * 0.05) due = rate * 0.05;  /* Never catch up by more than 50 ms. */
        for (int burst = 0; due >= 1 && count && burst < 64; burst++, due -= 1) {
            int fd = open_fds[next++ % count];
            write_slots(now_us(CLOCK_REALTIME) - held_us, sequence[fd]);
            if (send(fd, frame, size, MSG_NOSIGNAL) == (ssize_t)size) sent++, sequence[fd]++;
            else dropped++;
        }
        if (!count) due = 0;
    }
    printf("sent %llu dropped %llu\n", (unsigned long long)sent, (unsigned long long)dropped);
    return 0;
}
