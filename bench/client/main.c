/* A load client: it parks connections, knows when all are, and says when each of them was woken.
 *
 * The parent starts the processes, listens to standard input and prints; see options.c for both. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counting.h"
#include "figures.h"
#include "worker.h"

enum {
    FAULTS_SEEN = 1, /* exit codes; OPTION_WRONG is 2 */
    TOO_LATE = 3,
    LINE_CHARS = 2048,     /* a time for each id of a wake */
    ASK_LEAST_MS = 10,     /* between two questions how many are parked */
    SAMPLE_MS = 50,        /* between two looks at how many are back */
    ASK_PART_OF_TIME = 50, /* and at least such a part of the time that has passed */
};

struct client {
    struct options options;
    struct board *board;
    int workers[PROCESSES_MAX];
    pid_t pids[PROCESSES_MAX];
    struct wake wake;
    bool asks_again, is_armed;
    int64_t called_for_ns; /* how long calls took so far that are told with those to come */
};

static void life_is_over(int signal)
{
    static const char WORDS[] = "client: its life (--life-s) is over before it was told to end\n";

    (void)signal;
    _exit(write(STDERR_FILENO, WORDS, sizeof WORDS - 1) > 0 ? TOO_LATE : FAULTS_SEEN);
}

static void start(struct client *client)
{
    for (int each = 0; each < client->options.processes; each++) {
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) < 0)
            give_up("cannot talk to processes of its own: %s", strerror(errno));
        client->pids[each] = fork();
        if (client->pids[each] < 0)
            give_up("cannot start process %d: %s", each, strerror(errno));
        if (client->pids[each] == 0) {
            close(ends[0]);
            close(STDIN_FILENO);
            worker_live(&client->options, client->board, each, ends[1]);
            _exit(0);
        }
        close(ends[1]);
        client->workers[each] = ends[0];
    }
}

static void tell_all(struct client *client, int what)
{
    struct note note = {.what = what, .wake = client->wake};

    for (int each = 0; each < client->options.processes; each++)
        send(client->workers[each], &note, sizeof note, MSG_NOSIGNAL);
}

/* Wait until each process says it. False when one did not by the deadline. */
static bool all_say(struct client *client, int what, int64_t deadline_ns)
{
    for (int each = 0; each < client->options.processes; each++) {
        struct pollfd ready = {.fd = client->workers[each], .events = POLLIN};
        struct note note = {.what = BEGIN};

        while ((int)note.what != what) {
            int64_t left_ms = (deadline_ns - now_ns()) / 1000000;

            if (left_ms < 0 || poll(&ready, 1, (int)left_ms + 1) == 0)
                return false;
            if (recv(client->workers[each], &note, sizeof note, 0) <= 0)
                give_up("process %d of the client ended", each);
        }
    }
    return true;
}

static int64_t deadline(const struct client *client)
{
    return now_ns() + (int64_t)(client->options.deadline_s * 1e9);
}

static int parked(const struct client *client)
{
    int total = 0;

    for (int each = 0; each < client->options.processes; each++)
        total += client->board->pages[each].parked < client->board->pages[each].living
                     ? client->board->pages[each].parked
                     : client->board->pages[each].living;
    return total;
}

static void pause_ms(int64_t milliseconds)
{
    poll(NULL, 0, (int)milliseconds);
}

/* Ask until the servers count as many as are parked. What they say may be `count_age_s` old, so
 * what is heard sooner than that after `since_ns` may be of before. Returns the last count. */
static int64_t count_until(struct client *client, int64_t since_ns, int64_t deadline_ns)
{
    int64_t age_ns = (int64_t)(client->options.count_age_s * 1e9), counted = 0;

    if (now_ns() < since_ns + age_ns)
        pause_ms((since_ns + age_ns - now_ns()) / 1000000 + 1);
    while (now_ns() < deadline_ns) {
        int64_t passed_ms = (now_ns() - since_ns) / 1000000;

        counted = count_parked(&client->options);
        if (counted >= parked(client))
            break;
        pause_ms(ASK_LEAST_MS + passed_ms / ASK_PART_OF_TIME);
    }
    return counted;
}

static void park(struct client *client)
{
    int64_t by = deadline(client), counted = 0;
    bool all_parked;

    tell_all(client, BEGIN);
    all_parked = all_say(client, PARKED, by);
    /* Who has lost all its connections need not be counted. */
    if (all_parked && client->options.count_count > 0 && parked(client) > 0)
        counted = count_until(client, now_ns(), by);
    figures_parked(&client->options, client->board,
                   all_parked && (client->options.count_count == 0 || counted >= parked(client)));
    if (!all_parked)
        give_up("not all were parked within %.1f s", client->options.deadline_s);
    if (client->options.count_count > 0 && counted < parked(client))
        give_up("%d were parked, but the server counts %jd after %.1f s", parked(client),
                (intmax_t)counted, client->options.deadline_s);
}

static void arm(struct client *client, const char *words)
{
    char again[8] = "";
    long long first;
    int count;

    if (sscanf(words, "%lld %d %7s", &first, &count, again) < 2 || count < 1 ||
        count > WAKE_IDS_MAX)
        give_up("'wake' is followed by the first id and their number, 1 to %d", WAKE_IDS_MAX);
    client->wake = (struct wake){first, count};
    client->asks_again = strcmp(again, "again") == 0 && client->options.count_count > 0;
    client->is_armed = true;
    tell_all(client, ARM);
    all_say(client, ARMED, deadline(client));
    figures_event("armed");
}

