/* Everything that a caller may get wrong has an answer. Argument: a catalog. Compiles as C11 and C++17. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L /* symlink, fork */
#endif
#include "request.h"

#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static request bench;
#define R fresh(&bench)

/* Runs a request after one change to it. */
#define BENT(expected, change) \
    do { \
        request *r = R; \
        change; \
        EXPECT(expected, decide(decider, r)); \
        CHECK((expected) >= 0 || r->count == 0); \
    } while (0)

static void opening(const char *path)
{
    aftercart_engine *engine = NULL;
    aftercart_error error;
    struct { aftercart_options known; uint64_t unknown; } options;
    size_t length = strlen(path);
    memset(&error, 0, sizeof error);
    memset(&options, 0, sizeof options);
    error.struct_size = sizeof error;
    options.known.struct_size = sizeof options;

    EXPECT(AFTERCART_NULL_POINTER, aftercart_engine_open(path, length, NULL, NULL, NULL));
    EXPECT(AFTERCART_NULL_POINTER, aftercart_engine_open(NULL, 1, NULL, &engine, &error));
    CHECK(error.status == AFTERCART_NULL_POINTER && error.message[0] != 0);
    EXPECT(AFTERCART_SYSTEM_ERROR, aftercart_engine_open("no such file", 12, NULL, &engine, &error));
    CHECK(error.os_error == ENOENT && strstr(error.message, "no such file") != NULL && engine == NULL);
    EXPECT(AFTERCART_BAD_CATALOG, aftercart_engine_open("/proc/self/exe", 14, NULL, &engine, &error));
    CHECK(error.rule > 0 && error.part[0] != 0);

    /* A shorter error ends within its message, and what is behind it stays. */
    memset(&error, 'x', sizeof error);
    error.struct_size = 64;
    EXPECT(AFTERCART_SYSTEM_ERROR, aftercart_engine_open("no such file", 12, NULL, &engine, &error));
    CHECK(strlen(error.message) == 7 && error.message[8] == 'x');
    error.struct_size = 0;
    EXPECT(AFTERCART_BAD_SIZE, aftercart_engine_open(path, length, NULL, &engine, &error));

    /* Options of a newer header are fine as long as they say nothing new; of an older one, always. */
    EXPECT(AFTERCART_OK, aftercart_engine_open(path, length, &options.known, &engine, NULL));
    EXPECT(AFTERCART_OK, aftercart_engine_close(engine));
    options.unknown = 1;
    EXPECT(AFTERCART_UNSUPPORTED_FIELD, aftercart_engine_open(path, length, &options.known, &engine, NULL));
    CHECK(engine == NULL);
    options.known.struct_size = 8;
    options.known.mode = AFTERCART_OPEN_COPY;
    EXPECT(AFTERCART_OK, aftercart_engine_open(path, length, &options.known, &engine, NULL));
    EXPECT(AFTERCART_OK, aftercart_engine_close(engine));
    options.known.mode = 2;
    EXPECT(AFTERCART_BAD_VALUE, aftercart_engine_open(path, length, &options.known, &engine, NULL));
}

static void pointers_and_sizes(aftercart_decider *decider)
{
    request *r = R;
    EXPECT(AFTERCART_NULL_POINTER, aftercart_decide(decider, NULL, NULL, NULL, 0, 0, NULL, 0, 0, NULL, 0, NULL, 0, 0, &r->count, NULL));
    EXPECT(AFTERCART_NULL_POINTER, aftercart_decide(decider, &r->transaction, NULL, NULL, 0, 0, NULL, 0, 0, NULL, 0, NULL, 0, 0, NULL, NULL));
    EXPECT(AFTERCART_NULL_POINTER, aftercart_decide(decider, &r->transaction, NULL, NULL, 48, 1, NULL, 0, 0, NULL, 0, NULL, 0, 0, &r->count, NULL));
    r->transaction.order_id.length = 0;
    EXPECT(AFTERCART_NO_OFFERS, aftercart_decide(decider, &r->transaction, NULL, NULL, 0, 0, NULL, 0, 0, NULL, 0, NULL, 0, 0, &r->count, NULL));
    EXPECT(AFTERCART_MISALIGNED, aftercart_decide(decider, &r->transaction, NULL, (aftercart_line *)((char *)r->lines + 1), 48, 1, NULL, 0, 0, NULL, 0, NULL, 0, 0, &r->count, NULL));

    BENT(AFTERCART_BAD_SIZE, r->transaction.struct_size = 0);
    BENT(AFTERCART_BAD_SIZE, r->transaction.struct_size = 0xCCCCCCCC);
    BENT(AFTERCART_BAD_SIZE, r->summary.struct_size = 7);
    BENT(AFTERCART_BAD_SIZE, r->line_size = 0);
    BENT(AFTERCART_MISALIGNED, r->line_size = sizeof r->lines[0] - 1);
    BENT(AFTERCART_BAD_SIZE, r->capacity = SIZE_MAX);
    BENT(AFTERCART_BAD_SIZE, r->capacity = SIZE_MAX / sizeof(aftercart_offer));
    BENT(AFTERCART_TOO_MANY_LINES, r->line_count = AFTERCART_LINES_MAX + 1);
    BENT(AFTERCART_TOO_MANY_FACTS, r->fact_count = AFTERCART_FACTS_MAX + 1);
    BENT(AFTERCART_TOO_MANY_LINES, r->line_count = SIZE_MAX);
    BENT(AFTERCART_BAD_STRING, r->lines[0].item_id.length = 5000);
    BENT(AFTERCART_BAD_STRING, r->lines[0].item_id.offset = UINT32_MAX);
    BENT(AFTERCART_BAD_STRING, r->strings_length = 3);
    BENT(AFTERCART_BAD_UTF8, r->strings[r->lines[0].item_id.offset] = (char)0xFF);
}

