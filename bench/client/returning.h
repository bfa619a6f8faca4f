/* Returning: whoever was cut off, or told to come later, opens its connection again. */
#ifndef RETURNING_H
#define RETURNING_H

#include "worker.h"

/* Its connection was cut: with --returns it opens another one, else it is lost as `kind`. */
void returning_cut(struct worker *worker, struct connection *connection, const char *kind,
                   const char *detail);

/* Whether the answer to its opening tells it to come later, with --returns; then it will. */
bool returning_told(struct worker *worker, struct connection *connection, int status,
                    const char *head, size_t size);

/* Open those whose time has come. Returns how long it is to the next look in nanoseconds; -1 when
 * all are here. */
int64_t returning_more(struct worker *worker);

#endif
