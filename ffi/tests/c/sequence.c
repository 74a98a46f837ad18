/* Arbitrary calls, one after the other, with arbitrary bytes, on live handles. fuzz/fuzz_targets/ffi_sequence.rs chooses the bytes by
 * what they reach; with SEQUENCE_MAIN it is a program that runs numbered ones: arguments are a catalog, beside which is a model
 * (.model), and how many.
 *
 * What the header asks of a caller is kept: memory is as large as stated (to the byte, so that a sanitizer sees more), handles
 * are live or null. All else is as the bytes say. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L /* getpid */
#endif
#include "aftercart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            fflush(stdout); \
            abort(); \
        } \
    } while (0)

enum { SLOTS = 4, ROOM = 1 << 16 };

static const char *catalog;
static char overlay[512];
static char model[512]; /* lies beside the catalog */
static char programmes_file[640];
static aftercart_engine *engines[SLOTS];
static aftercart_decider *deciders[SLOTS];
static aftercart_programmes *programmes[SLOTS];
static aftercart_lease leases[SLOTS];
static unsigned long answers[2]; /* failed; done */

static const uint8_t *at, *end;

static uint32_t byte(void) { return at < end ? *at++ : 0; }

static uint64_t wide(void)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | byte();
    return number;
}

/* Mostly a small number, at times any. */
static uint64_t number(void)
{
    uint32_t how = byte();
    return how < 200 ? how % 32 : how < 240 ? how * byte() : wide();
}

static int64_t moment(void)
{
    uint32_t how = byte();
    return how < 240 ? 1793491200000 + (int64_t)how * 1000 : (int64_t)wide();
}

/* Memory to the byte, filled with what comes. */
static void *memory(size_t bytes)
{
    char *made = (char *)malloc(bytes ? bytes : 1);
    CHECK(made);
    uint32_t fill = byte();
    for (size_t i = 0; i < bytes; i++)
        made[i] = (char)(fill < 128 ? 0 : fill < 250 ? (i % 8 == 0 ? byte() % 4 : 0) : byte());
    return made;
}

/* A struct that says its size: nearly always its own. */
static void *sized(size_t own)
{
    uint32_t how = byte();
    size_t size = how < 200 ? own : how < 230 ? 8 + how % 64 * 8 : (uint32_t)number();
    char *made = (char *)memory(size > 4096 ? 8 : size < 4 ? 4 : size);
    uint32_t stated = (uint32_t)size;
    memcpy(made, &stated, 4);
    return made;
}

static int32_t told(int32_t status)
{
    CHECK(strcmp(aftercart_status_name(status), "?") != 0 && status != AFTERCART_INTERNAL);
    answers[status >= 0]++;
    return status;
}

static const char *const ids[] = {"espresso-machine", "beans-house", "grinder", "barista-course", "machine-warranty", "shieldwell",
                                  "club", "pods", "gift", "Coffee > Beans", "even", "0,1,2", "\xff", "\xf0\x9f\x8e\x81", ""};

/* A request, in memory to the byte. */
typedef struct {
    aftercart_transaction *transaction;
    aftercart_profile *profile;
    aftercart_line *lines;
    aftercart_fact *facts;
    char *strings;
    size_t line_size, line_count, fact_size, fact_count, strings_length;
} request;

static aftercart_text text(const request *r)
{
    aftercart_text t = {(uint32_t)(r->strings_length ? byte() % r->strings_length : 0), byte() % 20};
    if (byte() > 250)
        t.offset = (uint32_t)wide();
    else if (t.offset + t.length > r->strings_length)
        t.length = (uint32_t)(r->strings_length - t.offset);
    return t;
}

static size_t element(size_t own) { return byte() < 230 ? own : number(); }