static void fields(aftercart_decider *decider)
{
    BENT(AFTERCART_BAD_VALUE, r->lines[0].role = 99);
    BENT(AFTERCART_BAD_VALUE, r->lines[0].role = 258); /* no wrapping to 2 */
    BENT(AFTERCART_BAD_VALUE, r->lines[0].sensitive = 9);
    BENT(AFTERCART_BAD_VALUE, r->lines[0].unit_price = 5);
    BENT(AFTERCART_UNSUPPORTED_FIELD, r->lines[0].flags = 2);
    BENT(AFTERCART_UNSUPPORTED_FIELD, r->transaction.flags = 32);
    BENT(AFTERCART_UNSUPPORTED_FIELD, r->transaction.reserved = 1);
    BENT(AFTERCART_BAD_VALUE, r->transaction.value = 5);
    BENT(AFTERCART_BAD_VALUE, r->transaction.min_relevance = 5);
    BENT(AFTERCART_BAD_VALUE, r->transaction.stage = 7);
    BENT(AFTERCART_TOO_MANY_SLOTS, r->transaction.slots = AFTERCART_SLOTS_MAX + 1);
    BENT(AFTERCART_TOO_MANY_SLOTS, r->transaction.slots = 256);
    BENT(AFTERCART_BAD_VALUE, memcpy(r->transaction.currency, "E1", 2));
    BENT(AFTERCART_BAD_VALUE, memcpy(r->transaction.country, "DEU", 3));
    BENT(AFTERCART_BAD_VALUE, r->profile.age_band = 3);
    BENT(AFTERCART_BAD_VALUE, r->profile.customer = 3);
    BENT(AFTERCART_BAD_VALUE, r->profile.has_app = 3);
    BENT(AFTERCART_UNSUPPORTED_FIELD, r->profile.flags = 8);
    BENT(AFTERCART_UNSUPPORTED_FIELD, r->profile.purposes_asked = 16);
    BENT(AFTERCART_BAD_VALUE, r->profile.purposes_granted = 1 << AFTERCART_PURPOSE_MARKETING);
    BENT(AFTERCART_BAD_VALUE, fact(r, 0, "pods-1", 0));
    BENT(AFTERCART_BAD_VALUE, fact(r, 99, "pods-1", 0));
    BENT(AFTERCART_UNSUPPORTED_FIELD, fact(r, AFTERCART_FACT_ANSWER, "for-whom", 1));
    BENT(AFTERCART_UNSUPPORTED_FIELD, fact(r, AFTERCART_FACT_PURCHASE, "pods-1", 1); r->facts[0].tag = put(r, "gift"));
    BENT(AFTERCART_UNSUPPORTED_FIELD, fact(r, AFTERCART_FACT_DECLINE, "pods-1", 1); r->facts[0].reserved = 1);
}

static void growth(aftercart_decider *decider)
{
    request *r = R;
    EXPECT(AFTERCART_OK, decide(decider, r));
    size_t all = r->count;
    char best[72];
    memcpy(best, r->offers[0].id, sizeof best);
    CHECK(all > 1 && r->summary.reason == 0 && r->summary.eligible >= all);

    /* A short transaction and a short summary: the rest is zero, or not written. */
    BENT(AFTERCART_OK, r->transaction.struct_size = 16; r->summary.struct_size = 16; r->summary.retrieved = 4711);
    CHECK(bench.summary.retrieved == 4711 && bench.summary.decision_id_low != 0);

    /* Longer elements: unknown parts must be zero on the way in, and are zero on the way out. */
    struct { aftercart_line known; uint64_t unknown; } lines[2];
    struct { aftercart_offer known; uint64_t unknown; } offers[AFTERCART_SLOTS_MAX];
    memset(lines, 0, sizeof lines);
    memset(offers, 0xAA, sizeof offers);
    r = R;
    lines[0].known = r->lines[0];
    lines[1].known = r->lines[1];
    for (uint64_t unknown = 0; unknown < 2; unknown++) {
        lines[0].unknown = unknown;
        EXPECT(unknown ? AFTERCART_UNSUPPORTED_FIELD : AFTERCART_OK,
               aftercart_decide(decider, &r->transaction, NULL, &lines[0].known, sizeof lines[0], 2, NULL, 0, 0, r->strings,
                                r->strings_length, &offers[0].known, sizeof offers[0], AFTERCART_SLOTS_MAX, &r->count, NULL));
    }
    CHECK(strcmp(offers[0].known.id, best) == 0 && offers[all - 1].unknown == 0 && offers[all].known.id[0] == (char)0xAA);

    /* Shorter elements: never a byte beyond. */
    uint64_t rows[2 * AFTERCART_SLOTS_MAX];
    memset(rows, 0xAA, sizeof rows);
    EXPECT(AFTERCART_OK, aftercart_decide(decider, &r->transaction, NULL, r->lines, r->line_size, 2, NULL, 0, 0, r->strings,
                                          r->strings_length, (aftercart_offer *)rows, 8, AFTERCART_SLOTS_MAX, &r->count, NULL));
    CHECK(r->count == all && (uint32_t)rows[0] == AFTERCART_ITEM_PRODUCT && rows[all] == 0xAAAAAAAAAAAAAAAA);

    BENT(AFTERCART_TRUNCATED, r->capacity = 0);
    CHECK(bench.count == all);
    BENT(AFTERCART_TRUNCATED, r->capacity = 1; r->offers[1].position = 4711);
    CHECK(bench.count == all && bench.offers[1].position == 4711 && strcmp(bench.offers[0].id, best) == 0);
}

