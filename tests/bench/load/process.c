/* What /proc says of the server, and the system of this program. */
#include "load.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

double server_cpu(void)
{
    char path[64], text[1024], *at;
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", options.server);
    FILE *file = fopen(path, "r");
    if (!file)
        fail("the server has ended");
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    /* Behind the name, which may hold anything. */
    at = strrchr(text, ')');
    if (!at || sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                      &system) != 2)
        fail("%s can't be read", path);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

long server_memory(void)
{
    char path[64];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", options.server);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%*d %ld", &pages) != 1)
        fail("%s can't be read", path);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

double own_cpu(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}
