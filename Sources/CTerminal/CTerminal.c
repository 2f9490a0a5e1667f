#define _GNU_SOURCE
#include "CTerminal.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

static const int fatal[] = {SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGQUIT};
static const int answered[] = {SIGWINCH, SIGTSTP, SIGCONT, SIGINT, SIGTERM, SIGHUP};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static volatile sig_atomic_t taken;
static int input_fd = -1, output_fd = -1, has_settings;
static struct termios settings;

// CAN first: it ends a sequence that was cut in the middle. A terminal that takes nothing for a second gets no more.
static void write_all(const char *text) {
    size_t rest = strlen(text);
    while (rest > 0) {
        struct pollfd out = {.fd = output_fd, .events = POLLOUT};
        if (poll(&out, 1, 1000) <= 0 || !(out.revents & POLLOUT)) return;
        ssize_t count = write(output_fd, text, rest);
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (count <= 0) return;
        text += count;
        rest -= (size_t)count;
    }
}

void cterminal_give_back(void) {
    if (!taken) return;
    taken = 0;
    int error = errno;
    if (has_settings) tcsetattr(input_fd, TCSANOW, &settings);
    write_all("\x18\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l");
    errno = error;
}

static void end_by_fatal_signal(int number) {
    cterminal_give_back();
    signal(number, SIG_DFL);
    raise(number);
}

static int draw_on(void) {
    if (has_settings) {
        struct termios raw = settings;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
        raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL | INLCR);
        raw.c_cc[VMIN] = 0;
        raw.c_cc[VTIME] = 0;
        if (tcsetattr(input_fd, TCSANOW, &raw) != 0) return -errno;
    }
    taken = 1;
    write_all("\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J");
    return 0;
}

int cterminal_take(int input, int output) {
    input_fd = input;
    output_fd = output;
    has_settings = input >= 0 && isatty(input) && tcgetattr(input, &settings) == 0;
    struct sigaction action = {.sa_handler = end_by_fatal_signal};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < COUNT(fatal); i++) {
        sigaction(fatal[i], &action, NULL);
        sigaddset(&set, fatal[i]);
    }
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);  // who started this may have blocked some
    return draw_on();
}

void cterminal_take_again(void) { draw_on(); }

void cterminal_suspend(void) {
    cterminal_give_back();
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    signal(SIGTSTP, SIG_DFL);
    raise(SIGTSTP);
    // Unblocked it stops the process here, all of it, until it goes on.
    pthread_sigmask(SIG_UNBLOCK, &stop, NULL);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    // What was set meanwhile is what is to be found again.
    if (has_settings) tcgetattr(input_fd, &settings);
    draw_on();
}

int cterminal_open_output(int output) {
    char name[64];
    int error = ttyname_r(output, name, sizeof name);
    if (error != 0) return -error;
    int descriptor = open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return descriptor >= 0 ? descriptor : -errno;
}

int cterminal_size(int output, int *columns, int *rows) {
    struct winsize size;
    if (ioctl(output, TIOCGWINSZ, &size) != 0) return -errno;
    *columns = size.ws_col;
    *rows = size.ws_row;
    return 0;
}

int cterminal_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < COUNT(answered); i++) sigaddset(&set, answered[i]);
    int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (error != 0) return -error;
    int descriptor = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return descriptor >= 0 ? descriptor : -errno;
}

int cterminal_next_signal(int descriptor) {
    struct signalfd_siginfo info;
    return read(descriptor, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}
