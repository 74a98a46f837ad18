/* A live overlay and its budgets. Arguments: a catalog, and an overlay in which the guide may be accepted twice a day. */
#include "request.h"

static request bench;

static request *brewing(void)
{
    request *r = fresh(&bench);
    fact(r, AFTERCART_FACT_ANSWER, "question", 0);
    r->facts[0].tag = put(r, "brewing");
    r->transaction.slots = AFTERCART_SLOTS_MAX;
    return r;
}

static const aftercart_offer *guide(request *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->offers[i].id, "guide") == 0)
            return &r->offers[i];
    return NULL;
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    const char *path = argv[2];
    aftercart_engine *plain = open_engine(argv[1]), *engine = NULL, *wrong = NULL;
    aftercart_error error;
    memset(&error, 0, sizeof error);
    error.struct_size = sizeof error;
    EXPECT(AFTERCART_SYSTEM_ERROR, aftercart_engine_with_live(plain, "none", 4, &wrong, &error));
    CHECK(error.os_error != 0 && wrong == NULL);
    EXPECT(AFTERCART_BAD_LIVE, aftercart_engine_with_live(plain, argv[1], strlen(argv[1]), &wrong, &error));
    CHECK(strstr(error.message, "overlay") != NULL);
    EXPECT(AFTERCART_OK, aftercart_engine_with_live(plain, path, strlen(path), &engine, &error));

    /* A decider goes on with the overlay. */
    aftercart_decider *decider = new_decider(plain);
    request *r = brewing();
    EXPECT(AFTERCART_OK, decide(decider, r));
    CHECK(guide(r) != NULL && r->summary.overlay_generation == 0);
    EXPECT(AFTERCART_OK, aftercart_decider_use(decider, engine));
    EXPECT(AFTERCART_OK, decide(decider, brewing()));
    CHECK(guide(r) != NULL && r->summary.overlay_generation > 0);

    /* Two leases, and no more; then the page does not have it, and the facts say why. */
    const aftercart_offer *offer = guide(r);
    int64_t now = r->transaction.created_at_ms;
    aftercart_lease first, second, third;
    memset(&first, 0, sizeof first);
    first.struct_size = sizeof first;
    second = third = first;
    EXPECT(AFTERCART_OK, aftercart_lease_reserve(engine, offer->item_kind, offer->item_row, offer->value, now, 60000, &first));
    CHECK(first.expires_at_ms == now + 60000);
    EXPECT(AFTERCART_OK, aftercart_lease_reserve(engine, offer->item_kind, offer->item_row, offer->value, now, 60000, &second));
    EXPECT(AFTERCART_BUDGET_EMPTY,
           aftercart_lease_reserve(engine, offer->item_kind, offer->item_row, offer->value, now, 60000, &third));
    EXPECT(AFTERCART_OK, decide(decider, brewing()));
    CHECK(guide(r) == NULL);
    aftercart_live_fact facts[4];
    size_t count = 99;
    EXPECT(AFTERCART_OK, aftercart_live_facts(decider, facts, sizeof facts[0], 4, &count));
    CHECK(count == 1 && facts[0].item_kind == AFTERCART_ITEM_OFFER && facts[0].own == AFTERCART_LIVE_EMPTY);
    EXPECT(AFTERCART_TRUNCATED, aftercart_live_facts(decider, NULL, 0, 0, &count));

    /* A lease is used once. Given back, it is another one's. */
    EXPECT(AFTERCART_OK, aftercart_lease_activate(engine, &first, now));
    EXPECT(AFTERCART_LEASE_GONE, aftercart_lease_activate(engine, &first, now));
    EXPECT(AFTERCART_LEASE_FOREIGN, aftercart_lease_release(plain, &second, now));
    EXPECT(AFTERCART_OK, aftercart_lease_release(engine, &second, now));
    EXPECT(AFTERCART_LEASE_GONE, aftercart_lease_release(engine, &second, now));
    EXPECT(AFTERCART_OK, decide(decider, brewing()));
    offer = guide(r);
    CHECK(offer != NULL);
    EXPECT(AFTERCART_OK, aftercart_lease_reserve(engine, offer->item_kind, offer->item_row, offer->value, now, 10, &third));
    EXPECT(AFTERCART_LEASE_GONE, aftercart_lease_activate(engine, &third, now + 10));

    /* What may be wrong. Without an overlay there are no limits. */
    EXPECT(AFTERCART_BAD_VALUE, aftercart_lease_reserve(engine, 3, 0, 0, now, 10, &third));
    EXPECT(AFTERCART_BAD_VALUE, aftercart_lease_reserve(engine, offer->item_kind, offer->item_row, 1, 0, 10, &third));
    EXPECT(AFTERCART_LEASE_FOREIGN, aftercart_lease_reserve(engine, AFTERCART_ITEM_OFFER, 77, 1, now, 10, &third));
    EXPECT(AFTERCART_NULL_POINTER, aftercart_lease_reserve(engine, offer->item_kind, offer->item_row, 1, now, 10, NULL));
    third.struct_size = 24;
    EXPECT(AFTERCART_BAD_SIZE, aftercart_lease_reserve(engine, offer->item_kind, offer->item_row, 1, now, 10, &third));
    third.struct_size = sizeof third;
    memset(third.words, 0xFF, sizeof third.words);
    EXPECT(AFTERCART_OK, aftercart_lease_activate(engine, &third, now)); /* holds nothing */
    third.words[2] = 0x7FFFFFFFFFFFFFFF;
    EXPECT(AFTERCART_LEASE_FOREIGN, aftercart_lease_activate(engine, &third, now));
    EXPECT(AFTERCART_OK, aftercart_lease_reserve(plain, offer->item_kind, offer->item_row, 1, now, 10, &third));
    CHECK(third.expires_at_ms == 0);
    EXPECT(AFTERCART_OK, aftercart_lease_activate(plain, &third, now));

    EXPECT(AFTERCART_OK, aftercart_engine_close(plain));
    EXPECT(AFTERCART_OK, aftercart_engine_close(engine));
    EXPECT(AFTERCART_OK, aftercart_decider_free(decider));
    printf("ok\n");
    return 0;
}
