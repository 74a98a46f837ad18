/* Prints what belongs on the receipt page of an order.
 *
 *     cargo build -p aftercart-ffi --release --locked
 *     cc -std=c11 -Iinclude examples/c/checkout.c target/release/libaftercart.a -lgcc_s -lpthread -lm -ldl -o checkout
 *     ./checkout shop.aftercart SKU-1 SKU-2
 *
 * Where AFTERCART_LOG names a folder, it keeps there what it decided, and that it was shown: then
 * `aftercart log --log FOLDER --catalog shop.aftercart`, also while it runs.
 */
#include "aftercart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Says that the page was seen: without it nothing counts as shown. By its id it counts once, however often it is said. */
static void seen(const char *log, const aftercart_summary *decided)
{
    char id[64];
    aftercart_event event;
    memset(&event, 0, sizeof event);
    event.struct_size = sizeof event;
    event.kind = AFTERCART_EVENT_ACTIVATED;
    event.decision_id_low = decided->decision_id_low;
    event.decision_id_high = decided->decision_id_high;
    event.at_ms = (int64_t)time(NULL) * 1000;
    event.event_id.length = (uint32_t)snprintf(id, sizeof id, "seen %016llx%016llx", (unsigned long long)decided->decision_id_high,
                                               (unsigned long long)decided->decision_id_low);
    if (aftercart_event_append(log, strlen(log), &event, id, event.event_id.length, NULL) != AFTERCART_OK)
        fprintf(stderr, "not in the log that it was seen\n"); /* say it again later */
}

int main(int argc, char **argv)
{
    if (argc < 3 || aftercart_abi_version() != AFTERCART_ABI_VERSION) {
        fprintf(stderr, "usage: %s CATALOG PRODUCT-ID...   (aftercart %s)\n", argv[0], aftercart_version());
        return 2;
    }

    /* Once per process, and once per thread. */
    const char *log = getenv("AFTERCART_LOG");
    aftercart_engine *engine;
    aftercart_decider *decider;
    aftercart_error error;
    memset(&error, 0, sizeof error);
    error.struct_size = sizeof error;
    if (aftercart_engine_open(argv[1], strlen(argv[1]), NULL, &engine, &error) != AFTERCART_OK
        || aftercart_decider_new(engine, &decider, &error) != AFTERCART_OK
        || (log && aftercart_log_to(decider, log, strlen(log), 0, 0, &error) != AFTERCART_OK)) {
        fprintf(stderr, "%s: %s\n", aftercart_status_name(error.status), error.message);
        return 1;
    }

    /* Once per receipt page. What is not known stays zero. */
    aftercart_transaction order;
    memset(&order, 0, sizeof order);
    order.struct_size = sizeof order;
    order.payment = AFTERCART_PAYMENT_CARD;
    order.rechargeable = AFTERCART_YES; /* say so only where you may charge the card again */
    aftercart_line lines[AFTERCART_LINES_MAX];
    memset(lines, 0, sizeof lines);
    char strings[4096];
    size_t line_count = 0, used = 0;
    for (int i = 2; i < argc && line_count < AFTERCART_LINES_MAX; i++) {
        size_t length = strlen(argv[i]);
        if (length > sizeof strings - used)
            break;
        memcpy(strings + used, argv[i], length);
        lines[line_count].item_id.offset = (uint32_t)used;
        lines[line_count].item_id.length = (uint32_t)length;
        used += length;
        line_count++;
    }
    aftercart_offer offers[AFTERCART_SLOTS_MAX];
    aftercart_summary summary;
    memset(&summary, 0, sizeof summary);
    summary.struct_size = sizeof summary;
    size_t count;
    int32_t status = aftercart_decide(decider, &order, NULL, lines, sizeof lines[0], line_count, NULL, 0, 0,
                                      strings, used, offers, sizeof offers[0], AFTERCART_SLOTS_MAX, &count, &summary);

    if (status < 0)
        fprintf(stderr, "%s\n", aftercart_status_name(status));
    if (status == AFTERCART_NO_OFFERS)
        printf("no offers: %s\n", aftercart_reason_text(summary.reason));
    for (size_t i = 0; i < count; i++) {
        char title[128];
        aftercart_item_text(engine, offers[i].item_kind, offers[i].item_row, AFTERCART_TEXT_TITLE, title, sizeof title, NULL);
        printf("%s  %s", offers[i].id, title);
        if (offers[i].line >= 0)
            printf("  (goes with %s)", argv[2 + offers[i].line]);
        if (offers[i].accept == AFTERCART_ACCEPT_ONE_CLICK_STORED_CREDENTIAL)
            printf("  (one click: this order's payment may be charged again)");
        printf("  relevance %.3f\n", offers[i].relevance / 1000.0);
    }
    if (log && status >= 0)
        seen(log, &summary);

    aftercart_decider_free(decider);
    aftercart_engine_close(engine);
    return status < 0;
}
