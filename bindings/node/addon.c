/* The C library for Node: thin functions over handles and buffers, which index.js packs and reads. */
#define NAPI_VERSION 8
#include <aftercart.h>
#include <node_api.h>
#include <stdlib.h>

/* What a decider keeps for its whole life, in the order of index.js. */
typedef struct {
    aftercart_transaction transaction;
    aftercart_profile profile;
    aftercart_summary summary;
    size_t count;
    aftercart_offer offers[AFTERCART_SLOTS_MAX];
    aftercart_line lines[AFTERCART_LINES_MAX];
    aftercart_fact facts[AFTERCART_FACTS_MAX];
} block;

/* index.js only passes back what it got from here, so arguments need no checks but for their number. */
#define ARGUMENTS(count) \
    napi_value in[count]; \
    size_t given = count; \
    napi_get_cb_info(env, info, &given, in, NULL, NULL)

static napi_value status_of(napi_env env, int32_t status)
{
    napi_value value = NULL;
    napi_create_int32(env, status, &value);
    return value;
}

static void *bytes(napi_env env, napi_value buffer, size_t *length)
{
    void *data = NULL;
    napi_get_buffer_info(env, buffer, &data, length);
    return data;
}

static uint32_t number(napi_env env, napi_value value)
{
    uint32_t number = 0;
    napi_get_value_uint32(env, value, &number);
    return number;
}

/* A handle is an external value that holds a pointer to the C handle; null after it was given back. */
static void *handle(napi_env env, napi_value value)
{
    void *box = NULL;
    napi_get_value_external(env, value, &box);
    return box ? *(void **)box : NULL;
}

static void *take(napi_env env, napi_value value)
{
    void *box = NULL, *held = NULL;
    napi_get_value_external(env, value, &box);
    if (box) {
        held = *(void **)box;
        *(void **)box = NULL;
    }
    return held;
}

static void close_engine(napi_env env, void *box, void *hint)
{
    (void)env, (void)hint;
    aftercart_engine_close(*(aftercart_engine **)box);
    free(box);
}

static void free_decider(napi_env env, void *box, void *hint)
{
    (void)env, (void)hint;
    aftercart_decider_free(*(aftercart_decider **)box);
    free(box);
}

/* A new handle, or the status of the failure. */
static napi_value made(napi_env env, int32_t status, void *handle, napi_finalize done)
{
    if (status < 0)
        return status_of(env, status);
    void **box = malloc(sizeof *box);
    napi_value value = NULL;
    if (!box)
        abort(); /* as Node does */
    *box = handle;
    napi_create_external(env, box, done, NULL, &value);
    return value;
}

/* engineOpen(path, options, error) */
static napi_value engine_open(napi_env env, napi_callback_info info)
{
    ARGUMENTS(3);
    size_t length = 0, ignored;
    char *path = bytes(env, in[0], &length);
    aftercart_engine *engine = NULL;
    int32_t status = aftercart_engine_open(path, length, bytes(env, in[1], &ignored), &engine, bytes(env, in[2], &ignored));
    return made(env, status, engine, close_engine);
}

/* engineClose(engine) */
static napi_value engine_close(napi_env env, napi_callback_info info)
{
    ARGUMENTS(1);
    return status_of(env, aftercart_engine_close(take(env, in[0])));
}

/* engineInfo(engine, info) */
static napi_value engine_info(napi_env env, napi_callback_info info)
{
    ARGUMENTS(2);
    size_t ignored;
    return status_of(env, aftercart_engine_info(handle(env, in[0]), bytes(env, in[1], &ignored)));
}

/* itemText(engine, kind, row, which): a string, or the status of the failure */
static napi_value item_text(napi_env env, napi_callback_info info)
{
    ARGUMENTS(4);
    char small[256], *text = small;
    size_t length = 0;
    aftercart_engine *engine = handle(env, in[0]);
    uint32_t kind = number(env, in[1]), row = number(env, in[2]), which = number(env, in[3]);
    int32_t status = aftercart_item_text(engine, kind, row, which, small, sizeof small, &length);
    if (status == AFTERCART_TRUNCATED) {
        text = malloc(length + 1);
        status = text ? aftercart_item_text(engine, kind, row, which, text, length + 1, &length) : AFTERCART_OUT_OF_MEMORY;
    }
    napi_value value = NULL;
    if (status < 0)
        value = status_of(env, status);
    else
        napi_create_string_utf8(env, text, length, &value);
    if (text != small)
        free(text);
    return value;
}

