/*
 * killat K ERRNO STAYS PREFIX LOG COMMAND...
 *
 * Runs COMMAND and counts every system call of it and of all its descendants that changes something below PREFIX.
 * At the K-th: with ERRNO 0 the whole tree is killed before the call is made; else the call fails with ERRNO and is not
 * made, and with STAYS 1 so do all later ones that need space or make a name (a disk that stays full). K 0 only counts.
 * LOG gets one line `COUNT` and, when the point was met, one line `POINT name path`.
 *
 * Linux on x86-64. Not seen: writes through mmap(2), io_uring, and what a process does that is traced by another.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where a call names what it changes: FD(n) argument n is a descriptor; PATH(n) a path; AT(n) a folder and, next, a path. */
enum where { NONE, FD, PATH, AT };
/* What makes a call need space: it grows a file or makes a name. */
enum need { NOTHING, SPACE };
struct call {
    int number;
    const char *name;
    enum need need;
    enum where first;
    int first_at;
    enum where second;
    int second_at;
};

static const struct call CALLS[] = {
    {SYS_write, "write", SPACE, FD, 0, NONE, 0},
    {SYS_pwrite64, "pwrite64", SPACE, FD, 0, NONE, 0},
    {SYS_writev, "writev", SPACE, FD, 0, NONE, 0},
    {SYS_pwritev, "pwritev", SPACE, FD, 0, NONE, 0},
    {SYS_copy_file_range, "copy_file_range", SPACE, FD, 2, NONE, 0},
    {SYS_sendfile, "sendfile", SPACE, FD, 0, NONE, 0},
    {SYS_splice, "splice", SPACE, FD, 2, NONE, 0},
    {SYS_fallocate, "fallocate", SPACE, FD, 0, NONE, 0},
    {SYS_ftruncate, "ftruncate", NOTHING, FD, 0, NONE, 0},
    {SYS_truncate, "truncate", NOTHING, PATH, 0, NONE, 0},
    {SYS_fsync, "fsync", NOTHING, FD, 0, NONE, 0},
    {SYS_fdatasync, "fdatasync", NOTHING, FD, 0, NONE, 0},
    {SYS_open, "open", SPACE, PATH, 0, NONE, 0},
    {SYS_creat, "creat", SPACE, PATH, 0, NONE, 0},
    {SYS_openat, "openat", SPACE, AT, 0, NONE, 0},
    {SYS_mkdir, "mkdir", SPACE, PATH, 0, NONE, 0},
    {SYS_mkdirat, "mkdirat", SPACE, AT, 0, NONE, 0},
    {SYS_symlink, "symlink", SPACE, PATH, 1, NONE, 0},
    {SYS_symlinkat, "symlinkat", SPACE, AT, 1, NONE, 0},
    {SYS_link, "link", SPACE, PATH, 0, PATH, 1},
    {SYS_linkat, "linkat", SPACE, AT, 0, AT, 2},
    {SYS_rename, "rename", NOTHING, PATH, 0, PATH, 1},
    {SYS_renameat, "renameat", NOTHING, AT, 0, AT, 2},
    {SYS_renameat2, "renameat2", NOTHING, AT, 0, AT, 2},
    {SYS_rmdir, "rmdir", NOTHING, PATH, 0, NONE, 0},
    {SYS_unlink, "unlink", NOTHING, PATH, 0, NONE, 0},
    {SYS_unlinkat, "unlinkat", NOTHING, AT, 0, NONE, 0},
    {SYS_chmod, "chmod", NOTHING, PATH, 0, NONE, 0},
    {SYS_fchmod, "fchmod", NOTHING, FD, 0, NONE, 0},
    {SYS_fchmodat, "fchmodat", NOTHING, AT, 0, NONE, 0},
    {452 /* fchmodat2 */, "fchmodat2", NOTHING, AT, 0, NONE, 0},
    {SYS_chown, "chown", NOTHING, PATH, 0, NONE, 0},
    {SYS_fchown, "fchown", NOTHING, FD, 0, NONE, 0},
    {SYS_fchownat, "fchownat", NOTHING, AT, 0, NONE, 0},
    {SYS_utimensat, "utimensat", NOTHING, AT, 0, NONE, 0},
};
#define CALLS_COUNT ((int)(sizeof CALLS / sizeof *CALLS))
#define MOST_PROCESSES 4096

static pid_t processes[MOST_PROCESSES];
static int process_count;

static void die(const char *what) {
    perror(what);
    exit(125);
}

static void follow(pid_t pid) {
    for (int i = 0; i < process_count; i++)
        if (processes[i] == pid) return;
    if (process_count == MOST_PROCESSES) die("too many processes");
    processes[process_count++] = pid;
}

static void forget(pid_t pid) {
    for (int i = 0; i < process_count; i++)
        if (processes[i] == pid) processes[i] = processes[--process_count];
}

static void run(char **command) {
    struct sock_filter filter[CALLS_COUNT + 8];
    int at = 0;
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    filter[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < CALLS_COUNT; i++)
        filter[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)CALLS[i].number,
                                                    (unsigned char)(CALLS_COUNT - i), 0);
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    struct sock_fprog program = {(unsigned short)at, filter};
    if (ptrace(PTRACE_TRACEME, 0, 0, 0)) die("ptrace");
    raise(SIGSTOP);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) die("no_new_privs");
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) die("seccomp");
    execvp(command[0], command);
    die(command[0]);
}

