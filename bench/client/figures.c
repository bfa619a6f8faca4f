/* What the client prints: a JSON object a line. */
#include "figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double PARTS[] = {1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 99.9};

static double ms(int64_t ns)
{
    return (double)ns / 1e6;
}

/* Each kind once, over all processes. Returns how many faults there are. */
static long print_faults(const struct options *options, const struct board *board)
{
    struct fault total[FAULT_KINDS * PROCESSES_MAX];
    int kinds = 0;
    long all = 0;

    for (int page = 0; page < options->processes; page++) {
        for (int each = 0; each < FAULT_KINDS; each++) {
            const struct fault *fault = &board->pages[page].faults[each];
            int at = 0;

            while (at < kinds && strcmp(total[at].kind, fault->kind) != 0)
                at++;
            if (fault->count > 0 && at == kinds)
                total[kinds++] = (struct fault){.count = 0};
            if (fault->count > 0) {
                strcpy(total[at].kind, fault->kind);
                total[at].count += fault->count;
                all += fault->count;
            }
        }
    }
    printf(",\"faults\":{");
    for (int each = 0; each < kinds; each++)
        printf("%s\"%s\":%ld", each ? "," : "", total[each].kind, total[each].count);
    printf("},\"first_fault\":\"");
    for (int page = 0; page < options->processes; page++) {
        if (board->pages[page].first_fault[0] != '\0') {
            printf("%s", board->pages[page].first_fault);
            break;
        }
    }
    printf("\"");
    return all;
}

static void end_line(void)
{
    printf("}\n");
    fflush(stdout);
}

void figures_event(const char *event)
{
    printf("{\"event\":\"%s\"", event);
    end_line();
}

void figures_parked(const struct options *options, const struct board *board, bool in_time)
{
    int64_t began = INT64_MAX, parked = 0;
    double seconds;

    for (int each = 0; each < options->processes; each++) {
        const struct page *page = &board->pages[each];

        began = page->began_ns < began ? page->began_ns : began;
        parked = page->parked_ns > parked ? page->parked_ns : parked;
    }
    seconds = parked > began ? (double)(parked - began) / 1e9 : 0;
    printf("{\"event\":\"%s\",\"connections\":%d,\"parked\":%d,\"seconds\":%.4f,\"per_s\":%.1f",
           in_time ? "parked" : "late", options->connections, SUM(options, board, parked), seconds,
           seconds > 0 ? SUM(options, board, parked) / seconds : 0);
    print_faults(options, board);
    end_line();
}

static int earlier(const void *one, const void *other)
{
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;

    return a < b ? -1 : a > b;
}

/* When they came, of a time for each connection, sorted, since `sent_ns`. Returns how many. */
static int sorted(const struct options *options, const int64_t *times, int64_t sent_ns,
                  int64_t *came)
{
    int count = 0;

    for (int each = 0; each < options->connections; each++)
        if (times[each] != 0)
            came[count++] = times[each] - sent_ns;
    qsort(came, (size_t)count, sizeof *came, earlier);
    return count;
}

/* The least time within which that part (in percent) of all had come. */
static double within_ms(const int64_t *came, int count, double part)
{
    int place = (int)(part / 100 * count);

    return ms(came[place < count ? place : count - 1]);
}

static void print_times(const int64_t *came, int count)
{
    double total = 0;

    for (int each = 0; each < count; each++)
        total += ms(came[each]);
    printf(",\"first_ms\":%.3f,\"last_ms\":%.3f,\"mean_ms\":%.3f,\"ms\":{", ms(came[0]),
           ms(came[count - 1]), total / count);
    for (size_t each = 0; each < sizeof PARTS / sizeof *PARTS; each++)
        printf("%s\"%g\":%.3f", each ? "," : "", PARTS[each],
               within_ms(came, count, PARTS[each]));
    printf("}");
}

