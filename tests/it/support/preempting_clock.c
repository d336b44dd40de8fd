/* An adversarial scheduler for tests, preloaded into prep: the thread that makes every Nth reading of the
   monotonic clock loses the processor for 3 ms right afterwards, as happens in a container with a limited
   share of it. Readings themselves stay true. N is PREEMPTING_CLOCK_EVERY. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

typedef int clock_function(clockid_t, struct timespec *);

static clock_function *read_clock;
static long every;
static atomic_long readings;

__attribute__((constructor)) static void start(void) {
    const char *value = getenv("PREEMPTING_CLOCK_EVERY");
    every = value ? atol(value) : 0;
    read_clock = (clock_function *)dlsym(RTLD_NEXT, "clock_gettime");
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (!read_clock) start();
    int result = read_clock(clock, now);
    if (every > 0 && clock == CLOCK_MONOTONIC && (atomic_fetch_add(&readings, 1) + 1) % every == 0) {
        struct timespec pause = {.tv_sec = 0, .tv_nsec = 3000000};
        nanosleep(&pause, NULL);
    }
    return result;
}
