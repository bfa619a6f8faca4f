/* Opening connections, no faster than one was told. */
#define _GNU_SOURCE
#include "opening.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "returning.h"
#include "saying.h"

/* 127.0.0.2 and after; each address has its own ports, and servers count by address. */
static const uint32_t FIRST_SOURCE = INADDR_LOOPBACK + 1;

static void fail(struct worker *worker, struct connection *connection, int error)
{
    char kind[FAULT_CHARS];

    snprintf(kind, sizeof kind, "connect: %s", strerror(error));
    returning_cut(worker, connection, kind, kind);
}

void opening_begin(struct worker *worker, struct connection *connection)
{
    const struct options *options = worker->options;
    uint32_t source = FIRST_SOURCE + (uint32_t)(connection->index % options->sources);
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(source)};
    int turn = (connection->index + connection->cuts) % options->target_count;
    const struct sockaddr_in *to = &options->targets[turn];
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = connection};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

    if (descriptor < 0)
        give_up("no socket for connection %d: %s", connection->index, strerror(errno));
    connection->descriptor = descriptor;
    worker->page->living++;
    worker->opening++;
    /* The port is chosen when it is known where to: so it may be in use towards another place. */
    setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(descriptor, (const struct sockaddr *)&from, sizeof from) < 0)
        give_up("no address for connection %d: %s", connection->index, strerror(errno));
    else if (connect(descriptor, (const struct sockaddr *)to, sizeof *to) < 0 &&
             errno != EINPROGRESS)
        fail(worker, connection, errno);
    else
        epoll_ctl(worker->poller, EPOLL_CTL_ADD, descriptor, &event);
}

/* How many connections may have been begun by now. */
static int due(const struct worker *worker)
{
    double per_s = worker->options->connects_per_s / worker->options->processes, many;

    if (per_s == 0)
        return worker->count;
    many = 1 + per_s * (double)(now_ns() - worker->page->began_ns) / 1e9;
    return many < worker->count ? (int)many : worker->count;
}

bool opening_more(struct worker *worker)
{
    int most = due(worker);

    while (worker->begun < most && worker->opening < worker->options->opening_max)
        opening_begin(worker, &worker->connections[worker->begun++]);
    return worker->begun < worker->count && worker->opening < worker->options->opening_max;
}

void opening_connected(struct worker *worker, struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    socklen_t size = sizeof(int);
    int error = 0;

    getsockopt(connection->descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        fail(worker, connection, error);
        return;
    }
    epoll_ctl(worker->poller, EPOLL_CTL_MOD, connection->descriptor, &event);
    if (!way_calls(worker->options->way)) {
        say_request(worker, connection);
        return;
    }
    connection->state = OPENING;
    worker_parked(worker, connection);
}
