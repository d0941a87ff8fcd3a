/* An HTTP/1.1 server faster than any client: answers every GET with the same JSON and keeps the
 * connection. Compiled on the spot by polls.py.
 *
 *   responder    prints its port once it accepts; SIGTERM ends it
 *
 * A request counts as over with its empty line; only that is looked at, so none may have a body. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MAX_FDS 20000
#define BODY 300

static uint8_t matched[MAX_FDS]; /* how much of "\r\n\r\n" the connection's last bytes were */

/* Return how many requests end in these bytes. */
static int ended(int fd, const char *bytes, ssize_t length) {
    static const char end[] = "\r\n\r\n";
    int count = 0, state = matched[fd];
    for (ssize_t i = 0; i < length; i++) {
        state = bytes[i] == end[state] ? state + 1 : bytes[i] == '\r';
        if (state == 4) count++, state = 0;
    }
    matched[fd] = (uint8_t)state;
    return count;
}

static size_t answer(char *text, size_t room) {
    char body[BODY + 1];
    int head = snprintf(body, sizeof body, "{\"result\":{\"instrument_name\":\"BTC-PERPETUAL\",\"pad\":\"");
    memset(body + head, 'x', sizeof body - (size_t)head);
    memcpy(body + BODY - 3, "\"}}", 4);
    return (size_t)snprintf(text, room,
                            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                            "Content-Length: %d\r\nServer: responder\r\n\r\n%s",
                            BODY, body);
}

int main(void) {
    char text[1024], bytes[65536];
    size_t size = answer(text, sizeof text);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[512];
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 4096)) return 1;
    getsockname(listener, (struct sockaddr *)&address, &length);
    epoll_ctl(set, EPOLL_CTL_ADD, listener, &event);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int ready = epoll_wait(set, events, 512, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    if (fd >= MAX_FDS) return 2;
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    matched[fd] = 0;
                    event = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
                    epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
                }
                continue;
            }
            ssize_t count = recv(fd, bytes, sizeof bytes, 0);
            if (count < 0 && errno == EAGAIN) continue;
            int answers = count > 0 ? ended(fd, bytes, count) : -1;
            while (answers > 0 && send(fd, text, size, MSG_NOSIGNAL) == (ssize_t)size) answers--;
            if (answers) close(fd); /* gone, or it does not read */
        }
    }
}