static void fill(request *r)
{
    memset(r, 0, sizeof *r);
    char block[512];
    for (int i = 0; i < 6; i++)
        r->strings_length += (size_t)snprintf(block + r->strings_length, 64, "%s", ids[byte() % (sizeof ids / sizeof ids[0])]);
    r->strings = (char *)malloc(r->strings_length + 1);
    CHECK(r->strings);
    memcpy(r->strings, block, r->strings_length);
    r->transaction = (aftercart_transaction *)sized(sizeof *r->transaction);
    if (r->transaction->struct_size == sizeof *r->transaction && byte() < 200) {
        r->transaction->created_at_ms = moment();
        r->transaction->order_id = text(r);
        r->transaction->placement = text(r);
    }
    r->profile = byte() < 200 ? (aftercart_profile *)sized(sizeof *r->profile) : NULL;
    r->line_size = element(sizeof *r->lines);
    r->line_count = number();
    r->fact_size = element(sizeof *r->facts);
    r->fact_count = number();
    /* What the library must refuse before it reads has no memory behind it. */
    size_t lines = r->line_count <= AFTERCART_LINES_MAX && r->line_size <= 4096 ? r->line_size * r->line_count : 0;
    size_t facts = r->fact_count <= AFTERCART_FACTS_MAX && r->fact_size <= 4096 ? r->fact_size * r->fact_count : 0;
    r->lines = (aftercart_line *)memory(lines);
    r->facts = (aftercart_fact *)memory(facts);
    for (size_t i = 0; r->line_size == sizeof *r->lines && i < lines / sizeof *r->lines; i++)
        r->lines[i].item_id = text(r);
    for (size_t i = 0; r->fact_size == sizeof *r->facts && i < facts / sizeof *r->facts; i++)
        r->facts[i].kind = byte() % 12, r->facts[i].id = text(r);
}

static void drop(request *r)
{
    free(r->transaction);
    free(r->profile);
    free(r->lines);
    free(r->facts);
    free(r->strings);
}

static void decides(aftercart_decider *decider)
{
    request r;
    fill(&r);
    size_t size = element(sizeof(aftercart_offer)), capacity = number(), count = 99;
    size_t bytes = size <= 4096 && capacity <= 64 ? size * capacity : 0;
    if (bytes == 0 && size > 0 && size <= 4096)
        capacity = 0; /* room that is not there may not be stated */
    aftercart_offer *offers = (aftercart_offer *)memory(bytes);
    aftercart_summary *summary = byte() < 200 ? (aftercart_summary *)sized(sizeof *summary) : NULL;
    int32_t status = told(aftercart_decide(decider, r.transaction, r.profile, r.lines, r.line_size, r.line_count, r.facts, r.fact_size,
                                           r.fact_count, r.strings, r.strings_length, offers, size, capacity, &count, summary));
    CHECK(count <= AFTERCART_SLOTS_MAX && (status >= 0 || count == 0) && (status != AFTERCART_OK || count > 0));
    for (size_t i = 0; size == sizeof *offers && i < count && i < capacity; i++) {
        CHECK(offers[i].position < AFTERCART_SLOTS_MAX && offers[i].id_length < sizeof offers[i].id);
        aftercart_engine *engine = engines[byte() % SLOTS];
        aftercart_lease *lease = &leases[byte() % SLOTS];
        lease->struct_size = sizeof *lease;
        told(aftercart_lease_reserve(engine, offers[i].item_kind, offers[i].item_row, offers[i].value, moment(), (int64_t)number(), lease));
    }
    free(offers);
    free(summary);
    drop(&r);
}

static void explains(aftercart_decider *decider)
{
    request r;
    fill(&r);
    const char *id = ids[byte() % (sizeof ids / sizeof ids[0])];
    aftercart_explanation *explanation = (aftercart_explanation *)sized(sizeof *explanation);
    size_t capacity = number() % 4096, length = 0;
    char *names = (char *)memory(capacity);
    int32_t status = told(aftercart_explain(decider, r.transaction, r.profile, r.lines, r.line_size, r.line_count, r.facts, r.fact_size,
                                            r.fact_count, r.strings, r.strings_length, (uint32_t)number(), id, strlen(id), explanation,
                                            names, capacity, &length));
    CHECK(status != AFTERCART_OK || strlen(names) == length);
    free(names);
    free(explanation);
    drop(&r);
}

static void asks(aftercart_decider *decider, aftercart_engine *engine)
{
    request r;
    fill(&r);
    aftercart_question *question = (aftercart_question *)sized(sizeof *question);
    int32_t status = told(aftercart_next_question(decider, r.transaction, r.profile, r.lines, r.line_size, r.line_count, r.facts,
                                                  r.fact_size, r.fact_count, r.strings, r.strings_length, question));
    char words[300];
    size_t length = 0;
    if (status == AFTERCART_OK && question->struct_size == sizeof *question)
        CHECK(aftercart_item_text(engine, AFTERCART_ITEM_ANSWER, question->answer_row, AFTERCART_TEXT_TITLE, words, sizeof words,
                                  &length) <= 0 || length > 0);
    free(question);
    drop(&r);
}

