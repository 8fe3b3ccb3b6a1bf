/* A disk that is pulled out: preloaded (LD_PRELOAD), it has every read, write and sync of files below
 * the folder $PULLED_DISK fail with EIO for as long as the file $PULLED_FLAG exists. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int pulled(int descriptor)
{
    const char *flag = getenv("PULLED_FLAG"), *folder = getenv("PULLED_DISK");
    char link[64], path[4096];
    int kept = errno;
    ssize_t length = -1;
    if (flag && folder && access(flag, F_OK) == 0) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
        length = readlink(link, path, sizeof path - 1);
    }
    errno = kept;
    if (length < 0)
        return 0;
    path[length] = 0;
    if (strncmp(path, folder, strlen(folder)))
        return 0;
    errno = EIO;
    return 1;
}

#define FAILS(type, name, parameters, arguments)                      \
    type name parameters                                              \
    {                                                                 \
        static type(*real) parameters;                                \
        if (pulled(fd))                                               \
            return -1;                                                \
        if (!real)                                                    \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                \
        return real arguments;                                        \
    }

FAILS(ssize_t, read, (int fd, void *to, size_t size), (fd, to, size))
FAILS(ssize_t, pread, (int fd, void *to, size_t size, off_t at), (fd, to, size, at))
FAILS(ssize_t, pread64, (int fd, void *to, size_t size, off64_t at), (fd, to, size, at))
FAILS(ssize_t, write, (int fd, const void *from, size_t size), (fd, from, size))
FAILS(ssize_t, pwrite, (int fd, const void *from, size_t size, off_t at), (fd, from, size, at))
FAILS(ssize_t, pwrite64, (int fd, const void *from, size_t size, off64_t at), (fd, from, size, at))
FAILS(int, fsync, (int fd), (fd))
FAILS(int, fdatasync, (int fd), (fd))
FAILS(int, ftruncate, (int fd, off_t size), (fd, size))
FAILS(int, ftruncate64, (int fd, off64_t size), (fd, size))
