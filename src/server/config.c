/* SPDX-License-Identifier: MIT */
/* Settings: see config.h. Must never start with a value it did not understand,
 * or print the secret. */
#include "server/config.h"

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"
#include "transport/origin.h"
#include "server/secret_env.h"

enum kind { KIND_string, KIND_choice, KIND_count, KIND_bytes, KIND_time };

struct key {
    const char *section, *name, *standard, *help;
    uint64_t min, max;
    size_t offset;
    enum kind kind;
    bool reload;
};

/* A key's section is that of the last CONFIG_SECTION before it: sections are
 * rows of their own, without a name. */
static const struct key keys[] = {
#define CONFIG_SECTION(s) {.section = #s},
#define CONFIG_KEY(k, n, std, lo, hi, rel, text)                               \
    {.name = #n,                                                               \
     .standard = std,                                                          \
     .help = text,                                                             \
     .min = lo,                                                                \
     .max = hi,                                                                \
     .offset = offsetof(struct config, n),                                     \
     .kind = KIND_##k,                                                         \
     .reload = rel},
#include "server/config_keys.h"
#undef CONFIG_KEY
#undef CONFIG_SECTION
};
enum { KEYS = sizeof keys / sizeof *keys };

static bool is_text(const struct key *key)
{
    return key->kind == KIND_string || key->kind == KIND_choice;
}

static char **text_of(struct config *c, const struct key *key)
{
    return (char **)(void *)((char *)c + key->offset);
}

static uint64_t *number_of(struct config *c, const struct key *key)
{
    return (uint64_t *)(void *)((char *)c + key->offset);
}

static const char *section_of(const struct key *key)
{
    while (!key->section)
        key--;
    return key->section;
}

