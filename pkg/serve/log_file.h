/* Log lines of the local target's sources, one file a source. Safe for many threads. */
#ifndef RAGSTACK_SERVE_LOG_FILE_H
#define RAGSTACK_SERVE_LOG_FILE_H

struct log_files;
struct log_files *log_files_open(const char *folder); /* copied; made when it is not there */
void log_files_close(struct log_files *files);
/* Appends "<time>\t<line>\n". What cannot be written (a full disk) is dropped: logging stops
 * nothing. */
void log_files_write(struct log_files *files, const char *source, const char *line);

#endif
