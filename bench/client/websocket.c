/* Frames of a WebSocket, as a client reads and writes them. */
#include "websocket.h"

#include <string.h>

enum { FIN = 0x80, RESERVED = 0x70, MASK = 0x80, SIZE_16 = 126, SIZE_64 = 127 };

static size_t big_endian(const uint8_t *bytes, size_t count)
{
    size_t value = 0;

    while (count--)
        value = value << 8 | *bytes++;
    return value;
}

enum reading ws_read(const uint8_t *bytes, size_t size, struct frame *frame)
{
    size_t more, head;

    if (size < 2)
        return READ_MORE;
    if (!(bytes[0] & FIN) || (bytes[0] & RESERVED) || (bytes[1] & MASK))
        return READ_BROKEN;
    more = bytes[1] == SIZE_16 ? 2 : bytes[1] == SIZE_64 ? 8 : 0;
    head = 2 + more;
    if (size < head)
        return READ_MORE;
    frame->opcode = bytes[0] & 0x0f;
    frame->length = more ? big_endian(bytes + 2, more) : bytes[1];
    if (frame->length > WS_BYTES_MAX || frame->opcode == 0)
        return READ_BROKEN;
    frame->payload = bytes + head;
    frame->size = head + frame->length;
    return size < frame->size ? READ_MORE : READ_WHOLE;
}

size_t ws_write(uint8_t *out, enum opcode opcode, const uint8_t *payload, size_t length)
{
    size_t head = 2, more = length < SIZE_16 ? 0 : length <= UINT16_MAX ? 2 : 8;

    out[0] = (uint8_t)(FIN | opcode);
    out[1] = (uint8_t)(MASK | (more == 0 ? length : more == 2 ? SIZE_16 : SIZE_64));
    for (size_t each = 0; each < more; each++)
        out[head++] = (uint8_t)(length >> 8 * (more - 1 - each));
    /* A mask of zeros is a mask: it spares the client the work that the server does anyway. */
    memset(out + head, 0, 4);
    head += 4;
    memcpy(out + head, payload, length);
    return head + length;
}