static const char *const countries[] = {"", "US", "DE", "us", "?"};

static void country(char to[4])
{
    const char *code = countries[byte() % 5];
    memcpy(to, code, strlen(code));
}

static void ranks(aftercart_decider *decider, int to_pay)
{
    request r;
    fill(&r);
    size_t size = element(sizeof(aftercart_option)), options = number() % 40, room = number() % 40, count = 99;
    size_t bytes = size <= 4096 ? size * options : 0;
    aftercart_option *option = (aftercart_option *)memory(bytes);
    aftercart_ranked *ranking = (aftercart_ranked *)memory(room * sizeof *ranking);
    for (size_t i = 0; size == sizeof *option && i < options; i++) {
        option[i].id = text(&r);
        option[i].arrives_by_ms = to_pay && byte() < 250 ? 0 : moment();
    }
    size_t usual_size = element(sizeof(aftercart_method_count)), usual = to_pay ? number() % 1100 : 0;
    size_t usual_bytes = usual_size <= 4096 ? usual_size * usual : 0;
    aftercart_method_count *counts = (aftercart_method_count *)memory(usual_bytes);
    for (size_t i = 0; usual_size == sizeof *counts && i < usual; i++) {
        counts[i].id = text(&r);
        country(counts[i].country);
        counts[i].orders = (uint32_t)number();
    }
    const aftercart_option *given = bytes ? option : NULL;
    int32_t status = to_pay
        ? aftercart_rank_payment_methods(decider, r.transaction, r.profile, r.lines, r.line_size, r.line_count, r.facts, r.fact_size,
                                         r.fact_count, r.strings, r.strings_length, byte() % 5, given, size, options,
                                         usual_bytes ? counts : NULL, usual_size, usual, ranking, sizeof *ranking, room, &count)
        : aftercart_rank_shipping_options(decider, r.transaction, r.profile, r.lines, r.line_size, r.line_count, r.facts, r.fact_size,
                                          r.fact_count, r.strings, r.strings_length, given, size, options, ranking, sizeof *ranking,
                                          room, &count);
    CHECK(told(status) < 0 ? count == 0 : count == options);
    CHECK(status != AFTERCART_OK || count <= room);
    for (size_t i = 0; status >= 0 && i < count && i < room; i++)
        CHECK(ranking[i].option < options);
    free(option);
    free(counts);
    free(ranking);
    drop(&r);
}

static void prefills(void)
{
    request r;
    fill(&r);
    size_t size = element(sizeof(aftercart_stored)), stored_count = number() % 300, room = number() % 40, count = 99;
    size_t bytes = size <= 4096 ? size * stored_count : 0;
    aftercart_stored *stored = (aftercart_stored *)memory(bytes);
    aftercart_prefilled *prefilled = (aftercart_prefilled *)memory(room * sizeof *prefilled);
    for (size_t i = 0; size == sizeof *stored && i < stored_count; i++) {
        stored[i].field = (uint32_t)number();
        stored[i].uses = (uint32_t)number();
        stored[i].last_used_ms = moment();
        country(stored[i].country);
    }
    int32_t status = told(aftercart_prefill(r.transaction, bytes ? stored : NULL, size, stored_count, prefilled, sizeof *prefilled, room,
                                            &count));
    CHECK(status < 0 ? count == 0 : count <= stored_count);
    CHECK(status != AFTERCART_OK || count <= room);
    free(stored);
    free(prefilled);
    drop(&r);
}

/* What is kept of decisions, and what came of them. */
static void logs(aftercart_decider *decider)
{
    request r;
    fill(&r);
    char folder[600];
    snprintf(folder, sizeof folder, "%s.log", overlay);
    if (byte() < 2)
        told(aftercart_log_to(decider, folder, byte() < 200 ? strlen(folder) : 0, byte() % 8, byte() % 4, NULL));
    aftercart_logged *logged = (aftercart_logged *)sized(sizeof *logged);
    told(aftercart_log_counts(decider, logged));
    aftercart_event *event = (aftercart_event *)sized(sizeof *event);
    if (event->struct_size == sizeof *event && byte() < 230) {
        event->kind = byte() % 12;
        event->flags = byte() % 8;
        event->event_id = text(&r);
        event->code = text(&r);
        event->at_ms = moment();
    }
    size_t capacity = byte() * 40, length = 0;
    char *json = (char *)memory(capacity);
    if (told(aftercart_event_json(event, r.strings, r.strings_length, json, capacity, &length, NULL)) == AFTERCART_OK)
        CHECK(length < capacity && json[0] == '{' && json[length - 1] == '}' && json[length] == 0);
    if (byte() < 4)
        told(aftercart_event_append(folder, byte() < 200 ? strlen(folder) : 0, event, r.strings, r.strings_length, NULL));
    free(logged);
    free(event);
    free(json);
    drop(&r);
}

