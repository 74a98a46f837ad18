/* Answers tests/conformance/requests.txt, whose grammar is at its top. Arguments: a catalog, the requests. With "time" behind, it
 * tells instead how many nanoseconds a decision of each takes, for benches/bindings.rs. With "live" and the name of an overlay
 * that is not there yet, it takes the steps of live.txt; with "moments" and the names of a model and of programmes, those of
 * moments.txt. With "log" and the name of a folder, it keeps its decisions there, and an event of each kind. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#endif
#include "aftercart.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One request; more of everything than is allowed. */
static struct {
    aftercart_transaction transaction;
    aftercart_profile profile;
    aftercart_line lines[AFTERCART_LINES_MAX + 8];
    aftercart_fact facts[AFTERCART_FACTS_MAX + 8];
    char strings[1 << 18];
    size_t line_count, fact_count, used;
    aftercart_option pay[AFTERCART_OPTIONS_MAX + 8], ship[8];
    aftercart_method_count usual[8];
    aftercart_stored stored[8];
    size_t pay_count, ship_count, usual_count, stored_count;
} r;

static char *field[12];

static void split(char *line)
{
    static char none[] = "";
    for (size_t i = 0; i < sizeof field / sizeof field[0]; i++) {
        field[i] = line ? line : none;
        line = line ? strchr(line, '\t') : NULL;
        if (line)
            *line++ = 0;
    }
}

static aftercart_text put(const char *text)
{
    aftercart_text at;
    at.offset = (uint32_t)r.used;
    at.length = (uint32_t)strlen(text);
    memcpy(r.strings + r.used, text, at.length);
    r.used += at.length;
    return at;
}

static aftercart_line *add_line(const char *item)
{
    aftercart_line *line = &r.lines[r.line_count++];
    line->item_id = put(item);
    return line;
}

static aftercart_fact *add_fact(uint32_t kind, const char *id)
{
    aftercart_fact *fact = &r.facts[r.fact_count++];
    fact->kind = kind;
    fact->id = put(id);
    return fact;
}

static void line_of_fields(void)
{
    aftercart_line *line = add_line(field[1]);
    line->category = put(field[2]);
    line->brand = put(field[3]);
    line->quantity = (uint32_t)atol(field[4]);
    line->unit_price = atoll(field[5]);
    line->flags = field[5][0] ? AFTERCART_LINE_HAS_UNIT_PRICE : 0;
    line->role = (uint32_t)atol(field[6]);
    line->sensitive = (uint32_t)atol(field[7]);
}

static void numbered(int are_lines)
{
    char item[64];
    for (long n = 1; n <= atol(field[1]); n++) {
        snprintf(item, sizeof item, "%s-%ld", field[2], n);
        if (are_lines)
            add_line(item);
        else
            add_fact(AFTERCART_FACT_PURCHASE, item);
    }
}

static void key(uint64_t to[2])
{
    to[0] = strtoull(field[1], NULL, 10);
    to[1] = strtoull(field[2], NULL, 10);
}

