/* The least a WebSocket client can cost: one epoll set, frame headers only, nothing parsed.
 * Compiled on the spot by receive_path.py.
 *
 *   reader PORT CONNECTIONS SECONDS     prints its figures as JSON, after two seconds of settling */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define MAX_FDS 20000
#define SETTLE_S 2.0

static unsigned char head[MAX_FDS][4]; /* The header's bytes so far. */
static int have[MAX_FDS];
static uint64_t left[MAX_FDS];         /* Payload bytes still to skip. */

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_s(void) {
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static int open_websocket(int port) {
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: target\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), matched = 0;
    char byte;
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    if (fd < 0 || fd >= MAX_FDS || connect(fd, (struct sockaddr *)&address, sizeof address) ||
        send(fd, request, sizeof request - 1, 0) < 0)
        return -1;
    while (matched < 4) { /* Frames may follow the response at once: read no byte too many. */
        if (read(fd, &byte, 1) != 1) return -1;
        matched = byte == "\r\n\r\n"[matched] ? matched + 1 : byte == '\r';
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Return how many frames begin in these bytes; frames up to 65,535 bytes. */
static int frames_in(int fd, const unsigned char *bytes, ssize_t count) {
    int frames = 0;
    for (ssize_t at = 0; at < count;) {
        if (left[fd]) {
            uint64_t skip = left[fd] < (uint64_t)(count - at) ? left[fd] : (uint64_t)(count - at);
            left[fd] -= skip;
            at += (ssize_t)skip;
            continue;
        }
        head[fd][have[fd]++] = bytes[at++];
        int needed = have[fd] < 2 ? 2 : head[fd][1] == 126 ? 4 : 2;
        if (have[fd] == needed) {
            left[fd] = needed == 4 ? (uint64_t)head[fd][2] << 8 | head[fd][3] : head[fd][1];
            have[fd] = 0;
            frames++;
        }
    }
    return frames;
}

int main(int argc, char **argv) {
    if (argc != 4) return fprintf(stderr, "reader PORT CONNECTIONS SECONDS\n"), 2;
    int set = epoll_create1(0), connections = atoi(argv[2]);
    for (int i = 0; i < connections; i++) {
        int fd = open_websocket(atoi(argv[1]));
        if (fd < 0) return perror("connect"), 1;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
    }
    static unsigned char buffer[4096];
    struct epoll_event events[256];
    uint64_t messages = 0;
    double seconds = atof(argv[3]), begin_s = now_s() + SETTLE_S, cpu_at_s = 0;
    for (double t; (t = now_s()) < begin_s + seconds;) {
        if (!cpu_at_s && t >= begin_s) cpu_at_s = cpu_s(), begin_s = t, messages = 0;
        int ready = epoll_wait(set, events, 256, 100);
        for (int i = 0; i < ready; i++) {
            ssize_t count = read(events[i].data.fd, buffer, sizeof buffer);
            if (count == 0) return fprintf(stderr, "the server closed a connection\n"), 1;
            if (count > 0) messages += (uint64_t)frames_in(events[i].data.fd, buffer, count);
        }
    }
    double elapsed_s = now_s() - begin_s, used_s = cpu_s() - cpu_at_s;
    printf("{\"connections\": %d, \"messages_per_s\": %.1f, \"cpu_us_per_message\": %.3f, "
           "\"cpu_cores\": %.4f}\n",
           connections, (double)messages / elapsed_s, used_s * 1e6 / (double)messages,
           used_s / elapsed_s);
    return 0;
}
