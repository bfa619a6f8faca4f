/* What is said on a connection: requests, and the frames that come before it is parked. */
#define _GNU_SOURCE
#include "saying.h"

#include <stdio.h>
#include <string.h>

/* Any 16 bytes are a key. As all have the same, a server without logic can know the answer. */
static const char KEY[] = "AAAAAAAAAAAAAAAAAAAAAA==";

/* Text that grows; what does not fit ends the process. */
struct text {
    char bytes[REQUEST_BYTES_MAX];
    size_t size;
};

static void add(struct text *text, const char *bytes, size_t size)
{
    if (text->size + size > sizeof text->bytes)
        give_up("what is to be said at once has over %d bytes", REQUEST_BYTES_MAX);
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
}

static void add_words(struct text *text, const char *words)
{
    add(text, words, strlen(words));
}

static void add_number(struct text *text, int64_t number)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%jd", (intmax_t)number);
    add_words(text, digits);
}

static bool takes(const char **form, const char *word)
{
    size_t size = strlen(word);

    if (strncmp(*form, word, size) != 0)
        return false;
    *form += size;
    return true;
}

/* Add `form` with {token}, {channel}, {id}, {n} and {k} filled in. */
static void fill(struct text *text, const struct options *options,
                 const struct connection *connection, const char *form)
{
    while (*form != '\0') {
        size_t plain = strcspn(form, "{");

        add(text, form, plain);
        form += plain;
        if (options->token_count > 0 && takes(&form, "{token}"))
            add_words(text, options->tokens[connection->index % options->token_count]);
        else if (options->channel_count > 0 && takes(&form, "{channel}"))
            add_words(text, options->channels[connection->index % options->channel_count]);
        else if (takes(&form, "{id}"))
            add_number(text, connection->cursor);
        else if (takes(&form, "{n}"))
            add_number(text, connection->index);
        else if (takes(&form, "{k}"))
            add_number(text, connection->called);
        else if (*form != '\0')
            add(text, form++, 1);
    }
}

static void add_headers(struct text *text, const struct options *options,
                        const struct connection *connection)
{
    for (int each = 0; each < options->header_count; each++) {
        fill(text, options, connection, options->headers[each]);
        add_words(text, "\r\n");
    }
    for (int each = 0; each < options->carried_count; each++) {
        if (connection->carried[each] == NULL)
            continue;
        add_words(text, options->carried[each][1]);
        add_words(text, ": ");
        add_words(text, connection->carried[each]);
        add_words(text, "\r\n");
    }
}

static void add_way(struct text *text, const struct options *options)
{
    if (options->way == WAY_SSE)
        add_words(text, "Accept: text/event-stream\r\n");
    if (options->way != WAY_WS)
        return;
    add_words(text, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
    add_words(text, "Sec-WebSocket-Key: ");
    add_words(text, KEY);
    add_words(text, "\r\n");
    if (options->protocol == NULL)
        return;
    add_words(text, "Sec-WebSocket-Protocol: ");
    add_words(text, options->protocol);
    add_words(text, "\r\n");
}

void say_request(struct worker *worker, struct connection *connection)
{
    const struct options *options = worker->options;
    struct text text;

    text.size = 0;
    add_words(&text, "GET ");
    fill(&text, options, connection, options->path);
    add_words(&text, " HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    add_headers(&text, options, connection);
    add_way(&text, options);
    add_words(&text, "\r\n");
    connection->state = OPENING;
    worker_send(worker, connection, text.bytes, text.size);
    if (options->way == WAY_POLL && connection->descriptor >= 0)
        worker_parked(worker, connection);
}

void say_call(struct worker *worker, struct connection *connection)
{
    const struct options *options = worker->options;
    struct text text = {.size = 0}, body = {.size = 0};

    add_words(&text, options->way == WAY_GET ? "GET " : "POST ");
    fill(&text, options, connection, options->path);
    add_words(&text, " HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    add_headers(&text, options, connection);
    if (options->way == WAY_POST) {
        fill(&body, options, connection, options->body);
        add_words(&text, "Content-Type: application/json\r\nContent-Length: ");
        add_number(&text, (int64_t)body.size);
        add_words(&text, "\r\n");
    }
    add_words(&text, "\r\n");
    add(&text, body.bytes, body.size);
    worker_send(worker, connection, text.bytes, text.size);
}

void say_frame(struct worker *worker, struct connection *connection, enum opcode opcode,
               const char *bytes, size_t size)
{
    uint8_t out[REQUEST_BYTES_MAX + WS_HEAD_MAX];

    if (size > REQUEST_BYTES_MAX)
        worker_lose(worker, connection, "ping_too_large", "it would be answered with as much");
    else
        worker_send(worker, connection, out, ws_write(out, opcode, (const uint8_t *)bytes, size));
}

void say_next(struct worker *worker, struct connection *connection)
{
    const struct options *options = worker->options;
    struct text text;

    while (connection->step < options->step_count) {
        const struct step *step = &options->steps[connection->step];

        if (step->what == HEAR)
            return;
        connection->step++;
        text.size = 0;
        if (step->what == SAY_TEXT)
            fill(&text, options, connection, step->bytes);
        else
            add(&text, step->bytes, step->size);
        say_frame(worker, connection, step->what == SAY_TEXT ? WS_TEXT : WS_BINARY, text.bytes,
                  text.size);
        if (connection->descriptor < 0)
            return;
    }
    worker_parked(worker, connection);
}
