/* Frames of a WebSocket, as a client reads and writes them. */
#ifndef WEBSOCKET_H
#define WEBSOCKET_H

#include <stddef.h>
#include <stdint.h>

#include "http.h"

enum opcode { WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

enum {
    WS_HEAD_MAX = 14,
    WS_BYTES_MAX = 4 << 20, /* what a client's library is asked to take */
};

struct frame {
    enum opcode opcode;
    const uint8_t *payload;
    size_t length;
    size_t size; /* with its head */
};

/* The first frame of `bytes`. One in fragments is broken: nobody sends us such. */
enum reading ws_read(const uint8_t *bytes, size_t size, struct frame *frame);

/* Write a frame to `out`, of WS_HEAD_MAX + `length` bytes. Returns its size. */
size_t ws_write(uint8_t *out, enum opcode opcode, const uint8_t *payload, size_t length);

#endif