/* Read times in nanoseconds. Returns how many there are, at most as many as a wake has ids. */
static int times_of(const char *words, int64_t *times)
{
    int count = 0;
    char *rest;

    for (; count < WAKE_IDS_MAX; count++, words = rest) {
        times[count] = strtoll(words, &rest, 10);
        if (rest == words)
            break;
    }
    return count;
}

static void measure(struct client *client, const char *words)
{
    int64_t by = deadline(client), woken_ns, counted, sent_ns[WAKE_IDS_MAX];
    int times = times_of(words, sent_ns);
    double late_ms;

    if (!client->is_armed || (times != 1 && times != client->wake.count))
        give_up("'sent' comes after 'wake', with the time of CLOCK_MONOTONIC in nanoseconds, "
                "of the first id or of each");
    client->is_armed = false;
    if (!all_say(client, WOKEN, by)) {
        tell_all(client, CLOSE);
        all_say(client, CLOSED, deadline(client));
    }
    woken_ns = now_ns();
    figures_woken(&client->options, client->board, &client->wake, sent_ns[0]);
    if (times > 1)
        figures_delivered(&client->options, client->board, &client->wake, sent_ns);
    if (!client->asks_again)
        return;
    counted = count_until(client, woken_ns, deadline(client));
    late_ms = client->options.count_age_s * 1e3 + ASK_LEAST_MS +
              (double)(now_ns() - woken_ns) / 1e6 / ASK_PART_OF_TIME;
    figures_again(&client->options, counted, sent_ns[0], late_ms);
}

/* Call until time is over, and wait for the last answers. */
static void let_call(struct client *client, const char *words)
{
    int64_t began_ns = now_ns();
    struct note note = {.what = CALL};
    char more[8] = "";
    long ms;
    double per_s = 0;

    if (!way_calls(client->options.way) ||
        sscanf(words, "%ld %lf %7s", &ms, &per_s, more) < 1 || ms < 1 || !(per_s >= 0))
        give_up("'call' is for --way post and get; milliseconds and how many a second follow it");
    note.until_ns = began_ns + ms * 1000000;
    note.per_s = per_s;
    note.is_more = strcmp(more, "more") == 0;
    if (!note.is_more)
        client->called_for_ns = 0;
    for (int each = 0; each < client->options.processes; each++)
        send(client->workers[each], &note, sizeof note, MSG_NOSIGNAL);
    if (!all_say(client, CALLED, note.until_ns + (int64_t)(client->options.deadline_s * 1e9)))
        give_up("calls are not answered within %.1f s", client->options.deadline_s);
    client->called_for_ns =
        figures_called(&client->options, client->board, began_ns - client->called_for_ns);
}

/* Wait until all are parked again, after at least so many were cut off. */
static void see_back(struct client *client, const char *words)
{
    static struct samples samples;
    int64_t by = deadline(client);
    long long cut_ns;
    int least;
    bool is_back = false;

    if (!client->options.returns || sscanf(words, "%lld %d", &cut_ns, &least) != 2)
        give_up("'back' is for --returns; the time of the cut and how many it cut off follow it");
    samples.count = 0;
    while (!is_back && now_ns() < by) {
        int now_parked = SUM(&client->options, client->board, parked);

        is_back = now_parked == client->options.connections &&
                  SUM(&client->options, client->board, cut) >= least;
        /* The last one is when all were back, however many there were before. */
        int place = samples.count < SAMPLES_MAX ? samples.count++ : SAMPLES_MAX - 1;

        samples.parked[place] = now_parked;
        samples.ms[place] = (double)(now_ns() - cut_ns) / 1e6;
        if (!is_back)
            pause_ms(SAMPLE_MS);
    }
    figures_back(&client->options, client->board, &samples, is_back);
}

/* Let the first connections, so many, read no more: they are judged no more either. */
static void deafen(struct client *client, const char *words)
{
    struct note note = {.what = DEAFEN};

    if (sscanf(words, "%d", &note.deaf) != 1 || note.deaf < 0)
        give_up("'deafen' is followed by how many read no more");
    for (int each = 0; each < client->options.processes; each++)
        send(client->workers[each], &note, sizeof note, MSG_NOSIGNAL);
    all_say(client, DEAFENED, deadline(client));
    figures_event("deafened");
}

/* Obey standard input until it says `end`, or ends. */
static void obey(struct client *client)
{
    char line[LINE_CHARS];

    while (fgets(line, sizeof line, stdin) != NULL) {
        if (strncmp(line, "wake ", 5) == 0)
            arm(client, line + 5);
        else if (strncmp(line, "sent ", 5) == 0)
            measure(client, line + 5);
        else if (strncmp(line, "back ", 5) == 0)
            see_back(client, line + 5);
        else if (strncmp(line, "deafen ", 7) == 0)
            deafen(client, line + 7);
        else if (strncmp(line, "call ", 5) == 0)
            let_call(client, line + 5);
        else if (strcmp(line, "end\n") == 0)
            return;
        else
            give_up("it is told wake, sent, back, deafen, call or end, not '%.*s'",
                    (int)strcspn(line, "\n"), line);
    }
}

int main(int count, char **words)
{
    struct client client = {.is_armed = false};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    options_read(&client.options, count, words);
    client.board = board_new();
    signal(SIGPIPE, SIG_IGN);
    start(&client);
    signal(SIGALRM, life_is_over);
    alarm((unsigned)client.options.life_s);
    park(&client);
    obey(&client);
    tell_all(&client, END);
    for (int each = 0; each < client.options.processes; each++)
        waitpid(client.pids[each], NULL, 0);
    return figures_ended(&client.options, client.board) > 0 ? FAULTS_SEEN : 0;
}