/* deciderNew(engine, error) */
static napi_value decider_new(napi_env env, napi_callback_info info)
{
    ARGUMENTS(2);
    size_t ignored;
    aftercart_decider *decider = NULL;
    int32_t status = aftercart_decider_new(handle(env, in[0]), &decider, bytes(env, in[1], &ignored));
    return made(env, status, decider, free_decider);
}

/* deciderFree(decider) */
static napi_value decider_free(napi_env env, napi_callback_info info)
{
    ARGUMENTS(1);
    return status_of(env, aftercart_decider_free(take(env, in[0])));
}

/* A request: arguments 1 to 5 of every call that takes one are block, lineCount, factCount, strings, stringsLength. */
typedef struct {
    block *b;
    const char *strings;
    size_t lines, facts, length;
} request;

static int request_of(napi_env env, const napi_value *in, request *r)
{
    size_t size = 0, room = 0;
    r->b = bytes(env, in[1], &size);
    r->strings = bytes(env, in[4], &room);
    r->lines = number(env, in[2]);
    r->facts = number(env, in[3]);
    r->length = number(env, in[5]);
    return size == sizeof *r->b && r->lines <= AFTERCART_LINES_MAX && r->facts <= AFTERCART_FACTS_MAX && r->length <= room;
}

#define REQUEST(r) \
    &(r).b->transaction, &(r).b->profile, (r).b->lines, sizeof (r).b->lines[0], (r).lines, (r).b->facts, sizeof (r).b->facts[0], \
        (r).facts, (r).strings, (r).length

/* decide(decider, block, lineCount, factCount, strings, stringsLength) */
static napi_value decide(napi_env env, napi_callback_info info)
{
    ARGUMENTS(6);
    request r;
    if (!request_of(env, in, &r))
        return status_of(env, AFTERCART_BAD_SIZE);
    return status_of(env, aftercart_decide(handle(env, in[0]), REQUEST(r), r.b->offers, sizeof r.b->offers[0], AFTERCART_SLOTS_MAX,
                                           &r.b->count, &r.b->summary));
}

/* deciderUse(decider, engine) */
static napi_value decider_use(napi_env env, napi_callback_info info)
{
    ARGUMENTS(2);
    return status_of(env, aftercart_decider_use(handle(env, in[0]), handle(env, in[1])));
}

static int64_t wide(napi_env env, napi_value value)
{
    int64_t number = 0;
    napi_get_value_int64(env, value, &number);
    return number;
}

/* explain(decider, block, lineCount, factCount, strings, stringsLength, kind, id, explanation): a string with the names, or the
 * status of the failure */
static napi_value explain(napi_env env, napi_callback_info info)
{
    ARGUMENTS(9);
    request r;
    size_t id_length = 0, ignored, capacity = 4096, length = 0;
    const char *id = bytes(env, in[7], &id_length);
    aftercart_explanation *explanation = bytes(env, in[8], &ignored);
    if (!request_of(env, in, &r))
        return status_of(env, AFTERCART_BAD_SIZE);
    for (;;) {
        char *names = malloc(capacity);
        int32_t status = names ? aftercart_explain(handle(env, in[0]), REQUEST(r), number(env, in[6]), id, id_length, explanation, names,
                                                   capacity, &length)
                               : AFTERCART_OUT_OF_MEMORY;
        napi_value value = NULL;
        if (status < 0)
            value = status_of(env, status);
        else if (status == AFTERCART_OK)
            napi_create_string_utf8(env, names, length, &value);
        free(names);
        if (value)
            return value;
        capacity = length + 1;
    }
}

/* nextQuestion(decider, block, lineCount, factCount, strings, stringsLength, question) */
static napi_value next_question(napi_env env, napi_callback_info info)
{
    ARGUMENTS(7);
    request r;
    size_t ignored;
    if (!request_of(env, in, &r))
        return status_of(env, AFTERCART_BAD_SIZE);
    return status_of(env, aftercart_next_question(handle(env, in[0]), REQUEST(r), bytes(env, in[6], &ignored)));
}

