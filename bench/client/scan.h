/* Finding ids, cursors and types in what a server said, without building a tree of it. */
#ifndef SCAN_H
#define SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IDS_MAX = 128,   /* an answer has at most 100 entries */
    TYPE_CHARS = 24, /* the longest type of a frame has 9 */
};

struct said {
    int64_t ids[IDS_MAX];
    int count;
    bool overflows; /* more ids than an answer may have */
    bool has_cursor;
    int64_t cursor; /* the id of the cursor, when there is one */
    bool has_base;
    int64_t base_id;       /* where ids of packed entries count from, when a `watched` says so */
    char type[TYPE_CHARS]; /* of a frame that is an object; empty when it has none */
};

/* A JSON text. It finds keys by their bytes: in JSON a quote inside of a string is escaped, so
 * `"id":` is a key wherever it stands. */
void scan_json(const char *text, size_t size, struct said *said);

/* A msgpack frame; entries count from `base_id`. False when it is not whole or no frame. */
bool scan_packed(const uint8_t *bytes, size_t size, int64_t base_id, struct said *said);

#endif