static void meaning(aftercart_decider *decider)
{
    request *r = R;
    EXPECT(AFTERCART_OK, decide(decider, r));
    char best[72];
    memcpy(best, r->offers[0].id, sizeof best);
    CHECK(strlen(best) == r->offers[0].id_length && r->offers[0].line >= 0 && r->offers[0].price > 0);
    uint64_t decision = r->summary.decision_id_low;
    EXPECT(AFTERCART_OK, decide(decider, r));
    CHECK(r->summary.decision_id_low == decision && strcmp(r->offers[0].id, best) == 0);

    BENT(AFTERCART_OK, fact(r, AFTERCART_FACT_DECLINE, best, 1699999999000));
    CHECK(!offered(&bench, best));
    /* Of too many declines the newest count, as of purchases. */
    r = R;
    for (int i = 0; i < 1500; i++) {
        r->facts[i].kind = i % 2 ? AFTERCART_FACT_DECLINE : AFTERCART_FACT_PURCHASE;
        r->facts[i].id = r->transaction.order_id;
    }
    r->fact_count = 1500;
    fact(r, AFTERCART_FACT_DECLINE, best, 0);
    EXPECT(AFTERCART_OK, decide(decider, r));
    CHECK(!offered(r, best));
    BENT(AFTERCART_NO_OFFERS, fact(r, AFTERCART_FACT_OPT_OUT_CATEGORY, "a category that nobody knows", 0));
    CHECK(bench.summary.reason == AFTERCART_REASON_OPTED_OUT);
    BENT(AFTERCART_NO_OFFERS, memcpy(r->transaction.currency, "EUR", 3));
    CHECK(bench.summary.reason == AFTERCART_REASON_CURRENCY);
    BENT(AFTERCART_OK, memcpy(r->transaction.currency, "usd", 3); memcpy(r->transaction.country, "US", 2);
         r->transaction.slots = 1; r->profile.unit_key[0] = 1; r->profile.loyalty_member = AFTERCART_YES;
         fact(r, AFTERCART_FACT_ANSWER, "for-whom", 0); r->facts[0].tag = put(r, "gift");
         fact(r, AFTERCART_FACT_CART_REMOVED, "pods-2", 0); fact(r, AFTERCART_FACT_PURCHASE, "pods-3", 1690000000000));
    CHECK(bench.count == 1);
    CHECK(!offered(R, "guide"));
    BENT(AFTERCART_OK, fact(r, AFTERCART_FACT_ANSWER, "interest", 0); r->facts[0].tag = put(r, "brewing");
         r->transaction.slots = AFTERCART_SLOTS_MAX);
    CHECK(offered(&bench, "guide"));
    /* An unknown product of a known category. */
    BENT(AFTERCART_OK, r->lines[0].item_id = put(r, "new-1"); r->lines[0].category = put(r, "Kitchen > Makers"));

    CHECK(strcmp(aftercart_status_name(AFTERCART_BUSY), "BUSY") == 0 && strcmp(aftercart_status_name(7), "?") == 0);
    CHECK(strcmp(aftercart_reason_text(AFTERCART_REASON_OUT_OF_STOCK), "not in stock") == 0);
    CHECK(strcmp(aftercart_reason_text(0), "?") == 0);
}

static void texts(aftercart_engine *engine, aftercart_decider *decider)
{
    aftercart_info info;
    memset(&info, 0, sizeof info);
    EXPECT(AFTERCART_BAD_SIZE, aftercart_engine_info(engine, &info));
    info.struct_size = sizeof info;
    EXPECT(AFTERCART_OK, aftercart_engine_info(engine, &info));
    CHECK(info.products == 40 && info.offers == 1 && info.index_generation != 0 && info.kernel[0] != 0);

    request *r = R;
    EXPECT(AFTERCART_OK, decide(decider, r));
    uint32_t kind = r->offers[0].item_kind, row = r->offers[0].item_row;
    char text[80];
    size_t length = 0;
    EXPECT(AFTERCART_OK, aftercart_item_text(engine, kind, row, AFTERCART_TEXT_ID, text, sizeof text, &length));
    CHECK(strcmp(text, r->offers[0].id) == 0 && length == strlen(text));
    EXPECT(AFTERCART_TRUNCATED, aftercart_item_text(engine, kind, row, AFTERCART_TEXT_ID, text, length, &length));
    CHECK(strlen(text) == length - 1);
    EXPECT(AFTERCART_TRUNCATED, aftercart_item_text(engine, kind, row, AFTERCART_TEXT_TITLE, NULL, 0, NULL));
    EXPECT(AFTERCART_NULL_POINTER, aftercart_item_text(engine, kind, row, AFTERCART_TEXT_TITLE, NULL, 1, NULL));
    EXPECT(AFTERCART_OK, aftercart_item_text(engine, kind, UINT32_MAX, AFTERCART_TEXT_TITLE, text, sizeof text, &length));
    CHECK(length == 0 && text[0] == 0);
    EXPECT(AFTERCART_BAD_VALUE, aftercart_item_text(engine, 3, row, AFTERCART_TEXT_ID, text, sizeof text, NULL));
    EXPECT(AFTERCART_BAD_VALUE, aftercart_item_text(engine, kind, row, 5, text, sizeof text, NULL));
}

static int copy_file(const char *from, const char *to)
{
    static char bytes[1 << 20];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    size_t length = in ? fread(bytes, 1, sizeof bytes, in) : 0;
    int copied = out && length > 0 && length < sizeof bytes && fwrite(bytes, 1, length, out) == length;
    if (in)
        fclose(in);
    return out && fclose(out) == 0 && copied;
}

