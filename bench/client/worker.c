/* One process of the client: its connections, and what it is told and tells. */
#define _GNU_SOURCE
#include "worker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "calling.h"
#include "opening.h"
#include "returning.h"
#include "ways.h"

enum {
    EVENTS = 512,
    PACE_NS = 1000000, /* how often a held-back opening looks whether it is its turn */
    DEAF_BYTES = 4096, /* what the kernel may take for who does not read */
    LAST_LOOKS = 1000, /* reads before the end, of what came and was not read yet */
};

static void tell(struct worker *worker, int what)
{
    struct note note = {.what = what};

    if (send(worker->parent, &note, sizeof note, MSG_NOSIGNAL) < 0)
        exit(1);
}

void worker_fault(struct worker *worker, struct connection *connection, const char *kind,
                  const char *detail)
{
    char said[DETAIL_CHARS];

    snprintf(said, sizeof said, "connection %d: %s", connection->index, detail);
    board_fault(worker->page, kind, said);
}

void worker_lose(struct worker *worker, struct connection *connection, const char *kind,
                 const char *detail)
{
    if (connection->descriptor < 0)
        return;
    worker_fault(worker, connection, kind, detail);
    close(connection->descriptor);
    connection->descriptor = -1;
    worker->page->living--;
    if (!connection->is_parked) {
        worker->unparked--;
        worker->opening--;
    }
    if (worker->is_asked && !connection->is_woken)
        worker->unwoken--;
    if (connection->is_calling)
        worker->calling--;
}

void worker_send(struct worker *worker, struct connection *connection, const void *bytes,
                 size_t size)
{
    ssize_t sent = send(connection->descriptor, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent != (ssize_t)size)
        worker_lose(worker, connection, "send",
                    sent < 0 ? strerror(errno) : "the server takes no more");
}

void worker_parked(struct worker *worker, struct connection *connection)
{
    if (connection->is_parked)
        return;
    connection->is_parked = true;
    worker->opening--;
    worker->unparked--;
    worker->page->parked++;
    worker->page->parked_ns = now_ns();
}

void worker_take(struct worker *worker, struct connection *connection, int64_t id)
{
    static const char *const KINDS[] = {
        [ID_REORDERED] = "reordered",
        [ID_REPEATED] = "repeated",
        [ID_STALE] = "stale",
        [ID_UNASKED] = "unasked",
    };
    enum verdict verdict = ids_take(&connection->taken, &worker->wake, id);
    char detail[64];

    if (verdict <= ID_REORDERED)
        worker->had_ns[id - worker->wake.first][connection->index] = worker->heard_ns;
    if (KINDS[verdict] == NULL)
        return;
    snprintf(detail, sizeof detail, "%s id %jd", KINDS[verdict], (intmax_t)id);
    worker_fault(worker, connection, KINDS[verdict], detail);
}

/* Whether its wake is whole now. After its next poll was written: who is woken polls again. */
static void settle(struct worker *worker, struct connection *connection)
{
    if (!worker->is_asked || connection->is_woken || connection->descriptor < 0)
        return;
    if (ids_missing(&connection->taken, &worker->wake) > 0)
        return;
    connection->is_woken = true;
    worker->came_ns[connection->index - worker->first] = worker->heard_ns;
    worker->page->woken++;
    worker->unwoken--;
}