static void plans(aftercart_decider *decider, const aftercart_programmes *made)
{
    request r;
    fill(&r);
    size_t size = element(sizeof(aftercart_follow_up)), room = number() % 40, count = 99;
    size_t bytes = size <= 4096 ? size * room : 0;
    aftercart_follow_up *planned = (aftercart_follow_up *)memory(bytes);
    int32_t status = told(aftercart_plan_follow_ups(decider, r.transaction, r.profile, r.lines, r.line_size, r.line_count, r.facts,
                                                    r.fact_size, r.fact_count, r.strings, r.strings_length, made, moment(),
                                                    bytes ? planned : NULL, size, room, &count));
    CHECK(status < 0 ? count == 0 : count <= AFTERCART_FOLLOW_UPS_MAX);
    CHECK(status != AFTERCART_OK || count <= room);
    free(planned);
    drop(&r);
}

static void write_programmes(void)
{
    char fresh[700];
    snprintf(fresh, sizeof fresh, "%s.fresh", programmes_file);
    FILE *file = fopen(fresh, "w");
    CHECK(file && fputs("[[programme]]\nid = \"all\"\ncategories = [\"Coffee\"]\nstep = [{ template = \"hello\", kind = "
                        "\"suggestion\", after = \"order\" }]\n", file) >= 0 && fclose(file) == 0);
    CHECK(rename(fresh, programmes_file) == 0);
}

/* Of the host, from any engine to any decider. */
static void changes_programmes(aftercart_engine *engine)
{
    aftercart_programmes **made = &programmes[byte() % SLOTS];
    CHECK(told(aftercart_programmes_free(*made)) == AFTERCART_OK);
    const char *file = byte() < 220 ? programmes_file : byte() < 128 ? catalog : "";
    told(aftercart_programmes_open(engine, file, strlen(file), made, NULL));
}

/* What the library keeps for hosts that forget. */
static void residents(aftercart_engine *engine)
{
    aftercart_decider *decider = NULL;
    aftercart_engine *kept = NULL;
    aftercart_programmes *found = NULL, *again = NULL;
    size_t live = byte() % 2 ? strlen(overlay) : 0, learnt = byte() % 2 ? strlen(model) : 0;
    uint32_t shadow = byte() < 240 ? byte() % 2 : (uint32_t)number();
    if (byte() % 2)
        told(aftercart_resident(catalog, strlen(catalog), overlay, live, NULL, &kept, &decider, NULL));
    else
        told(aftercart_resident_model(catalog, strlen(catalog), overlay, live, byte() < 240 ? model : overlay, learnt, shadow, NULL, &kept,
                                      &decider, NULL));
    CHECK((kept == NULL) == (decider == NULL));
    if (decider)
        decides(decider);
    if (byte() < 40)
        write_programmes();
    const char *file = byte() < 240 ? programmes_file : catalog;
    CHECK(told(aftercart_resident_programmes(engine, file, strlen(file), &found, NULL)) < 0 && found == NULL); /* is not kept */
    if (told(aftercart_resident_programmes(kept, file, strlen(file), &found, NULL)) == AFTERCART_OK) {
        CHECK(aftercart_resident_programmes(kept, file, strlen(file), &again, NULL) == AFTERCART_OK && again == found);
        plans(decider, found);
    }
    if (byte() > 240) /* the next one gets new handles */
        CHECK(aftercart_selftest(decider, AFTERCART_SELFTEST_PANIC) < 0);
}

