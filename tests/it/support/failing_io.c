/* Loaded ahead of libc, makes a program die at a given input or output call, or makes such a call
   fail. What is counted: writes (to files, not to the terminal), syncs, and changes of names.

   FAILING_IO_COUNT=FILE       at the end, writes how many calls of each kind there were
   FAILING_IO_KILL=N           SIGKILL instead of the Nth call of any kind
   FAILING_IO_FAIL=KIND:N:E    the Nth call of a kind (write, sync, rename) fails with errno E
   FAILING_IO_FULL=N           every write from the Nth on finds the disk full  */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { WRITE, SYNC, RENAME, KINDS };
static const char *const names[KINDS] = {"write", "sync", "rename"};

static atomic_long counted[KINDS];
static atomic_long all;
static long kill_at, full_from, fail_at[KINDS];
static int fail_with[KINDS];

__attribute__((constructor)) static void begin(void) {
    const char *text;
    if ((text = getenv("FAILING_IO_KILL"))) kill_at = atol(text);
    if ((text = getenv("FAILING_IO_FULL"))) full_from = atol(text);
    if ((text = getenv("FAILING_IO_FAIL"))) {
        char kind[16];
        long at;
        int error;
        if (sscanf(text, "%15[a-z]:%ld:%d", kind, &at, &error) == 3)
            for (int i = 0; i < KINDS; i++)
                if (!strcmp(kind, names[i])) fail_at[i] = at, fail_with[i] = error;
    }
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("FAILING_IO_COUNT");
    if (!path) return;
    char text[128];
    int length = snprintf(text, sizeof text, "%ld %ld %ld\n", atomic_load(&counted[WRITE]),
                          atomic_load(&counted[SYNC]), atomic_load(&counted[RENAME]));
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    syscall(SYS_write, file, text, length);
    close(file);
}

/* Counts a call; returns what it shall fail with, or 0. */
static int counts(enum kind kind) {
    if (atomic_fetch_add(&all, 1) + 1 == kill_at) raise(SIGKILL);
    long at = atomic_fetch_add(&counted[kind], 1) + 1;
    if (at == fail_at[kind]) return fail_with[kind];
    if (kind == WRITE && full_from && at >= full_from) return ENOSPC;
    return 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define INTERPOSE(kind, counted_if, result, name, parameters, arguments)                          \
    result name parameters {                                                                      \
        int error = (counted_if) ? counts(kind) : 0;                                              \
        if (error) {                                                                              \
            errno = error;                                                                        \
            return -1;                                                                            \
        }                                                                                         \
        return REAL(name) arguments;                                                              \
    }

INTERPOSE(WRITE, fd > 2, ssize_t, write, (int fd, const void *from, size_t n), (fd, from, n))
INTERPOSE(WRITE, fd > 2, ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
INTERPOSE(WRITE, fd > 2, ssize_t, pwrite, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at))
INTERPOSE(WRITE, fd > 2, ssize_t, pwrite64, (int fd, const void *from, size_t n, off64_t at), (fd, from, n, at))
INTERPOSE(WRITE, 1, int, ftruncate, (int fd, off_t length), (fd, length))
INTERPOSE(WRITE, 1, int, ftruncate64, (int fd, off64_t length), (fd, length))
INTERPOSE(SYNC, 1, int, fsync, (int fd), (fd))
INTERPOSE(SYNC, 1, int, fdatasync, (int fd), (fd))
INTERPOSE(RENAME, 1, int, rename, (const char *from, const char *to), (from, to))
INTERPOSE(RENAME, 1, int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
INTERPOSE(RENAME, 1, int, renameat2, (int a, const char *from, int b, const char *to, unsigned flags), (a, from, b, to, flags))
INTERPOSE(RENAME, 1, int, unlink, (const char *path), (path))
