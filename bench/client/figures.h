/* What the client prints: a JSON object a line. */
#ifndef FIGURES_H
#define FIGURES_H

#include "board.h"
#include "ids.h"

/* All connections have parked or are lost (`parked`), or time was over before (`late`). */
void figures_parked(const struct options *options, const struct board *board, bool in_time);

/* A wake is over; `sent_ns` is when what woke them was sent. */
void figures_woken(const struct options *options, const struct board *board,
                   const struct wake *wake, int64_t sent_ns);

/* The same wake, its deliveries one by one; `sent_ns` is when each of its ids was sent. */
void figures_delivered(const struct options *options, const struct board *board,
                       const struct wake *wake, const int64_t *sent_ns);

/* All are parked again, as the server says; `late_ms` is how late at most it says so. */
void figures_again(const struct options *options, int64_t counted, int64_t sent_ns, double late_ms);

enum { SAMPLES_MAX = 2000 };

/* How many were parked when, since `cut_ns`. */
struct samples {
    int count, parked[SAMPLES_MAX];
    double ms[SAMPLES_MAX];
};

/* All who were cut off are parked again, or time was over (`late`). */
void figures_back(const struct options *options, const struct board *board,
                  const struct samples *samples, bool in_time);

/* All that was asked since `began_ns` is answered. Returns how long that took in nanoseconds. */
int64_t figures_called(const struct options *options, const struct board *board, int64_t began_ns);

/* The last line. Returns how many faults there were. */
long figures_ended(const struct options *options, const struct board *board);

/* A word on what happened, without figures. */
void figures_event(const char *event);

#endif
