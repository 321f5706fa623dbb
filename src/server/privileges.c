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

bool privileges_drop(const char *user)
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
    if (!*user) {
        log_warning("running as root: set user, or start it as another");
        return true;
    }
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