static void handles(const char *path)
{
    aftercart_engine *engine = open_engine(path);
    aftercart_decider *decider = new_decider(engine), *second = NULL;
    uint64_t foreign[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    EXPECT(AFTERCART_NULL_POINTER, decide(NULL, R));
    EXPECT(AFTERCART_BAD_HANDLE, decide((aftercart_decider *)engine, R));
    EXPECT(AFTERCART_BAD_HANDLE, decide((aftercart_decider *)foreign, R));
    EXPECT(AFTERCART_BAD_HANDLE, decide((aftercart_decider *)((char *)decider + 4), R));
    EXPECT(AFTERCART_BAD_HANDLE, aftercart_decider_new((aftercart_engine *)decider, &second, NULL));
    EXPECT(AFTERCART_BAD_HANDLE, aftercart_engine_close((aftercart_engine *)decider));
    EXPECT(AFTERCART_OK, aftercart_engine_close(NULL));
    EXPECT(AFTERCART_OK, aftercart_decider_free(NULL));

    /* The engine may go first. */
    EXPECT(AFTERCART_OK, aftercart_engine_close(engine));
    EXPECT(AFTERCART_OK, decide(decider, R));
    EXPECT(AFTERCART_OK, aftercart_decider_free(decider));

    /* A stale handle: not promised, but so with every allocator that does not hand the memory out again at once. */
    EXPECT(AFTERCART_BAD_HANDLE, aftercart_decider_free(decider));
    EXPECT(AFTERCART_BAD_HANDLE, aftercart_engine_close(engine));
}

/* The same handles again and again, until the file or the decider is another one. */
static void residents(const char *path)
{
    aftercart_engine *engine = NULL, *engine_again = NULL, *engine_new = NULL;
    aftercart_decider *decider = NULL, *again = NULL, *fresh_decider = NULL;
    aftercart_error error;
    char link[512], target[512];
    size_t length = (size_t)snprintf(link, sizeof link, "%s.link", path);
    memset(&error, 0, sizeof error);
    error.struct_size = sizeof error;
    EXPECT(AFTERCART_NULL_POINTER, aftercart_resident(path, strlen(path), NULL, 0, NULL, NULL, &decider, NULL));
    EXPECT(AFTERCART_NULL_POINTER, aftercart_resident(path, strlen(path), NULL, 0, NULL, &engine, NULL, NULL));
    EXPECT(AFTERCART_SYSTEM_ERROR, aftercart_resident(link, length, NULL, 0, NULL, &engine, &decider, &error));
    CHECK(error.os_error == ENOENT && engine == NULL && decider == NULL);

    snprintf(target, sizeof target, "%s.same", path);
    CHECK(symlink(path, link) == 0);
    EXPECT(AFTERCART_OK, aftercart_resident(link, length, NULL, 0, NULL, &engine, &decider, NULL));
    EXPECT(AFTERCART_OK, aftercart_resident(link, length, NULL, 0, NULL, &engine_again, &again, NULL));
    CHECK(engine == engine_again && decider == again);
    EXPECT(AFTERCART_OK, decide(decider, R));

    /* After a defect there is a new decider. */
    EXPECT(AFTERCART_INTERNAL, aftercart_selftest(decider, AFTERCART_SELFTEST_PANIC));
    EXPECT(AFTERCART_OK, aftercart_resident(link, length, NULL, 0, NULL, &engine, &decider, NULL));
    EXPECT(AFTERCART_OK, decide(decider, R));

    /* Another file at the path: here one that cannot be opened, then a good one again. */
    CHECK(unlink(link) == 0 && symlink("/proc/self/exe", link) == 0);
    EXPECT(AFTERCART_BAD_CATALOG, aftercart_resident(link, length, NULL, 0, NULL, &engine_new, &fresh_decider, &error));
    CHECK(engine_new == NULL && fresh_decider == NULL && error.rule > 0);
    EXPECT(AFTERCART_OK, decide(decider, R));
    CHECK(copy_file(path, target) && unlink(link) == 0 && symlink(target, link) == 0);
    EXPECT(AFTERCART_OK, aftercart_resident(link, length, NULL, 0, NULL, &engine_new, &fresh_decider, NULL));
    EXPECT(AFTERCART_OK, decide(fresh_decider, R));
    EXPECT(AFTERCART_BAD_HANDLE, aftercart_engine_close((aftercart_engine *)fresh_decider));
    CHECK(unlink(link) == 0 && unlink(target) == 0);
}

static void write_programmes(const char *file, const char *id)
{
    FILE *to = fopen(file, "w");
    CHECK(to && fprintf(to, "[[programme]]\nid = \"%s\"\ncategories = [\"Kitchen\"]\n"
                            "step = [{ template = \"hello\", kind = \"guidance\", after = \"order\" }]\n", id) > 0 && fclose(to) == 0);
}

static void *asks_for_programmes(void *engine)
{
    aftercart_programmes *programmes = NULL;
    EXPECT(AFTERCART_BAD_HANDLE, aftercart_resident_programmes((aftercart_engine *)engine, "none", 4, &programmes, NULL));
    return NULL;
}

/* Kept with a resident engine, until the file or the engine is another one. */
static void resident_programmes(const char *path, aftercart_engine *other)
{
    char file[512], fresh_file[512], catalog[512], link[600];
    size_t length = (size_t)snprintf(file, sizeof file, "%s.toml", path);
    snprintf(fresh_file, sizeof fresh_file, "%s.fresh", path);
    snprintf(catalog, sizeof catalog, "%s.own", path);
    CHECK(copy_file(path, catalog));
    write_programmes(file, "first");
    aftercart_engine *engine = NULL;
    aftercart_decider *decider = NULL;
    aftercart_programmes *kept = (aftercart_programmes *)other, *again = NULL, *changed = NULL;
    aftercart_error error;
    memset(&error, 0, sizeof error);
    error.struct_size = sizeof error;
    EXPECT(AFTERCART_OK, aftercart_resident(catalog, strlen(catalog), NULL, 0, NULL, &engine, &decider, NULL));
    EXPECT(AFTERCART_NULL_POINTER, aftercart_resident_programmes(engine, file, length, NULL, &error));
    EXPECT(AFTERCART_NULL_POINTER, aftercart_resident_programmes(NULL, file, length, &kept, &error));
    CHECK(kept == NULL && error.status == AFTERCART_NULL_POINTER);
    EXPECT(AFTERCART_NULL_POINTER, aftercart_resident_programmes(engine, NULL, 1, &kept, &error));
    EXPECT(AFTERCART_BAD_HANDLE, aftercart_resident_programmes((aftercart_engine *)decider, file, length, &kept, &error));
    EXPECT(AFTERCART_BAD_HANDLE, aftercart_resident_programmes(other, file, length, &kept, &error)); /* not kept */
    EXPECT(AFTERCART_SYSTEM_ERROR, aftercart_resident_programmes(engine, "no such file", 12, &kept, &error));
    CHECK(error.os_error == ENOENT && strstr(error.message, "no such file") != NULL);
    EXPECT(AFTERCART_BAD_PROGRAMMES, aftercart_resident_programmes(engine, catalog, strlen(catalog), &kept, &error)); /* no text */
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, asks_for_programmes, engine) == 0 && pthread_join(thread, NULL) == 0);

    static aftercart_follow_up planned[AFTERCART_FOLLOW_UPS_MAX];
    size_t count = 0;
    EXPECT(AFTERCART_OK, aftercart_resident_programmes(engine, file, length, &kept, &error));
    EXPECT(AFTERCART_OK, aftercart_resident_programmes(engine, file, length, &again, NULL));
    CHECK(kept != NULL && kept == again);
    EXPECT(AFTERCART_OK, follow_ups(decider, R, kept, planned, &count));
    CHECK(count == 1 && strcmp(planned[0].programme, "first") == 0);

    /* A file that is none leaves the former handle; a good one is read. */
    CHECK(copy_file(path, fresh_file) && rename(fresh_file, file) == 0);
    EXPECT(AFTERCART_BAD_PROGRAMMES, aftercart_resident_programmes(engine, file, length, &again, &error));
    CHECK(again == NULL);
    EXPECT(AFTERCART_OK, follow_ups(decider, R, kept, planned, &count));
    write_programmes(fresh_file, "second");
    CHECK(rename(fresh_file, file) == 0);
    EXPECT(AFTERCART_OK, aftercart_resident_programmes(engine, file, length, &changed, &error));
    EXPECT(AFTERCART_OK, follow_ups(decider, R, changed, planned, &count));
    CHECK(count == 1 && strcmp(planned[0].programme, "second") == 0);

    /* As many as fit; what is kept is still found. */
    for (int i = 1; i <= (int)AFTERCART_RESIDENTS_MAX; i++) {
        size_t bytes = (size_t)snprintf(link, sizeof link, "%s.%d", file, i);
        CHECK(symlink(file, link) == 0);
        EXPECT(i < (int)AFTERCART_RESIDENTS_MAX ? AFTERCART_OK : AFTERCART_OUT_OF_MEMORY,
               aftercart_resident_programmes(engine, link, bytes, &again, NULL));
        CHECK(unlink(link) == 0);
    }
    EXPECT(AFTERCART_OK, aftercart_resident_programmes(engine, file, length, &again, NULL));
    CHECK(again == changed);

    /* They end with their engine; that none is left the run with the compiler's checks says. */
    CHECK(copy_file(path, fresh_file) && rename(fresh_file, catalog) == 0);
    EXPECT(AFTERCART_OK, aftercart_resident(catalog, strlen(catalog), NULL, 0, NULL, &engine, &decider, NULL));
    EXPECT(AFTERCART_OK, aftercart_resident_programmes(engine, file, length, &again, NULL));
    EXPECT(AFTERCART_OK, follow_ups(decider, R, again, planned, &count));
    CHECK(unlink(file) == 0 && unlink(catalog) == 0);
}

