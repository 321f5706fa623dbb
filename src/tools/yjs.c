/* SPDX-License-Identifier: MIT */
/*
 * yjs.c: the command line of `yjs`, a tool for files of Yjs data.
 *
 * Every option stands here once; man/yjs.1 explains them at length.
 */
#include "tools/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define ANY_NUMBER SIZE_MAX

static const struct tool_command commands[] = {
    {"info", tool_info, 1, 1, "j", "FILE [--json]",
     "clients, structs by kind, deletes"},
    {"json", tool_json, 1, 1, "rA", "FILE [--root=NAME:TYPE]",
     "the document as JSON"},
    {"text", tool_text, 1, 1, "rA", "FILE [--root=NAME]", "a text, plain"},
    {"delta", tool_delta, 1, 1, "rA", "FILE [--root=NAME]",
     "a text with its formatting, as JSON"},
    {"snapshot", tool_snapshot, 1, 1, "tj", "FILE [--to=v1|v2] [--json]",
     "what can be seen, to go back to"},
    {"dump", tool_dump, 1, 1, "", "FILE", "the structs, one a line"},
    {"merge", tool_merge, 1, ANY_NUMBER, "ta",
     "FILE... [--as-log] [--to=v1|v2]", "several updates as one"},
    {"diff", tool_diff, 1, 1, "ts", "FILE --sv=FILE [--to=v1|v2]",
     "what a peer with a state vector misses"},
    {"sv", tool_sv, 1, 1, "j", "FILE [--json]",
     "the state vector of an update"},
    {"convert", tool_convert, 1, 1, "t", "FILE --to=v1|v2", "the other format"},
    {"compact", tool_compact, 1, 1, "t", "FILE [--to=v1|v2]",
     "without the deleted content"},
    {"verify", tool_verify, 1, ANY_NUMBER, "", "FILE...",
     "decode, integrate, check"},
    {"log", tool_log, 1, 1, "t", "FILE [--to=v1|v2]",
     "apply a log of updates one by one"},
    {"bench", tool_bench, 0, 0, "ldn", "[--log=FILE] [--doc=FILE] [--runs=N]",
     "medians in milliseconds"},
};

/* What every command takes. */
static const char for_all[] = "fomphV";

enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const char options_help[] =
    "Options of every command:\n"
    "  -f, --format=v1|v2   format of the input; found out if not given\n"
    "  -o, --output=FILE    instead of standard output\n"
    "  -m, --max-bytes=SIZE read no file that is larger (1G); K, M, G are "
    "1024-fold\n"
    "  -p, --progress       show progress even where stderr is no terminal\n"
    "  -h, --help           this text\n"
    "  -V, --version        the version\n"
    "Options of some:\n"
    "  -t, --to=v1|v2       format of the output (convert, merge, diff, "
    "compact, log,\n"
    "                       snapshot)\n"
    "  -r, --root=NAME:TYPE a root and what it is: text, array, map, xml; may "
    "be\n"
    "                       repeated; all there are, types guessed, if not "
    "given\n"
    "                       (json, text, delta)\n"
    "  -A, --at=FILE        as it was at this snapshot (json, text, delta)\n"
    "  -s, --sv=FILE        state vector of the peer (diff)\n"
    "  -l, --log=FILE       updates, each after its u32 length (bench)\n"
    "  -d, --doc=FILE       one update (bench)\n"
    "  -n, --runs=N         how often each thing is measured (bench; 9)\n"
    "  -a, --as-log         each file is a log (merge)\n"
    "  -j, --json           JSON instead of text (info) or bytes (sv, "
    "snapshot)\n"
    "\n"
    "FILE is an update of Yjs, \"-\" standard input. Exit codes: 0 good, 1 "
    "bad data,\n"
    "2 wrong usage, 3 a file cannot be read or written, 4 memory or a limit.\n";

static void print_help(FILE *out)
{
    size_t i;

    fputs("Usage: yjs COMMAND [OPTION]... [FILE]...\n\nCommands:\n", out);
    for (i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  %-8s %-34s %s\n", commands[i].name, commands[i].usage,
                commands[i].about);
    fprintf(out, "\n%s", options_help);
}

static bool parse_format(const char *text, enum yjs_format *out)
{
    if (strcmp(text, "v1") != 0 && strcmp(text, "v2") != 0) {
        fprintf(stderr, "yjs: %s: a format is v1 or v2\n", text);
        return false;
    }
    *out = text[1] == '1' ? YJS_FORMAT_V1 : YJS_FORMAT_V2;
    return true;
}

static bool parse_runs(const char *text, unsigned int *out)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || n < 1 || n > 100000) {
        fprintf(stderr, "yjs: %s: runs are 1 to 100000\n", text);
        return false;
    }
    *out = (unsigned int)n;
    return true;
}

