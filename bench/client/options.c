/* What the command line says. */
#define _GNU_SOURCE
#include "options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { OPTION_WRONG = 2 };

static const char USAGE[] =
    "client --way poll|sse|ws|post|get --to HOST:PORT [--to ...] --path PATH --connections N\n"
    "  --tokens FILE       a token a line, {token} in what follows; none are needed without\n"
    "  --after ID          {id} in the path and in what is said: the last id that was read\n"
    "  --channels FILE     a channel a line, {channel} in path and body of a call\n"
    "  --body TEXT         of a post: {n} is the connection, {k} how many calls it has made\n"
    "  --header 'A: b'     of the request; may be repeated\n"
    "  --packed            WebSocket: binary frames are msgpack\n"
    "  --protocol NAME     WebSocket: the subprotocol that is offered\n"
    "  --say TEXT --say-hex BYTES --hear TEXT\n"
    "                      in this order, between open and parked; --say-hex is a binary frame\n"
    "  --reply HEARD=SAID  WebSocket: whoever says HEARD at the beginning of a frame is told SAID\n"
    "  --carry A=B         the header A of an answer is the header B of the next request\n"
    "  --count HOST:PORT/PATH#METRIC [--count-age-s S]\n"
    "                      where the server tells how many are parked, and how old that may be\n"
    "  --returns           streams: who is cut off opens another one, at the next target;\n"
    "                      who is told 429 or 503 with Retry-After comes back after that\n"
    "  --processes N --sources N --connects-per-s R --opening-max N --cpu N\n"
    "  --deadline-s S      of each phase; --life-s S of the whole\n"
    "Then line by line on standard input: `wake FIRST COUNT [again]`, `sent NANOSECONDS`, `end`;\n"
    "`sent` with a time for each id of the wake has all its deliveries timed one by one;\n"
    "`deafen N` lets the first N read no more;\n"
    "with --returns `back NANOSECONDS LEAST` waits until all are back after so many were cut off;\n"
    "who posts or gets is told `call MILLISECONDS [PER_S [more]]` instead: each connection has\n"
    "one call out at a time, one after the other or, with PER_S, as many a second of all of them;\n"
    "with `more` those before are told with these.\n";

enum word {
    WAY = 256,
    TO,
    PACKED,
    PATH,
    CONNECTIONS,
    TOKENS,
    CHANNELS,
    BODY,
    AFTER,
    HEADER,
    PROTOCOL,
    SAY,
    SAY_HEX,
    HEARD,
    REPLY,
    CARRY,
    COUNT,
    COUNT_AGE,
    PROCESSES,
    SOURCES,
    CONNECTS,
    OPENING,
    RETURNS,
    CPU,
    DEADLINE,
    LIFE,
    HELP,
};

static const struct option WORDS[] = {
    {"way", 1, 0, WAY},
    {"to", 1, 0, TO},
    {"packed", 0, 0, PACKED},
    {"path", 1, 0, PATH},
    {"connections", 1, 0, CONNECTIONS},
    {"tokens", 1, 0, TOKENS},
    {"channels", 1, 0, CHANNELS},
    {"body", 1, 0, BODY},
    {"after", 1, 0, AFTER},
    {"header", 1, 0, HEADER},
    {"protocol", 1, 0, PROTOCOL},
    {"say", 1, 0, SAY},
    {"say-hex", 1, 0, SAY_HEX},
    {"hear", 1, 0, HEARD},
    {"reply", 1, 0, REPLY},
    {"carry", 1, 0, CARRY},
    {"count", 1, 0, COUNT},
    {"count-age-s", 1, 0, COUNT_AGE},
    {"processes", 1, 0, PROCESSES},
    {"sources", 1, 0, SOURCES},
    {"connects-per-s", 1, 0, CONNECTS},
    {"opening-max", 1, 0, OPENING},
    {"returns", 0, 0, RETURNS},
    {"cpu", 1, 0, CPU},
    {"deadline-s", 1, 0, DEADLINE},
    {"life-s", 1, 0, LIFE},
    {"help", 0, 0, HELP},
    {0, 0, 0, 0},
};