static void panics(aftercart_engine *engine)
{
    aftercart_decider *decider = new_decider(engine), *other = new_decider(engine);
    EXPECT(AFTERCART_BAD_VALUE, aftercart_selftest(decider, 0));
    EXPECT(AFTERCART_OK, decide(decider, R));
    EXPECT(AFTERCART_INTERNAL, aftercart_selftest(decider, AFTERCART_SELFTEST_PANIC));
    EXPECT(AFTERCART_POISONED, decide(decider, R));
    CHECK(bench.count == 0);
    EXPECT(AFTERCART_POISONED, aftercart_selftest(decider, AFTERCART_SELFTEST_PANIC));
    EXPECT(AFTERCART_OK, aftercart_decider_free(decider));
    EXPECT(AFTERCART_INTERNAL, aftercart_selftest(NULL, AFTERCART_SELFTEST_PANIC));
    EXPECT(AFTERCART_OK, decide(other, R));
    EXPECT(AFTERCART_OK, aftercart_decider_free(other));
}

static void explanations(aftercart_decider *decider)
{
    request *r = R;
    EXPECT(AFTERCART_OK, decide(decider, r));
    char best[72], names[4096];
    memcpy(best, r->offers[0].id, sizeof best);
    struct { aftercart_explanation known; uint64_t unknown; } e;
    size_t length = 0;
    memset(&e, 0xAA, sizeof e);
    e.known.struct_size = sizeof e;
#define WHY(expected, kind, id, id_length, capacity) \
    EXPECT(expected, aftercart_explain(decider, &r->transaction, NULL, r->lines, r->line_size, r->line_count, NULL, 0, 0, r->strings, \
                                       r->strings_length, kind, id, id_length, &e.known, names, capacity, &length))
    WHY(AFTERCART_OK, AFTERCART_ITEM_ANY, best, strlen(best), sizeof names);
    CHECK(e.known.position == 0 && e.known.reason_count == 0 && e.known.relation != 0 && e.unknown == 0);
    CHECK(strlen(names) == length && strncmp(names, "feature\t", 8) == 0);
    WHY(AFTERCART_TRUNCATED, AFTERCART_ITEM_PRODUCT, best, strlen(best), 9);
    CHECK(strcmp(names, "feature\t") == 0 && length > 8);
    WHY(AFTERCART_TRUNCATED, AFTERCART_ITEM_PRODUCT, best, strlen(best), 0);
    WHY(AFTERCART_OK, AFTERCART_ITEM_ANY, "maker-1", 7, sizeof names);
    CHECK(e.known.position == -1 && e.known.reason_count > 0 && e.known.reasons[0] == AFTERCART_REASON_SAME_ITEM);
    WHY(AFTERCART_UNKNOWN_ID, AFTERCART_ITEM_OFFER, best, strlen(best), sizeof names);
    WHY(AFTERCART_UNKNOWN_ID, AFTERCART_ITEM_ANY, NULL, 0, sizeof names);
    WHY(AFTERCART_BAD_VALUE, AFTERCART_ITEM_PARTNER, best, strlen(best), sizeof names);
    WHY(AFTERCART_BAD_UTF8, AFTERCART_ITEM_ANY, "\xFF", 1, sizeof names);
    WHY(AFTERCART_NULL_POINTER, AFTERCART_ITEM_ANY, NULL, 1, sizeof names);
    e.known.struct_size = 0;
    WHY(AFTERCART_BAD_SIZE, AFTERCART_ITEM_ANY, best, strlen(best), sizeof names);
    r->lines[0].role = 99;
    e.known.struct_size = 8; /* never a byte beyond */
    e.known.item_row = 4711;
    WHY(AFTERCART_BAD_VALUE, AFTERCART_ITEM_ANY, best, strlen(best), sizeof names);
    r->lines[0].role = 0;
    WHY(AFTERCART_OK, AFTERCART_ITEM_ANY, best, strlen(best), sizeof names);
    CHECK(e.known.item_kind == AFTERCART_ITEM_PRODUCT && e.known.item_row == 4711);
}

/* Changes one thing of the overlay. */
static int32_t change(aftercart_engine *engine, aftercart_change *c, const char *strings, aftercart_error *error)
{
    size_t done = 99;
    int32_t status = aftercart_live_edit(engine, c, sizeof *c, 1, strings, strlen(strings), 1700000000000, &done, error);
    CHECK(done == (status == AFTERCART_OK));
    return status;
}

