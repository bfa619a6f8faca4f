/* Posting: each connection has one post out at a time, until time is over. */
#ifndef POSTING_H
#define POSTING_H

#include "worker.h"

/* Let every connection post; who has an answer by `until_ns` posts again. */
void posting_begin(struct worker *worker, int64_t until_ns);

/* Take the answer to a post, whole in `bytes`. Returns `size`, all of which is taken. */
size_t posting_answered(struct worker *worker, struct connection *connection, int status,
                        const char *bytes, size_t size);

#endif
