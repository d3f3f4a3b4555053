/* Preloaded into redis-server and postgres by the power-cut attack: writes down what a power cut may take.

   Redis' log (*.aof): `LENGTH PATH` after a successful flush, the length from before it began. What lies behind it may
   be lost.
   PostgreSQL's write-ahead log (pg_wal/0*): `W END PATH` after each write, `B PID PATH` before and `F PID PATH` after a
   successful flush. PostgreSQL writes whole pages, and the last one again and again as it fills, so END is not where
   the page ends but where its last byte that is not zero does. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { OTHER, AOF, WAL };

static enum kind kind(int fd, char *path, size_t room) {
    char link[64];
    int saved = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, room - 1);
    errno = saved;
    if (n <= 0) return OTHER;
    path[n] = 0;
    return strstr(path, "/pg_wal/0") ? WAL : strstr(path, ".aof") ? AOF : OTHER;
}

static void note(const char *letter, long long number, const char *path) {
    char line[4200];
    const char *log = getenv("FLUSHED_LOG");
    int saved = errno;
    int out = log ? open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (out >= 0) {
        int size = snprintf(line, sizeof line, "%s%lld %s\n", letter, number, path);
        if (write(out, line, size) < 0) { /* the attack then finds no line and says so */ }
        close(out);
    }
    errno = saved;
}

static int flush(const char *name, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    char path[4096];
    struct stat before;
    enum kind what = kind(fd, path, sizeof path);
    /* The length before the flush began: what is written meanwhile may not be covered by it. */
    int known = what == AOF && fstat(fd, &before) == 0;
    if (what == WAL) {
        const char *wait = getenv("FLUSHED_WAIT_US");
        note("B ", getpid(), path);
        /* A slow disk: on a fast one hardly any cut would fall between a write and its flush. */
        if (wait) usleep(atoi(wait));
    }
    int result = real(fd);
    if (result == 0 && known && S_ISREG(before.st_mode)) note("", before.st_size, path);
    if (result == 0 && what == WAL) note("F ", getpid(), path);
    return result;
}

int fdatasync(int fd) { return flush("fdatasync", fd); }
int fsync(int fd) { return flush("fsync", fd); }

/* `written` bytes at `offset` have succeeded. */
static void wrote(int fd, const struct iovec *parts, int count, ssize_t written, off_t offset) {
    char path[4096];
    if (written <= 0 || kind(fd, path, sizeof path) != WAL) return;
    long long end = 0, at = 0;
    for (int i = 0; i < count && at < written; at += parts[i++].iov_len) {
        const char *bytes = parts[i].iov_base;
        long long n = parts[i].iov_len;
        if (n > written - at) n = written - at;
        while (n > 0 && !bytes[n - 1]) n--;
        if (n > 0) end = at + n;
    }
    note("W ", offset + end, path);
}

static ssize_t write_at(const char *name, int fd, const void *bytes, size_t size, off_t offset) {
    ssize_t (*real)(int, const void *, size_t, off_t) = (ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, name);
    ssize_t written = real(fd, bytes, size, offset);
    struct iovec part = {(void *)bytes, size};
    wrote(fd, &part, 1, written, offset);
    return written;
}

static ssize_t write_parts(const char *name, int fd, const struct iovec *parts, int count, off_t offset) {
    ssize_t (*real)(int, const struct iovec *, int, off_t) = (ssize_t (*)(int, const struct iovec *, int, off_t))dlsym(RTLD_NEXT, name);
    ssize_t written = real(fd, parts, count, offset);
    wrote(fd, parts, count, written, offset);
    return written;
}

/* The two names of each are one function where off_t has 64 bits; a program may have been linked with either. */
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) { return write_at("pwrite", fd, bytes, size, offset); }
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) { return write_at("pwrite64", fd, bytes, size, offset); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) { return write_parts("pwritev", fd, parts, count, offset); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) { return write_parts("pwritev64", fd, parts, count, offset); }
