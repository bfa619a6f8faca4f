/* One process of the client: its connections, and what it is told and tells. */
#ifndef WORKER_H
#define WORKER_H

#include "board.h"
#include "http.h"
#include "ids.h"
#include "options.h"

enum { READ_BYTES = 256 << 10 };

/* Between the parent and a process, both ways. */
struct note {
    enum {
        BEGIN,
        PARKED,
        ARM,
        ARMED,
        WOKEN,
        CLOSE,
        CLOSED,
        CALL,
        CALLED,
        DEAFEN,
        DEAFENED,
        END
    } what;
    struct wake wake; /* of ARM */
    int64_t until_ns; /* of CALL */
    double per_s;     /* of CALL; 0: one after the other */
    bool is_more;     /* of CALL: those before are told with these */
    int deaf;         /* of DEAFEN */
};

struct connection {
    int descriptor; /* -1 when it is over */
    int index;      /* among all connections of the client */
    enum { CONNECTING, OPENING, SPEAKING } state;
    int step;
    int cuts;         /* how often it was cut off, or could not connect */
    int64_t again_ns; /* when it opens again; 0: it need not */
    bool is_parked, is_woken, is_chunked, is_calling, is_deaf;
    struct taken taken;
    int64_t cursor;
    int64_t base_id;
    long called;     /* calls that it has made */
    int64_t sent_ns; /* when the last one was due */
    struct chunks chunks;
    char *kept; /* what came and is not whole yet */
    size_t kept_size;
    char *carried[CARRIED_MAX];
};

struct worker {
    const struct options *options;
    struct page *page;
    int64_t *came_ns; /* of its first connection */
    int64_t (*had_ns)[CONNECTIONS_MAX]; /* of each id, of all connections */
    int number, parent, poller;
    int first, count; /* its part of all connections */
    struct connection *connections;
    int begun, opening, unparked, unwoken, calling, away;
    int64_t looked_ns; /* when those who are away were looked at */
    struct wake wake;
    int64_t heard_ns; /* when the bytes under work came */
    int64_t until_ns; /* who has an answer by then calls again */
    int64_t due_ns, pace_ns; /* when the next call is due, and how long it is to another */
    int turn;                /* whose call it is */
    bool is_paced;
    bool is_begun, has_parked, is_asked, has_calls, is_over;
    char *bytes;
};

/* Live until the parent says END or goes away. */
void worker_live(const struct options *options, struct board *board, int number, int parent);

/* Send all of it, or lose the connection. */
void worker_send(struct worker *worker, struct connection *connection, const void *bytes,
                 size_t size);

/* The connection is over, for the reason `kind`. */
void worker_lose(struct worker *worker, struct connection *connection, const char *kind,
                 const char *detail);

/* Something was wrong that does not end it. */
void worker_fault(struct worker *worker, struct connection *connection, const char *kind,
                  const char *detail);

/* It waits for entries now; said again it is nothing. */
void worker_parked(struct worker *worker, struct connection *connection);

/* Judge an id that came. */
void worker_take(struct worker *worker, struct connection *connection, int64_t id);

#endif
