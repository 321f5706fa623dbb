/* SPDX-License-Identifier: MIT */
/*
 * Privileges: see privileges.h. Must never go on as root after it was told to
 * be somebody else.
 */
#include "server/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

static bool become(const struct passwd *who)
{
    if (initgroups(who->pw_name, who->pw_gid) != 0 ||
        setgid(who->pw_gid) != 0 || setuid(who->pw_uid) != 0)
        return false;
    /* Not to be had back, or it was not given up. */
    if (who->pw_uid != 0 && (setuid(0) == 0 || seteuid(0) == 0)) {
        errno = EPERM;
        return false;
    }
    return true;
}

/* Would all go well as this user? Tried by a child: there is no way back. */
static bool works_as(const struct passwd *who, privileges_probe probe,
                     void *arg)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(become(who) && probe(arg) ? 0 : 1);
    while (child > 0 && waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return child > 0 && status == 0;
}

/* Nobody said whom to become. */
static bool become_usual(privileges_probe probe, void *arg)
{
    static const char *const usual[] = {"roomd", "nobody"};
    const struct passwd *who = NULL;
    for (size_t i = 0; i < sizeof usual / sizeof *usual && !who; i++)
        who = getpwnam(usual[i]);
    if (!who || who->pw_uid == 0) {
        log_warning("running as root: there is no user roomd or nobody");
        return true;
    }
    if (!works_as(who, probe, arg)) {
        log_warning("running as root: this user cannot read the "
                    "configuration file or www; set user",
                    LOG_Z("user", who->pw_name));
        return true;
    }
    if (!become(who)) {
        log_error("cannot become another user", LOG_Z("user", who->pw_name),
                  LOG_Z("error", strerror(errno)));
        return false;
    }
    log_info("privileges given up", LOG_Z("user", who->pw_name));
    return true;
}

bool privileges_drop(const char *user, privileges_probe probe, void *arg)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        log_warning("privileges may still be gained",
                    LOG_Z("error", strerror(errno)));
    if (geteuid() != 0) {
        if (*user)
            log_info("not started as root, so user has no effect",
                     LOG_Z("user", user));
        return true;
    }
    if (!*user)
        return become_usual(probe, arg);
    errno = 0;
    const struct passwd *who = getpwnam(user);
    if (!who || !become(who)) {
        log_error("cannot become another user", LOG_Z("user", user),
                  LOG_Z("error", who || errno ? strerror(errno)
                                              : "there is no such user"));
        return false;
    }
    log_info("privileges given up", LOG_Z("user", user));
    return true;
}
