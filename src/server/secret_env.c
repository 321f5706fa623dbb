/* SPDX-License-Identifier: MIT */
/* Secrets from the environment: see secret_env.h. Must never leave a copy
 * behind but the one it returns. */
#include "server/secret_env.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SECRETS_MAX = 8 };

/* As global as the environment is. */
static struct secret {
    char *name, *value;
} secrets[SECRETS_MAX];

static void forget(struct secret *s)
{
    if (s->value)
        explicit_bzero(s->value, strlen(s->value));
    free(s->value);
    s->value = NULL;
}

static struct secret *slot(const char *variable)
{
    for (size_t i = 0; i < SECRETS_MAX; i++) {
        if (!secrets[i].name)
            secrets[i].name = mem_strdup(variable);
        if (strcmp(secrets[i].name, variable) == 0)
            return &secrets[i];
    }
    abort(); /* the caller has a fixed set of names */
}

const char *secret_env(const char *variable)
{
    char *value = getenv(variable);
    struct secret *s = slot(variable);
    if (!value)
        forget(s);
    if (!value || !*value)
        return s->value;
    forget(s);
    s->value = mem_strdup(value);
    explicit_bzero(value, strlen(value));
    return s->value;
}
