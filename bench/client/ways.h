/* What becomes of what is heard: answers of long-polls, events, frames of a WebSocket. */
#ifndef WAYS_H
#define WAYS_H

#include "worker.h"

/* Take what is whole of `bytes`: what was kept of the connection, then `fresh` bytes that came now.
 * The rest is kept. The connection may be over after it. */
void way_hear(struct worker *worker, struct connection *connection, char *bytes, size_t fresh);

#endif