static void signs(void)
{
    aftercart_key *key = NULL;
    uint8_t secret[40] = {(uint8_t)byte()};
    told(aftercart_key_new(secret, byte() % sizeof secret, &key, NULL));
    aftercart_claim *claim = (aftercart_claim *)sized(sizeof *claim);
    if (claim->struct_size == sizeof *claim && byte() < 230) {
        claim->quantity = (uint32_t)number();
        claim->price = (int64_t)number();
        claim->expires_at_ms = moment();
        memcpy(claim->currency, "EUR", 3);
        claim->id_length = byte() % 80;
    }
    size_t capacity = byte(), length = 0;
    char *token = (char *)memory(capacity);
    if (told(aftercart_token_sign(key, claim, token, capacity, &length)) == AFTERCART_OK) {
        if (byte() < 100)
            token[byte() % length] ^= (char)byte();
        told(aftercart_token_verify(key, token, length, "EUR", moment(), (int64_t)number(), claim));
    }
    free(token);
    free(claim);
    CHECK(aftercart_key_free(key) == AFTERCART_OK);
}

static void edits(aftercart_engine *engine)
{
    request r;
    fill(&r);
    size_t size = element(sizeof(aftercart_change)), count = number(), done = 0;
    size_t bytes = size <= 4096 && count <= 64 ? size * count : 0;
    if (bytes == 0 && size > 0 && size <= 4096)
        count = 0;
    aftercart_change *changes = (aftercart_change *)memory(bytes);
    for (size_t i = 0; size == sizeof *changes && i < count; i++) {
        changes[i].kind = byte() % 5;
        changes[i].set = byte();
        changes[i].id = text(&r);
        changes[i].pacing = text(&r);
        changes[i].daily = changes[i].set & AFTERCART_CHANGE_DAILY ? (int64_t)number() : 0;
    }
    aftercart_error *error = byte() < 200 ? (aftercart_error *)sized(sizeof *error) : NULL;
    int32_t status = told(aftercart_live_edit(engine, changes, size, count, r.strings, r.strings_length, moment(), &done, error));
    CHECK(status < 0 ? done <= count : done == count);
    free(error);
    free(changes);
    drop(&r);
}

static void looks(aftercart_engine *engine, aftercart_decider *decider)
{
    const char *id = ids[byte() % (sizeof ids / sizeof ids[0])];
    aftercart_live_state *state = (aftercart_live_state *)sized(sizeof *state);
    told(aftercart_live_look(engine, (uint32_t)number(), id, strlen(id), moment(), state, NULL));
    free(state);
    aftercart_info *info = (aftercart_info *)sized(sizeof *info);
    told(aftercart_engine_info(engine, info));
    free(info);
    size_t size = element(sizeof(aftercart_live_fact)), capacity = number() % 64, count = 0;
    aftercart_live_fact *facts = (aftercart_live_fact *)memory(size <= 4096 ? size * capacity : 0);
    told(aftercart_live_facts(decider, facts, size, capacity, &count));
    free(facts);
    capacity = number() % 512;
    char *buffer = (char *)memory(capacity);
    told(aftercart_item_text(engine, (uint32_t)number(), (uint32_t)number(), (uint32_t)number(), buffer, capacity, &count));
    free(buffer);
    CHECK(aftercart_reason_text((uint32_t)number()) && aftercart_status_name((int32_t)number()));
}

static void settles(aftercart_engine *engine)
{
    aftercart_lease lease = leases[byte() % SLOTS];
    lease.struct_size = sizeof lease;
    if (byte() > 200)
        ((uint8_t *)&lease)[4 + byte() % 44] ^= (uint8_t)byte();
    if (byte() % 2)
        told(aftercart_lease_activate(engine, &lease, moment()));
    else
        told(aftercart_lease_release(engine, &lease, moment()));
}

static void opens(aftercart_engine **engine)
{
    CHECK(told(aftercart_engine_close(*engine)) == AFTERCART_OK);
    aftercart_options *options = byte() < 200 ? (aftercart_options *)sized(sizeof *options) : NULL;
    aftercart_error *error = byte() < 200 ? (aftercart_error *)sized(sizeof *error) : NULL;
    aftercart_engine *from = engines[byte() % SLOTS];
    if (from == *engine)
        from = NULL;
    *engine = NULL;
    const char *path = byte() < 240 ? model : catalog;
    switch (byte() % 10) {
    case 8: case 9:
        told(aftercart_engine_with_model(from, path, strlen(path), byte() < 240 ? byte() % 2 : (uint32_t)number(),
                                         engine, error));
        break;
    case 0:
        told(aftercart_engine_open(overlay, strlen(overlay), options, engine, error));
        break;
    case 1:
        told(aftercart_engine_with_live(from, catalog, strlen(catalog), engine, error));
        break;
    case 2: case 3: case 4:
        told(aftercart_engine_with_live(from, overlay, strlen(overlay), engine, error));
        break;
    default:
        told(aftercart_engine_open(catalog, strlen(catalog), options, engine, error));
    }
    free(options);
    free(error);
}

