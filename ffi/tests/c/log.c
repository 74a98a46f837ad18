/* What a log keeps and what it refuses, and what follows an order. Arguments: a catalog, and a folder that is not there yet. Compiles as C11 and C++17. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L /* fork */
#endif
#include "request.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static request bench;
static const char *folder;

static void decides(aftercart_decider *decider, int times)
{
    for (int i = 0; i < times; i++)
        EXPECT(AFTERCART_OK, decide(decider, fresh(&bench)));
}

static int32_t start(aftercart_decider *decider, size_t capacity)
{
    return aftercart_log_to(decider, folder, strlen(folder), capacity, 0, NULL);
}

static void keeps(aftercart_engine *engine)
{
    aftercart_decider *decider = new_decider(engine);
    CHECK(logged(decider).logs == 0);
    EXPECT(AFTERCART_OK, start(decider, 8));
    decides(decider, 5);
    EXPECT(AFTERCART_OK, start(decider, 8)); /* it goes on */
    decides(decider, 5);
    aftercart_logged counts = logged(decider);
    CHECK(counts.logs == 1 && counts.made == 10 && counts.logged == 8 && counts.dropped == 2 && counts.drained == 0);

    /* A child leaves its parent's ring alone, and may have its own. */
    pid_t child = fork();
    if (child == 0) {
        decides(decider, 3);
        CHECK(logged(decider).logs == 0);
        EXPECT(AFTERCART_OK, start(decider, 8));
        decides(decider, 3);
        CHECK(logged(decider).made == 3);
        _exit(0);
    }
    int how = 1;
    CHECK(child > 0 && waitpid(child, &how, 0) == child && how == 0);
    CHECK(logged(decider).made == 10);

    /* A newer header's struct, and an older one's. */
    struct { aftercart_logged known; uint64_t unknown; } grown;
    memset(&grown, 'x', sizeof grown);
    grown.known.struct_size = sizeof grown;
    EXPECT(AFTERCART_OK, aftercart_log_counts(decider, &grown.known));
    CHECK(grown.known.made == 10 && grown.unknown == 0);
    memset(&grown, 'x', sizeof grown);
    grown.known.struct_size = 16;
    EXPECT(AFTERCART_OK, aftercart_log_counts(decider, &grown.known));
    CHECK(grown.known.made == 10 && grown.known.logged != 8);
    EXPECT(AFTERCART_NULL_POINTER, aftercart_log_counts(decider, NULL));

    EXPECT(AFTERCART_OK, aftercart_log_to(decider, NULL, 0, 0, 0, NULL)); /* stops */
    decides(decider, 1);
    CHECK(logged(decider).logs == 0);
    EXPECT(AFTERCART_OK, aftercart_decider_free(decider));
}

static void refuses(aftercart_engine *engine)
{
    aftercart_decider *decider = new_decider(engine);
    aftercart_error error;
    memset(&error, 0, sizeof error);
    error.struct_size = sizeof error;
    EXPECT(AFTERCART_BAD_VALUE, start(decider, 1048577));
    EXPECT(AFTERCART_UNSUPPORTED_FIELD, aftercart_log_to(decider, folder, strlen(folder), 8, 2, NULL));
    EXPECT(AFTERCART_NULL_POINTER, aftercart_log_to(decider, NULL, 3, 8, 0, NULL));
    EXPECT(AFTERCART_NULL_POINTER, aftercart_log_to(NULL, folder, strlen(folder), 8, 0, NULL));
    EXPECT(AFTERCART_SYSTEM_ERROR, aftercart_log_to(decider, "/proc/none", 10, 8, 0, &error));
    CHECK(error.os_error != 0 && strstr(error.message, "/proc/none") != NULL);
    CHECK(logged(decider).logs == 0);
    EXPECT(AFTERCART_OK, aftercart_decider_free(decider));
}

#define EVENTS_EACH 500

static void *appends(void *thread)
{
    for (int i = 0; i < EVENTS_EACH; i++) {
        char texts[32];
        aftercart_event event;
        memset(&event, 0, sizeof event);
        event.struct_size = sizeof event;
        event.kind = AFTERCART_EVENT_ENGAGED;
        event.event_id.length = (uint32_t)snprintf(texts, sizeof texts, "%s-%d", (const char *)thread, i);
        EXPECT(AFTERCART_OK, aftercart_event_append(folder, strlen(folder), &event, texts, event.event_id.length, NULL));
    }
    return NULL;
}

static void events(void)
{
    char small[40];
    size_t length = 0;
    aftercart_error error;
    aftercart_event event;
    memset(&error, 0, sizeof error);
    error.struct_size = sizeof error;
    memset(&event, 0, sizeof event);
    event.struct_size = sizeof event;
#define APPEND aftercart_event_append(folder, strlen(folder), &event, "abc", 3, &error)
    EXPECT(AFTERCART_BAD_VALUE, APPEND); /* no kind */
    event.kind = AFTERCART_EVENT_CONVERTED;
    EXPECT(AFTERCART_BAD_VALUE, APPEND);
    CHECK(strstr(error.message, "event_id") != NULL);
    event.event_id.length = 3;
    EXPECT(AFTERCART_BAD_VALUE, APPEND);
    CHECK(strstr(error.message, "value") != NULL);
    event.value = 5;
    EXPECT(AFTERCART_BAD_VALUE, APPEND); /* without its flag */
    event.flags = AFTERCART_AMOUNT_VALUE | 8;
    EXPECT(AFTERCART_UNSUPPORTED_FIELD, APPEND);
    event.flags = AFTERCART_AMOUNT_VALUE;
    event.code.length = 4;
    EXPECT(AFTERCART_BAD_STRING, APPEND);
    event.code.length = 0;
    EXPECT(AFTERCART_BAD_UTF8, aftercart_event_append(folder, strlen(folder), &event, "a\xff" "c", 3, NULL));
    EXPECT(AFTERCART_BAD_VALUE, aftercart_event_append(folder, 0, &event, "abc", 3, NULL));
    EXPECT(AFTERCART_SYSTEM_ERROR, aftercart_event_append("/proc/none", 10, &event, "abc", 3, &error));
    CHECK(error.os_error != 0);
    EXPECT(AFTERCART_BAD_SIZE, aftercart_event_json(&event, "abc", 3, small, sizeof small, &length, NULL));
    CHECK(length == 0);
    EXPECT(AFTERCART_OK, APPEND);
    static char names[4][8] = {"a", "b", "c", "d"};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, appends, names[i]) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

