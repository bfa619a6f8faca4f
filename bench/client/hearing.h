/* What a message says, whatever it came in: ids, cursors, and what is no entry. */
#ifndef HEARING_H
#define HEARING_H

#include "worker.h"

void hear_text(struct worker *worker, struct connection *connection, const char *text, size_t size);

void hear_packed(struct worker *worker, struct connection *connection, const char *bytes,
                 size_t size);

/* The connection is over, for the reason `kind`; `bytes` say more. */
void hear_fault(struct worker *worker, struct connection *connection, const char *kind,
                const char *bytes, size_t size);

/* The answer is none that was hoped for: the fault is its status, and the problem's code. */
void hear_refusal(struct worker *worker, struct connection *connection, int status,
                  const char *bytes, size_t size);

#endif
