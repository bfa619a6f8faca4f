/* Asking servers how many connections wait there. */
#define _GNU_SOURCE
#include "counting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    PAGE_BYTES_MAX = 1 << 20, /* metrics of a process take some 20 KiB */
    ANSWER_S = 10,            /* a server that wakes thousands answers when it comes to it */
};

/* The number behind the last `metric` that begins a line, or follows other words on it. */
static int64_t value_of(const char *page, const char *metric)
{
    const char *found = page;
    size_t size = strlen(metric);

    while ((found = strstr(found, metric)) != NULL) {
        const char *value = found + size;

        value += strspn(value, " :=\"");
        if (value > found + size && *value >= '0' && *value <= '9')
            return (int64_t)strtod(value, NULL);
        found += size;
    }
    return -1;
}

static int64_t ask(const struct count *count, char *page)
{
    struct timeval patience = {.tv_sec = ANSWER_S};
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t size = 0;
    ssize_t part;
    char request[512];

    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", count->path);
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(connection, (const struct sockaddr *)&count->address, sizeof count->address) == 0 &&
        send(connection, request, strlen(request), MSG_NOSIGNAL) > 0) {
        while ((part = recv(connection, page + size, PAGE_BYTES_MAX - 1 - size, 0)) > 0)
            size += (size_t)part;
    }
    close(connection);
    page[size] = '\0';
    return value_of(page, count->metric);
}

int64_t count_parked(const struct options *options)
{
    char *page = malloc(PAGE_BYTES_MAX);
    int64_t total = 0;

    for (int each = 0; each < options->count_count && total >= 0; each++) {
        int64_t parked = ask(&options->counts[each], page);

        total = parked < 0 ? -1 : total + parked;
    }
    free(page);
    return total;
}
