/* What the command line says. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum way { WAY_POLL, WAY_SSE, WAY_WS, WAY_POST, WAY_GET };

enum {
    CONNECTIONS_MAX = 50000,
    PROCESSES_MAX = 8,
    SOURCES_MAX = 250, /* 127.0.0.2 to 127.0.0.251 */
    TARGETS_MAX = 8,
    HEADERS_MAX = 8,
    STEPS_MAX = 128,
    REPLIES_MAX = 4,
    CARRIED_MAX = 2,
    COUNTS_MAX = 8,
    CHANNELS_MAX = 1000,
    CPUS_MAX = 8,
    REQUEST_BYTES_MAX = 8192, /* a token of ours has some 350 characters */
    SPARE_DESCRIPTORS = 64,   /* what a process needs beside its connections */
};

/* Whether connections call when they are told to, and listen to nothing. */
static inline bool way_calls(enum way way)
{
    return way == WAY_POST || way == WAY_GET;
}

/* What is said and heard between the open connection and the parked one, in this order. */
struct step {
    enum { SAY_TEXT, SAY_BINARY, HEAR } what;
    const char *bytes;
    size_t size;
};

/* Where a server tells how many are parked: a line `metric value` of the page at `path`. */
struct count {
    struct sockaddr_in address;
    const char *path;
    const char *metric;
};

struct options {
    enum way way;
    bool packs; /* frames are msgpack */
    int connections, processes, sources, opening_max;
    struct sockaddr_in targets[TARGETS_MAX];
    int target_count;
    const char *path, *protocol;
    const char *headers[HEADERS_MAX];
    int header_count;
    struct step steps[STEPS_MAX];
    int step_count;
    const char *replies[REPLIES_MAX][2]; /* whoever says the first is told the second */
    int reply_count;
    const char *carried[CARRIED_MAX][2]; /* a header of an answer, and of the next request */
    int carried_count;
    struct count counts[COUNTS_MAX];
    int count_count;
    double count_age_s;
    char **tokens, **channels; /* of connections, taken in turns */
    int token_count, channel_count;
    const char *body; /* of a post */
    int64_t after;
    double connects_per_s, deadline_s, life_s;
    bool returns; /* whoever is cut off, or told to come later, opens again */
    int cpus[CPUS_MAX];
    int cpu_count;
};

/* Fill `options`. Ends the process with a line on standard error when they cannot be met. */
void options_read(struct options *options, int count, char **words);

/* End the process: a line on standard error that says what to do. */
void give_up(const char *form, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
