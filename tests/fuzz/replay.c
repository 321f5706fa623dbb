/* SPDX-License-Identifier: MIT */
/*
 * A main() for the fuzz targets where there is no libFuzzer: `make check` runs
 * every file of a target's corpus, all its prefixes, and a few hundred fixed
 * mutations of it. Nothing here is random: a failure repeats.
 *
 *   replay_NAME                 corpus is $srcdir/tests/fuzz/corpus/NAME
 *   replay_NAME FILE|DIR...     these instead (a crash found elsewhere)
 *
 * FUZZ_MUTATIONS=N changes how many mutations each file gets (default 100).
 *
 * A target is one file tests/fuzz/NAME.c that defines LLVMFuzzerTestOneInput,
 * looks at nothing but its input, and calls abort() when something is wrong.
 * To fuzz it for real: tests/fuzz/fuzz.sh.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A slow target has fewer of both: see tests/fuzz/local.mk. */
#ifndef REPLAY_PREFIXES
#define REPLAY_PREFIXES 2000
#endif
#ifndef REPLAY_MUTATIONS
#define REPLAY_MUTATIONS 100
#endif

static size_t n_files, n_inputs;

/* In a block of exactly that size, so that ASan sees a read past the end. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + (size == 0));

    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    n_inputs++;
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* One to four small changes: flipped, replaced, removed, doubled bytes. */
static size_t mutate(uint8_t *data, size_t size, uint32_t *seed)
{
    static const uint8_t nasty[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x0a, 0x1f};
    uint32_t n = 1 + next_random(seed) % 4;

    while (n-- > 0 && size > 0) {
        size_t at = next_random(seed) % size;

        switch (next_random(seed) % 5) {
        case 0:
            data[at] ^= (uint8_t)(1u << next_random(seed) % 8);
            break;
        case 1:
            data[at] = nasty[next_random(seed) % sizeof(nasty)];
            break;
        case 2:
            data[at] = (uint8_t)next_random(seed);
            break;
        case 3:
            memmove(data + at, data + at + 1, size - at - 1);
            size--;
            break;
        default: /* the buffer has room for four more */
            memmove(data + at + 1, data + at, size - at);
            size++;
            break;
        }
    }
    return size;
}

static void run_mutations(const uint8_t *data, size_t size)
{
    const char *env = getenv("FUZZ_MUTATIONS");
    long n = env != NULL ? atol(env) : REPLAY_MUTATIONS;
    uint32_t seed = 2463534242u + (uint32_t)size;
    uint8_t *copy = malloc(size + 4);

    if (copy == NULL)
        abort();
    while (n-- > 0) {
        memcpy(copy, data, size);
        run(copy, mutate(copy, size, &seed));
    }
    free(copy);
}

static void run_file(const char *path, size_t size)
{
    uint8_t *data = malloc(size + 1);
    FILE *in = fopen(path, "rb");

    if (data == NULL || in == NULL) {
        perror(path);
        exit(1);
    }
    size = fread(data, 1, size, in);
    fclose(in);
    /* a crash names its file in the log */
    printf("%s\n", path);
    fflush(stdout);
    run(data, size);
    for (size_t n = 0; n < size && n < REPLAY_PREFIXES; n++)
        run(data, n);
    run_mutations(data, size);
    free(data);
    n_files++;
}

static void run_path(const char *path);

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void run_folder(const char *path)
{
    struct dirent **entries = NULL;
    int n = scandir(path, &entries, not_hidden, alphasort);

    for (int i = 0; i < n; i++) {
        char *file = NULL;

        if (asprintf(&file, "%s/%s", path, entries[i]->d_name) < 0)
            abort();
        run_path(file);
        free(file);
        free(entries[i]);
    }
    free(entries);
}

static void run_path(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        perror(path);
        exit(1);
    }
    if (S_ISDIR(st.st_mode))
        run_folder(path);
    else
        run_file(path, (size_t)st.st_size);
}

static void run_own_corpus(const char *argv0)
{
    const char *srcdir = getenv("srcdir");
    const char *slash = strrchr(argv0, '/');
    const char *name = slash != NULL ? slash + 1 : argv0;
    char *path = NULL;

    if (strncmp(name, "replay_", 7) == 0)
        name += 7;
    if (asprintf(&path, "%s/tests/fuzz/corpus/%s",
                 srcdir != NULL ? srcdir : ".", name) < 0)
        abort();
    run_path(path);
    free(path);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        run_own_corpus(argv[0]);
    for (int i = 1; i < argc; i++)
        run_path(argv[i]);
    printf("%zu files, %zu inputs\n", n_files, n_inputs);
    return n_files > 0 ? 0 : 1;
}
