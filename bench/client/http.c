/* As much of HTTP/1.1 as a client that waits for answers has to understand. */
#define _GNU_SOURCE
#include "http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    HEAD_BYTES_MAX = 16384,
    CHUNK_BYTES_MAX = 1 << 24,
};

const char *http_header(const char *bytes, size_t size, const char *name, size_t *length)
{
    const char *end = bytes + size, *line = memchr(bytes, '\n', size);
    size_t name_size = strlen(name);

    while (line != NULL && ++line < end) {
        const char *line_end = memchr(line, '\n', (size_t)(end - line));
        const char *value = line + name_size + 1;

        if (line_end == NULL)
            return NULL;
        if (value <= line_end && value[-1] == ':' && strncasecmp(line, name, name_size) == 0) {
            while (value < line_end && (*value == ' ' || *value == '\t'))
                value++;
            *length = (size_t)(line_end - value);
            while (*length > 0 && strchr(" \t\r", value[*length - 1]) != NULL)
                (*length)--;
            return value;
        }
        line = line_end;
    }
    return NULL;
}

static bool says(const char *bytes, size_t size, const char *name, const char *word)
{
    size_t length;
    const char *value = http_header(bytes, size, name, &length);

    return value != NULL && length == strlen(word) && strncasecmp(value, word, length) == 0;
}

enum reading http_head(const char *bytes, size_t size, struct head *head)
{
    const char *end = memmem(bytes, size, "\r\n\r\n", 4), *value;
    size_t length;

    if (end == NULL)
        return size > HEAD_BYTES_MAX ? READ_BROKEN : READ_MORE;
    if (size < 14 || memcmp(bytes, "HTTP/1.", 7) != 0 || bytes[8] != ' ')
        return READ_BROKEN;
    head->size = (size_t)(end - bytes) + 4;
    head->status = atoi(bytes + 9);
    head->length = LENGTH_UNSAID;
    value = http_header(bytes, head->size, "content-length", &length);
    if (value != NULL)
        head->length = (ssize_t)strtoul(value, NULL, 10);
    head->is_chunked = says(bytes, head->size, "transfer-encoding", "chunked");
    head->closes = says(bytes, head->size, "connection", "close");
    return head->status >= 100 ? READ_WHOLE : READ_BROKEN;
}

/* One byte of a chunk's frame. Returns false when it cannot stand there. */
static bool frame_byte(struct chunks *chunks, char byte)
{
    const char *digits = "0123456789abcdef", *digit;

    switch (chunks->state) {
    case CHUNK_SIZE:
        digit = byte ? strchr(digits, byte | 0x20) : NULL;
        if (digit != NULL && (byte != '\r' && byte != '\n')) {
            chunks->left = chunks->left * 16 + (size_t)(digit - digits);
            return chunks->left <= CHUNK_BYTES_MAX;
        }
        chunks->state = CHUNK_REST_OF_LINE;
        return byte == '\r' || byte == ';';
    case CHUNK_REST_OF_LINE:
        if (byte == '\n') {
            chunks->state = chunks->left > 0 ? CHUNK_BYTES : CHUNK_TRAILER;
            chunks->line = 0;
        }
        return true;
    case CHUNK_END:
        if (byte == '\n')
            chunks->state = CHUNK_SIZE;
        return byte == '\r' || byte == '\n';
    case CHUNK_TRAILER:
        if (byte == '\n' && chunks->line == 0)
            chunks->state = CHUNKS_OVER;
        chunks->line = byte == '\n' ? 0 : chunks->line + (byte != '\r');
        return true;
    default: return true;
    }
}

ssize_t http_unchunk(struct chunks *chunks, char *bytes, size_t size)
{
    size_t kept = 0, at = 0;

    while (at < size && chunks->state != CHUNKS_OVER) {
        if (chunks->state == CHUNK_BYTES) {
            size_t part = chunks->left < size - at ? chunks->left : size - at;

            memmove(bytes + kept, bytes + at, part);
            kept += part;
            at += part;
            chunks->left -= part;
            if (chunks->left == 0)
                chunks->state = CHUNK_END;
        } else if (!frame_byte(chunks, bytes[at++])) {
            return -1;
        }
    }
    return (ssize_t)kept;
}