static void add(void)
{
    const uint32_t number = (uint32_t)atol(field[1]);
    struct { const char *word; uint32_t *to; uint32_t value, *flags, flag; } simple[] = {
        {"stage", &r.transaction.stage, number, NULL, 0},
        {"slots", &r.transaction.slots, number, NULL, 0},
        {"min_relevance", &r.transaction.min_relevance, number, &r.transaction.flags, AFTERCART_TRANSACTION_HAS_MIN_RELEVANCE},
        {"payment", &r.transaction.payment, number, NULL, 0},
        {"rechargeable", &r.transaction.rechargeable, number, NULL, 0},
        {"orders", &r.profile.orders, number, &r.profile.flags, AFTERCART_PROFILE_HAS_ORDERS},
        {"is_gift", NULL, 0, &r.transaction.flags, AFTERCART_TRANSACTION_IS_GIFT},
        {"is_test", NULL, 0, &r.transaction.flags, AFTERCART_TRANSACTION_IS_TEST},
        {"first_purchases", NULL, 0, &r.transaction.flags, AFTERCART_TRANSACTION_FIRST_PURCHASES},
        {"customer", &r.profile.customer, number, NULL, 0},
        {"age_band", &r.profile.age_band, number, NULL, 0},
        {"loyalty_member", &r.profile.loyalty_member, number, NULL, 0},
        {"has_app", &r.profile.has_app, number, NULL, 0},
        {"opt_out_third_party", NULL, 0, &r.profile.flags, AFTERCART_PROFILE_OPT_OUT_THIRD_PARTY},
    };
    for (size_t i = 0; i < sizeof simple / sizeof simple[0]; i++)
        if (strcmp(field[0], simple[i].word) == 0) {
            if (simple[i].to)
                *simple[i].to = simple[i].value;
            if (simple[i].flags)
                *simple[i].flags |= simple[i].flag;
            return;
        }
#define WORD(word) else if (strcmp(field[0], word) == 0)
    if (strcmp(field[0], "order_id") == 0)
        r.transaction.order_id = put(field[1]);
    WORD("placement") r.transaction.placement = put(field[1]);
    WORD("loyalty_tier") r.profile.loyalty_tier = put(field[1]);
    WORD("created_at_ms") r.transaction.created_at_ms = atoll(field[1]);
    WORD("value") r.transaction.value = atoll(field[1]), r.transaction.flags |= AFTERCART_TRANSACTION_HAS_VALUE;
    WORD("currency") memcpy(r.transaction.currency, field[1], strlen(field[1]));
    WORD("country") memcpy(r.transaction.country, field[1], strlen(field[1]));
    WORD("unit_key") key(r.profile.unit_key);
    WORD("session_key") key(r.profile.session_key);
    WORD("line") line_of_fields();
    WORD("lines") numbered(1);
    WORD("purchases") numbered(0);
    WORD("purchase") add_fact(AFTERCART_FACT_PURCHASE, field[1])->at_ms = atoll(field[2]);
    WORD("decline") add_fact(AFTERCART_FACT_DECLINE, field[1])->at_ms = atoll(field[2]);
    WORD("consent") {
        r.profile.purposes_asked |= 1u << number;
        r.profile.purposes_granted |= atol(field[2]) == AFTERCART_YES ? 1u << number : 0;
    }
    WORD("gpc") r.profile.flags |= AFTERCART_PROFILE_GPC;
    WORD("shown") add_fact(AFTERCART_FACT_SHOWN, field[1])->at_ms = atoll(field[2]);
    WORD("engaged") add_fact(AFTERCART_FACT_ENGAGED, field[1])->at_ms = atoll(field[2]);
    WORD("accepted") add_fact(AFTERCART_FACT_ACCEPTED, field[1])->at_ms = atoll(field[2]);
    WORD("used") add_fact(AFTERCART_FACT_USED, field[1])->at_ms = atoll(field[2]);
    WORD("failed") add_fact(AFTERCART_FACT_FAILED, field[1])->at_ms = atoll(field[2]);
    WORD("contacted") add_fact(AFTERCART_FACT_CONTACTED, "")->at_ms = atoll(field[1]);
    WORD("pay") {
        r.pay[r.pay_count].id = put(field[1]);
        r.pay[r.pay_count++].flags = atol(field[2]) ? AFTERCART_OPTION_READY : 0;
    }
    WORD("ship") {
        r.ship[r.ship_count].id = put(field[1]);
        r.ship[r.ship_count].price = atoll(field[2]);
        r.ship[r.ship_count++].arrives_by_ms = atoll(field[3]);
    }
    WORD("usual") {
        aftercart_method_count *of = &r.usual[r.usual_count++];
        of->id = put(field[1]);
        memcpy(of->country, field[2], 2);
        of->device = (uint32_t)atol(field[3]);
        of->amount_from = atoll(field[4]);
        of->orders = (uint32_t)atol(field[5]);
    }
    WORD("stored") {
        aftercart_stored *of = &r.stored[r.stored_count++];
        of->field = (uint32_t)atol(field[1]);
        of->slot = (uint32_t)atol(field[2]);
        memcpy(of->country, field[3], strlen(field[3]));
        of->uses = (uint32_t)atol(field[4]);
        of->last_used_ms = atoll(field[5]);
    }
    WORD("asked") add_fact(AFTERCART_FACT_ASKED, field[1])->at_ms = atoll(field[2]);
    WORD("answer") {
        aftercart_fact *fact = add_fact(AFTERCART_FACT_ANSWER, field[1]);
        fact->tag = put(field[2]);
    }
    WORD("order_tag") add_fact(AFTERCART_FACT_ORDER_TAG, field[1]);
    WORD("segment") add_fact(AFTERCART_FACT_SEGMENT, field[1]);
    WORD("opt_out_category") add_fact(AFTERCART_FACT_OPT_OUT_CATEGORY, field[1]);
    WORD("cart_removed") add_fact(AFTERCART_FACT_CART_REMOVED, field[1]);
    else if (strcmp(field[0], "expect") != 0)
        exit(3);
}

