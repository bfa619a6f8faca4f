/* What the processes of the client share: one page of facts for each, and times of connections. */
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

#include "ids.h"
#include "options.h"

enum {
    FAULT_KINDS = 24, /* more kinds are counted as the last one, "other" */
    FAULT_CHARS = 48,
    DETAIL_CHARS = 200,
    CALLS_KEPT = 1 << 18, /* of the newest calls of a process it is known how long they took */
};

struct fault {
    char kind[FAULT_CHARS];
    long count;
};

/* Of one process. It alone writes here; the parent reads after it was told to. */
struct page {
    int parked;   /* said or written all that has to be before something can come */
    int living;   /* connections that are open and read, parked or not */
    int woken;    /* have every id of the present wake */
    int cut;      /* times that a parked one was cut off, with --returns */
    int refused;  /* times that one was told to come later, with --returns */
    long empties; /* polls that were answered with nothing, which is no fault */
    struct fault faults[FAULT_KINDS];
    char first_fault[DETAIL_CHARS];
    int64_t began_ns, parked_ns; /* first connect, last parked */
    long calls;                  /* that were acknowledged, and when the last one was */
    int64_t called_ns;
    uint32_t took_us[CALLS_KEPT];
};

struct board {
    struct page pages[PROCESSES_MAX];
    int64_t came_ns[CONNECTIONS_MAX]; /* when a connection had its wake whole; 0: not yet */
    int64_t had_ns[WAKE_IDS_MAX][CONNECTIONS_MAX]; /* the same of each id of the wake */
};

struct board *board_new(void);

/* The sum of an int of all pages in use. */
#define SUM(options, board, field) board_sum(options, board, offsetof(struct page, field))
int board_sum(const struct options *options, const struct board *board, size_t offset);

/* Count a fault; the first one is kept with its detail. */
void board_fault(struct page *page, const char *kind, const char *detail);

int64_t now_ns(void);

#endif