/* 512, 64K, 100M, 2G */
static bool parse_size(const char *text, size_t *out)
{
    static const char units[] = "KMG";
    char *end;
    unsigned long long n;
    const char *unit;
    unsigned int shift = 0;

    errno = 0;
    n = strtoull(text, &end, 10);
    unit = *end != '\0' ? strchr(units, *end) : NULL;
    if (unit != NULL) {
        shift = 10 * (unsigned int)(unit - units + 1);
        end++;
    }
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || n == 0 ||
        n > (SIZE_MAX / 2) >> shift) {
        fprintf(stderr,
                "yjs: %s: a size is a number of bytes, or 64K, 100M, "
                "2G\n",
                text);
        return false;
    }
    *out = (size_t)n << shift;
    return true;
}

/* One option; false if the tool ends with *code. */
static bool take_option(struct tool *t, int option, int *code)
{
    *code = TOOL_USAGE;
    switch (option) {
    case 'f':
        return parse_format(optarg, &t->format);
    case 't':
        return parse_format(optarg, &t->to);
    case 'o':
        t->output = optarg;
        return true;
    case 'r':
        t->roots[t->n_roots++] = optarg;
        return true;
    case 'A':
        t->at = optarg;
        return true;
    case 's':
        t->sv = optarg;
        return true;
    case 'l':
        t->log = optarg;
        return true;
    case 'd':
        t->doc = optarg;
        return true;
    case 'n':
        return parse_runs(optarg, &t->runs);
    case 'a':
        t->as_log = true;
        return true;
    case 'j':
        t->json = true;
        return true;
    case 'p':
        t->progress = true;
        return true;
    case 'm':
        return parse_size(optarg, &t->max_bytes);
    case 'h':
        t->out = stdout;
        print_help(stdout);
        *code = TOOL_OK;
        return false;
    case 'V':
        t->out = stdout;
        puts("yjs " TOOL_VERSION);
        *code = TOOL_OK;
        return false;
    default:
        fputs("Try 'yjs --help'.\n", stderr);
        return false;
    }
}

static const struct option long_options[] = {
    {"format", required_argument, NULL, 'f'},
    {"to", required_argument, NULL, 't'},
    {"output", required_argument, NULL, 'o'},
    {"max-bytes", required_argument, NULL, 'm'},
    {"root", required_argument, NULL, 'r'},
    {"at", required_argument, NULL, 'A'},
    {"sv", required_argument, NULL, 's'},
    {"log", required_argument, NULL, 'l'},
    {"doc", required_argument, NULL, 'd'},
    {"runs", required_argument, NULL, 'n'},
    {"as-log", no_argument, NULL, 'a'},
    {"json", no_argument, NULL, 'j'},
    {"progress", no_argument, NULL, 'p'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0}};

/* given[letter]: it was */
static bool parse_options(struct tool *t, int argc, char **argv, bool *given,
                          int *code)
{
    int option;

    while ((option = getopt_long(argc, argv, "f:t:o:m:r:A:s:l:d:n:ajphV",
                                 long_options, NULL)) != -1) {
        if (!take_option(t, option, code))
            return false;
        given[option] = true;
    }
    return true;
}

static bool refuse_options(const struct tool_command *c, const bool *given)
{
    const struct option *o;

    for (o = long_options; o->name != NULL; o++) {
        if (!given[o->val] || strchr(for_all, o->val) != NULL ||
            strchr(c->takes, o->val) != NULL)
            continue;
        fprintf(stderr, "yjs: %s: takes no --%s\nUsage: yjs %s %s\n", c->name,
                o->name, c->name, c->usage);
        return true;
    }
    return false;
}

static int run(struct tool *t, int argc, char **argv)
{
    const struct tool_command *c = NULL;
    bool given[128] = {false};
    int code = TOOL_USAGE;
    size_t i;

    if (!parse_options(t, argc, argv, given, &code))
        return code;
    if (optind == argc) {
        print_help(stderr);
        return TOOL_USAGE;
    }
    t->command = argv[optind++];
    for (i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, t->command) == 0)
            c = &commands[i];
    if (c == NULL) {
        fprintf(stderr, "yjs: %s: no such command; try 'yjs --help'\n",
                t->command);
        return TOOL_USAGE;
    }
    while (optind < argc)
        t->files[t->n_files++] = argv[optind++];
    if (t->n_files < c->min_files || t->n_files > c->max_files) {
        fprintf(stderr, "Usage: yjs %s %s\n", c->name, c->usage);
        return TOOL_USAGE;
    }
    if (refuse_options(c, given))
        return TOOL_USAGE;
    tool_progress_start(t->progress);
    code = c->run(t);
    tool_progress_stop();
    return code;
}

/*
 * A file that is opened takes the lowest free number; where standard output
 * was closed, what is meant for that would go into it. Hold the numbers by
 * files that can do the one thing that is not wanted of them.
 */
static void hold_standard_files(void)
{
    int fd;

    for (fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
            (void)open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
    struct tool t = {.runs = 9, .max_bytes = TOOL_MAX_BYTES};
    int code;

    hold_standard_files();
    t.files = calloc((size_t)argc + 1, sizeof(*t.files));
    t.roots = calloc((size_t)argc + 1, sizeof(*t.roots));
    if (t.files == NULL || t.roots == NULL)
        code = tool_fail("start", TOOL_LIMIT, "out of memory");
    else
        code = tool_out_end(&t, run(&t, argc, argv));
    free(t.files);
    free(t.roots);
    return code;
}
