/* What is said on a connection: requests, and the frames that come before it is parked. */
#ifndef SAYING_H
#define SAYING_H

#include "websocket.h"
#include "worker.h"

/* Ask: the request of the way, from the cursor that the connection has. A poll is parked by it. */
void say_request(struct worker *worker, struct connection *connection);

/* Make a call: post the body of the options, or get what is at their path. */
void say_call(struct worker *worker, struct connection *connection);

void say_frame(struct worker *worker, struct connection *connection, enum opcode opcode,
               const char *bytes, size_t size);

/* Say what is next, until something has to be heard first; after the last step it is parked. */
void say_next(struct worker *worker, struct connection *connection);

#endif
