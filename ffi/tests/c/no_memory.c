/* The system has no memory: at the n-th allocation of every call that allocates, for many n, and for all that are large. Each
 * try is a process of its own. It may answer AFTERCART_OUT_OF_MEMORY, manage without, or end by abort(), as the header says: never
 * anything else. Argument: a catalog. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L /* fork */
#endif
#include "request.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static long countdown; /* 0 = never fails */
static size_t large;   /* 0 = never fails */

static int fails(size_t size)
{
    return (large > 0 && size >= large) || (countdown > 0 && --countdown == 0);
}

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

void *malloc(size_t size) { return fails(size) ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return fails(count * size) ? NULL : __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return fails(size) ? NULL : __libc_realloc(old, size); }
void *aligned_alloc(size_t alignment, size_t size) { return fails(size) ? NULL : __libc_memalign(alignment, size); }
int posix_memalign(void **out, size_t alignment, size_t size)
{
    *out = aligned_alloc(alignment, size);
    return *out ? 0 : ENOMEM;
}

static const char *catalog, *overlay;
static aftercart_engine *plain, *live;
static aftercart_decider *decider;
static request bench;

static int32_t opens(void)
{
    aftercart_engine *engine = NULL;
    return aftercart_engine_open(catalog, strlen(catalog), NULL, &engine, NULL);
}

static int32_t copies(void)
{
    aftercart_engine *engine = NULL;
    aftercart_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.mode = AFTERCART_OPEN_COPY;
    return aftercart_engine_open(catalog, strlen(catalog), &options, &engine, NULL);
}

static int32_t makes_a_decider(void)
{
    aftercart_decider *made = NULL;
    return aftercart_decider_new(plain, &made, NULL);
}

static char programmes[520], folder[520];

static int32_t finds_a_resident(void)
{
    aftercart_engine *engine = NULL;
    aftercart_decider *made = NULL;
    aftercart_programmes *follow = NULL;
    int32_t status = aftercart_resident(catalog, strlen(catalog), overlay, strlen(overlay), NULL, &engine, &made, NULL);
    return status < 0 ? status : aftercart_resident_programmes(engine, programmes, strlen(programmes), &follow, NULL);
}

static int32_t opens_an_overlay(void)
{
    aftercart_engine *engine = NULL;
    return aftercart_engine_with_live(plain, overlay, strlen(overlay), &engine, NULL);
}

static int32_t binds(void) { return aftercart_live_bind(plain, overlay, strlen(overlay), NULL); }

static int32_t edits(void)
{
    aftercart_change change;
    memset(&change, 0, sizeof change);
    change.set = AFTERCART_CHANGE_DAILY;
    change.daily = 3;
    change.id.length = 5;
    return aftercart_live_edit(live, &change, sizeof change, 1, "guide", 5, 1, NULL, NULL);
}

static int32_t looks(void)
{
    aftercart_live_state state;
    memset(&state, 0, sizeof state);
    state.struct_size = sizeof state;
    return aftercart_live_look(live, AFTERCART_ITEM_ANY, "pods-1", 6, 1, &state, NULL);
}

static int32_t explains(void)
{
    request *r = fresh(&bench);
    aftercart_explanation explanation;
    memset(&explanation, 0, sizeof explanation);
    explanation.struct_size = sizeof explanation;
    int32_t status = aftercart_explain(decider, &r->transaction, NULL, r->lines, r->line_size, r->line_count, NULL, 0, 0, r->strings,
                                       r->strings_length, AFTERCART_ITEM_ANY, "pods-1", 6, &explanation, NULL, 0, NULL);
    return status == AFTERCART_TRUNCATED ? AFTERCART_OK : status;
}

static int32_t makes_a_key(void)
{
    aftercart_key *key = NULL;
    return aftercart_key_new((const uint8_t *)"a secret of at least thirty-two bytes", 37, &key, NULL);
}

static int32_t opens_programmes(void)
{
    aftercart_programmes *made = NULL;
    return aftercart_programmes_open(plain, programmes, strlen(programmes), &made, NULL);
}

static int32_t logs(void)
{
    aftercart_decider *fresh = NULL;
    int32_t status = aftercart_decider_new(plain, &fresh, NULL);
    return status < 0 ? status : aftercart_log_to(fresh, folder, strlen(folder), 8, 0, NULL);
}

static int32_t decides(void) { return decide(decider, fresh(&bench)); }

/* How a try ended: 0 = well, 1 = AFTERCART_OUT_OF_MEMORY, 2 = abort(). */
static int ended(int32_t (*call)(void), long n, size_t bytes)
{
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(freopen("/dev/null", "w", stderr) != NULL); /* where abort() says why */
        countdown = n;
        large = bytes;
        int32_t status = call();
        countdown = 0;
        large = 0;
        if (status != AFTERCART_OK && status != AFTERCART_OUT_OF_MEMORY)
            printf("%s\n", aftercart_status_name(status)), fflush(stdout);
        _exit(status == AFTERCART_OK ? 0 : status == AFTERCART_OUT_OF_MEMORY ? 1 : 3);
    }
    int how = 0;
    CHECK(waitpid(child, &how, 0) == child);
    if (WIFSIGNALED(how)) {
        CHECK(WTERMSIG(how) == SIGABRT);
        return 2;
    }
    CHECK(WIFEXITED(how) && WEXITSTATUS(how) < 2);
    return WEXITSTATUS(how);
}

int main(int argc, char **argv)
{
    static char path[512];
    CHECK(argc == 2);
    catalog = argv[1];
    snprintf(path, sizeof path, "%s.no-memory", catalog);
    overlay = path;
    snprintf(folder, sizeof folder, "%s.log", catalog);
    snprintf(programmes, sizeof programmes, "%s.toml", catalog);
    FILE *file = fopen(programmes, "w");
    CHECK(file && fputs("[[programme]]\nid = \"all\"\ncategories = [\"Kitchen\"]\nstep = [{ template = \"hello\", kind = \"guidance\", "
                        "after = \"order\" }]\n", file) >= 0 && fclose(file) == 0);
    plain = open_engine(catalog);
    EXPECT(AFTERCART_OK, binds());
    EXPECT(AFTERCART_OK, aftercart_engine_with_live(plain, overlay, strlen(overlay), &live, NULL));
    decider = new_decider(plain);
    EXPECT(AFTERCART_OK, decides());
    const struct { const char *name; int32_t (*call)(void); } calls[] = {
        {"open", opens}, {"open a copy", copies}, {"decider", makes_a_decider}, {"resident", finds_a_resident},
        {"overlay", opens_an_overlay}, {"bind", binds}, {"edit", edits}, {"look", looks}, {"explain", explains},
        {"key", makes_a_key}, {"programmes", opens_programmes}, {"log", logs}, {"decide", decides},
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        long counts[3] = {0, 0, 0}, n = 0;
        int how;
        do {
            n += 1 + n / 4; /* the first ones all, later ones here and there */
            how = ended(calls[i].call, n, 0);
            counts[how]++;
        } while (n < 2000 && counts[0] < 8); /* some do without what fails; then all is well */
        CHECK(n < 2000);
        printf("%s: %ld times out of memory, %ld times aborted\n", calls[i].name, counts[1], counts[2]);
        how = ended(calls[i].call, 0, 1 << 16);
        CHECK(calls[i].call != copies || how == 1);
    }
    CHECK(unlink(path) == 0);
    return 0;
}
