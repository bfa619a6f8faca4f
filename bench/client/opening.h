/* Opening connections, no faster than one was told. */
#ifndef OPENING_H
#define OPENING_H

#include "worker.h"

/* Begin as many connections as it is time for. True when only time holds back the next one. */
bool opening_more(struct worker *worker);

/* Begin this one, at the target whose turn it is. */
void opening_begin(struct worker *worker, struct connection *connection);

/* A connection that was begun is there, or failed. */
void opening_connected(struct worker *worker, struct connection *connection);

#endif
