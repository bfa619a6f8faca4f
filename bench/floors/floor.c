/* The floor under every server: what it costs to write one buffer to each of N connections, with no
 * logic at all. One process, one thread.
 *
 *   floor PORT CONTROL_PORT
 *
 * On PORT it takes requests and answers nothing to GET /poll, 101 to GET /ws and the head of a
 * stream to GET /sse. On CONTROL_PORT a GET tells how many wait (`parked N`), and the body of POST
 * /wake is written to each that waits. A poll waits again when its next request was read.
 *
 * A request is taken for whole when it comes: its client sends it at once, over loopback. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    DESCRIPTORS_MAX = 1 << 16,
    EVENTS = 512,
    READ_BYTES = 256 << 10,
    BACKLOG = 4096, /* as the gateway's */
};

/* Answers the key that the client always sends, so that nothing has to be hashed. */
static const char SWITCHED[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                               "Connection: Upgrade\r\n"
                               "Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n";
static const char STREAMS[] =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    "cache-control: no-store\r\ntransfer-encoding: chunked\r\n\r\n";

enum kind { NOTHING, LISTENER, CONTROL_LISTENER, CONTROL, CLIENT };

struct floor {
    int poller;
    enum kind kinds[DESCRIPTORS_MAX];
    int parked[DESCRIPTORS_MAX]; /* descriptors that wait, without gaps */
    int places[DESCRIPTORS_MAX]; /* of a descriptor in there, -1 for none */
    bool polls[DESCRIPTORS_MAX]; /* is asked anew for each message */
    int count;
    char bytes[READ_BYTES];
};

static void fail(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void add(struct floor *floor, int descriptor, enum kind kind)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};

    if (descriptor >= DESCRIPTORS_MAX)
        fail("too many descriptors");
    floor->kinds[descriptor] = kind;
    floor->places[descriptor] = -1;
    if (epoll_ctl(floor->poller, EPOLL_CTL_ADD, descriptor, &event) < 0)
        fail("epoll_ctl");
}

static void listen_on(struct floor *floor, const char *port, enum kind kind)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (const struct sockaddr *)&address, sizeof address) < 0)
        fail(port);
    if (listen(listener, BACKLOG) < 0)
        fail("listen");
    add(floor, listener, kind);
}

static void park(struct floor *floor, int descriptor)
{
    if (floor->places[descriptor] >= 0)
        return;
    floor->places[descriptor] = floor->count;
    floor->parked[floor->count++] = descriptor;
}

static void unpark(struct floor *floor, int descriptor)
{
    int place = floor->places[descriptor], last;

    if (place < 0)
        return;
    last = floor->parked[--floor->count];
    floor->parked[place] = last;
    floor->places[last] = place;
    floor->places[descriptor] = -1;
}

static void forget(struct floor *floor, int descriptor)
{
    unpark(floor, descriptor);
    floor->kinds[descriptor] = NOTHING;
    close(descriptor);
}

static void take(struct floor *floor, int listener)
{
    enum kind kind = floor->kinds[listener] == LISTENER ? CLIENT : CONTROL;
    int on = 1, descriptor;

    while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        add(floor, descriptor, kind);
        floor->polls[descriptor] = false;
    }
}

static void serve(struct floor *floor, int descriptor)
{
    ssize_t size = recv(descriptor, floor->bytes, READ_BYTES, 0);

    if (size <= 0) {
        if (size == 0 || errno != EAGAIN)
            forget(floor, descriptor);
        return;
    }
    if (floor->places[descriptor] >= 0)
        return; /* a stream says something: it is not heard */
    if (memcmp(floor->bytes, "GET /ws", 7) == 0)
        send(descriptor, SWITCHED, sizeof SWITCHED - 1, MSG_NOSIGNAL);
    else if (memcmp(floor->bytes, "GET /sse", 8) == 0)
        send(descriptor, STREAMS, sizeof STREAMS - 1, MSG_NOSIGNAL);
    else
        floor->polls[descriptor] = true;
    park(floor, descriptor);
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The floor itself: one `send` a descriptor, from one buffer. */
static int wake(struct floor *floor, const char *body, size_t size)
{
    int woken = floor->count;

    for (int each = 0; each < woken; each++)
        if (send(floor->parked[each], body, size, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)size)
            fail("a connection takes no more");
    for (int each = floor->count - 1; each >= 0; each--)
        if (floor->polls[floor->parked[each]])
            unpark(floor, floor->parked[each]);
    return woken;
}

static void answer(int control, const char *text)
{
    char out[256];
    int size = snprintf(out, sizeof out, "HTTP/1.1 200 OK\r\ncontent-length: %zu\r\n\r\n%s",
                        strlen(text), text);

    send(control, out, (size_t)size, MSG_NOSIGNAL);
}

static void obey(struct floor *floor, int control)
{
    ssize_t size = recv(control, floor->bytes, READ_BYTES - 1, 0);
    char text[64], *body, *length;
    size_t head, wanted;
    double began;
    int woken;

    if (size <= 0) {
        forget(floor, control);
        return;
    }
    floor->bytes[size] = '\0';
    if (memcmp(floor->bytes, "GET ", 4) == 0) {
        snprintf(text, sizeof text, "parked %d\n", floor->count);
        answer(control, text);
        forget(floor, control); /* who asks reads to the end */
        return;
    }
    body = strstr(floor->bytes, "\r\n\r\n");
    length = strcasestr(floor->bytes, "content-length:");
    if (body == NULL || length == NULL) {
        forget(floor, control);
        return;
    }
    body += 4;
    head = (size_t)(body - floor->bytes);
    wanted = strtoul(length + sizeof "content-length:" - 1, NULL, 10);
    if (head + wanted >= READ_BYTES)
        wanted = 0;
    while ((size_t)size < head + wanted) { /* the control's client sends head and body apart */
        ssize_t more = recv(control, floor->bytes + size, head + wanted - (size_t)size, 0);

        if (more == 0 || (more < 0 && errno != EAGAIN)) {
            forget(floor, control);
            return;
        }
        size += more > 0 ? more : 0;
    }
    began = seconds();
    woken = wake(floor, body, wanted);
    snprintf(text, sizeof text, "woken %d in_s %.6f\n", woken, seconds() - began);
    answer(control, text);
}

static void live(struct floor *floor)
{
    struct epoll_event events[EVENTS];

    for (;;) {
        int count = epoll_wait(floor->poller, events, EVENTS, -1);

        for (int each = 0; each < count; each++) {
            int descriptor = events[each].data.fd;

            switch (floor->kinds[descriptor]) {
            case LISTENER:
            case CONTROL_LISTENER: take(floor, descriptor); break;
            case CONTROL: obey(floor, descriptor); break;
            case CLIENT: serve(floor, descriptor); break;
            case NOTHING: break;
            }
        }
    }
}

int main(int count, char **words)
{
    struct floor *floor = calloc(1, sizeof *floor);
    struct rlimit limit;

    if (count != 3) {
        fputs("floor PORT CONTROL_PORT\n", stderr);
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    floor->poller = epoll_create1(EPOLL_CLOEXEC);
    listen_on(floor, words[1], LISTENER);
    listen_on(floor, words[2], CONTROL_LISTENER);
    printf("floor ready on port %s\n", words[1]);
    fflush(stdout);
    live(floor);
}