static void plans(const char *path, aftercart_engine *engine)
{
    char file[600];
    snprintf(file, sizeof file, "%s.toml", folder);
    FILE *programmes_file = fopen(file, "w");
    CHECK(programmes_file && fputs("[contact]\nnot_asked = \"deny\"\n[[programme]]\nid = \"all\"\ncategories = [\"Kitchen\", \"Table\"]\n"
                                   "step = [{ template = \"hello\", kind = \"guidance\", after = \"order\" },\n"
                                   "{ template = \"more\", kind = \"suggestion\", after = \"order\" }]\n", programmes_file) >= 0);
    CHECK(fclose(programmes_file) == 0);
    aftercart_decider *decider = new_decider(engine);
    aftercart_programmes *programmes = NULL, *other = (aftercart_programmes *)decider;
    aftercart_error error;
    error.struct_size = sizeof error;
    EXPECT(AFTERCART_SYSTEM_ERROR, aftercart_programmes_open(engine, "no such file", 12, &other, &error));
    CHECK(other == NULL && strstr(error.message, "no such file") != NULL);
    EXPECT(AFTERCART_BAD_PROGRAMMES, aftercart_programmes_open(engine, path, strlen(path), &other, &error)); /* no text */
    EXPECT(AFTERCART_NULL_POINTER, aftercart_programmes_open(NULL, file, strlen(file), &other, &error));
    EXPECT(AFTERCART_OK, aftercart_programmes_open(engine, file, strlen(file), &programmes, &error));
    static aftercart_follow_up planned[AFTERCART_FOLLOW_UPS_MAX];
    size_t count = 99;
    EXPECT(AFTERCART_OK, follow_ups(decider, fresh(&bench), programmes, planned, &count));
    CHECK(count == 2 && strcmp(planned[0].template_id, "hello") == 0 && planned[0].kind == AFTERCART_MESSAGE_GUIDANCE);
    CHECK(planned[0].withheld == 0 && planned[1].withheld == AFTERCART_WITHHELD_CONSENT && planned[0].due_days == -1);
    CHECK(planned[0].item_kind == AFTERCART_ITEM_PRODUCT && strcmp(planned[0].programme, "all") == 0);
    request *r = fresh(&bench);
    fact(r, AFTERCART_FACT_CONTACTED, "", 1700000000000);
    EXPECT(AFTERCART_OK, follow_ups(decider, r, programmes, planned, &count));
    fact(r, AFTERCART_FACT_CONTACTED, "x", 5); /* messages have no id */
    EXPECT(AFTERCART_UNSUPPORTED_FIELD, follow_ups(decider, r, programmes, planned, &count));
    CHECK(count == 0);
    EXPECT(AFTERCART_NULL_POINTER, follow_ups(decider, fresh(&bench), programmes, NULL, &count));
    EXPECT(AFTERCART_NULL_POINTER, follow_ups(decider, fresh(&bench), NULL, planned, &count));
    EXPECT(AFTERCART_BAD_HANDLE, follow_ups(decider, fresh(&bench), (aftercart_programmes *)decider, planned, &count));
    r = fresh(&bench);
    EXPECT(AFTERCART_TRUNCATED, aftercart_plan_follow_ups(decider, &r->transaction, NULL, r->lines, r->line_size, 2, NULL, 0, 0, r->strings,
                                                          r->strings_length, programmes, 0, planned, sizeof planned[0], 1, &count));
    CHECK(count == 2);
    /* An older caller's elements are shorter. */
    memset(planned, 'x', sizeof planned);
    EXPECT(AFTERCART_OK, aftercart_plan_follow_ups(decider, &r->transaction, NULL, r->lines, r->line_size, 2, NULL, 0, 0, r->strings,
                                                   r->strings_length, programmes, 0, planned, 48, 2, &count));
    CHECK(planned[0].kind == AFTERCART_MESSAGE_GUIDANCE && planned[0].programme[0] != 'a' && ((char *)planned)[96] == 'x');
    EXPECT(AFTERCART_OK, aftercart_programmes_free(programmes));
    EXPECT(AFTERCART_OK, aftercart_programmes_free(NULL));
    EXPECT(AFTERCART_OK, aftercart_decider_free(decider));
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    folder = argv[2];
    aftercart_engine *engine = open_engine(argv[1]);
    keeps(engine);
    refuses(engine);
    events();
    plans(argv[1], engine);
    EXPECT(AFTERCART_OK, aftercart_engine_close(engine));
    puts("ok");
    return 0;
}
