/* Loaded ahead of libc, makes every sync of a folder fail with the error number in NO_FOLDER_SYNC. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

int fsync(int file) {
    struct stat status;
    const char *error = getenv("NO_FOLDER_SYNC");
    if (error && fstat(file, &status) == 0 && S_ISDIR(status.st_mode)) {
        errno = atoi(error);
        return -1;
    }
    return ((__typeof__(&fsync))dlsym(RTLD_NEXT, "fsync"))(file);
}
