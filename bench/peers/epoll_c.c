/* The limit to measure against: an epoll loop in C that does what epoll_loop.py does, and no more.
 *
 * Level-triggered, one accept for each wake-up, non-blocking sockets, one send for all answers that a read
 * has made due, EPOLLOUT only while bytes are left over. It finds the end of each head and obeys
 * "Connection: close"; it judges nothing else, so a real server in C costs more than this.
 *
 *   gcc -O2 -o epoll_c epoll_c.c && ./epoll_c PORT        prints "listening 127.0.0.1:PORT"
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 12\r\n"
static const char KEEP[] = HEAD "Connection: keep-alive\r\n\r\nhello world!";
static const char LAST[] = HEAD "Connection: close\r\n\r\nhello world!";

enum { MAX_FD = 20000, MAX_INPUT = 16384, MAX_EVENTS = 512 };

struct connection {
    int fd, closing;
    size_t used, unsent;
    char *output;              /* allocated while answers are made or left over */
    char input[];              /* the bytes of a head that is not complete yet */
};

static struct connection *connections[MAX_FD];
static int poller;

static void watch(int fd, int how, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    epoll_ctl(poller, how, fd, &event);
}

static void drop(struct connection *c)
{
    connections[c->fd] = NULL;
    close(c->fd);
    free(c->output);
    free(c);
}

/* Send what is due; 0 when the connection is gone. */
static int transmit(struct connection *c, int was_waiting)
{
    ssize_t sent = send(c->fd, c->output, c->unsent, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        return drop(c), 0;
    if (sent > 0 && (c->unsent -= sent))
        memmove(c->output, c->output + sent, c->unsent);
    if (!c->unsent) {
        free(c->output);
        c->output = NULL;
        if (c->closing)
            return drop(c), 0;
    }
    if (was_waiting != (c->unsent > 0))
        watch(c->fd, EPOLL_CTL_MOD, c->unsent ? EPOLLOUT : EPOLLIN);
    return 1;
}

static int says_close(const char *head, const char *end)
{
    for (const char *line = memchr(head, '\n', end - head); line && line < end;
         line = memchr(line + 1, '\n', end - line - 1))
        if (end - line > 11 && !strncasecmp(line + 1, "connection:", 11)) {
            const char *stop = memchr(line + 1, '\r', end - line - 1);
            for (const char *p = line + 12; p + 5 <= (stop ? stop : end); p++)
                if (!strncasecmp(p, "close", 5))
                    return 1;
        }
    return 0;
}

static void answer(struct connection *c)
{
    char *at = c->input, *end, *stop = c->input + c->used;
    size_t room = 0;
    while (!c->closing && (end = memmem(at, stop - at, "\r\n\r\n", 4))) {
        c->closing = says_close(at, end + 2);
        at = end + 4;
        const char *reply = c->closing ? LAST : KEEP;
        size_t length = c->closing ? sizeof LAST - 1 : sizeof KEEP - 1;
        if (c->unsent + length > room)
            c->output = realloc(c->output, room = room * 2 + length);
        memcpy(c->output + c->unsent, reply, length);
        c->unsent += length;
    }
    c->used = stop - at;
    memmove(c->input, at, c->used);
}

static void serve(struct connection *c)
{
    if (c->unsent) {
        transmit(c, 1);
        return;
    }
    ssize_t got = recv(c->fd, c->input + c->used, MAX_INPUT - c->used, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {            /* the end, a reset, or a head too long for the buffer */
        drop(c);
        return;
    }
    c->used += got;
    answer(c);
    if (c->unsent)
        transmit(c, 0);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    address.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1024))
        return perror("epoll_c"), 1;
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("listening 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    poller = epoll_create1(EPOLL_CLOEXEC);
    watch(listener, EPOLL_CTL_ADD, EPOLLIN);
    for (;;) {
        struct epoll_event events[MAX_EVENTS];
        int ready = epoll_wait(poller, events, MAX_EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd != listener) {
                serve(connections[fd]);
                continue;
            }
            fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0 || fd >= MAX_FD) {
                if (fd >= 0)
                    close(fd);
                continue;
            }
            struct connection *c = malloc(sizeof *c + MAX_INPUT);
            c->fd = fd, c->closing = 0, c->used = c->unsent = 0, c->output = NULL;
            connections[fd] = c;
            watch(fd, EPOLL_CTL_ADD, EPOLLIN);
        }
    }
}
