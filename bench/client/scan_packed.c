/* Ids of a msgpack frame: entries are an array, every other frame is a map with a type. */
#include "scan.h"

#include <string.h>

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool is_broken;
};

/* What one value is: how many bytes follow its head, and how many values. */
struct value {
    uint8_t head;
    size_t bytes;
    size_t values;
    int64_t number;
};

static uint64_t big_endian(struct reader *reader, size_t size)
{
    uint64_t value = 0;

    if ((size_t)(reader->end - reader->at) < size) {
        reader->is_broken = true;
        return 0;
    }
    while (size--)
        value = value << 8 | *reader->at++;
    return value;
}

static int64_t signed_of(uint64_t value, size_t size)
{
    unsigned unused = 64 - 8 * (unsigned)size;

    return (int64_t)(value << unused) >> unused;
}

/* The values whose head is one byte, 0xc0 to 0xdf. */
static struct value long_value(struct reader *reader, uint8_t head)
{
    struct value value = {.head = head};

    if (head >= 0xc4 && head <= 0xc6)
        value.bytes = big_endian(reader, 1u << (head - 0xc4));
    else if (head >= 0xc7 && head <= 0xc9)
        value.bytes = big_endian(reader, 1u << (head - 0xc7)) + 1;
    else if (head == 0xca || head == 0xcb)
        value.bytes = head == 0xca ? 4 : 8;
    else if (head >= 0xcc && head <= 0xcf)
        value.number = (int64_t)big_endian(reader, 1u << (head - 0xcc));
    else if (head >= 0xd0 && head <= 0xd3)
        value.number = signed_of(big_endian(reader, 1u << (head - 0xd0)), 1u << (head - 0xd0));
    else if (head >= 0xd4 && head <= 0xd8)
        value.bytes = (1u << (head - 0xd4)) + 1;
    else if (head >= 0xd9 && head <= 0xdb)
        value.bytes = big_endian(reader, 1u << (head - 0xd9));
    else if (head >= 0xdc)
        value.values = big_endian(reader, head & 1 ? 4 : 2) * (head >= 0xde ? 2 : 1);
    return value;
}

/* Read a head; the bytes of a string or the values of an array come next. */
static struct value next(struct reader *reader)
{
    uint8_t head = (uint8_t)big_endian(reader, 1);
    struct value value = {.head = head};

    if (head <= 0x7f)
        value.number = head;
    else if (head <= 0x8f)
        value.values = 2u * (head & 0x0f);
    else if (head <= 0x9f)
        value.values = head & 0x0f;
    else if (head <= 0xbf)
        value.bytes = head & 0x1f;
    else if (head <= 0xdf)
        value = long_value(reader, head);
    else
        value.number = (int8_t)head;
    if (value.bytes > (size_t)(reader->end - reader->at))
        reader->is_broken = true;
    return value;
}

/* Pass so many values, whatever is in them. */
static void skip(struct reader *reader, size_t values)
{
    while (values > 0 && !reader->is_broken) {
        struct value value = next(reader);

        values += value.values;
        values--;
        if (!reader->is_broken)
            reader->at += value.bytes;
    }
}

static bool is_number(struct value value)
{
    return value.head <= 0x7f || value.head >= 0xe0 || (value.head >= 0xcc && value.head <= 0xd3);
}

static bool is_text(struct value value)
{
    return (value.head >= 0xa0 && value.head <= 0xbf) || (value.head >= 0xd9 && value.head <= 0xdb);
}

static void scan_entries(struct reader *reader, size_t values, int64_t base_id, struct said *said)
{
    struct value alias = next(reader), first = next(reader);

    if (values < 2 || !is_number(alias) || !is_number(first)) {
        reader->is_broken = true;
        return;
    }
    for (size_t each = 0; each + 2 < values && !reader->is_broken; each++) {
        if (said->count == IDS_MAX) {
            said->overflows = true;
            return;
        }
        said->ids[said->count++] = base_id + first.number + (int64_t)each;
        skip(reader, 1);
    }
}

static bool equals(struct reader *reader, struct value key, const char *name)
{
    return is_text(key) && key.bytes == strlen(name) && memcmp(reader->at, name, key.bytes) == 0;
}

static void scan_field(struct reader *reader, struct said *said)
{
    struct value key = next(reader), value;
    bool is_type = !reader->is_broken && equals(reader, key, "type");
    bool is_base = !reader->is_broken && equals(reader, key, "base_id");

    if (reader->is_broken)
        return;
    reader->at += key.bytes;
    if (!is_type && !is_base) {
        skip(reader, 1);
        return;
    }
    value = next(reader);
    if (reader->is_broken)
        return;
    if (is_base) {
        said->has_base = is_number(value);
        said->base_id = value.number;
    } else if (is_text(value) && value.bytes < TYPE_CHARS) {
        memcpy(said->type, reader->at, value.bytes);
    }
    reader->at += value.bytes;
}

bool scan_packed(const uint8_t *bytes, size_t size, int64_t base_id, struct said *said)
{
    struct reader reader = {bytes, bytes + size, false};
    struct value frame = next(&reader);
    bool is_array = (frame.head & 0xf0) == 0x90 || frame.head == 0xdc || frame.head == 0xdd;
    bool is_map = (frame.head & 0xf0) == 0x80 || frame.head == 0xde || frame.head == 0xdf;

    memset(said, 0, sizeof *said);
    if (is_array)
        scan_entries(&reader, frame.values, base_id, said);
    for (size_t each = 0; is_map && each < frame.values / 2 && !reader.is_broken; each++)
        scan_field(&reader, said);
    return (is_array || is_map) && !reader.is_broken &&
           (said->overflows || reader.at == reader.end);
}