static const struct key *find_key(const char *name)
{
    for (size_t i = 0; i < KEYS; i++)
        if (keys[i].name && strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

bool config_has_key(const char *name)
{
    return find_key(name) != NULL;
}

/* values */

static const struct unit {
    enum kind kind;
    const char *suffix;
    uint64_t factor;
} units[] = {
    {KIND_bytes, "k", 1024},
    {KIND_bytes, "M", 1024 * 1024},
    {KIND_bytes, "G", 1024 * 1024 * 1024},
    {KIND_time, "ms", 1},
    {KIND_time, "s", 1000},
    {KIND_time, "m", 60 * 1000},
    {KIND_time, "h", 3600 * 1000},
};

static bool parse_number(enum kind kind, const char *text, uint64_t *out)
{
    char *end;
    uint64_t factor = 1;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno)
        return false;
    if (*end) {
        factor = 0;
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            if (units[i].kind == kind && strcmp(units[i].suffix, end) == 0)
                factor = units[i].factor;
    }
    if (factor == 0 || value > UINT64_MAX / factor)
        return false;
    *out = value * factor;
    return true;
}

/* Is `text` one of the words in the brackets of `help`? */
static bool is_choice(const char *help, const char *text)
{
    const char *at = strchr(help, '[') + 1;
    size_t len = strlen(text);
    while (*at != ']') {
        size_t word = strcspn(at, " ]");
        if (word == len && memcmp(at, text, len) == 0)
            return true;
        at += word;
        at += *at == ' ';
    }
    return false;
}

static const char *expected(const struct key *key)
{
    switch (key->kind) {
    case KIND_count:
        return "a number";
    case KIND_bytes:
        return "a size like 512k or 8M";
    case KIND_time:
        return "a time like 500ms or 30s";
    default:
        return strchr(key->help, '[') ? strchr(key->help, '[') : "text";
    }
}

static bool set_number(struct config *c, const struct key *key,
                       const char *value, char *error)
{
    uint64_t number;
    if (!parse_number(key->kind, value, &number)) {
        snprintf(error, CONFIG_ERROR_MAX, "%s: expected %s, not \"%.64s\"",
                 key->name, expected(key), value);
        return false;
    }
    if (number < key->min || number > key->max) {
        snprintf(error, CONFIG_ERROR_MAX,
                 "%s: %.64s is not between %llu and %llu", key->name, value,
                 (unsigned long long)key->min, (unsigned long long)key->max);
        return false;
    }
    *number_of(c, key) = number;
    return true;
}

static bool set_text(struct config *c, const struct key *key, const char *value,
                     char *error)
{
    size_t len = strlen(value);
    bool choice = key->kind == KIND_choice;
    if (choice && !is_choice(key->help, value)) {
        snprintf(error, CONFIG_ERROR_MAX, "%s: expected one of %s", key->name,
                 expected(key));
        return false;
    }
    if (!choice && (len < key->min || len > key->max)) {
        snprintf(error, CONFIG_ERROR_MAX,
                 "%s: must have between %llu and %llu characters", key->name,
                 (unsigned long long)key->min, (unsigned long long)key->max);
        return false;
    }
    free(*text_of(c, key));
    *text_of(c, key) = mem_dup(value, len);
    return true;
}

static bool set(struct config *c, const struct key *key, const char *value,
                char *error)
{
    return is_text(key) ? set_text(c, key, value, error)
                        : set_number(c, key, value, error);
}

void config_init(struct config *config)
{
    char error[CONFIG_ERROR_MAX];
    *config = (struct config){0};
    for (size_t i = 0; i < KEYS; i++)
        if (keys[i].name && !set(config, &keys[i], keys[i].standard, error))
            abort(); /* the table contradicts itself */
}

void config_deinit(struct config *config)
{
    for (size_t i = 0; i < KEYS; i++)
        if (keys[i].name && is_text(&keys[i])) {
            free(*text_of(config, &keys[i]));
            *text_of(config, &keys[i]) = NULL;
        }
}

/* the file */

/* Where a key's value came from, for messages about it that come later. */
struct source {
    enum { FROM_DEFAULT, FROM_FILE, FROM_ENV, FROM_OVERRIDE } kind;
    const char *name; /* of the file, variable or option */
    int line;
};

static void tell_source(const struct source *s, const struct key *key,
                        const char *what, char *error)
{
    switch (s->kind) {
    case FROM_FILE:
        snprintf(error, CONFIG_ERROR_MAX, "%.200s:%d: %s: %.240s", s->name,
                 s->line, key->name, what);
        break;
    case FROM_ENV:
        snprintf(error, CONFIG_ERROR_MAX, "environment variable %s: %s: %.300s",
                 s->name, key->name, what);
        break;
    case FROM_OVERRIDE:
        snprintf(error, CONFIG_ERROR_MAX, "%s: %s: %.400s", s->name, key->name,
                 what);
        break;
    default:
        snprintf(error, CONFIG_ERROR_MAX, "%s: %.400s", key->name, what);
    }
}

struct reading {
    struct config *config;
    struct source *sources; /* one for each key */
    FILE *in;
    const char *file;
    char *error; /* the first mistake is the one to tell */
    int line, error_line;
};

static void complain(struct reading *r, const char *what)
{
    if (r->error[0] && r->error_line <= r->line)
        return;
    r->error_line = r->line;
    snprintf(r->error, CONFIG_ERROR_MAX, "%.200s:%d: %.250s", r->file, r->line,
             what);
}

/* Reads lines for inih: counts them (Debian's inih does not tell its handler),
 * and refuses what inih would quietly do something else with: a line longer
 * than its buffer, which it takes for two, and one that starts with a space,
 * which it takes for more of the value before. */
static char *next_line(char *line, int size, void *arg)
{
    struct reading *r = arg;
    int at = 0, c = 0;
    while (at < size - 1 && c != '\n' && (c = getc(r->in)) != EOF)
        line[at++] = (char)c;
    line[at] = '\0';
    if (at == 0 || r->error[0])
        return NULL;
    r->line++;
    if (memchr(line, '\0', (size_t)at))
        complain(r, "a NUL byte");
    else if (at == size - 1 && c != '\n')
        complain(r, "the line is longer than 197 characters; a list may be "
                    "given in several lines, each with the key");
    else if ((line[0] == ' ' || line[0] == '\t') &&
             line[strspn(line, " \t\r\n")])
        complain(r, "a line must not start with a space");
    return r->error[0] ? NULL : line;
}

/* A list may be spread over lines that each begin with its key; any other key
 * comes once. */
static bool set_again(struct reading *r, const struct key *key,
                      const char *value, char *what)
{
    char **text = text_of(r->config, key);
    if (strcmp(key->name, "check_origin") != 0 &&
        strcmp(key->name, "trusted_proxies") != 0) {
        snprintf(what, CONFIG_ERROR_MAX, "%s: was given in line %d already",
                 key->name, r->sources[key - keys].line);
        return false;
    }
    size_t have = strlen(*text), more = strlen(value);
    char *joined = mem_alloc(have + more + 2);
    memcpy(joined, *text, have);
    joined[have] = ' ';
    memcpy(joined + have + 1, value, more + 1);
    bool ok = set(r->config, key, joined, what);
    free(joined);
    return ok;
}

static bool set_from_file(struct reading *r, const struct key *key,
                          const char *value, char *what)
{
    struct source *source = &r->sources[key - keys];
    if (source->kind == FROM_FILE)
        return set_again(r, key, value, what);
    *source = (struct source){FROM_FILE, r->file, r->line};
    return set(r->config, key, value, what);
}

static int on_ini(void *arg, const char *section, const char *name,
                  const char *value)
{
    struct reading *r = arg;
    char what[CONFIG_ERROR_MAX];
    const struct key *key = find_key(name);
    if (!key)
        snprintf(what, sizeof what, "unknown key \"%.64s\"", name);
    else if (strcmp(section_of(key), section) != 0)
        snprintf(what, sizeof what,
                 "%s: belongs into section [%s], not [%.64s]", name,
                 section_of(key), section);
    else if (set_from_file(r, key, value, what))
        return 1;
    complain(r, what);
    return 0;
}

static bool read_file(struct config *c, const char *file,
                      struct source *sources, char *error)
{
    struct reading reading = {.config = c,
                              .sources = sources,
                              .in = fopen(file, "re"),
                              .file = file,
                              .error = error};
    if (!reading.in) {
        snprintf(error, CONFIG_ERROR_MAX, "%.300s: %s", file, strerror(errno));
        return false;
    }
    int line = ini_parse_stream(next_line, &reading, on_ini, &reading);
    if (line > 0) { /* it goes on behind its own mistakes */
        reading.line = line;
        complain(&reading, "neither [section], nor key = value, nor # comment");
    }
    if (ferror(reading.in)) /* a directory, say */
        snprintf(error, CONFIG_ERROR_MAX, "%.300s: %s", file, strerror(errno));
    fclose(reading.in);
    return error[0] == '\0';
}

/* the environment */

static bool from_env(struct config *c, const char *variable,
                     const struct key *key, struct source *sources, char *error)
{
    bool secret = strcmp(key->name, "secret_key_base") == 0 ||
                  strcmp(key->name, "status_key") == 0;
    const char *value = secret ? secret_env(variable) : getenv(variable);
    char what[CONFIG_ERROR_MAX];
    if (!value || !*value)
        return true;
    sources[key - keys] = (struct source){FROM_ENV, variable, 0};
    if (set(c, key, value, what))
        return true;
    snprintf(error, CONFIG_ERROR_MAX, "environment variable %s: %.400s",
             variable, what);
    return false;
}

/* ROOMD_<KEY> for every key, and the names that the Phoenix service used. */
static bool read_env(struct config *c, struct source *sources, char *error)
{
    static const char *const known[][2] = {
        {"BIND", "bind"},
        {"PORT", "port"},
        {"PHX_HOST", "hostname"},
        {"SECRET_KEY_BASE", "secret_key_base"},
    };
    const char *mix_env = getenv("MIX_ENV");
    c->production = mix_env && strcmp(mix_env, "prod") == 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!from_env(c, known[i][0], find_key(known[i][1]), sources, error))
            return false;
    for (size_t i = 0; i < KEYS; i++) {
        char variable[64] = "ROOMD_";
        if (!keys[i].name)
            continue;
        size_t at = strlen(variable);
        for (const char *p = keys[i].name; *p && at < sizeof variable - 1; p++)
            variable[at++] =
                *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
        variable[at] = '\0';
        if (!from_env(c, variable, &keys[i], sources, error))
            return false;
        if (sources[i].name == variable) /* it does not outlive this */
            sources[i].name = "ROOMD_...";
    }
    return true;
}