static const char *text_of(aftercart_engine *engine, const aftercart_offer *offer, uint32_t which)
{
    static char texts[4][1024];
    aftercart_item_text(engine, offer->item_kind, offer->item_row, which, texts[which - 1], sizeof texts[0], NULL);
    return texts[which - 1];
}

static aftercart_offer offers[AFTERCART_SLOTS_MAX];
static aftercart_summary s;
static size_t count;

static int32_t decide(aftercart_decider *decider)
{
    s.struct_size = sizeof s;
    return aftercart_decide(decider, &r.transaction, &r.profile, r.lines, sizeof r.lines[0], r.line_count, r.facts,
                            sizeof r.facts[0], r.fact_count, r.strings, r.used, offers, sizeof offers[0],
                            AFTERCART_SLOTS_MAX, &count, &s);
}

static int by_size(const void *a, const void *b)
{
    return (*(const int64_t *)a > *(const int64_t *)b) - (*(const int64_t *)a < *(const int64_t *)b);
}

/* Of 100 batches of 10 decisions, the tenth fastest. */
static void measure(aftercart_decider *decider)
{
    int64_t batches[100];
    for (int batch = 0; batch < 100; batch++) {
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        for (int i = 0; i < 10; i++)
            if (decide(decider) < 0)
                exit(4);
        clock_gettime(CLOCK_MONOTONIC, &to);
        batches[batch] = ((to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec) / 10;
    }
    qsort(batches, 100, sizeof batches[0], by_size);
    printf("%" PRId64 "\n", batches[9]);
}

static void answer(aftercart_engine *engine, aftercart_decider *decider)
{
    int32_t status = decide(decider);
    printf("status\t%s", aftercart_status_name(status));
    if (status >= 0)
        printf("\t%u\t%016" PRIx64 "%016" PRIx64 "\t%016" PRIx64 "\t%016" PRIx64 "\t%u\t%u\t%u\t%u\t%u\t%u", s.reason,
               s.decision_id_high, s.decision_id_low, s.index_generation, s.policy_generation, s.retrieved, s.eligible,
               s.rejected, s.centroids, s.cells, s.compared);
    puts("");
    for (const aftercart_offer *o = offers; o < offers + count; o++)
        printf("offer\t%s\t%u\t%u\t%u\t%u\t%u\t%u\t%d\t%u\t%u\t%u\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%u\t%s\t%s\t%s\n", o->id,
               o->item_kind, o->item_row, o->kind, o->position, o->third_party, o->relation, o->line, o->relevance,
               o->p_accept_ppm, o->p_select_ppm, o->value, o->ev_micros, o->price, o->accept,
               text_of(engine, o, AFTERCART_TEXT_TITLE), text_of(engine, o, AFTERCART_TEXT_CATEGORY),
               text_of(engine, o, AFTERCART_TEXT_PARTNER));
}

static void told(const char *word, int32_t status) { printf("%s\t%s\n", word, aftercart_status_name(status)); }

static void set(aftercart_engine *engine)
{
    aftercart_change change;
    memset(&change, 0, sizeof change);
    const char *id = field[2], *name = field[3], *value = field[4];
    const int64_t number = atoll(value);
    size_t done = 0;
    uint32_t bit = 0;
    const uint32_t answer = number ? AFTERCART_YES : AFTERCART_NO;
    change.kind = (uint32_t)atol(field[1]);
    change.id.length = (uint32_t)strlen(id);
    if (strcmp(name, "stock") == 0)
        bit = AFTERCART_CHANGE_STOCK, change.stock = (uint32_t)number;
#define FIELD(of) else if (strcmp(name, of) == 0)
    FIELD("price") {
        bit = AFTERCART_CHANGE_PRICE, change.price = number;
        change.priced_at_ms = strchr(value, ' ') ? atoll(strchr(value, ' ')) : 0;
    }
    FIELD("bid") bit = AFTERCART_CHANGE_BID, change.bid = number;
    FIELD("daily") bit = AFTERCART_CHANGE_DAILY, change.daily = number;
    FIELD("total") bit = AFTERCART_CHANGE_TOTAL, change.total = number;
    FIELD("pacing") {
        bit = AFTERCART_CHANGE_PACING;
        change.pacing.offset = change.id.length;
        change.pacing.length = (uint32_t)strlen(value);
    }
    FIELD("utc_offset") bit = AFTERCART_CHANGE_UTC_OFFSET, change.utc_offset_minutes = (int32_t)number;
    FIELD("paused") change.paused = answer;
    FIELD("killed") change.killed = answer;
    FIELD("money") change.money = answer;
    *(value[0] ? &change.set : &change.clear) = bit;
    char strings[1024];
    int length = snprintf(strings, sizeof strings, "%s%s", id, value);
    told("set", aftercart_live_edit(engine, &change, sizeof change, 1, strings, (size_t)length, atoll(field[5]), &done, NULL));
}

static void look(aftercart_engine *engine)
{
    aftercart_live_state s;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    int32_t status = aftercart_live_look(engine, (uint32_t)atol(field[1]), field[2], strlen(field[2]), atoll(field[3]), &s, NULL);
    if (status < 0)
        told("look", status);
    else
        printf("look\tOK\t%u\t%u\t%u\t%d\t%d\t%u\t%u\t%u\t%u\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64
               "\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\n", s.kind, s.paused, s.killed, s.stock, s.utc_offset_minutes, s.money,
               s.paced, s.throttle_ppm, s.leases, s.price, s.priced_at_ms, s.bid, s.daily, s.total, s.spent_today, s.spent,
               s.held);
}

static void explain(aftercart_decider *decider)
{
    static char names[4096];
    aftercart_explanation e;
    memset(&e, 0, sizeof e);
    e.struct_size = sizeof e;
    int32_t status = aftercart_explain(decider, &r.transaction, &r.profile, r.lines, sizeof r.lines[0], r.line_count, r.facts,
                                       sizeof r.facts[0], r.fact_count, r.strings, r.used, AFTERCART_ITEM_ANY, field[1],
                                       strlen(field[1]), &e, names, sizeof names, NULL);
    if (status != AFTERCART_OK) {
        told("explain", status);
        return;
    }
    printf("explain\tOK\t%d\t%u\t%d\t%u\t%u\t%" PRId64 "\t", e.position, e.relation, e.line, e.relevance, e.p_accept_ppm,
           e.ev_micros);
    for (uint32_t i = 0; i < e.reason_count; i++)
        printf(i ? ",%u" : "%u", e.reasons[i]);
    printf("\n%s", names);
}

static aftercart_engine *plain, *learnt[2];

static void page(aftercart_decider *decider)
{
    int32_t status = decide(decider);
    printf("page\t%s\t%016" PRIx64 "%016" PRIx64 "\t%u\n", aftercart_status_name(status), s.group_id_high, s.group_id_low,
           s.model_generation);
    for (const aftercart_offer *o = offers; o < offers + count; o++)
        printf("accept\t%s\t%u\t%u\t%u\t%u\n", o->id, o->accept, o->accept_reason, o->may_need_confirmation, o->p_accept_ppm);
}

static void ask(aftercart_engine *engine, aftercart_decider *decider)
{
    char id[256], words[256];
    aftercart_question q;
    memset(&q, 0, sizeof q);
    q.struct_size = sizeof q;
    int32_t status = aftercart_next_question(decider, &r.transaction, &r.profile, r.lines, sizeof r.lines[0], r.line_count, r.facts,
                                             sizeof r.facts[0], r.fact_count, r.strings, r.used, &q);
    printf("question\t%s", aftercart_status_name(status));
    if (status == AFTERCART_OK) {
        aftercart_item_text(engine, AFTERCART_ITEM_QUESTION, q.row, AFTERCART_TEXT_ID, id, sizeof id, NULL);
        aftercart_item_text(engine, AFTERCART_ITEM_QUESTION, q.row, AFTERCART_TEXT_TITLE, words, sizeof words, NULL);
        printf("\t%s\t%s\t%" PRId64 "\t%u", id, words, q.gain_micros, q.decisions);
    }
    puts("");
    for (uint32_t row = q.answer_row; row < q.answer_row + q.answer_count; row++) {
        aftercart_item_text(engine, AFTERCART_ITEM_ANSWER, row, AFTERCART_TEXT_ID, id, sizeof id, NULL);
        aftercart_item_text(engine, AFTERCART_ITEM_ANSWER, row, AFTERCART_TEXT_TITLE, words, sizeof words, NULL);
        printf("answer\t%s\t%s\n", id, words);
    }
}

static aftercart_programmes *programmes;

static void follow_ups(aftercart_engine *engine, aftercart_decider *decider)
{
    static aftercart_follow_up planned[AFTERCART_FOLLOW_UPS_MAX];
    size_t count = 0;
    char title[256];
    told("follow_ups", aftercart_plan_follow_ups(decider, &r.transaction, &r.profile, r.lines, sizeof r.lines[0], r.line_count, r.facts,
                                                 sizeof r.facts[0], r.fact_count, r.strings, r.used, programmes, atoll(field[1]),
                                                 planned, sizeof planned[0], AFTERCART_FOLLOW_UPS_MAX, &count));
    for (const aftercart_follow_up *f = planned; f < planned + count; f++) {
        title[0] = 0;
        if (f->item_kind)
            aftercart_item_text(engine, f->item_kind, f->item_row, AFTERCART_TEXT_TITLE, title, sizeof title, NULL);
        printf("message\t%s\t%s\t%s\t%u\t%u\t%u\t%" PRId64 "\t%" PRId64 "\t%u\t%s\t%d\t%u\n", f->programme, f->template_id,
               f->content_id, f->kind, f->channel, f->withheld, f->at_ms, f->expires_at_ms, f->line, title, f->due_days,
               f->own_intervals);
    }
}

static void id_of(const char *hex, uint64_t *high, uint64_t *low)
{
    for (; *hex; hex++) {
        *high = *high << 4 | *low >> 60;
        *low = *low << 4 | (uint64_t)(*hex <= '9' ? *hex - '0' : *hex - 'a' + 10);
    }
}

static void amount(int64_t *to, const char *text, uint32_t *flags, uint32_t flag)
{
    *to = atoll(text);
    *flags |= text[0] ? flag : 0;
}

static void event(void)
{
    static char json[AFTERCART_JSON_BYTES];
    aftercart_event e;
    memset(&e, 0, sizeof e);
    e.struct_size = sizeof e;
    e.kind = (uint32_t)atol(field[1]);
    e.event_id = put(field[2]);
    id_of(field[3], &e.decision_id_high, &e.decision_id_low);
    e.at_ms = atoll(field[4]);
    e.item_id = put(field[5]);
    amount(&e.value, field[6], &e.flags, AFTERCART_AMOUNT_VALUE);
    amount(&e.margin, field[7], &e.flags, AFTERCART_AMOUNT_MARGIN);
    amount(&e.payout, field[8], &e.flags, AFTERCART_AMOUNT_PAYOUT);
    e.code = put(field[9]);
    e.question = put(field[10]);
    e.answer = put(field[11]);
    int32_t status = aftercart_event_json(&e, r.strings, r.used, json, sizeof json, NULL, NULL);
    printf(status == AFTERCART_OK ? "event\tOK\t%s\n" : "event\t%s\n", status == AFTERCART_OK ? json : aftercart_status_name(status));
}

/* One event of each kind, under ids of this language. */
static void log_events(const char *folder)
{
    for (uint32_t kind = AFTERCART_EVENT_ACTIVATED; kind <= AFTERCART_EVENT_ORDERED; kind++) {
        char id[16];
        snprintf(id, sizeof id, "c-%u", kind);
        aftercart_event e;
        memset(&e, 0, sizeof e);
        e.struct_size = sizeof e;
        e.kind = kind;
        e.event_id.length = (uint32_t)strlen(id);
        e.flags = AFTERCART_AMOUNT_VALUE;
        e.value = 1299;
        if (aftercart_event_append(folder, strlen(folder), &e, id, strlen(id), NULL) != AFTERCART_OK)
            exit(6);
    }
}

static char token[AFTERCART_TOKEN_BYTES];

static void sign(void)
{
    aftercart_key *secret = NULL;
    aftercart_claim claim;
    memset(&claim, 0, sizeof claim);
    claim.struct_size = sizeof claim;
    id_of(field[2], &claim.decision_id_high, &claim.decision_id_low);
    claim.id_length = (uint32_t)strlen(field[3]);
    memcpy(claim.id, field[3], claim.id_length);
    claim.price = atoll(field[4]);
    memcpy(claim.currency, field[5], strlen(field[5]));
    claim.quantity = (uint32_t)atol(field[6]);
    claim.expires_at_ms = atoll(field[7]);
    int32_t status = aftercart_key_new((const uint8_t *)field[1], strlen(field[1]), &secret, NULL);
    if (status == AFTERCART_OK)
        status = aftercart_token_sign(secret, &claim, token, sizeof token, NULL);
    printf(status == AFTERCART_OK ? "token\tOK\t%s\n" : "token\t%s\n", status == AFTERCART_OK ? token : aftercart_status_name(status));
    aftercart_key_free(secret);
}

static void verify(void)
{
    aftercart_key *secret = NULL;
    aftercart_claim c;
    c.struct_size = sizeof c;
    const char *given = field[2][0] ? field[2] : token;
    aftercart_key_new((const uint8_t *)field[1], strlen(field[1]), &secret, NULL);
    int32_t status = aftercart_token_verify(secret, given, strlen(given), field[3], atoll(field[4]), atoll(field[5]), &c);
    if (status < 0)
        told("claim", status);
    else
        printf("claim\tOK\t%016" PRIx64 "%016" PRIx64 "\t%s\t%" PRId64 "\t%.4s\t%u\t%" PRId64 "\t%016" PRIx64 "%016" PRIx64 "\n",
               c.decision_id_high, c.decision_id_low, c.id, c.price, c.currency, c.quantity, c.expires_at_ms,
               c.idempotency_key_high, c.idempotency_key_low);
    aftercart_key_free(secret);
}

static void ranked(int32_t status, const aftercart_ranked *ranking, size_t count)
{
    told("ranked", status);
    for (size_t i = 0; i < count; i++)
        printf("option\t%u\t%u\n", ranking[i].option, ranking[i].because);
}

static void rank_payment(aftercart_decider *decider)
{
    aftercart_ranked ranking[AFTERCART_OPTIONS_MAX];
    size_t count = 0;
    int32_t status = aftercart_rank_payment_methods(
        decider, &r.transaction, &r.profile, r.lines, sizeof r.lines[0], r.line_count, r.facts, sizeof r.facts[0], r.fact_count,
        r.strings, r.used, (uint32_t)atol(field[1]), r.pay, sizeof r.pay[0], r.pay_count, r.usual, sizeof r.usual[0],
        r.usual_count, ranking, sizeof ranking[0], AFTERCART_OPTIONS_MAX, &count);
    ranked(status, ranking, count);
}

static void rank_shipping(aftercart_decider *decider)
{
    aftercart_ranked ranking[AFTERCART_OPTIONS_MAX];
    size_t count = 0;
    int32_t status = aftercart_rank_shipping_options(
        decider, &r.transaction, &r.profile, r.lines, sizeof r.lines[0], r.line_count, r.facts, sizeof r.facts[0], r.fact_count,
        r.strings, r.used, r.ship, sizeof r.ship[0], r.ship_count, ranking, sizeof ranking[0], AFTERCART_OPTIONS_MAX, &count);
    ranked(status, ranking, count);
}

static void prefill(void)
{
    aftercart_prefilled filled[AFTERCART_OPTIONS_MAX];
    size_t count = 0;
    told("prefilled", aftercart_prefill(&r.transaction, r.stored, sizeof r.stored[0], r.stored_count, filled, sizeof filled[0],
                                        AFTERCART_OPTIONS_MAX, &count));
    for (size_t i = 0; i < count; i++)
        printf("field\t%u\t%u\t%" PRId64 "\t%u\n", filled[i].field, filled[i].slot, filled[i].confidence_ppm, filled[i].because);
}

/* Leases by the letter that is their name. */
static aftercart_lease leases[128];

static void step(aftercart_engine *engine, aftercart_decider *decider)
{
    aftercart_lease *lease = &leases[field[1][0] & 127];
    if (strcmp(field[0], "decide") == 0)
        answer(engine, decider);
    WORD("set") set(engine);
    WORD("look") look(engine);
    WORD("explain") explain(decider);
    WORD("page") page(decider);
    WORD("ask") ask(engine, decider);
    WORD("sign") sign();
    WORD("verify") verify();
    WORD("rank_payment") rank_payment(decider);
    WORD("rank_shipping") rank_shipping(decider);
    WORD("prefill") prefill();
    WORD("follow_ups") follow_ups(plain, decider);
    WORD("event") event();
    WORD("model") told("model", aftercart_decider_use(decider, learnt[atol(field[1])]));
    WORD("activate") told("activate", aftercart_lease_activate(engine, lease, atoll(field[2])));
    WORD("release") told("release", aftercart_lease_release(engine, lease, atoll(field[2])));
    WORD("reserve") {
        const aftercart_offer *o = offers;
        while (strcmp(o->id, field[2]) != 0)
            if (++o == offers + count)
                exit(5);
        lease->struct_size = sizeof *lease;
        told("reserve", aftercart_lease_reserve(engine, o->item_kind, o->item_row, o->value, atoll(field[3]), atoll(field[4]), lease));
    }
    else
        add();
}

static int with_overlay(aftercart_engine **engine, aftercart_decider *decider, const char *path)
{
    aftercart_engine *plain = *engine;
    return aftercart_live_bind(plain, path, strlen(path), NULL) == AFTERCART_OK
        && aftercart_engine_with_live(plain, path, strlen(path), engine, NULL) == AFTERCART_OK
        && aftercart_decider_use(decider, *engine) == AFTERCART_OK && aftercart_engine_close(plain) == AFTERCART_OK;
}

int main(int argc, char **argv)
{
    aftercart_engine *engine;
    aftercart_decider *decider;
    FILE *file = argc >= 3 ? fopen(argv[2], "r") : NULL;
    int timed = argc > 3 && strcmp(argv[3], "time") == 0, live = argc > 4 && strcmp(argv[3], "live") == 0;
    int moments = argc > 5 && strcmp(argv[3], "moments") == 0, logs = argc > 4 && strcmp(argv[3], "log") == 0;
    if (!file || aftercart_engine_open(argv[1], strlen(argv[1]), NULL, &engine, NULL) != AFTERCART_OK
        || aftercart_decider_new(engine, &decider, NULL) != AFTERCART_OK || (live && !with_overlay(&engine, decider, argv[4])))
        return 2;
    if ((logs && aftercart_log_to(decider, argv[4], strlen(argv[4]), 128, 0, NULL) != AFTERCART_OK)
        || (moments && aftercart_programmes_open(engine, argv[5], strlen(argv[5]), &programmes, NULL) != AFTERCART_OK))
        return 2;
    if (logs)
        log_events(argv[4]);
    plain = engine;
    for (uint32_t shadow = 0; moments && shadow < 2; shadow++)
        if (aftercart_engine_with_model(engine, argv[4], strlen(argv[4]), shadow, &learnt[shadow], NULL) != AFTERCART_OK)
            return 2;
    static char line[4096];
    int open_case = 0, reading = 1;
    while (reading) {
        reading = fgets(line, sizeof line, file) != NULL;
        line[strcspn(line, "\n")] = 0;
        if (reading && (line[0] == 0 || line[0] == '#'))
            continue;
        if (reading)
            split(line);
        if (reading && strcmp(field[0], "case") != 0) {
            step(engine, decider);
            continue;
        }
        if (open_case && timed)
            measure(decider);
        else if (open_case && !live && !moments)
            answer(engine, decider);
        if (open_case && !timed)
            puts("");
        open_case = 1;
        aftercart_decider_use(decider, plain);
        memset(&r, 0, sizeof r);
        r.transaction.struct_size = sizeof r.transaction;
        r.profile.struct_size = sizeof r.profile;
        if (!timed && reading)
            printf("case\t%s\n", field[1]);
    }
    fclose(file);
    aftercart_programmes_free(programmes);
    aftercart_decider_free(decider);
    aftercart_engine_close(engine);
    aftercart_engine_close(learnt[0]);
    aftercart_engine_close(learnt[1]);
    return 0;
}
