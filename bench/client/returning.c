/* Returning: whoever was cut off, or told to come later, opens its connection again. */
#include "returning.h"

#include <stdlib.h>
#include <unistd.h>

#include "opening.h"

enum {
    TOO_MANY = 429,
    AWAY = 503,
    LOOK_NS = 10000000,
    S_NS = 1000000000,
    SPREAD_NS = 1000000, /* between two who are told the same second */
    SPREAD = 100,
};

static void leave(struct worker *worker, struct connection *connection, int64_t again_ns)
{
    close(connection->descriptor);
    connection->descriptor = -1;
    worker->page->living--;
    if (connection->is_parked) {
        worker->page->parked--;
        worker->unparked++;
    } else {
        worker->opening--;
    }
    connection->is_parked = connection->is_chunked = false;
    connection->state = CONNECTING;
    connection->step = 0;
    connection->chunks = (struct chunks){0};
    connection->again_ns = again_ns;
    worker->away++;
}

void returning_cut(struct worker *worker, struct connection *connection, const char *kind,
                   const char *detail)
{
    if (!worker->options->returns) {
        worker_lose(worker, connection, kind, detail);
        return;
    }
    worker->page->cut += connection->is_parked;
    /* The next target is asked; but who is told to come later has its turn where it is. */
    connection->cuts++;
    leave(worker, connection, now_ns());
}

bool returning_told(struct worker *worker, struct connection *connection, int status,
                    const char *head, size_t size)
{
    size_t length;
    const char *after = http_header(head, size, "retry-after", &length);

    if (!worker->options->returns || (status != TOO_MANY && status != AWAY) || after == NULL)
        return false;
    worker->page->refused++;
    leave(worker, connection,
          now_ns() + atoi(after) * (int64_t)S_NS + connection->index % SPREAD * SPREAD_NS);
    return true;
}

int64_t returning_more(struct worker *worker)
{
    int64_t now = now_ns();

    if (worker->away == 0)
        return -1;
    if (now < worker->looked_ns + LOOK_NS)
        return worker->looked_ns + LOOK_NS - now;
    worker->looked_ns = now;
    for (int each = 0; each < worker->count; each++) {
        struct connection *connection = &worker->connections[each];

        if (worker->opening >= worker->options->opening_max)
            break;
        if (connection->again_ns == 0 || connection->again_ns > now)
            continue;
        connection->again_ns = 0;
        worker->away--;
        opening_begin(worker, connection);
    }
    return LOOK_NS;
}