static bool apply_overrides(struct config *c,
                            const struct config_override *overrides,
                            size_t count, struct source *sources, char *error)
{
    for (size_t i = 0; i < count; i++) {
        const struct key *key = find_key(overrides[i].name);
        char what[CONFIG_ERROR_MAX];
        if (key)
            sources[key - keys] =
                (struct source){FROM_OVERRIDE, overrides[i].origin, 0};
        if (key && set(c, key, overrides[i].value, what))
            continue;
        if (!key)
            snprintf(what, sizeof what, "unknown key \"%.64s\"",
                     overrides[i].name);
        snprintf(error, CONFIG_ERROR_MAX, "%s: %.400s", overrides[i].origin,
                 what);
        return false;
    }
    return true;
}

/* What is wrong with the secret; NULL for nothing. */
static const char *secret_mistake(const struct config *c)
{
    size_t len = strlen(c->secret_key_base);
    if (len && len < CONFIG_SECRET_MIN)
        return "needs at least 64 bytes (SECRET_KEY_BASE)";
    if (!len && c->production)
        return "must be set (SECRET_KEY_BASE) when MIX_ENV=prod";
    return NULL;
}

static const char *origin_mistake(const struct config *c)
{
    struct origin_policy policy;
    if (origin_policy_init(&policy, c->check_origin, c->hostname)) {
        origin_policy_deinit(&policy);
        return NULL;
    }
    if (!c->hostname[0] && strcmp(c->check_origin, "true") == 0)
        return "true needs a hostname (PHX_HOST)";
    return "expected true, conn, false, auto or a list of origins like "
           "https://example.com or //*.example.com";
}