/* rankPayment(decider, block, lineCount, factCount, strings, stringsLength, device, options, counts, ranking) */
static napi_value rank_payment(napi_env env, napi_callback_info info)
{
    ARGUMENTS(10);
    request r;
    size_t options = 0, counts = 0, room = 0, count = 0;
    const aftercart_option *option = bytes(env, in[7], &options);
    const aftercart_method_count *of = bytes(env, in[8], &counts);
    aftercart_ranked *ranking = bytes(env, in[9], &room);
    if (!request_of(env, in, &r))
        return status_of(env, AFTERCART_BAD_SIZE);
    return status_of(env, aftercart_rank_payment_methods(
        handle(env, in[0]), REQUEST(r), number(env, in[6]), option, sizeof *option, options / sizeof *option, of, sizeof *of,
        counts / sizeof *of, ranking, sizeof *ranking, room / sizeof *ranking, &count));
}

/* rankShipping(decider, block, lineCount, factCount, strings, stringsLength, options, ranking) */
static napi_value rank_shipping(napi_env env, napi_callback_info info)
{
    ARGUMENTS(8);
    request r;
    size_t options = 0, room = 0, count = 0;
    const aftercart_option *option = bytes(env, in[6], &options);
    aftercart_ranked *ranking = bytes(env, in[7], &room);
    if (!request_of(env, in, &r))
        return status_of(env, AFTERCART_BAD_SIZE);
    return status_of(env, aftercart_rank_shipping_options(handle(env, in[0]), REQUEST(r), option, sizeof *option,
                                                          options / sizeof *option, ranking, sizeof *ranking, room / sizeof *ranking,
                                                          &count));
}

/* prefill(transaction, stored, filled): how many, or the status of the failure */
static napi_value prefill(napi_env env, napi_callback_info info)
{
    ARGUMENTS(3);
    size_t size = 0, room = 0, ignored, count = 0;
    const aftercart_stored *stored = bytes(env, in[1], &size);
    aftercart_prefilled *filled = bytes(env, in[2], &room);
    int32_t status = aftercart_prefill(bytes(env, in[0], &ignored), stored, sizeof *stored, size / sizeof *stored, filled,
                                       sizeof *filled, room / sizeof *filled, &count);
    return status_of(env, status < 0 ? status : (int32_t)count);
}

static void free_programmes(napi_env env, void *box, void *hint)
{
    (void)env, (void)hint;
    aftercart_programmes_free(*(aftercart_programmes **)box);
    free(box);
}

/* programmesOpen(engine, path, error) */
static napi_value programmes_open(napi_env env, napi_callback_info info)
{
    ARGUMENTS(3);
    size_t length = 0, ignored;
    const char *path = bytes(env, in[1], &length);
    aftercart_programmes *programmes = NULL;
    int32_t status = aftercart_programmes_open(handle(env, in[0]), path, length, &programmes, bytes(env, in[2], &ignored));
    return made(env, status, programmes, free_programmes);
}

/* planFollowUps(decider, block, lineCount, factCount, strings, stringsLength, programmes, delivery, followUps): how many, or the
 * status of the failure */
static napi_value plan_follow_ups(napi_env env, napi_callback_info info)
{
    ARGUMENTS(9);
    request r;
    size_t room = 0, count = 0;
    aftercart_follow_up *follow_ups = bytes(env, in[8], &room);
    if (!request_of(env, in, &r))
        return status_of(env, AFTERCART_BAD_SIZE);
    int32_t status = aftercart_plan_follow_ups(handle(env, in[0]), REQUEST(r), handle(env, in[6]), wide(env, in[7]), follow_ups,
                                               sizeof *follow_ups, room / sizeof *follow_ups, &count);
    return status_of(env, status < 0 ? status : (int32_t)count);
}

/* logTo(decider, folder, capacity, flags, error) */
static napi_value log_to(napi_env env, napi_callback_info info)
{
    ARGUMENTS(5);
    size_t length = 0, ignored;
    const char *folder = bytes(env, in[1], &length);
    return status_of(env, aftercart_log_to(handle(env, in[0]), folder, length, number(env, in[2]), number(env, in[3]),
                                           bytes(env, in[4], &ignored)));
}

