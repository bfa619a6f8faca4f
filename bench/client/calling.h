/* Calling: requests that are answered one by one, posts or others, until time is over. */
#ifndef CALLING_H
#define CALLING_H

#include "worker.h"

/* Let connections call as the note says, each with one call out at a time: one after the other, or
 * `per_s` a second of all processes together. */
void calling_begin(struct worker *worker, const struct note *note);

/* Make the calls that are due at such a pace. Returns how long it is to the next one in
 * nanoseconds; -1 when none is to come, or nobody is free to make it. */
int64_t calling_more(struct worker *worker);

/* Whether no call is out, and none is to come. */
bool calling_is_over(const struct worker *worker);

/* Take the answer to a call, whole in `bytes`. Returns `size`, all of which is taken. */
size_t calling_answered(struct worker *worker, struct connection *connection, int status,
                        const char *bytes, size_t size);

#endif
