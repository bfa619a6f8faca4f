/* What becomes of what is heard: answers of long-polls, events, frames of a WebSocket. */
#define _GNU_SOURCE
#include "ways.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calling.h"
#include "hearing.h"
#include "returning.h"
#include "saying.h"

static void carry(struct worker *worker, struct connection *connection, const char *bytes,
                  size_t size)
{
    for (int each = 0; each < worker->options->carried_count; each++) {
        size_t length;
        const char *value = http_header(bytes, size, worker->options->carried[each][0], &length);

        if (value == NULL)
            continue;
        free(connection->carried[each]);
        connection->carried[each] = strndup(value, length);
    }
}

/* The body of an answer, whole, when `size` bytes hold it. `used` is what head and body take. */
static enum reading body_of(const struct head *head, char *bytes, size_t size, size_t *length,
                            size_t *used)
{
    struct chunks chunks = {0};
    ssize_t whole;
    char *copy;

    if (!head->is_chunked) {
        *length = head->length > 0 ? (size_t)head->length : 0;
        *used = head->size + *length;
        return size < *used ? READ_MORE : READ_WHOLE;
    }
    copy = malloc(size);
    memcpy(copy, bytes + head->size, size - head->size);
    whole = http_unchunk(&chunks, copy, size - head->size);
    if (whole >= 0 && chunks.state == CHUNKS_OVER) {
        memcpy(bytes + head->size, copy, (size_t)whole);
        *length = (size_t)whole;
        *used = size; /* one request is out, so nothing stands behind its answer */
    }
    free(copy);
    return whole < 0 ? READ_BROKEN : chunks.state == CHUNKS_OVER ? READ_WHOLE : READ_MORE;
}

static size_t hear_answer(struct worker *worker, struct connection *connection, char *bytes,
                          size_t size)
{
    struct head head;
    size_t length, used;
    enum reading reading = http_head(bytes, size, &head);

    if (reading == READ_WHOLE)
        reading = body_of(&head, bytes, size, &length, &used);
    if (reading == READ_BROKEN)
        hear_fault(worker, connection, "http", bytes, size);
    if (reading != READ_WHOLE)
        return 0;
    if (way_calls(worker->options->way))
        return calling_answered(worker, connection, head.status, bytes, used);
    if (head.status != 200) {
        hear_refusal(worker, connection, head.status, bytes, used);
        return used;
    }
    int64_t before = connection->cursor;
    carry(worker, connection, bytes, head.size);
    hear_text(worker, connection, bytes + head.size, length);
    if (connection->cursor == before)
        worker->page->empties++;
    if (head.closes)
        hear_fault(worker, connection, "closes", bytes, head.size);
    else if (connection->descriptor >= 0)
        say_request(worker, connection);
    return used;
}

/* The answer that opens a stream. Returns how many bytes its head took. */
static size_t hear_opening(struct worker *worker, struct connection *connection, char *bytes,
                           size_t size)
{
    int hoped_for = worker->options->way == WAY_WS ? 101 : 200;
    struct head head;
    enum reading reading = http_head(bytes, size, &head);

    if (reading == READ_BROKEN)
        hear_fault(worker, connection, "http", bytes, size);
    if (reading != READ_WHOLE)
        return 0;
    if (returning_told(worker, connection, head.status, bytes, head.size))
        return 0;
    if (head.status != hoped_for) {
        hear_refusal(worker, connection, head.status, bytes, size);
        return size;
    }
    connection->state = SPEAKING;
    connection->is_chunked = head.is_chunked && worker->options->way == WAY_SSE;
    say_next(worker, connection);
    return head.size;
}

/* One event, up to its empty line. */
static size_t hear_event(struct worker *worker, struct connection *connection, char *bytes,
                         size_t size)
{
    char *end = memmem(bytes, size, "\n\n", 2), *crlf = memmem(bytes, size, "\r\n\r\n", 4), *data;
    size_t gap = 2;

    if (crlf != NULL && (end == NULL || crlf < end)) {
        end = crlf;
        gap = 4;
    }
    if (end == NULL)
        return 0;
    data = memmem(bytes, (size_t)(end - bytes), "data:", 5);
    if (data != NULL) {
        data += data + 5 < end && data[5] == ' ' ? 6 : 5;
        hear_text(worker, connection, data, (size_t)(end - data));
    }
    return (size_t)(end - bytes) + gap;
}

static size_t hear_frame(struct worker *worker, struct connection *connection, char *bytes,
                         size_t size)
{
    struct frame heard;
    enum reading reading = ws_read((const uint8_t *)bytes, size, &heard);
    const char *payload;
    char kind[FAULT_CHARS];

    if (reading == READ_BROKEN)
        hear_fault(worker, connection, "websocket", "a frame is broken, or in fragments", 34);
    if (reading != READ_WHOLE)
        return 0;
    payload = (const char *)heard.payload;
    if (heard.opcode == WS_TEXT)
        hear_text(worker, connection, payload, heard.length);
    else if (heard.opcode == WS_BINARY && worker->options->packs)
        hear_packed(worker, connection, payload, heard.length);
    else if (heard.opcode == WS_BINARY)
        hear_text(worker, connection, payload, heard.length);
    else if (heard.opcode == WS_PING)
        say_frame(worker, connection, WS_PONG, payload, heard.length);
    else if (heard.opcode == WS_CLOSE) {
        unsigned code = heard.length < 2 ? 1005 : heard.payload[0] << 8 | heard.payload[1];
        snprintf(kind, sizeof kind, "close_%u", code);
        hear_fault(worker, connection, kind, payload + 2, heard.length < 2 ? 0 : heard.length - 2);
    }
    return heard.size;
}

static size_t hear_one(struct worker *worker, struct connection *connection, char *bytes,
                       size_t size)
{
    if (worker->options->way == WAY_POLL || way_calls(worker->options->way))
        return hear_answer(worker, connection, bytes, size);
    if (worker->options->way == WAY_WS)
        return hear_frame(worker, connection, bytes, size);
    return hear_event(worker, connection, bytes, size);
}

static void keep(struct connection *connection, const char *bytes, size_t size)
{
    if (size > 0) {
        connection->kept = realloc(connection->kept, size);
        memmove(connection->kept, bytes, size);
    } else {
        free(connection->kept);
        connection->kept = NULL;
    }
    connection->kept_size = size;
}

void way_hear(struct worker *worker, struct connection *connection, char *bytes, size_t fresh)
{
    size_t size = connection->kept_size + fresh, at = 0, took = 1;
    ssize_t whole = (ssize_t)fresh;

    if (connection->state == OPENING && worker->options->way != WAY_POLL &&
        !way_calls(worker->options->way)) {
        at = hear_opening(worker, connection, bytes, size);
        if (at == 0 || connection->descriptor < 0) {
            keep(connection, bytes, connection->descriptor < 0 ? 0 : size);
            return;
        }
        fresh = size - at;
        whole = (ssize_t)fresh;
    }
    if (connection->is_chunked)
        whole = http_unchunk(&connection->chunks, bytes + size - fresh, fresh);
    if (whole < 0) {
        hear_fault(worker, connection, "chunks", "the frames of chunks are broken", 31);
        return;
    }
    size -= fresh - (size_t)whole;
    while (took > 0 && at < size && connection->descriptor >= 0) {
        took = hear_one(worker, connection, bytes + at, size - at);
        at += took;
    }
    keep(connection, bytes + at, connection->descriptor < 0 ? 0 : size - at);
}
