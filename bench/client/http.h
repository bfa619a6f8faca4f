/* As much of HTTP/1.1 as a client that waits for answers has to understand. */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { LENGTH_UNSAID = -1 };

/* The head of an answer. */
struct head {
    int status;
    ssize_t length; /* of the body, LENGTH_UNSAID when it does not say */
    bool is_chunked;
    bool closes;
    size_t size; /* of the head, its empty line included */
};

enum reading { READ_MORE, READ_WHOLE, READ_BROKEN };

enum reading http_head(const char *bytes, size_t size, struct head *head);

/* The value of a header of a whole head, without spaces around; NULL when it has none. */
const char *http_header(const char *bytes, size_t size, const char *name, size_t *length);

/* Where a stream of chunks is. Zeroed at its beginning. */
struct chunks {
    enum {
        CHUNK_SIZE,
        CHUNK_REST_OF_LINE,
        CHUNK_BYTES,
        CHUNK_END,
        CHUNK_TRAILER,
        CHUNKS_OVER
    } state;
    size_t left;
    size_t line; /* characters of the trailer's line */
};

/* Take the chunks' frames out of `bytes`, in place. Returns the size of what remains, -1 when they
 * are broken. What comes after the last chunk is dropped: nothing is asked before it. */
ssize_t http_unchunk(struct chunks *chunks, char *bytes, size_t size);

#endif
