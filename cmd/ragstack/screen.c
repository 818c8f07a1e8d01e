#include "cmd/ragstack/screen.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cmd/ragstack/terminal_text.h"

/* The other screen, without a cursor and without wrapping; and back. */
#define ENTER "\033[?1049h\033[?25l\033[?7l\033[2J"
#define LEAVE "\033[?7h\033[?25h\033[?1049l"

enum { PAGE_MOST = 1 << 20 };

static struct termios before;
static bool is_open;

static void put(const char *text, size_t length)
{
    for (ssize_t written; length && (written = write(STDOUT_FILENO, text, length)) > 0;) {
        text += written;
        length -= (size_t)written;
    }
}

void screen_close(void)
{
    if (!is_open)
        return;
    is_open = false;
    put(LEAVE, sizeof LEAVE - 1);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
}

bool screen_open(void)
{
    static bool is_registered;
    struct termios raw;
    if (!isatty(STDIN_FILENO) || !terminal_is_live(STDOUT_FILENO) ||
        tcgetattr(STDIN_FILENO, &before) != 0)
        return false;
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) != 0)
        return false;
    is_open = true;
    if (!is_registered)
        atexit(screen_close); /* whatever ends the program */
    is_registered = true;
    put(ENTER, sizeof ENTER - 1);
    return true;
}

void screen_size(int *columns, int *lines)
{
    enum { COLUMNS = 80, LINES = 24, LEAST_COLUMNS = 20, LEAST_LINES = 2 };
    struct winsize size = {0};
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row;
    *columns = !known ? COLUMNS : size.ws_col > LEAST_COLUMNS ? size.ws_col : LEAST_COLUMNS;
    *lines = !known ? LINES : size.ws_row > LEAST_LINES ? size.ws_row : LEAST_LINES;
}

void screen_draw(const struct buffer *page)
{
    CLEANUP(buffer_free) struct buffer out = BUFFER(PAGE_MOST);
    const char *line = buffer_string(page);
    buffer_text(&out, "\033[H");
    for (bool first = true; *line; first = false) {
        size_t length = strcspn(line, "\n");
        if (!first)
            buffer_text(&out, "\r\n"); /* none after the last: the page would scroll */
        buffer_append(&out, line, length);
        buffer_text(&out, "\033[K");
        line += length + (line[length] == '\n');
    }
    buffer_text(&out, "\033[J");
    put(out.data, out.length);
}

int screen_key(struct task *task, int patience_ms, int *key, struct error *error)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    unsigned char c = 0;
    *key = 0;
    task_block_begin(task);
    int ready = poll(&input, 1, patience_ms);
    ssize_t length = ready > 0 ? read(STDIN_FILENO, &c, 1) : 0;
    task_block_end(task);
    if (ready > 0 && length <= 0) /* the terminal is gone */
        return error_set(error, ERR_CANCELLED, "the terminal was closed");
    if (length == 1)
        *key = c;
    return task_cancelled(task) ? error_set(error, ERR_CANCELLED, "interrupted") : 0;
}