/* Questions, models and tokens. */
static void moments(const char *path, aftercart_engine *engine, aftercart_decider *decider)
{
    aftercart_question question;
    memset(&question, 0, sizeof question);
    EXPECT(AFTERCART_NULL_POINTER, next_question(decider, R, NULL));
    EXPECT(AFTERCART_BAD_SIZE, next_question(decider, R, &question));
    question.struct_size = 16; /* an older caller's */
    question.answer_count = 77;
    EXPECT(AFTERCART_NO_QUESTION, next_question(decider, R, &question)); /* the policy has none */
    CHECK(question.row == 0 && question.answer_count == 77);
    BENT(AFTERCART_OK, fact(r, AFTERCART_FACT_ASKED, "gift", 5));
    char text[8] = "before";
    EXPECT(AFTERCART_OK, aftercart_item_text(engine, AFTERCART_ITEM_ANSWER, UINT32_MAX, AFTERCART_TEXT_ID, text, sizeof text, NULL));
    CHECK(text[0] == 0);
    EXPECT(AFTERCART_BAD_VALUE, aftercart_item_text(engine, AFTERCART_ITEM_QUESTION, 0, 9, text, sizeof text, NULL));

    aftercart_engine *with = engine;
    aftercart_error error;
    error.struct_size = sizeof error;
    EXPECT(AFTERCART_SYSTEM_ERROR, aftercart_engine_with_model(engine, "no such file", 12, 0, &with, &error));
    CHECK(with == NULL && error.os_error == ENOENT);
    EXPECT(AFTERCART_BAD_MODEL, aftercart_engine_with_model(engine, path, strlen(path), 1, &with, &error));
    CHECK(with == NULL && strstr(error.message, "not a usable model") != NULL);
    EXPECT(AFTERCART_UNSUPPORTED_FIELD, aftercart_engine_with_model(engine, path, strlen(path), 2, &with, NULL));

    const uint8_t secret[32] = {1};
    aftercart_key *key = NULL;
    EXPECT(AFTERCART_BAD_VALUE, aftercart_key_new(secret, 31, &key, &error));
    CHECK(key == NULL && strstr(error.message, "32 bytes") != NULL);
    EXPECT(AFTERCART_OK, aftercart_key_new(secret, 32, &key, NULL));
    aftercart_claim claim, read;
    memset(&claim, 0, sizeof claim);
    memset(&read, 0, sizeof read);
    char token[AFTERCART_TOKEN_BYTES];
    size_t length = 0;
    EXPECT(AFTERCART_BAD_SIZE, aftercart_token_sign(key, &claim, token, sizeof token, &length));
    claim.struct_size = read.struct_size = sizeof claim;
    EXPECT(AFTERCART_BAD_VALUE, aftercart_token_sign(key, &claim, token, sizeof token, &length)); /* no currency */
    memcpy(claim.currency, "USD", 3);
    claim.quantity = 1;
    claim.expires_at_ms = 10;
    claim.id_length = 73;
    EXPECT(AFTERCART_BAD_VALUE, aftercart_token_sign(key, &claim, token, sizeof token, &length));
    claim.id_length = 1;
    claim.id[0] = (char)0xFF;
    EXPECT(AFTERCART_BAD_UTF8, aftercart_token_sign(key, &claim, token, sizeof token, &length));
    claim.id[0] = 'x';
    EXPECT(AFTERCART_BAD_SIZE, aftercart_token_sign(key, &claim, token, 8, &length));
    CHECK(length == 0);
    EXPECT(AFTERCART_OK, aftercart_token_sign(key, &claim, token, sizeof token, &length));
    CHECK(strlen(token) == length && length < sizeof token);
    EXPECT(AFTERCART_OK, aftercart_token_verify(key, token, length, "USD", 10, 0, &read));
    CHECK(read.quantity == 1 && strcmp(read.id, "x") == 0 && (read.idempotency_key_low | read.idempotency_key_high) != 0);
    EXPECT(AFTERCART_BAD_VALUE, aftercart_token_sign(key, &read, token, sizeof token, NULL)); /* it has a key already */
    EXPECT(AFTERCART_TOKEN_EXPIRED, aftercart_token_verify(key, token, length, "USD", 11, 0, &read));
    EXPECT(AFTERCART_WRONG_CURRENCY, aftercart_token_verify(key, token, length, "EUR", 10, 0, &read));
    EXPECT(AFTERCART_BAD_VALUE, aftercart_token_verify(key, token, length, "e1r", 10, 0, &read));
    EXPECT(AFTERCART_NULL_POINTER, aftercart_token_verify(key, token, length, NULL, 10, 0, &read));
    EXPECT(AFTERCART_BAD_TOKEN, aftercart_token_verify(key, token, length - 1, "USD", 10, 0, &read));
    EXPECT(AFTERCART_BAD_TOKEN, aftercart_token_verify(key, NULL, 0, "USD", 10, 0, &read));
    token[30] = token[30] == 'A' ? 'B' : 'A';
    EXPECT(AFTERCART_BAD_SIGNATURE, aftercart_token_verify(key, token, length, "USD", 10, 0, &read));
    EXPECT(AFTERCART_BAD_HANDLE, aftercart_token_verify((aftercart_key *)decider, token, length, "USD", 10, 0, &read));
    EXPECT(AFTERCART_OK, aftercart_key_free(key));
    EXPECT(AFTERCART_OK, aftercart_key_free(NULL));
}

