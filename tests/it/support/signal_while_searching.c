/* Ctrl-C while prep searches a folder, preloaded: the folder number SIGNAL_AT_FOLDER that is opened below `raw`
   sends SIGINT to the process and waits until that was noted. A search that goes on for MORE folders after that
   ends the process with status 99. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MORE = 3, NOTED_AFTER_MICROSECONDS = 300000 };

typedef DIR *open_function(const char *);

static atomic_long opened;

DIR *opendir(const char *path) {
    open_function *open_folder = (open_function *)dlsym(RTLD_NEXT, "opendir");
    const char *at = getenv("SIGNAL_AT_FOLDER");
    if (at && strstr(path, "raw")) {
        long number = atomic_fetch_add(&opened, 1) + 1;
        if (number == atol(at)) {
            kill(getpid(), SIGINT);
            usleep(NOTED_AFTER_MICROSECONDS);
        }
        if (number > atol(at) + MORE) _exit(99);
    }
    return open_folder(path);
}
