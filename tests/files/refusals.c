/* Preloaded, it makes the n-th call of a function of the system's fail, once, with an error
 * that may pass. `refusals_arm(n, error)` starts the count; 0 refuses nothing and counts.
 * `refusals_disarm()` ends it, and gives the count; `refusals_name()` what was refused. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int armed, count;
static int target, error;
static const char *refused = "";

void refusals_arm(int n, int code) {
    target = n;
    error = code;
    refused = "";
    count = 0;
    armed = 1;
}

int refusals_disarm(void) {
    armed = 0;
    return count;
}

const char *refusals_name(void) { return refused; }

static int refuse(const char *name) {
    if (!armed || atomic_fetch_add(&count, 1) + 1 != target)
        return 0;
    refused = name;
    errno = error;
    return 1;
}

#define WRAP(type, failed, name, parameters, arguments)                                            \
    type name parameters {                                                                         \
        static type(*real) parameters;                                                             \
        if (!real)                                                                                 \
            real = (type(*) parameters)dlsym(RTLD_NEXT, #name);                                    \
        return refuse(#name) ? (type)failed : real arguments;                                      \
    }

#define WRAP_OPEN(name, parameters, arguments)                                                     \
    int name parameters {                                                                          \
        static int (*real)(int, const char *, int, mode_t);                                        \
        mode_t mode = 0;                                                                           \
        if (flags & O_CREAT) {                                                                     \
            va_list list;                                                                          \
            va_start(list, flags);                                                                 \
            mode = va_arg(list, mode_t);                                                           \
            va_end(list);                                                                          \
        }                                                                                          \
        if (!real)                                                                                 \
            real = (int (*)(int, const char *, int, mode_t))dlsym(RTLD_NEXT, "openat64");          \
        return refuse(#name) ? -1 : real arguments;                                                \
    }

WRAP_OPEN(open, (const char *path, int flags, ...), (AT_FDCWD, path, flags, mode))
WRAP_OPEN(open64, (const char *path, int flags, ...), (AT_FDCWD, path, flags, mode))
WRAP_OPEN(openat, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
WRAP_OPEN(openat64, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
WRAP(int, -1, stat64, (const char *path, struct stat64 *found), (path, found))
WRAP(int, -1, lstat64, (const char *path, struct stat64 *found), (path, found))
WRAP(int, -1, fstat64, (int file, struct stat64 *found), (file, found))
WRAP(int, -1, fstatat64, (int folder, const char *path, struct stat64 *found, int flags),
     (folder, path, found, flags))
WRAP(int, -1, access, (const char *path, int mode), (path, mode))
WRAP(int, -1, faccessat, (int folder, const char *path, int mode, int flags),
     (folder, path, mode, flags))
WRAP(ssize_t, -1, readlink, (const char *path, char *text, size_t size), (path, text, size))
WRAP(ssize_t, -1, read, (int file, void *data, size_t size), (file, data, size))
WRAP(ssize_t, -1, pread64, (int file, void *data, size_t size, off64_t at), (file, data, size, at))
WRAP(ssize_t, -1, write, (int file, const void *data, size_t size), (file, data, size))
WRAP(off64_t, -1, lseek64, (int file, off64_t at, int from), (file, at, from))
WRAP(int, -1, ftruncate64, (int file, off64_t size), (file, size))
WRAP(int, -1, fsync, (int file), (file))
WRAP(int, -1, fchmod, (int file, mode_t mode), (file, mode))
WRAP(int, -1, chmod, (const char *path, mode_t mode), (path, mode))
WRAP(int, -1, utimensat, (int folder, const char *path, const struct timespec times[2], int flags),
     (folder, path, times, flags))
WRAP(int, -1, rename, (const char *from, const char *to), (from, to))
WRAP(int, -1, renameat2, (int a, const char *from, int b, const char *to, unsigned flags),
     (a, from, b, to, flags))
WRAP(int, -1, unlink, (const char *path), (path))
WRAP(int, -1, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(int, -1, rmdir, (const char *path), (path))
WRAP(DIR *, NULL, opendir, (const char *path), (path))
WRAP(struct dirent64 *, NULL, readdir64, (DIR * folder), (folder))
WRAP(int, -1, flock, (int file, int operation), (file, operation))
WRAP(int, -1, socket, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(int, -1, connect, (int socket, const struct sockaddr *to, socklen_t size), (socket, to, size))
WRAP(int, -1, setsockopt, (int s, int level, int name, const void *value, socklen_t size),
     (s, level, name, value, size))
WRAP(ssize_t, -1, send, (int socket, const void *data, size_t size, int flags),
     (socket, data, size, flags))
WRAP(ssize_t, -1, recv, (int socket, void *data, size_t size, int flags),
     (socket, data, size, flags))
WRAP(int, -1, poll, (struct pollfd *files, nfds_t size, int timeout), (files, size, timeout))

/* Of files alone: a thread of CPython that starts without memory is waited for in vain. */
void *mmap64(void *where, size_t size, int protection, int flags, int file, off64_t at) {
    static void *(*real)(void *, size_t, int, int, int, off64_t);
    if (!real)
        real = (void *(*)(void *, size_t, int, int, int, off64_t))dlsym(RTLD_NEXT, "mmap64");
    return file >= 0 && refuse("mmap64") ? MAP_FAILED
                                         : real(where, size, protection, flags, file, at);
}

int close(int file) {
    static int (*real)(int);
    if (!real)
        real = (int (*)(int))dlsym(RTLD_NEXT, "close");
    int done = real(file); /* the descriptor is gone whatever close says */
    return refuse("close") ? -1 : done;
}
