/* Runs a fuzzer's one function over stored inputs, where libFuzzer is not linked: every file of
 * the directories given as arguments, and every file given itself. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "pkg/base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input lies in a block of exactly its size, so that ASan sees each byte read beyond. */
static int replay_file(const char *path, long size)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return -1;
    }
    uint8_t *data = malloc(size ? (size_t)size : 1);
    size_t count = data ? fread(data, 1, (size_t)size, file) : 0;
    fclose(file);
    if (data)
        LLVMFuzzerTestOneInput(data, count);
    free(data);
    return 1;
}

/* The number of inputs replayed, or -1. */
static int replay(const char *path)
{
    struct stat status;
    if (stat(path, &status)) {
        perror(path);
        return -1;
    }
    if (!S_ISDIR(status.st_mode))
        return replay_file(path, (long)status.st_size);
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct dirent **entries = NULL;
    int total = 0, count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.' && total >= 0) {
            int replayed = replay(arena_printf(arena, "%s/%s", path, entries[i]->d_name));
            total = replayed < 0 ? -1 : total + replayed;
        }
        free(entries[i]);
    }
    free(entries);
    return count < 0 ? -1 : total;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int count = replay(argv[i]);
        if (count < 0)
            return 1;
        total += count;
    }
    printf("%d inputs replayed\n", total);
    return total ? 0 : 1;
}
