/* The name service "altfiles": accounts and groups of the image, in /usr/lib/passwd and
 * /usr/lib/group. Images of the Fedora family have it from the package nss-altfiles, which Debian
 * does not have; this one does what those tests of ours need that run on Debian's packages: it
 * looks names and ids up. It does not enumerate. */

#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#define PASSWD "/usr/lib/passwd"
#define GROUP "/usr/lib/group"

/* What the C library wants to hear for the result of fgetpwent_r or fgetgrent_r. */
static enum nss_status answer(int error, int *errnop)
{
    if (error == 0)
        return NSS_STATUS_SUCCESS;
    *errnop = error;
    /* ERANGE: called again with a larger buffer. */
    return error == ERANGE ? NSS_STATUS_TRYAGAIN : NSS_STATUS_NOTFOUND;
}

static enum nss_status user(const char *name, uid_t uid, struct passwd *result, char *buffer, size_t size, int *errnop)
{
    FILE *file = fopen(PASSWD, "re");
    struct passwd *found;
    int error;

    if (file == NULL) {
        *errnop = errno;
        return NSS_STATUS_UNAVAIL;
    }
    while ((error = fgetpwent_r(file, result, buffer, size, &found)) == 0)
        if (name != NULL ? strcmp(found->pw_name, name) == 0 : found->pw_uid == uid)
            break;
    fclose(file);
    return answer(error, errnop);
}

static enum nss_status group(const char *name, gid_t gid, struct group *result, char *buffer, size_t size, int *errnop)
{
    FILE *file = fopen(GROUP, "re");
    struct group *found;
    int error;

    if (file == NULL) {
        *errnop = errno;
        return NSS_STATUS_UNAVAIL;
    }
    while ((error = fgetgrent_r(file, result, buffer, size, &found)) == 0)
        if (name != NULL ? strcmp(found->gr_name, name) == 0 : found->gr_gid == gid)
            break;
    fclose(file);
    return answer(error, errnop);
}

enum nss_status _nss_altfiles_getpwnam_r(const char *name, struct passwd *result, char *buffer, size_t size, int *errnop)
{
    return user(name, 0, result, buffer, size, errnop);
}

enum nss_status _nss_altfiles_getpwuid_r(uid_t uid, struct passwd *result, char *buffer, size_t size, int *errnop)
{
    return user(NULL, uid, result, buffer, size, errnop);
}

enum nss_status _nss_altfiles_getgrnam_r(const char *name, struct group *result, char *buffer, size_t size, int *errnop)
{
    return group(name, 0, result, buffer, size, errnop);
}

enum nss_status _nss_altfiles_getgrgid_r(gid_t gid, struct group *result, char *buffer, size_t size, int *errnop)
{
    return group(NULL, gid, result, buffer, size, errnop);
}