static void hear(struct worker *worker, struct connection *connection)
{
    size_t kept = connection->kept_size;
    ssize_t fresh;

    if (kept >= READ_BYTES) {
        worker_lose(worker, connection, "too_large", "an answer is over 256 KiB");
        return;
    }
    if (kept > 0)
        memcpy(worker->bytes, connection->kept, kept);
    fresh = recv(connection->descriptor, worker->bytes + kept, READ_BYTES - kept, 0);
    worker->heard_ns = now_ns();
    if (fresh < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (fresh <= 0) {
        returning_cut(worker, connection, "closed",
                      fresh < 0 ? strerror(errno) : "the server closed it");
        return;
    }
    way_hear(worker, connection, worker->bytes, (size_t)fresh);
    settle(worker, connection);
}

static void arm(struct worker *worker, struct wake wake)
{
    worker->wake = wake;
    worker->page->woken = 0;
    worker->is_asked = true;
    worker->unwoken = worker->page->living;
    memset(worker->came_ns, 0, (size_t)worker->count * sizeof *worker->came_ns);
    for (int id = 0; id < wake.count; id++)
        memset(&worker->had_ns[id][worker->first], 0,
               (size_t)worker->count * sizeof *worker->had_ns[id]);
    for (int each = 0; each < worker->count; each++) {
        ids_begin(&worker->connections[each].taken);
        worker->connections[each].is_woken = false;
    }
    tell(worker, ARMED);
}

/* The wake's time is over: what did not come is lost. */
static void close_wake(struct worker *worker)
{
    for (int each = 0; each < worker->count; each++) {
        struct connection *connection = &worker->connections[each];
        int missing = ids_missing(&connection->taken, &worker->wake);

        if (connection->is_deaf || (connection->descriptor < 0 && connection->again_ns == 0))
            continue;
        for (int id = 0; id < missing; id++)
            worker_fault(worker, connection, "lost", "an id did not come in time");
    }
    worker->is_asked = false;
    tell(worker, CLOSED);
}

/* The first of all connections, so many, read no more. The kernel takes little for them. */
static void deafen(struct worker *worker, int deaf)
{
    int bytes = DEAF_BYTES;

    for (int each = 0; each < worker->count && worker->first + each < deaf; each++) {
        struct connection *connection = &worker->connections[each];

        if (connection->descriptor < 0 || connection->is_deaf)
            continue;
        setsockopt(connection->descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
        epoll_ctl(worker->poller, EPOLL_CTL_DEL, connection->descriptor, NULL);
        connection->is_deaf = true;
        worker->page->living--;
    }
    tell(worker, DEAFENED);
}

static void obey(struct worker *worker)
{
    struct note note;

    if (recv(worker->parent, &note, sizeof note, 0) != sizeof note)
        exit(1);
    switch (note.what) {
    case BEGIN:
        worker->page->began_ns = now_ns();
        worker->is_begun = true;
        break;
    case ARM: arm(worker, note.wake); break;
    case CLOSE: close_wake(worker); break;
    case DEAFEN: deafen(worker, note.deaf); break;
    case CALL: calling_begin(worker, &note); break;
    default: worker->is_over = true;
    }
}

/* Handle what happened within so many nanoseconds, -1 for any. Returns how much that was. */
static int look(struct worker *worker, int64_t within_ns)
{
    struct timespec within = {within_ns / 1000000000, within_ns % 1000000000};
    struct epoll_event events[EVENTS];
    int count = epoll_pwait2(worker->poller, events, EVENTS, within_ns < 0 ? NULL : &within, NULL);

    for (int each = 0; each < count; each++) {
        struct connection *connection = events[each].data.ptr;

        if (connection == NULL)
            obey(worker);
        else if (connection->descriptor >= 0 && connection->state == CONNECTING)
            opening_connected(worker, connection);
        else if (connection->descriptor >= 0)
            hear(worker, connection);
    }
    return count;
}

/* Tell the parent, once, what it waits for. */
static void report(struct worker *worker)
{
    if (worker->is_begun && !worker->has_parked && worker->unparked == 0) {
        worker->has_parked = true;
        tell(worker, PARKED);
    }
    if (worker->is_asked && worker->unwoken == 0) {
        worker->is_asked = false;
        tell(worker, WOKEN);
    }
    if (worker->has_calls && calling_is_over(worker)) {
        worker->has_calls = false;
        tell(worker, CALLED);
    }
}

/* The shorter of two times; -1 is none. */
static int64_t sooner(int64_t one, int64_t other)
{
    return one < 0 || (other >= 0 && other < one) ? other : one;
}

/* Read what came, then leave at once: without a last word no port waits for a late packet. */
static void leave(struct worker *worker)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    for (int looks = 0; looks < LAST_LOOKS && look(worker, 0) > 0; looks++)
        continue;
    for (int each = 0; each < worker->count; each++) {
        int descriptor = worker->connections[each].descriptor;

        if (descriptor < 0)
            continue;
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(descriptor);
    }
}

static void pin(const struct options *options, int number)
{
    cpu_set_t cpus;

    if (options->cpu_count == 0)
        return;
    CPU_ZERO(&cpus);
    CPU_SET(options->cpus[number % options->cpu_count], &cpus);
    if (sched_setaffinity(0, sizeof cpus, &cpus) < 0)
        give_up("cannot run on CPU %d: %s", options->cpus[number % options->cpu_count],
                strerror(errno));
}

static void begin(struct worker *worker, const struct options *options, struct board *board)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    int parts = options->processes;

    worker->options = options;
    worker->page = &board->pages[worker->number];
    worker->first = (int)((int64_t)options->connections * worker->number / parts);
    worker->count =
        (int)((int64_t)options->connections * (worker->number + 1) / parts) - worker->first;
    worker->came_ns = &board->came_ns[worker->first];
    worker->had_ns = board->had_ns;
    worker->unparked = worker->count;
    worker->wake = (struct wake){options->after + 1, 0};
    worker->connections = calloc((size_t)worker->count, sizeof *worker->connections);
    worker->bytes = malloc(READ_BYTES);
    worker->poller = epoll_create1(EPOLL_CLOEXEC);
    for (int each = 0; each < worker->count; each++) {
        worker->connections[each].descriptor = -1;
        worker->connections[each].index = worker->first + each;
        worker->connections[each].cursor = options->after;
    }
    epoll_ctl(worker->poller, EPOLL_CTL_ADD, worker->parent, &event);
}

void worker_live(const struct options *options, struct board *board, int number, int parent)
{
    struct worker worker = {.number = number, .parent = parent};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin(options, number);
    begin(&worker, options, board);
    while (!worker.is_over) {
        bool is_held = worker.is_begun && opening_more(&worker);
        int64_t call_ns = calling_more(&worker), return_ns = returning_more(&worker);

        report(&worker);
        look(&worker, is_held ? PACE_NS : sooner(call_ns, return_ns));
    }
    leave(&worker);
}
