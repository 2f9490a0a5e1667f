// Wall and CPU time of whole processes, each the median of many runs. The commands take turns, so that a busy moment of
// the machine falls on all of them.
// Usage: median ROUNDS <commands: a line each, NAME<tab>PROGRAM<tab>ARGUMENT…
// Prints a line each: NAME<tab>median wall ms<tab>fastest wall ms<tab>median CPU ms. Their output goes to /dev/null.
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

enum { COMMANDS = 64, WORDS = 64 };
extern char **environ;
static char *words[COMMANDS][WORDS];
static double *wall[COMMANDS], *cpu[COMMANDS];

static int ascending(const void *a, const void *b) { return (*(double *)a > *(double *)b) - (*(double *)a < *(double *)b); }

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double ms(struct timeval t) { return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3; }

int main(int count, char **arguments) {
    int rounds = count > 1 ? atoi(arguments[1]) : 0, commands = 0;
    if (rounds < 1) return fprintf(stderr, "usage: median ROUNDS <commands\n"), 64;
    char *line = NULL;
    size_t size = 0;
    while (commands < COMMANDS && getline(&line, &size, stdin) > 0) {
        line[strcspn(line, "\n")] = 0;
        int word = 0;
        for (char *at = strdup(line), *next; (next = strsep(&at, "\t")) && word < WORDS - 1;) words[commands][word++] = next;
        if (word < 2) continue;
        wall[commands] = calloc((size_t)rounds, sizeof(double));
        cpu[commands] = calloc((size_t)rounds, sizeof(double));
        commands++;
    }
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    for (int round = -1; round < rounds; round++) {  // the first one warms up
        for (int c = 0; c < commands; c++) {
            double began = now_ms();
            pid_t child;
            int status;
            struct rusage used;
            if (posix_spawnp(&child, words[c][1], &quiet, NULL, words[c] + 1, environ) != 0
                || wait4(child, &status, 0, &used) != child || status != 0)
                return fprintf(stderr, "%s failed\n", words[c][0]), 1;
            if (round < 0) continue;
            wall[c][round] = now_ms() - began;
            cpu[c][round] = ms(used.ru_utime) + ms(used.ru_stime);
        }
    }
    for (int c = 0; c < commands; c++) {
        qsort(wall[c], (size_t)rounds, sizeof(double), ascending);
        qsort(cpu[c], (size_t)rounds, sizeof(double), ascending);
        printf("%s\t%.1f\t%.1f\t%.1f\n", words[c][0], wall[c][rounds / 2], wall[c][0], cpu[c][rounds / 2]);
    }
    return 0;
}
