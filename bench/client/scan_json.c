/* Ids, cursor and type of a JSON text. */
#define _GNU_SOURCE
#include "scan.h"

#include <string.h>

static const char ID[] = "\"id\":";
static const char CURSOR[] = "\"cursor\":\"";
static const char TYPE[] = "{\"type\":\"";
static const char *const SPECIAL[] = {"jump", "reset", "drain", "problem"};

static const char *find(const char *from, const char *end, const char *what, size_t size)
{
    return memmem(from, (size_t)(end - from), what, size);
}

/* The number at `at`, if there is one. */
static const char *number(const char *at, const char *end, int64_t *value)
{
    const char *from = at;

    *value = 0;
    while (at < end && *at >= '0' && *at <= '9' && at - from < 18)
        *value = *value * 10 + (*at++ - '0');
    return at > from ? at : NULL;
}

static void scan_ids(const char *at, const char *end, struct said *said)
{
    while ((at = find(at, end, ID, sizeof ID - 1)) != NULL) {
        int64_t id;

        at += sizeof ID - 1;
        if (number(at, end, &id) == NULL)
            continue; /* an id of something else, which is a string */
        if (said->count == IDS_MAX) {
            said->overflows = true;
            return;
        }
        said->ids[said->count++] = id;
    }
}

static void scan_cursor(const char *at, const char *end, struct said *said)
{
    int64_t epoch;

    at = find(at, end, CURSOR, sizeof CURSOR - 1);
    if (at == NULL)
        return;
    at = number(at + sizeof CURSOR - 1, end, &epoch);
    if (at == NULL || at == end || *at != '-')
        return;
    said->has_cursor = number(at + 1, end, &said->cursor) != NULL;
}

static void copy_type(const char *at, const char *end, struct said *said)
{
    size_t size = 0;

    while (at < end && *at != '"' && size < TYPE_CHARS - 1)
        said->type[size++] = *at++;
    said->type[size] = '\0';
}

/* The answer to a poll has no type: what is special about it is a key of its own. */
static void scan_special(const char *text, const char *end, struct said *said)
{
    for (size_t each = 0; each < sizeof SPECIAL / sizeof *SPECIAL; each++) {
        char key[TYPE_CHARS] = "\"";

        strcat(strcat(key, SPECIAL[each]), "\":{");
        if (find(text, end, key, strlen(key)) != NULL)
            strcpy(said->type, SPECIAL[each]);
    }
}

void scan_json(const char *text, size_t size, struct said *said)
{
    const char *end = text + size;

    memset(said, 0, sizeof *said);
    scan_ids(text, end, said);
    scan_cursor(text, end, said);
    if (size >= sizeof TYPE && memcmp(text, TYPE, sizeof TYPE - 1) == 0)
        copy_type(text + sizeof TYPE - 1, end, said);
    else if (said->count == 0)
        scan_special(text, end, said);
}
