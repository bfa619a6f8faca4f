/* Calling: requests that are answered one by one, posts or others, until time is over. */
#include "calling.h"

#include "hearing.h"
#include "saying.h"

enum { OK = 200, CREATED = 201 };

/* A call is as old as the moment at which it was due: one that had to wait for a free connection
 * has waited. */
static void call(struct worker *worker, struct connection *connection, int64_t due_ns)
{
    connection->sent_ns = due_ns;
    connection->is_calling = true;
    worker->calling++;
    say_call(worker, connection);
    connection->called++;
}

/* The next that has no call out, in turns. NULL: there is none. */
static struct connection *idle(struct worker *worker)
{
    for (int each = 0; each < worker->count; each++) {
        struct connection *connection = &worker->connections[worker->turn++ % worker->count];

        if (connection->descriptor >= 0 && !connection->is_calling)
            return connection;
    }
    return NULL;
}

void calling_begin(struct worker *worker, const struct note *note)
{
    int64_t began_ns = now_ns();
    struct connection *connection;

    worker->until_ns = note->until_ns;
    worker->has_calls = true;
    if (!note->is_more)
        worker->page->calls = 0;
    worker->is_paced = note->per_s > 0;
    if (worker->is_paced) {
        worker->pace_ns = (int64_t)(1e9 * worker->options->processes / note->per_s);
        worker->due_ns = began_ns + worker->pace_ns * worker->number / worker->options->processes;
        return;
    }
    while ((connection = idle(worker)) != NULL)
        call(worker, connection, now_ns());
}

int64_t calling_more(struct worker *worker)
{
    struct connection *connection;

    if (!worker->has_calls || !worker->is_paced)
        return -1;
    while (worker->due_ns <= now_ns() && worker->due_ns < worker->until_ns) {
        connection = idle(worker);
        if (connection == NULL)
            return -1;
        call(worker, connection, worker->due_ns);
        worker->due_ns += worker->pace_ns;
    }
    return worker->due_ns < worker->until_ns ? worker->due_ns - now_ns() : -1;
}

bool calling_is_over(const struct worker *worker)
{
    return worker->calling == 0 && (!worker->is_paced || worker->due_ns >= worker->until_ns);
}

size_t calling_answered(struct worker *worker, struct connection *connection, int status,
                        const char *bytes, size_t size)
{
    struct page *page = worker->page;

    /* Nothing is posted twice here, so a repetition is as wrong as a refusal. */
    if (status != (worker->options->way == WAY_POST ? CREATED : OK)) {
        hear_refusal(worker, connection, status, bytes, size);
        return size;
    }
    page->took_us[page->calls++ % CALLS_KEPT] =
        (uint32_t)((worker->heard_ns - connection->sent_ns) / 1000);
    page->called_ns = worker->heard_ns;
    connection->is_calling = false;
    worker->calling--;
    if (!worker->is_paced && worker->heard_ns < worker->until_ns)
        call(worker, connection, now_ns());
    return size;
}
