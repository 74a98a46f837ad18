/* What a decider keeps in C memory, so that a call passes no pointer to Go memory. */
#include <aftercart.h>
#include <stdlib.h>

typedef struct {
    aftercart_decider *decider; /* here, since Go makes garbage of a pointer to an opaque struct that it passes */
    aftercart_transaction transaction;
    aftercart_profile profile;
    aftercart_summary summary;
    size_t count, line_count, fact_count, strings_length;
    char *strings;
    aftercart_offer offers[AFTERCART_SLOTS_MAX];
    aftercart_line lines[AFTERCART_LINES_MAX];
    aftercart_fact facts[AFTERCART_FACTS_MAX];
} request;

static inline int32_t decide(request *r)
{
    return aftercart_decide(r->decider, &r->transaction, &r->profile, r->lines, sizeof r->lines[0], r->line_count,
                            r->facts, sizeof r->facts[0], r->fact_count, r->strings, r->strings_length,
                            r->offers, sizeof r->offers[0], AFTERCART_SLOTS_MAX, &r->count, &r->summary);
}

static inline int32_t next_question(request *r, aftercart_question *question)
{
    return aftercart_next_question(r->decider, &r->transaction, &r->profile, r->lines, sizeof r->lines[0], r->line_count,
                                   r->facts, sizeof r->facts[0], r->fact_count, r->strings, r->strings_length, question);
}

static inline int32_t rank_payment(request *r, uint32_t device, const aftercart_option *options, size_t option_count,
                                   const aftercart_method_count *counts, size_t count_count, aftercart_ranked *ranking, size_t *count)
{
    return aftercart_rank_payment_methods(r->decider, &r->transaction, &r->profile, r->lines, sizeof r->lines[0], r->line_count,
                                          r->facts, sizeof r->facts[0], r->fact_count, r->strings, r->strings_length, device, options,
                                          sizeof *options, option_count, counts, sizeof *counts, count_count, ranking,
                                          sizeof *ranking, AFTERCART_OPTIONS_MAX, count);
}

static inline int32_t rank_shipping(request *r, const aftercart_option *options, size_t option_count, aftercart_ranked *ranking,
                                    size_t *count)
{
    return aftercart_rank_shipping_options(r->decider, &r->transaction, &r->profile, r->lines, sizeof r->lines[0], r->line_count,
                                           r->facts, sizeof r->facts[0], r->fact_count, r->strings, r->strings_length, options,
                                           sizeof *options, option_count, ranking, sizeof *ranking, AFTERCART_OPTIONS_MAX, count);
}

static inline int32_t plan_follow_ups(request *r, const aftercart_programmes *programmes, int64_t delivery_at_ms,
                                      aftercart_follow_up *follow_ups, size_t *count)
{
    return aftercart_plan_follow_ups(r->decider, &r->transaction, &r->profile, r->lines, sizeof r->lines[0], r->line_count, r->facts,
                                     sizeof r->facts[0], r->fact_count, r->strings, r->strings_length, programmes, delivery_at_ms,
                                     follow_ups, sizeof *follow_ups, AFTERCART_FOLLOW_UPS_MAX, count);
}

static inline int32_t explain(request *r, uint32_t kind, const char *id, size_t id_length, aftercart_explanation *explanation,
                              char *names, size_t capacity, size_t *length)
{
    return aftercart_explain(r->decider, &r->transaction, &r->profile, r->lines, sizeof r->lines[0], r->line_count,
                             r->facts, sizeof r->facts[0], r->fact_count, r->strings, r->strings_length, kind, id, id_length,
                             explanation, names, capacity, length);
}