static void before_payment(aftercart_decider *decider)
{
    aftercart_option options[AFTERCART_OPTIONS_MAX + 1];
    aftercart_ranked ranking[AFTERCART_OPTIONS_MAX + 1];
    memset(options, 0, sizeof options);
    EXPECT(AFTERCART_OK, rank_payment(decider, R, options, AFTERCART_OPTIONS_MAX, ranking));
    CHECK(ranking[0].option == 0 && ranking[0].because == AFTERCART_BECAUSE_HOST_ORDER && ranking[31].option == 31);
    EXPECT(AFTERCART_TOO_MANY_OPTIONS, rank_payment(decider, R, options, AFTERCART_OPTIONS_MAX + 1, ranking));
    EXPECT(AFTERCART_NULL_POINTER, rank_payment(decider, R, NULL, 1, ranking));
    EXPECT(AFTERCART_NULL_POINTER, rank_payment(decider, R, options, 1, NULL));
    options[0].flags = 2;
    EXPECT(AFTERCART_UNSUPPORTED_FIELD, rank_payment(decider, R, options, 1, ranking));
    options[0].flags = AFTERCART_OPTION_READY;
    options[1].price = 1;
    EXPECT(AFTERCART_BAD_VALUE, rank_payment(decider, R, options, 2, ranking)); /* ways to pay have none */
    options[1].price = 0;
    options[1].id.length = 5000;
    EXPECT(AFTERCART_BAD_STRING, rank_payment(decider, R, options, 2, ranking));
    request *r = R;
    size_t count = 99;
    EXPECT(AFTERCART_UNSUPPORTED_FIELD, aftercart_rank_shipping_options(
        decider, &r->transaction, NULL, NULL, 0, 0, NULL, 0, 0, r->strings, r->strings_length, options, sizeof options[0], 1, ranking,
        sizeof ranking[0], 1, &count)); /* ways to ship are not ready */
    options[0].flags = 0;
    options[1].id.length = 0;
    EXPECT(AFTERCART_TRUNCATED, aftercart_rank_shipping_options(
        decider, &r->transaction, NULL, NULL, 0, 0, NULL, 0, 0, r->strings, r->strings_length, options, sizeof options[0], 2, ranking,
        sizeof ranking[0], 1, &count));
    CHECK(count == 2);
    aftercart_stored stored;
    aftercart_prefilled filled;
    memset(&stored, 0, sizeof stored);
    stored.uses = 9;
    EXPECT(AFTERCART_OK, aftercart_prefill(&r->transaction, &stored, sizeof stored, 1, &filled, sizeof filled, 1, &count));
    CHECK(count == 1 && filled.confidence_ppm == 900000);
    EXPECT(AFTERCART_TRUNCATED, aftercart_prefill(&r->transaction, &stored, sizeof stored, 1, NULL, 0, 0, &count));
    stored.field = 256;
    EXPECT(AFTERCART_BAD_VALUE, aftercart_prefill(&r->transaction, &stored, sizeof stored, 1, &filled, sizeof filled, 1, &count));
    CHECK(count == 0);
    EXPECT(AFTERCART_NULL_POINTER, aftercart_prefill(NULL, NULL, 0, 0, NULL, 0, 0, &count));
}

static void overlays(const char *catalog, aftercart_engine *plain)
{
    char path[512];
    size_t length = (size_t)snprintf(path, sizeof path, "%s.misuse", catalog), done = 99;
    aftercart_error error;
    aftercart_engine *engine = NULL;
    memset(&error, 0, sizeof error);
    error.struct_size = sizeof error;
    EXPECT(AFTERCART_SYSTEM_ERROR, aftercart_live_bind(plain, "/no/such/folder/x", 17, &error));
    CHECK(error.os_error == ENOENT);
    EXPECT(AFTERCART_BAD_LIVE, aftercart_live_bind(plain, catalog, strlen(catalog), &error));
    EXPECT(AFTERCART_BAD_HANDLE, aftercart_live_bind((aftercart_engine *)path, path, length, NULL) /* not a handle */);
    EXPECT(AFTERCART_OK, aftercart_live_bind(plain, path, length, &error));
    EXPECT(AFTERCART_OK, aftercart_live_bind(plain, path, length, NULL));
    EXPECT(AFTERCART_OK, aftercart_engine_with_live(plain, path, length, &engine, &error));

#define CHANGED(expected, strings, ...) \
    do { \
        aftercart_change c; \
        memset(&c, 0, sizeof c); \
        c.id.length = (uint32_t)strcspn(strings, " "); \
        c.pacing.offset = c.id.length + (c.id.length < strlen(strings)); \
        c.pacing.length = (uint32_t)strlen(strings) - c.pacing.offset; \
        __VA_ARGS__; \
        EXPECT(expected, change(engine, &c, strings, &error)); \
    } while (0)
    CHANGED(AFTERCART_OK, "pods-1", c.set = AFTERCART_CHANGE_STOCK, c.stock = UINT32_MAX);
    CHANGED(AFTERCART_OK, "pods-1", c.clear = AFTERCART_CHANGE_STOCK | AFTERCART_CHANGE_PRICE);
    CHANGED(AFTERCART_OK, "guide even", c.set = AFTERCART_CHANGE_DAILY | AFTERCART_CHANGE_PACING, c.daily = 5);
    CHANGED(AFTERCART_BAD_VALUE, "guide even,", c.set = AFTERCART_CHANGE_PACING);
    CHANGED(AFTERCART_BAD_VALUE, "guide even", c.set = 0);
    CHANGED(AFTERCART_BAD_VALUE, "pods-1", c.stock = 1);
    CHANGED(AFTERCART_BAD_VALUE, "pods-1", c.priced_at_ms = 1);
    CHANGED(AFTERCART_BAD_VALUE, "pods-1", c.set = AFTERCART_CHANGE_STOCK, c.clear = AFTERCART_CHANGE_STOCK);
    CHANGED(AFTERCART_BAD_VALUE, "pods-1", c.set = AFTERCART_CHANGE_PRICE, c.price = INT64_MIN);
    CHANGED(AFTERCART_BAD_VALUE, "pods-1", c.set = AFTERCART_CHANGE_BID, c.bid = 1);
    CHECK(strstr(error.message, "bid") != NULL);
    CHANGED(AFTERCART_BAD_VALUE, "guide", c.set = AFTERCART_CHANGE_TOTAL, c.total = -1);
    CHANGED(AFTERCART_BAD_VALUE, "guide", c.set = AFTERCART_CHANGE_UTC_OFFSET, c.utc_offset_minutes = INT32_MIN);
    CHANGED(AFTERCART_UNSUPPORTED_FIELD, "guide", c.clear = AFTERCART_CHANGE_UTC_OFFSET);
    CHANGED(AFTERCART_UNSUPPORTED_FIELD, "pods-1", c.set = 128);
    CHANGED(AFTERCART_BAD_VALUE, "pods-1", c.kind = 4);
    CHANGED(AFTERCART_BAD_VALUE, "pods-1", c.paused = 3);
    CHANGED(AFTERCART_UNKNOWN_ID, "pods-1", c.kind = AFTERCART_ITEM_PARTNER);
    CHANGED(AFTERCART_UNKNOWN_ID, "nobody", c.paused = AFTERCART_YES);
    CHANGED(AFTERCART_BAD_STRING, "pods-1", c.id.length = 7);
    CHANGED(AFTERCART_BAD_UTF8, "\xFF", c.paused = AFTERCART_YES);

    /* An array: what comes before the one that fails is done. */
    aftercart_change all[3];
    memset(all, 0, sizeof all);
    for (int i = 0; i < 3; i++)
        all[i].id.length = 6, all[i].paused = AFTERCART_YES;
    all[2].id.length = 5;
    EXPECT(AFTERCART_UNKNOWN_ID, aftercart_live_edit(engine, all, sizeof all[0], 3, "pods-1", 6, 1, &done, NULL));
    CHECK(done == 2);
    EXPECT(AFTERCART_OK, aftercart_live_edit(engine, NULL, 0, 0, NULL, 0, 1, NULL, NULL));
    EXPECT(AFTERCART_NULL_POINTER, aftercart_live_edit(engine, NULL, 88, 1, NULL, 0, 1, &done, NULL));
    CHECK(done == 0);
    EXPECT(AFTERCART_BAD_SIZE, aftercart_live_edit(engine, all, sizeof all[0], SIZE_MAX, "pods-1", 6, 1, NULL, NULL));
    EXPECT(AFTERCART_MISALIGNED, aftercart_live_edit(engine, all, sizeof all[0] - 1, 1, "pods-1", 6, 1, NULL, NULL));
    EXPECT(AFTERCART_BAD_LIVE, aftercart_live_edit(plain, all, sizeof all[0], 1, "pods-1", 6, 1, NULL, NULL));

    struct { aftercart_live_state known; uint64_t unknown; } state;
    memset(&state, 0xAA, sizeof state);
    EXPECT(AFTERCART_BAD_SIZE, aftercart_live_look(engine, AFTERCART_ITEM_ANY, "pods-1", 6, 1, &state.known, NULL));
    state.known.struct_size = sizeof state;
    EXPECT(AFTERCART_OK, aftercart_live_look(engine, AFTERCART_ITEM_ANY, "pods-1", 6, 1, &state.known, NULL));
    CHECK(state.known.paused == 1 && state.known.stock == -1 && state.known.price == -1 && state.unknown == 0);
    EXPECT(AFTERCART_OK, aftercart_live_look(engine, AFTERCART_ITEM_OFFER, "guide", 5, 1700000000000, &state.known, NULL));
    CHECK(state.known.daily == 5 && state.known.total == -1 && state.known.paced == 1 && state.known.leases == 0);
    EXPECT(AFTERCART_UNKNOWN_ID, aftercart_live_look(engine, AFTERCART_ITEM_ANY, "", 0, 1, &state.known, &error));
    EXPECT(AFTERCART_BAD_LIVE, aftercart_live_look(plain, AFTERCART_ITEM_ANY, "pods-1", 6, 1, &state.known, NULL));
    EXPECT(AFTERCART_NULL_POINTER, aftercart_live_look(engine, AFTERCART_ITEM_ANY, "pods-1", 6, 1, NULL, NULL));

    /* A resident with an overlay is another one than without. */
    aftercart_engine *with = NULL, *without = NULL;
    aftercart_decider *one = NULL, *other = NULL;
    EXPECT(AFTERCART_OK, aftercart_resident(catalog, strlen(catalog), path, length, NULL, &with, &one, NULL));
    EXPECT(AFTERCART_OK, aftercart_resident(catalog, strlen(catalog), NULL, 0, NULL, &without, &other, NULL));
    CHECK(with != without && one != other);
    EXPECT(AFTERCART_OK, aftercart_live_look(with, AFTERCART_ITEM_ANY, "pods-1", 6, 1, &state.known, NULL));
    EXPECT(AFTERCART_BAD_LIVE, aftercart_live_look(without, AFTERCART_ITEM_ANY, "pods-1", 6, 1, &state.known, NULL));
    EXPECT(AFTERCART_SYSTEM_ERROR, aftercart_resident(catalog, strlen(catalog), "none", 4, NULL, &with, &one, &error));
    EXPECT(AFTERCART_OK, aftercart_engine_close(engine));
    CHECK(unlink(path) == 0);
}