static unsigned long argument(const struct user_regs_struct *registers, int number) {
    const unsigned long values[] = {registers->rdi, registers->rsi, registers->rdx,
                                    registers->r10, registers->r8,  registers->r9};
    return values[number];
}

/* The text at an address of another process, up to a page's end at a time; "" where there is none. */
static void text_of(pid_t pid, unsigned long address, char *text, size_t size) {
    size_t done = 0;
    text[0] = 0;
    while (address && done + 1 < size) {
        size_t part = 4096 - (address + done) % 4096;
        if (part > size - 1 - done) part = size - 1 - done;
        struct iovec here = {text + done, part}, there = {(void *)(address + done), part};
        ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);
        if (got <= 0) break;
        text[done + (size_t)got] = 0;
        if (memchr(text + done, 0, (size_t)got)) return;
        done += (size_t)got;
    }
}

static void link_of(pid_t pid, const char *what, char *text, size_t size) {
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/%s", pid, what);
    ssize_t got = readlink(name, text, size - 1);
    text[got > 0 ? got : 0] = 0;
}

static void named(pid_t pid, const struct user_regs_struct *registers, enum where where, int at, char *text, size_t size) {
    char folder[PATH_MAX], path[PATH_MAX], what[32];
    text[0] = 0;
    if (where == NONE) return;
    int descriptor = where == PATH ? AT_FDCWD : (int)argument(registers, at);
    if (descriptor == AT_FDCWD) snprintf(what, sizeof what, "cwd");
    else snprintf(what, sizeof what, "fd/%d", descriptor);
    path[0] = 0;
    if (where != FD) text_of(pid, argument(registers, where == PATH ? at : at + 1), path, sizeof path);
    if (path[0] == '/') {
        snprintf(text, size, "%s", path);
        return;
    }
    link_of(pid, what, folder, sizeof folder);
    if (path[0]) snprintf(text, size, "%.*s/%.*s", PATH_MAX / 2 - 2, folder, PATH_MAX / 2 - 2, path);
    else snprintf(text, size, "%s", folder);
}

static int opens_to_change(const struct call *call, const struct user_regs_struct *registers) {
    unsigned long flags;
    if (call->number == SYS_openat) flags = registers->rdx;
    else if (call->number == SYS_open) flags = registers->rsi;
    else return 1;
    return (flags & (O_CREAT | O_TRUNC)) != 0;
}

static int is_below(const char *path, const char *prefix) {
    size_t size = strlen(prefix);
    return strncmp(path, prefix, size) == 0 && (path[size] == 0 || path[size] == '/');
}

/* The call that changes something below `prefix`, and in `path` what; NULL when it does not. */
static const struct call *change(pid_t pid, const struct user_regs_struct *registers, const char *prefix, char *path) {
    const struct call *call = NULL;
    for (int i = 0; i < CALLS_COUNT; i++)
        if (CALLS[i].number == (int)registers->orig_rax) call = &CALLS[i];
    if (!call || !opens_to_change(call, registers)) return NULL;
    named(pid, registers, call->first, call->first_at, path, PATH_MAX);
    if (is_below(path, prefix)) return call;
    named(pid, registers, call->second, call->second_at, path, PATH_MAX);
    return is_below(path, prefix) ? call : NULL;
}

static void kill_all(void) {
    for (int i = 0; i < process_count; i++) kill(processes[i], SIGKILL);
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, __WALL)) > 0)
        if (!WIFEXITED(status) && !WIFSIGNALED(status)) kill(pid, SIGKILL);
}

int main(int count, char **arguments) {
    if (count < 7) die("usage: killat K ERRNO STAYS PREFIX LOG COMMAND...");
    long point = atol(arguments[1]), seen = 0;
    int error = atoi(arguments[2]), stays = atoi(arguments[3]), failing = 0, result = 0, status;
    const char *prefix = arguments[4];
    char met[PATH_MAX + 64] = "", path[PATH_MAX];
    pid_t first = fork(), pid;
    if (first < 0) die("fork");
    if (!first) run(arguments + 6);
    waitpid(first, &status, 0);
    follow(first);
    long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SETOPTIONS, first, 0, options)) die("ptrace options");
    ptrace(PTRACE_CONT, first, 0, 0);
    while ((pid = waitpid(-1, &status, __WALL)) > 0) {
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            forget(pid);
            if (pid != first) continue;
            result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            kill_all(); /* what it left in the background is not waited for */
            break;
        }
        follow(pid);
        int deliver = WSTOPSIG(status), event = status >> 16;
        if (deliver == SIGTRAP && event == PTRACE_EVENT_SECCOMP) {
            struct user_regs_struct registers;
            ptrace(PTRACE_GETREGS, pid, 0, &registers);
            const struct call *call = change(pid, &registers, prefix, path);
            int here = call && ++seen == point;
            if (here) snprintf(met, sizeof met, "POINT %s %s\n", call->name, path);
            if (here && !error) {
                kill_all();
                result = 137;
                break;
            }
            failing |= here && stays;
            if (here || (failing && call && call->need == SPACE)) {
                registers.orig_rax = (unsigned long)-1; /* not made at all */
                registers.rax = (unsigned long)-error;
                ptrace(PTRACE_SETREGS, pid, 0, &registers);
            }
        }
        if (deliver == SIGTRAP || deliver == SIGSTOP) deliver = 0;
        ptrace(PTRACE_CONT, pid, 0, deliver);
    }
    FILE *log = fopen(arguments[5], "w");
    if (!log) die(arguments[5]);
    fprintf(log, "%ld\n%s", seen, met);
    fclose(log);
    return result;
}
