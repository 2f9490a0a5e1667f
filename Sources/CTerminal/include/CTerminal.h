// A terminal that a program draws on, given back as it was found: also after a fatal signal, for which nothing may be called
// but what is safe in a signal's handler (signal-safety(7)). One terminal for a process.
#ifndef ATLAS_RECORDER_CTERMINAL_H
#define ATLAS_RECORDER_CTERMINAL_H

// Takes the terminal behind `output`: the alternate screen, no cursor, no wrapping (xterm's control sequences 1049, 25, 7), and,
// where `input` is a terminal too, keys one by one and without echo (termios(3)); signals from keys stay. Fatal signals give
// it back before they end the process. Returns 0 or -errno.
int cterminal_take(int input, int output);
// Sets it again as cterminal_take did, after somebody else stopped and continued the process. What is given back stays what was
// found at first: by now the terminal may be as this program set it.
void cterminal_take_again(void);
// Gives it back, once; safe at any time. Waits for a terminal that takes nothing (Ctrl-S) for a second at most.
void cterminal_give_back(void);
// Stops the process as Ctrl-Z does, the terminal given back; returns when it goes on and has taken it again.
void cterminal_suspend(void);

// A descriptor of the terminal behind `output` on which a write never waits, -errno if there is none. Its state is its own: a
// shell that shares `output` keeps one that waits.
int cterminal_open_output(int output);
// Columns and rows; 0 or -errno.
int cterminal_size(int output, int *columns, int *rows);

// Blocks the signals that a drawing program answers itself - window change, stop and continue, interrupt, end, hang-up - for this
// thread and those it starts, and gives a descriptor they are read from, or -errno.
int cterminal_signals(void);
// The next signal's number; 0: none waits.
int cterminal_next_signal(int descriptor);

#endif
