/* What a message says, whatever it came in: ids, cursors, and what is no entry. */
#define _GNU_SOURCE
#include "hearing.h"

#include <stdio.h>
#include <string.h>

#include "saying.h"
#include "scan.h"

/* Frames that mean that all is well; another type is counted as a fault of that name. */
static const char *const FINE[] = {"", "entries", "welcome", "watched", "beat", "pong"};

void hear_fault(struct worker *worker, struct connection *connection, const char *kind,
                const char *bytes, size_t size)
{
    char detail[DETAIL_CHARS];

    snprintf(detail, sizeof detail, "%s: %.*s", kind, (int)(size < 150 ? size : 150), bytes);
    worker_lose(worker, connection, kind, detail);
}

static void reply(struct worker *worker, struct connection *connection, const char *bytes,
                  size_t size)
{
    const struct options *options = worker->options;

    for (int each = 0; each < options->reply_count; each++) {
        const char *heard = options->replies[each][0], *said = options->replies[each][1];

        if (size >= strlen(heard) && memcmp(bytes, heard, strlen(heard)) == 0)
            say_frame(worker, connection, WS_TEXT, said, strlen(said));
    }
}

static void hear_step(struct worker *worker, struct connection *connection, const char *bytes,
                      size_t size)
{
    const struct step *step = &worker->options->steps[connection->step];

    if (connection->step == worker->options->step_count || step->what != HEAR)
        return;
    if (memmem(bytes, size, step->bytes, step->size) == NULL)
        return;
    connection->step++;
    say_next(worker, connection);
}

static bool is_fine(const char *type)
{
    for (size_t each = 0; each < sizeof FINE / sizeof *FINE; each++)
        if (strcmp(type, FINE[each]) == 0)
            return true;
    return false;
}

/* Take the ids of a message, and its cursor. */
static void take(struct worker *worker, struct connection *connection, const struct said *said,
                 const char *bytes, size_t size)
{
    char detail[DETAIL_CHARS];
    int64_t last = said->count > 0 ? said->ids[said->count - 1] : connection->cursor;

    for (int each = 0; each < said->count; each++)
        worker_take(worker, connection, said->ids[each]);
    if (said->overflows)
        worker_fault(worker, connection, "too_many_ids", "an answer has over 128 ids");
    snprintf(detail, sizeof detail, "%.*s", (int)(size < 190 ? size : 190), bytes);
    if (!is_fine(said->type))
        worker_fault(worker, connection, said->type, detail);
    if (said->has_cursor && said->count > 0 && said->cursor != last)
        worker_fault(worker, connection, "cursor_wrong", detail);
    if (said->has_base)
        connection->base_id = said->base_id;
    connection->cursor = said->has_cursor && said->count == 0 ? said->cursor : last;
}

void hear_text(struct worker *worker, struct connection *connection, const char *text, size_t size)
{
    struct said said;

    scan_json(text, size, &said);
    take(worker, connection, &said, text, size);
    reply(worker, connection, text, size);
    if (connection->descriptor >= 0)
        hear_step(worker, connection, text, size);
}

void hear_packed(struct worker *worker, struct connection *connection, const char *bytes,
                 size_t size)
{
    struct said said;

    if (!scan_packed((const uint8_t *)bytes, size, connection->base_id, &said)) {
        hear_fault(worker, connection, "msgpack", "a frame is not whole", 20);
        return;
    }
    take(worker, connection, &said, said.type, strlen(said.type));
    hear_step(worker, connection, bytes, size);
}

void hear_refusal(struct worker *worker, struct connection *connection, int status,
                  const char *bytes, size_t size)
{
    static const char CODE[] = "\"code\":\"";
    const char *code = memmem(bytes, size, CODE, sizeof CODE - 1);
    char kind[FAULT_CHARS];
    int length = 0;

    if (code != NULL) {
        code += sizeof CODE - 1;
        while (code + length < bytes + size && code[length] != '"' && length < 30)
            length++;
    }
    snprintf(kind, sizeof kind, "http_%d%s%.*s", status, length ? "_" : "", length,
             code ? code : "");
    hear_fault(worker, connection, kind, bytes, size);
}
