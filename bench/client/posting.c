/* Posting: each connection has one post out at a time, until time is over. */
#include "posting.h"

#include "hearing.h"
#include "saying.h"

enum { CREATED = 201 };

static void post(struct worker *worker, struct connection *connection)
{
    connection->sent_ns = now_ns();
    say_post(worker, connection);
    connection->posted++;
}

void posting_begin(struct worker *worker, int64_t until_ns)
{
    worker->until_ns = until_ns;
    worker->has_posts = true;
    worker->page->posts = 0;
    for (int each = 0; each < worker->count; each++) {
        struct connection *connection = &worker->connections[each];

        if (connection->descriptor < 0)
            continue;
        connection->is_posting = true;
        worker->posting++;
        post(worker, connection);
    }
}

size_t posting_answered(struct worker *worker, struct connection *connection, int status,
                        const char *bytes, size_t size)
{
    struct page *page = worker->page;

    if (status != CREATED) {
        /* Nothing is posted twice here, so a repetition is as wrong as a refusal. */
        hear_refusal(worker, connection, status, bytes, size);
        return size;
    }
    page->took_us[page->posts++ % POSTS_KEPT] =
        (uint32_t)((worker->heard_ns - connection->sent_ns) / 1000);
    page->posted_ns = worker->heard_ns;
    if (worker->heard_ns < worker->until_ns) {
        post(worker, connection);
    } else {
        connection->is_posting = false;
        worker->posting--;
    }
    return size;
}
