/* Whether the ids of a wake come to a connection each once, without holes, rising. */
#ifndef IDS_H
#define IDS_H

#include <stdbool.h>
#include <stdint.h>

enum { WAKE_IDS_MAX = 64 }; /* the ids of one wake are the bits of a word */

/* The ids that a wake brings: `first`, `first + 1`, ... */
struct wake {
    int64_t first;
    int count;
};

/* What one connection has of a wake. */
struct taken {
    uint64_t seen;
    int8_t highest; /* the last place in the wake that came, -1 for none */
};

/* Up to ID_REORDERED it came for the first time. */
enum verdict {
    ID_RIGHT,
    ID_AHEAD,     /* an id before it has not come: it is lost unless it comes later */
    ID_REORDERED, /* one after it came before it */
    ID_REPEATED,
    ID_STALE,   /* of an earlier wake */
    ID_UNASKED, /* of no wake */
};

void ids_begin(struct taken *taken);
enum verdict ids_take(struct taken *taken, const struct wake *wake, int64_t id);
int ids_missing(const struct taken *taken, const struct wake *wake);

#endif