void figures_woken(const struct options *options, const struct board *board,
                   const struct wake *wake, int64_t sent_ns)
{
    int64_t *came = calloc((size_t)options->connections, sizeof *came);
    int count = sorted(options, board->came_ns, sent_ns, came);

    printf("{\"event\":\"woken\",\"first_id\":%" PRId64
           ",\"ids\":%d,\"connections\":%d,\"living\":%d,"
           "\"woken\":%d",
           wake->first, wake->count, options->connections, SUM(options, board, living), count);
    if (count > 0)
        print_times(came, count);
    print_faults(options, board);
    end_line();
    free(came);
}

void figures_delivered(const struct options *options, const struct board *board,
                       const struct wake *wake, const int64_t *sent_ns)
{
    int64_t *came = calloc((size_t)options->connections * (size_t)wake->count, sizeof *came);
    int count = 0;

    printf("{\"event\":\"delivered\",\"p99_ms\":[");
    for (int id = 0; id < wake->count; id++) {
        int of_id = sorted(options, board->had_ns[id], sent_ns[id], came + count);

        printf("%s%.3f", id ? "," : "", of_id > 0 ? within_ms(came + count, of_id, 99) : 0);
        count += of_id;
    }
    qsort(came, (size_t)count, sizeof *came, earlier);
    printf("],\"deliveries\":%d", count);
    if (count > 0)
        print_times(came, count);
    print_faults(options, board);
    end_line();
    free(came);
}

void figures_again(const struct options *options, int64_t counted, int64_t sent_ns, double late_ms)
{
    printf("{\"event\":\"parked_again\",\"connections\":%d,\"parked\":%" PRId64 ",\"ms\":%.3f,"
           "\"late_ms\":%.3f",
           options->connections, counted, ms(now_ns() - sent_ns), late_ms);
    end_line();
}

void figures_back(const struct options *options, const struct board *board,
                  const struct samples *samples, bool in_time)
{
    printf("{\"event\":\"%s\",\"parked\":%d,\"cut\":%d,\"refused\":%d,\"curve\":[",
           in_time ? "back" : "late", SUM(options, board, parked), SUM(options, board, cut),
           SUM(options, board, refused));
    for (int each = 0; each < samples->count; each++)
        printf("%s[%.1f,%d]", each ? "," : "", samples->ms[each], samples->parked[each]);
    printf("]");
    print_faults(options, board);
    end_line();
}

/* How long each call took that is kept, sorted, in nanoseconds. */
static int64_t *sorted_calls(const struct options *options, const struct board *board, int *count)
{
    int64_t *took = calloc((size_t)options->processes * CALLS_KEPT, sizeof *took);

    *count = 0;
    for (int page = 0; page < options->processes; page++) {
        long calls = board->pages[page].calls;

        for (long each = 0; each < (calls < CALLS_KEPT ? calls : CALLS_KEPT); each++)
            took[(*count)++] = board->pages[page].took_us[each] * INT64_C(1000);
    }
    qsort(took, (size_t)*count, sizeof *took, earlier);
    return took;
}

int64_t figures_called(const struct options *options, const struct board *board, int64_t began_ns)
{
    int64_t last = began_ns, *took;
    long calls = 0;
    int kept;

    for (int each = 0; each < options->processes; each++) {
        const struct page *page = &board->pages[each];

        calls += page->calls;
        last = page->calls > 0 && page->called_ns > last ? page->called_ns : last;
    }
    took = sorted_calls(options, board, &kept);
    printf("{\"event\":\"called\",\"calls\":%ld,\"seconds\":%.4f", calls,
           (double)(last - began_ns) / 1e9);
    if (kept > 0)
        print_times(took, kept);
    print_faults(options, board);
    end_line();
    free(took);
    return last - began_ns;
}

long figures_ended(const struct options *options, const struct board *board)
{
    long empties = 0, faults;

    for (int each = 0; each < options->processes; each++)
        empties += board->pages[each].empties;
    printf("{\"event\":\"ended\",\"living\":%d,\"empties\":%ld",
           SUM(options, board, living), empties);
    faults = print_faults(options, board);
    end_line();
    return faults;
}