void give_up(const char *form, ...)
{
    va_list rest;

    va_start(rest, form);
    fputs("client: ", stderr);
    vfprintf(stderr, form, rest);
    fputc('\n', stderr);
    va_end(rest);
    exit(OPTION_WRONG);
}

static double number(const char *text, double least, double most)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !(value >= least) || !(value <= most))
        give_up("'%s' is not a number from %.0f to %.0f", text, least, most);
    return value;
}

/* One more of a list that has `most`. */
static int another(int *count, int most, const char *what)
{
    if (*count == most)
        give_up("at most %d times --%s", most, what);
    return (*count)++;
}

static struct sockaddr_in address(const char *text)
{
    struct sockaddr_in found = {.sin_family = AF_INET};
    const char *colon = strrchr(text, ':');
    char host[16] = "";

    if (colon != NULL && (size_t)(colon - text) < sizeof host)
        memcpy(host, text, (size_t)(colon - text));
    if (colon == NULL || inet_pton(AF_INET, host, &found.sin_addr) != 1)
        give_up("'%s' is not an address such as 127.0.0.1:8080", text);
    if (ntohl(found.sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
        give_up("'%s' is not on loopback: this is no tool for other machines", text);
    found.sin_port = htons((uint16_t)number(colon + 1, 1, UINT16_MAX));
    return found;
}

/* HOST:PORT/PATH#METRIC */
static struct count count_of(char *text)
{
    struct count count;
    char *path = strchr(text, '/'), *metric = strrchr(text, '#');

    if (path == NULL || metric == NULL || metric < path)
        give_up("'%s' is not of the form HOST:PORT/PATH#METRIC", text);
    *metric = '\0';
    count.metric = metric + 1;
    count.path = strdup(path);
    *path = '\0';
    count.address = address(text);
    return count;
}

static void pair(const char *pair[2], char *text)
{
    char *equals = strchr(text, '=');

    if (equals == NULL || equals == text)
        give_up("'%s' is not of the form A=B", text);
    *equals = '\0';
    pair[0] = text;
    pair[1] = equals + 1;
}

static void add_step(struct options *options, int what, const char *text)
{
    struct step *step = &options->steps[another(&options->step_count, STEPS_MAX, "say or --hear")];
    size_t length = strlen(text);
    char *bytes = strdup(text);

    *step = (struct step){what, bytes, length};
    if (what != SAY_BINARY)
        return;
    if (length % 2 != 0 || strspn(text, "0123456789abcdefABCDEF") != length)
        give_up("'%s' is not in hexadecimal", text);
    for (size_t each = 0; each < length / 2; each++)
        sscanf(text + 2 * each, "%2hhx", (unsigned char *)&bytes[each]);
    step->size = length / 2;
}

/* Read a file of words, one a line. Returns how many there are, at most `most`. */
static int read_words(const char *path, char ***words, int most)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    int count = 0;

    if (file == NULL)
        give_up("cannot read %s: %s", path, strerror(errno));
    *words = calloc((size_t)most, sizeof **words);
    while (count < most && (length = getline(&line, &room, file)) > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (*line != '\0')
            (*words)[count++] = strdup(line);
    }
    free(line);
    fclose(file);
    if (count == 0)
        give_up("%s is empty; write one a line", path);
    return count;
}

static enum way way_of(const char *text)
{
    const char *names[] = {"poll", "sse", "ws", "post", "get"};

