/* Counts every allocation while decisions are made: it replaces the allocator of the whole process. Arguments: a catalog, one whose
 * policy has a question, programmes for that, and a folder for a log. */
#include "request.h"

#include <errno.h>
#include <time.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static size_t calls;

void *malloc(size_t size) { calls++; return __libc_malloc(size); }
void *calloc(size_t count, size_t size) { calls++; return __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { calls++; return __libc_realloc(old, size); }
void *memalign(size_t alignment, size_t size) { calls++; return __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **out, size_t alignment, size_t size) { return (*out = memalign(alignment, size)) ? 0 : ENOMEM; }
void free(void *old) { calls += old != NULL; __libc_free(old); }

static request typical, large, wrong, asking;

int main(int argc, char **argv)
{
    CHECK(argc == 5);
    aftercart_engine *engine = open_engine(argv[1]);
    CHECK(calls > 0); /* the counter is in place */
    aftercart_decider *decider = new_decider(engine);

    fresh(&typical);
    fresh(&large);
    for (int i = 0; i < 1024; i++) {
        large.facts[i].kind = 1 + i % AFTERCART_FACT_CART_REMOVED;
        large.facts[i].id = large.lines[0].item_id;
    }
    large.fact_count = 1024;
    fresh(&wrong);
    wrong.lines[0].item_id.length = 5000;

    aftercart_engine *curious = open_engine(argv[2]);
    aftercart_decider *asker = new_decider(curious);
    fresh(&asking);
    asking.line_count = 1;
    asking.lines[0].item_id = put(&asking, "espresso-machine");
    asking.transaction.value = 5000;
    asking.transaction.flags = AFTERCART_TRANSACTION_HAS_VALUE;
    memcpy(asking.transaction.country, "US", 2);
    aftercart_key *key = NULL;
    EXPECT(AFTERCART_OK, aftercart_key_new((const uint8_t *)"a secret of at least thirty-two bytes", 37, &key, NULL));
    aftercart_claim claim = {0}, read = {0};
    claim.struct_size = read.struct_size = sizeof claim;
    claim.quantity = claim.expires_at_ms = claim.id_length = 1;
    claim.id[0] = 'x';
    memcpy(claim.currency, "EUR", 3);
    char token[AFTERCART_TOKEN_BYTES];
    size_t length = 0;
    aftercart_ranked ranking[2];
    aftercart_option options[2];
    memset(options, 0, sizeof options);
    options[0].id = options[1].id = typical.lines[0].item_id;
    aftercart_question question;
    memset(&question, 0, sizeof question);
    question.struct_size = sizeof question;

    aftercart_programmes *programmes = NULL;
    static aftercart_follow_up planned[AFTERCART_FOLLOW_UPS_MAX];
    size_t plans = 0;
    EXPECT(AFTERCART_OK, aftercart_programmes_open(curious, argv[3], strlen(argv[3]), &programmes, NULL));
    EXPECT(AFTERCART_OK, aftercart_log_to(decider, argv[4], strlen(argv[4]), 64, AFTERCART_LOG_TIMED, NULL));
    static char json[AFTERCART_JSON_BYTES];
    aftercart_event event;
    memset(&event, 0, sizeof event);
    event.struct_size = sizeof event;
    event.kind = AFTERCART_EVENT_ACTIVATED;
    event.event_id.length = 7;

    size_t before = calls;
    for (int i = 0; i < 1000; i++) {
        EXPECT(AFTERCART_OK, decide(decider, &typical)); /* from the first one on */
        EXPECT(AFTERCART_NO_OFFERS, decide(decider, &large));
        EXPECT(AFTERCART_BAD_STRING, decide(decider, &wrong));
        EXPECT(AFTERCART_OK, next_question(asker, &asking, &question));
        EXPECT(AFTERCART_OK, rank_payment(decider, &typical, options, 2, ranking));
        EXPECT(AFTERCART_OK, aftercart_token_sign(key, &claim, token, sizeof token, &length));
        EXPECT(AFTERCART_OK, aftercart_token_verify(key, token, length, "EUR", 1, 0, &read));
        EXPECT(AFTERCART_OK, follow_ups(asker, &asking, programmes, planned, &plans));
        EXPECT(AFTERCART_OK, aftercart_event_json(&event, "event-1", 7, json, sizeof json, NULL, NULL));
        CHECK(logged(decider).made == 2 * (uint64_t)i + 2); /* those of large and typical, mostly dropped */
    }
    size_t after = calls;
    printf("%zu allocations in 3000 decisions, 1000 questions, rankings, tokens, plans and events\n", after - before);
    CHECK(after == before && plans > 2 && logged(decider).logged == 64 && logged(decider).dropped == 1936);
    EXPECT(AFTERCART_OK, aftercart_programmes_free(programmes));

    EXPECT(AFTERCART_OK, aftercart_key_free(key));
    EXPECT(AFTERCART_OK, aftercart_decider_free(asker));
    EXPECT(AFTERCART_OK, aftercart_engine_close(curious));
    EXPECT(AFTERCART_OK, aftercart_decider_free(decider));
    EXPECT(AFTERCART_OK, aftercart_engine_close(engine));
    return 0;
}