static const char *proxies_mistake(const struct config *c)
{
    struct address_list list;
    if (!address_list_init(&list, c->trusted_proxies))
        return "expected addresses and networks like 192.0.2.1 10.0.0.0/8, "
               "or the words loopback, private";
    address_list_deinit(&list);
    return NULL;
}

static const char *protocol_mistake(const struct config *c)
{
    return strcmp(c->proxy_protocol, "on") == 0 && !c->trusted_proxies[0]
               ? "on needs trusted_proxies"
               : NULL;
}

/* A client gives a poll up after 20 s (phoenix.js), and a session must not end
 * while its poll waits. */
static const char *session_mistake(const struct config *c)
{
    return c->longpoll_session > c->longpoll_window
               ? NULL
               : "must be longer than longpoll_window";
}

/* What has to hold between keys; settles check_origin = auto. */
static bool settle(struct config *c, const struct source *sources, char *error)
{
    static const struct {
        const char *key;
        const char *(*mistake)(const struct config *);
    } checks[] = {{"secret_key_base", secret_mistake},
                  {"check_origin", origin_mistake},
                  {"trusted_proxies", proxies_mistake},
                  {"proxy_protocol", protocol_mistake},
                  {"longpoll_session", session_mistake}};
    if (strcmp(c->check_origin, "auto") == 0) {
        const char *how = c->hostname[0]  ? "true"
                          : c->production ? "conn"
                                          : "false";
        free(c->check_origin);
        c->check_origin = mem_strdup(how);
    }
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        const struct key *key = find_key(checks[i].key);
        const char *what = checks[i].mistake(c);
        if (!what)
            continue;
        tell_source(&sources[key - keys], key, what, error);
        return false;
    }
    return true;
}

bool config_load(struct config *config, const char *file,
                 const struct config_override *overrides, size_t count,
                 char error[CONFIG_ERROR_MAX])
{
    struct config made;
    struct source sources[KEYS] = {0};
    config_init(&made);
    error[0] = '\0';
    if ((!file || read_file(&made, file, sources, error)) &&
        read_env(&made, sources, error) &&
        apply_overrides(&made, overrides, count, sources, error) &&
        settle(&made, sources, error)) {
        *config = made;
        return true;
    }
    config_deinit(&made);
    return false;
}

static bool same(struct config *a, struct config *b, const struct key *key)
{
    return is_text(key) ? strcmp(*text_of(a, key), *text_of(b, key)) == 0
                        : *number_of(a, key) == *number_of(b, key);
}

void config_reload(struct config *config, const struct config *fresh,
                   void (*changed)(const char *key),
                   void (*restart)(const char *key))
{
    struct config *from = (struct config *)(uintptr_t)fresh; /* only read */
    for (size_t i = 0; i < KEYS; i++) {
        const struct key *key = &keys[i];
        if (!key->name || same(config, from, key))
            continue;
        if (!key->reload) {
            restart(key->name);
            continue;
        }
        if (is_text(key)) {
            free(*text_of(config, key));
            *text_of(config, key) = mem_strdup(*text_of(from, key));
        } else {
            *number_of(config, key) = *number_of(from, key);
        }
        changed(key->name);
    }
}

/* One comment, folded at 78 columns. */
static void dump_help(const char *help, FILE *out)
{
    size_t column = 1;
    fputc('#', out);
    while (*help) {
        size_t word = strcspn(help, " ");
        if (column + 1 + word > 78) {
            fputs("\n#  ", out);
            column = 3;
        }
        fprintf(out, " %.*s", (int)word, help);
        column += 1 + word;
        help += word;
        help += *help == ' ';
    }
    fputc('\n', out);
}

void config_dump(FILE *out)
{
    fputs("# roomd.conf: every setting with its default.\n"
          "#\n"
          "# Sizes: bytes, or k, M, G behind the number. Times: "
          "milliseconds, or ms, s, m,\n"
          "# h. The environment variable ROOMD_<KEY> (upper case) beats this "
          "file, and the\n"
          "# option --set key=value beats both. (r): SIGHUP takes over a new "
          "value, the\n"
          "# others need a restart.\n",
          out);
    for (size_t i = 0; i < KEYS; i++) {
        char help[CONFIG_ERROR_MAX];
        if (keys[i].section) {
            fprintf(out, "\n[%s]\n", keys[i].section);
            continue;
        }
        snprintf(help, sizeof help, "%s%s", keys[i].help,
                 keys[i].reload ? " (r)" : "");
        fputc('\n', out);
        dump_help(help, out);
        fprintf(out, "%s =%s%s\n", keys[i].name, *keys[i].standard ? " " : "",
                keys[i].standard);
    }
}
