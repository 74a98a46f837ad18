/* A request that the test programs bend. Compiles as C11 and C++17. */
#ifndef REQUEST_H
#define REQUEST_H

#include "aftercart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

/* Compares statuses by name, so that a failure says what came back. */
#define EXPECT(expected, call) \
    do { \
        int32_t got = (call); \
        if (got != (expected)) { \
            printf("%s:%d: %s, not %s: %s\n", __FILE__, __LINE__, aftercart_status_name(got), #expected, #call); \
            exit(1); \
        } \
    } while (0)

/* A maker and cups, no facts; room for all offers. */
typedef struct {
    aftercart_transaction transaction;
    aftercart_profile profile;
    aftercart_line lines[8];
    size_t line_size, line_count;
    aftercart_fact facts[2048];
    size_t fact_size, fact_count;
    char strings[4096];
    size_t strings_length;
    aftercart_offer offers[AFTERCART_SLOTS_MAX];
    size_t offer_size, capacity, count;
    aftercart_summary summary;
} request;

static inline aftercart_text put(request *r, const char *text)
{
    aftercart_text at;
    at.offset = (uint32_t)r->strings_length;
    at.length = (uint32_t)strlen(text);
    memcpy(r->strings + r->strings_length, text, at.length);
    r->strings_length += at.length;
    return at;
}

static inline request *fresh(request *r)
{
    memset(r, 0, sizeof *r);
    r->transaction.struct_size = sizeof r->transaction;
    r->transaction.created_at_ms = 1700000000000;
    r->transaction.order_id = put(r, "order-1");
    r->profile.struct_size = sizeof r->profile;
    r->line_size = sizeof r->lines[0];
    r->line_count = 2;
    r->lines[0].item_id = put(r, "maker-1");
    r->lines[1].item_id = put(r, "cups-1");
    r->fact_size = sizeof r->facts[0];
    r->offer_size = sizeof r->offers[0];
    r->capacity = AFTERCART_SLOTS_MAX;
    r->count = 99;
    r->summary.struct_size = sizeof r->summary;
    return r;
}

static inline void fact(request *r, uint32_t kind, const char *id, int64_t at_ms)
{
    aftercart_fact *next = &r->facts[r->fact_count++];
    next->kind = kind;
    next->id = put(r, id);
    next->at_ms = at_ms;
}

static inline int32_t decide(aftercart_decider *decider, request *r)
{
    return aftercart_decide(decider, &r->transaction, &r->profile, r->lines, r->line_size, r->line_count, r->facts,
                            r->fact_size, r->fact_count, r->strings, r->strings_length, r->offers, r->offer_size,
                            r->capacity, &r->count, &r->summary);
}

static inline int32_t next_question(aftercart_decider *decider, request *r, aftercart_question *question)
{
    return aftercart_next_question(decider, &r->transaction, &r->profile, r->lines, r->line_size, r->line_count, r->facts,
                                   r->fact_size, r->fact_count, r->strings, r->strings_length, question);
}

static inline int32_t rank_payment(aftercart_decider *decider, request *r, const aftercart_option *options, size_t count,
                                   aftercart_ranked *ranking)
{
    size_t ranked = 0;
    int32_t status = aftercart_rank_payment_methods(
        decider, &r->transaction, &r->profile, r->lines, r->line_size, r->line_count, r->facts, r->fact_size, r->fact_count,
        r->strings, r->strings_length, AFTERCART_DEVICE_PHONE, options, sizeof *options, count, NULL, 0, 0, ranking, sizeof *ranking,
        count, &ranked);
    CHECK(ranked == (status < 0 ? 0 : count));
    return status;
}

static inline int32_t follow_ups(aftercart_decider *decider, request *r, const aftercart_programmes *programmes,
                                 aftercart_follow_up *planned, size_t *count)
{
    return aftercart_plan_follow_ups(decider, &r->transaction, &r->profile, r->lines, r->line_size, r->line_count, r->facts, r->fact_size,
                                     r->fact_count, r->strings, r->strings_length, programmes, 0, planned, sizeof *planned,
                                     AFTERCART_FOLLOW_UPS_MAX, count);
}

static inline aftercart_logged logged(aftercart_decider *decider)
{
    aftercart_logged counts;
    memset(&counts, 0, sizeof counts);
    counts.struct_size = sizeof counts;
    EXPECT(AFTERCART_OK, aftercart_log_counts(decider, &counts));
    return counts;
}

static inline aftercart_engine *open_engine(const char *path)
{
    aftercart_engine *engine = NULL;
    EXPECT(AFTERCART_OK, aftercart_engine_open(path, strlen(path), NULL, &engine, NULL));
    return engine;
}

static inline aftercart_decider *new_decider(aftercart_engine *engine)
{
    aftercart_decider *decider = NULL;
    EXPECT(AFTERCART_OK, aftercart_decider_new(engine, &decider, NULL));
    return decider;
}

static inline int offered(const request *r, const char *id)
{
    for (size_t i = 0; i < r->count && i < r->capacity; i++)
        if (strcmp(r->offers[i].id, id) == 0)
            return 1;
    return 0;
}

#endif