    for (int each = 0; each < 5; each++)
        if (strcmp(text, names[each]) == 0)
            return each;
    give_up("--way is poll, sse, ws, post or get, not '%s'", text);
}

static void take_place(struct options *options, int word, char *text)
{
    switch (word) {
    case WAY: options->way = way_of(text); break;
    case TO:
        options->targets[another(&options->target_count, TARGETS_MAX, "to")] = address(text);
        break;
    case PACKED: options->packs = true; break;
    case RETURNS: options->returns = true; break;
    case PATH: options->path = text; break;
    case TOKENS: options->token_count = read_words(text, &options->tokens, CONNECTIONS_MAX); break;
    case CHANNELS:
        options->channel_count = read_words(text, &options->channels, CHANNELS_MAX);
        break;
    case BODY: options->body = text; break;
    case HEADER:
        options->headers[another(&options->header_count, HEADERS_MAX, "header")] = text;
        break;
    case PROTOCOL: options->protocol = text; break;
    case SAY: add_step(options, SAY_TEXT, text); break;
    case SAY_HEX: add_step(options, SAY_BINARY, text); break;
    case HEARD: add_step(options, HEAR, text); break;
    case REPLY:
        pair(options->replies[another(&options->reply_count, REPLIES_MAX, "reply")], text);
        break;
    case CARRY:
        pair(options->carried[another(&options->carried_count, CARRIED_MAX, "carry")], text);
        break;
    case COUNT:
        options->counts[another(&options->count_count, COUNTS_MAX, "count")] = count_of(text);
        break;
    case HELP: fputs(USAGE, stdout); exit(0);
    default: fputs(USAGE, stderr); exit(OPTION_WRONG);
    }
}

static void take(struct options *options, int word, char *text)
{
    switch (word) {
    case CONNECTIONS: options->connections = (int)number(text, 1, CONNECTIONS_MAX); break;
    case AFTER: options->after = (int64_t)number(text, 0, 1e15); break;
    case COUNT_AGE: options->count_age_s = number(text, 0, 60); break;
    case PROCESSES: options->processes = (int)number(text, 1, PROCESSES_MAX); break;
    case SOURCES: options->sources = (int)number(text, 1, SOURCES_MAX); break;
    case CONNECTS: options->connects_per_s = number(text, 0, 1e6); break;
    case OPENING: options->opening_max = (int)number(text, 1, CONNECTIONS_MAX); break;
    case CPU:
        options->cpus[another(&options->cpu_count, CPUS_MAX, "cpu")] = (int)number(text, 0, 1023);
        break;
    case DEADLINE: options->deadline_s = number(text, 0.1, 600); break;
    case LIFE: options->life_s = number(text, 1, 3600); break;
    default: take_place(options, word, text);
    }
}

/* Descriptors are bounded by the kernel, so many connections need several processes. */
static void fit(struct options *options)
{
    struct rlimit limit;
    rlim_t needed;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    needed = (rlim_t)((options->connections + options->processes - 1) / options->processes);
    if (needed + SPARE_DESCRIPTORS > limit.rlim_max)
        give_up("%d connections in %d processes need %ju descriptors each, and may have %ju: "
                "give more --processes",
                options->connections, options->processes, (uintmax_t)needed + SPARE_DESCRIPTORS,
                (uintmax_t)limit.rlim_max);
}

void options_read(struct options *options, int count, char **words)
{
    int word;

    *options = (struct options){
        .way = WAY_POLL,
        .processes = 1,
        .sources = 1,
        .opening_max = 256,
        .deadline_s = 60,
        .life_s = 600,
    };
    while ((word = getopt_long(count, words, "", WORDS, NULL)) != -1)
        take(options, word, optarg);
    if (optind < count)
        give_up("'%s' belongs to no option; --help says which there are", words[optind]);
    if (options->target_count == 0 || options->path == NULL || options->connections == 0)
        give_up("--to, --path and --connections are needed; --help says more");
    for (int each = 0; options->way == WAY_SSE && each < options->step_count; each++)
        if (options->steps[each].what != HEAR)
            give_up("a stream of events is only heard: leave --say out");
    if ((options->way == WAY_POST) != (options->body != NULL))
        give_up("--body is what is posted: it belongs to --way post, which needs it");
    if (options->returns && options->way != WAY_SSE && options->way != WAY_WS)
        give_up("--returns is for streams: --way sse or ws");
    if (options->way == WAY_POLL && options->step_count > 0)
        give_up("a poll says and hears nothing before it is parked: leave --say and --hear out");
    fit(options);
}