/* Engines and deciders of before the fork work in both processes; leases of both come from one budget. */
static void forks(aftercart_engine *engine)
{
    aftercart_decider *decider = new_decider(engine);
    EXPECT(AFTERCART_OK, decide(decider, R));
    uint64_t expected = bench.summary.decision_id_low;
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        aftercart_decider *own = new_decider(engine);
        int same = decide(decider, R) == AFTERCART_OK && bench.summary.decision_id_low == expected
            && decide(own, R) == AFTERCART_OK && bench.summary.decision_id_low == expected;
        same = same && aftercart_decider_free(own) == AFTERCART_OK && aftercart_decider_free(decider) == AFTERCART_OK
            && aftercart_engine_close(engine) == AFTERCART_OK;
        _exit(same ? 0 : 1);
    }
    int ended = 1;
    CHECK(waitpid(child, &ended, 0) == child && ended == 0);
    EXPECT(AFTERCART_OK, decide(decider, R));
    EXPECT(AFTERCART_OK, aftercart_decider_free(decider));
}

static int busy_seen, stop;

static void *hammer(void *decider)
{
    request own;
    size_t decided = 0;
    for (long i = 0; i < 20000000 && !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
        int32_t status = decide((aftercart_decider *)decider, fresh(&own));
        CHECK(status == AFTERCART_OK || (status == AFTERCART_BUSY && own.count == 0));
        decided += status == AFTERCART_OK;
        if (status == AFTERCART_BUSY)
            __atomic_store_n(&busy_seen, 1, __ATOMIC_RELAXED);
        if (decided >= 1000 && __atomic_load_n(&busy_seen, __ATOMIC_RELAXED))
            break;
    }
    CHECK(decided > 0);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void two_threads(aftercart_engine *engine)
{
    aftercart_decider *decider = new_decider(engine);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, hammer, decider) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(busy_seen);
    EXPECT(AFTERCART_OK, decide(decider, R));
    EXPECT(AFTERCART_OK, aftercart_decider_free(decider));
}

int main(int argc, char **argv)
{
    CHECK(argc == 2 && aftercart_abi_version() == AFTERCART_ABI_VERSION);
    opening(argv[1]);
    aftercart_engine *engine = open_engine(argv[1]);
    aftercart_decider *decider = new_decider(engine);
    pointers_and_sizes(decider);
    fields(decider);
    growth(decider);
    meaning(decider);
    texts(engine, decider);
    handles(argv[1]);
    residents(argv[1]);
    resident_programmes(argv[1], engine);
    explanations(decider);
    overlays(argv[1], engine);
    moments(argv[1], engine, decider);
    before_payment(decider);
    forks(engine);
    panics(engine);
    two_threads(engine);
    EXPECT(AFTERCART_OK, aftercart_decider_free(decider));
    EXPECT(AFTERCART_OK, aftercart_engine_close(engine));
    puts("ok");
    return 0;
}