/* logCounts(decider, logged) */
static napi_value log_counts(napi_env env, napi_callback_info info)
{
    ARGUMENTS(2);
    size_t ignored;
    return status_of(env, aftercart_log_counts(handle(env, in[0]), bytes(env, in[1], &ignored)));
}

/* eventAppend(folder, event, strings, error) */
static napi_value event_append(napi_env env, napi_callback_info info)
{
    ARGUMENTS(4);
    size_t length = 0, strings_length = 0, ignored;
    const char *folder = bytes(env, in[0], &length), *strings = bytes(env, in[2], &strings_length);
    return status_of(env, aftercart_event_append(folder, length, bytes(env, in[1], &ignored), strings, strings_length,
                                                 bytes(env, in[3], &ignored)));
}

/* eventJson(event, strings, json, error) */
static napi_value event_json(napi_env env, napi_callback_info info)
{
    ARGUMENTS(4);
    size_t length = 0, capacity = 0, ignored;
    const char *strings = bytes(env, in[1], &length);
    char *json = bytes(env, in[2], &capacity);
    return status_of(env, aftercart_event_json(bytes(env, in[0], &ignored), strings, length, json, capacity, NULL,
                                               bytes(env, in[3], &ignored)));
}

static void free_key(napi_env env, void *box, void *hint)
{
    (void)env, (void)hint;
    aftercart_key_free(*(aftercart_key **)box);
    free(box);
}

/* keyNew(secret, error) */
static napi_value key_new(napi_env env, napi_callback_info info)
{
    ARGUMENTS(2);
    size_t length = 0, ignored;
    const uint8_t *secret = bytes(env, in[0], &length);
    aftercart_key *key = NULL;
    int32_t status = aftercart_key_new(secret, length, &key, bytes(env, in[1], &ignored));
    return made(env, status, key, free_key);
}

/* tokenSign(key, claim, token) */
static napi_value token_sign(napi_env env, napi_callback_info info)
{
    ARGUMENTS(3);
    size_t capacity = 0, ignored;
    char *token = bytes(env, in[2], &capacity);
    return status_of(env, aftercart_token_sign(handle(env, in[0]), bytes(env, in[1], &ignored), token, capacity, NULL));
}

/* tokenVerify(key, token, currency, now, skew, claim); index.js sees to it that a currency has three bytes */
static napi_value token_verify(napi_env env, napi_callback_info info)
{
    ARGUMENTS(6);
    size_t length = 0, ignored;
    const char *token = bytes(env, in[1], &length);
    return status_of(env, aftercart_token_verify(handle(env, in[0]), token, length, bytes(env, in[2], &ignored), wide(env, in[3]),
                                                 wide(env, in[4]), bytes(env, in[5], &ignored)));
}

/* engineWithModel(engine, path, shadow, error) */
static napi_value engine_with_model(napi_env env, napi_callback_info info)
{
    ARGUMENTS(4);
    size_t length = 0, ignored;
    char *path = bytes(env, in[1], &length);
    aftercart_engine *engine = NULL;
    int32_t status = aftercart_engine_with_model(handle(env, in[0]), path, length, number(env, in[2]), &engine,
                                                 bytes(env, in[3], &ignored));
    return made(env, status, engine, close_engine);
}

/* liveBind(engine, path, error) */
static napi_value live_bind(napi_env env, napi_callback_info info)
{
    ARGUMENTS(3);
    size_t length = 0, ignored;
    char *path = bytes(env, in[1], &length);
    return status_of(env, aftercart_live_bind(handle(env, in[0]), path, length, bytes(env, in[2], &ignored)));
}

/* engineWithLive(engine, path, error) */
static napi_value engine_with_live(napi_env env, napi_callback_info info)
{
    ARGUMENTS(3);
    size_t length = 0, ignored;
    char *path = bytes(env, in[1], &length);
    aftercart_engine *engine = NULL;
    int32_t status = aftercart_engine_with_live(handle(env, in[0]), path, length, &engine, bytes(env, in[2], &ignored));
    return made(env, status, engine, close_engine);
}