static void step(void)
{
    aftercart_engine **engine = &engines[byte() % SLOTS];
    aftercart_decider **decider = &deciders[byte() % SLOTS];
    switch (byte() % 20) {
    case 0: case 1:
        opens(engine);
        break;
    case 2: case 3:
        CHECK(told(aftercart_decider_free(*decider)) == AFTERCART_OK);
        told(aftercart_decider_new(*engine, decider, NULL));
        break;
    case 4:
        told(aftercart_decider_use(*decider, *engine));
        break;
    case 5: case 6:
        edits(*engine);
        break;
    case 7:
        looks(*engine, *decider);
        break;
    case 8:
        settles(*engine);
        break;
    case 9:
        explains(*decider);
        break;
    case 10:
        residents(*engine);
        break;
    case 12:
        asks(*decider, *engine);
        break;
    case 14: case 16:
        ranks(*decider, byte() % 2);
        break;
    case 17:
        prefills();
        break;
    case 18:
        changes_programmes(*engine);
        break;
    case 19:
        plans(*decider, programmes[byte() % SLOTS]);
        break;
    case 13:
        signs();
        break;
    case 15:
        logs(*decider);
        break;
    case 11:
        if (byte() > 240) /* a defect: the decider is of no more use */
            CHECK(aftercart_selftest(*decider, AFTERCART_SELFTEST_PANIC) < 0);
        break;
    default:
        decides(*decider);
    }
}

int aftercart_sequence(const char *file, const uint8_t *bytes, size_t length);

/* Runs what the bytes say, from nothing to nothing. */
int aftercart_sequence(const char *file, const uint8_t *bytes, size_t length)
{
    if (!catalog) {
        catalog = file;
        snprintf(overlay, sizeof overlay, "%s.%ld.live", file, (long)getpid());
        snprintf(model, sizeof model, "%s.model", file);
        aftercart_engine *engine = NULL;
        CHECK(aftercart_engine_open(file, strlen(file), NULL, &engine, NULL) == AFTERCART_OK);
        CHECK(aftercart_live_bind(engine, overlay, strlen(overlay), NULL) == AFTERCART_OK);
        CHECK(aftercart_engine_close(engine) == AFTERCART_OK);
        snprintf(programmes_file, sizeof programmes_file, "%s.toml", overlay);
        write_programmes();
    }
    at = bytes;
    end = bytes + length;
    aftercart_engine *plain = NULL;
    aftercart_options quick = {sizeof quick, AFTERCART_OPEN_MAP, AFTERCART_VERIFY_STRUCTURE, AFTERCART_PREFAULT_NONE, 0};
    CHECK(aftercart_engine_open(file, strlen(file), &quick, &plain, NULL) == AFTERCART_OK);
    CHECK(aftercart_engine_with_live(plain, overlay, strlen(overlay), &engines[0], NULL) == AFTERCART_OK);
    CHECK(aftercart_decider_new(engines[0], &deciders[0], NULL) == AFTERCART_OK);
    engines[1] = plain;
    for (int calls = 0; at < end && calls < 64; calls++)
        step();
    for (int i = 0; i < SLOTS; i++) {
        CHECK(aftercart_decider_free(deciders[i]) == AFTERCART_OK);
        CHECK(aftercart_engine_close(engines[i]) == AFTERCART_OK);
        CHECK(aftercart_programmes_free(programmes[i]) == AFTERCART_OK);
        programmes[i] = NULL;
        deciders[i] = NULL;
        engines[i] = NULL;
    }
    return 0;
}

#ifdef SEQUENCE_MAIN
int main(int argc, char **argv)
{
    static uint8_t bytes[1024];
    CHECK(argc == 3);
    uint64_t state = 88172645463325252u;
    for (long i = 0; i < atol(argv[2]); i++) {
        for (size_t b = 0; b < sizeof bytes; b++) { /* xorshift */
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            bytes[b] = (uint8_t)state;
        }
        aftercart_sequence(argv[1], bytes, sizeof bytes);
    }
    CHECK(unlink(overlay) == 0 && unlink(programmes_file) == 0);
    printf("%lu calls failed, %lu were done\n", answers[0], answers[1]);
    return 0;
}
#endif
