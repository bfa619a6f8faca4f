/* Asking servers how many connections wait there. */
#ifndef COUNTING_H
#define COUNTING_H

#include "options.h"

/* The sum over all counts of the options, -1 when one did not answer with a number. */
int64_t count_parked(const struct options *options);

#endif
