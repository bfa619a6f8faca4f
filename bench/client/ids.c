/* Whether the ids of a wake come to a connection each once, without holes, rising. */
#include "ids.h"

void ids_begin(struct taken *taken)
{
    taken->seen = 0;
    taken->highest = -1;
}

enum verdict ids_take(struct taken *taken, const struct wake *wake, int64_t id)
{
    int64_t place = id - wake->first;
    enum verdict verdict = ID_RIGHT;

    if (place < 0)
        return ID_STALE;
    if (place >= wake->count)
        return ID_UNASKED;
    if (taken->seen >> place & 1)
        return ID_REPEATED;
    if (place < taken->highest)
        verdict = ID_REORDERED;
    else if (place > taken->highest + 1)
        verdict = ID_AHEAD;
    taken->seen |= UINT64_C(1) << place;
    if (place > taken->highest)
        taken->highest = (int8_t)place;
    return verdict;
}

int ids_missing(const struct taken *taken, const struct wake *wake)
{
    return wake->count - __builtin_popcountll(taken->seen);
}