/* liveEdit(engine, changes, strings, now, done, error) */
static napi_value live_edit(napi_env env, napi_callback_info info)
{
    ARGUMENTS(6);
    size_t size = 0, length = 0, ignored, count = 0;
    const aftercart_change *changes = bytes(env, in[1], &size);
    const char *strings = bytes(env, in[2], &length);
    int32_t status = aftercart_live_edit(handle(env, in[0]), changes, sizeof *changes, size / sizeof *changes, strings, length,
                                         wide(env, in[3]), &count, bytes(env, in[5], &ignored));
    *(uint32_t *)bytes(env, in[4], &ignored) = (uint32_t)count;
    return status_of(env, status);
}

/* liveLook(engine, kind, id, now, state, error) */
static napi_value live_look(napi_env env, napi_callback_info info)
{
    ARGUMENTS(6);
    size_t length = 0, ignored;
    const char *id = bytes(env, in[2], &length);
    return status_of(env, aftercart_live_look(handle(env, in[0]), number(env, in[1]), id, length, wide(env, in[3]),
                                              bytes(env, in[4], &ignored), bytes(env, in[5], &ignored)));
}

/* leaseReserve(engine, kind, row, value, now, for, lease) */
static napi_value lease_reserve(napi_env env, napi_callback_info info)
{
    ARGUMENTS(7);
    size_t ignored;
    return status_of(env, aftercart_lease_reserve(handle(env, in[0]), number(env, in[1]), number(env, in[2]), wide(env, in[3]),
                                                  wide(env, in[4]), wide(env, in[5]), bytes(env, in[6], &ignored)));
}

/* leaseActivate(engine, lease, now) */
static napi_value lease_activate(napi_env env, napi_callback_info info)
{
    ARGUMENTS(3);
    size_t ignored;
    return status_of(env, aftercart_lease_activate(handle(env, in[0]), bytes(env, in[1], &ignored), wide(env, in[2])));
}

/* leaseRelease(engine, lease, now) */
static napi_value lease_release(napi_env env, napi_callback_info info)
{
    ARGUMENTS(3);
    size_t ignored;
    return status_of(env, aftercart_lease_release(handle(env, in[0]), bytes(env, in[1], &ignored), wide(env, in[2])));
}

/* selftest(decider) */
static napi_value selftest(napi_env env, napi_callback_info info)
{
    ARGUMENTS(1);
    return status_of(env, aftercart_selftest(handle(env, in[0]), AFTERCART_SELFTEST_PANIC));
}

/* reasonText(reason) */
static napi_value reason_text(napi_env env, napi_callback_info info)
{
    ARGUMENTS(1);
    napi_value value = NULL;
    napi_create_string_utf8(env, aftercart_reason_text(number(env, in[0])), NAPI_AUTO_LENGTH, &value);
    return value;
}

NAPI_MODULE_INIT()
{
    if (aftercart_abi_version() != AFTERCART_ABI_VERSION) {
        napi_throw_error(env, NULL, "libaftercart has another ABI than the one that this addon was compiled for");
        return exports;
    }
    const struct { const char *name; napi_callback call; } functions[] = {
        {"engineOpen", engine_open}, {"engineClose", engine_close}, {"engineInfo", engine_info}, {"itemText", item_text},
        {"deciderNew", decider_new}, {"deciderFree", decider_free}, {"decide", decide}, {"selftest", selftest},
        {"reasonText", reason_text}, {"deciderUse", decider_use}, {"explain", explain}, {"liveBind", live_bind},
        {"engineWithLive", engine_with_live}, {"liveEdit", live_edit}, {"liveLook", live_look}, {"leaseReserve", lease_reserve},
        {"leaseActivate", lease_activate}, {"leaseRelease", lease_release},
        {"nextQuestion", next_question}, {"keyNew", key_new}, {"tokenSign", token_sign}, {"tokenVerify", token_verify},
        {"engineWithModel", engine_with_model}, {"rankPayment", rank_payment}, {"rankShipping", rank_shipping}, {"prefill", prefill},
        {"programmesOpen", programmes_open}, {"planFollowUps", plan_follow_ups}, {"logTo", log_to}, {"logCounts", log_counts},
        {"eventAppend", event_append}, {"eventJson", event_json},
    };
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        napi_value value = NULL;
        napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &value);
        napi_set_named_property(env, exports, functions[i].name, value);
    }
    return exports;
}
