/* What the processes of the client share. */
#define _GNU_SOURCE
#include "board.h"

#include <ctype.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

struct board *board_new(void)
{
    void *found =
        mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (found == MAP_FAILED)
        give_up("no memory for %d connections", CONNECTIONS_MAX);
    return found;
}

/* Printable, and without what JSON would have to escape. */
static void copy_plain(char *to, size_t room, const char *from)
{
    size_t at = 0;

    for (; from[at] != '\0' && at < room - 1; at++) {
        unsigned char byte = (unsigned char)from[at];
        to[at] = isprint(byte) && byte != '"' && byte != '\\' ? (char)byte : ' ';
    }
    to[at] = '\0';
}

void board_fault(struct page *page, const char *kind, const char *detail)
{
    char plain[FAULT_CHARS];
    int place = 0;

    copy_plain(plain, sizeof plain, kind);
    if (page->first_fault[0] == '\0')
        copy_plain(page->first_fault, sizeof page->first_fault, detail);
    while (page->faults[place].count > 0 && strcmp(page->faults[place].kind, plain) != 0) {
        if (++place == FAULT_KINDS - 1) {
            strcpy(plain, "other");
            break;
        }
    }
    strcpy(page->faults[place].kind, plain);
    page->faults[place].count++;
}

int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int board_sum(const struct options *options, const struct board *board, size_t offset)
{
    int total = 0;

    for (int each = 0; each < options->processes; each++)
        total += *(const int *)((const char *)&board->pages[each] + offset);
    return total;
}
