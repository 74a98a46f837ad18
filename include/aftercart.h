/* aftercart: decides in microseconds, inside the checkout process, which few offers belong on a receipt page, or none.
 *
 * Generated from the library's source; do not edit.
 *
 *     aftercart_engine *engine;
 *     aftercart_decider *decider;
 *     aftercart_engine_open(path, strlen(path), NULL, &engine, NULL);   // once
 *     aftercart_decider_new(engine, &decider, NULL);                    // once per thread
 *     aftercart_decide(decider, ...);                                   // once per receipt page
 *
 * examples/c/checkout.c is a whole program. Below: statuses and lists, limits and flags, structs, functions.
 *
 * CALLS. Open a catalog (aftercart_engine_open), make a decider per thread (aftercart_decider_new), decide (aftercart_decide),
 * read titles (aftercart_item_text). To ask why something is not there: aftercart_explain. What changes between two catalogs is
 * in a live overlay, a file that the processes of a machine share: aftercart_live_bind makes it, aftercart_engine_with_live
 * decides with it, aftercart_live_edit changes stock, prices, pauses and budgets, aftercart_live_look reads them. Before an offer
 * with a budget is shown, aftercart_lease_reserve; when it counts, aftercart_lease_activate; else aftercart_lease_release. Whether a
 * question is worth asking: aftercart_next_question. Before payment: aftercart_rank_payment_methods,
 * aftercart_rank_shipping_options and aftercart_prefill. So that the price shown is the price charged: aftercart_token_sign for the page,
 * aftercart_token_verify on your server, with a key of aftercart_key_new. To decide with what was learnt: aftercart_engine_with_model.
 * After the order: aftercart_plan_follow_ups, with programmes of aftercart_programmes_open. To know what it all brought:
 * aftercart_log_to keeps decisions, aftercart_event_append what came of them; the command `aftercart log` takes both into files.
 *
 * THREADS. Engines, keys and programmes never change: any number of threads may use one. A decider serves one call at a time: use
 * one per thread, or a pool. It may move between threads. A second call at the same time gets AFTERCART_BUSY. Calls about overlays,
 * leases and events may come from any thread. The library has no signal handlers, environment variables, output or locale; no clock
 * but for names of log files and AFTERCART_LOG_TIMED; and no thread but one that reads a catalog ahead and ends
 * (aftercart_options.prefault). It works after fork() (but see aftercart_log_to), and is never unloaded: dlclose() does nothing.
 *
 * OWNERSHIP. What you pass is read during the call and not kept; what is written goes into memory that is yours, which must
 * not overlap what you pass. Nothing that one side allocates is freed by the other. Engines and deciders are given back with
 * aftercart_engine_close and aftercart_decider_free (keys with aftercart_key_free, programmes with aftercart_programmes_free), in
 * any order, when no other thread is using them; not twice. To change catalogs, open a second engine, give it to your deciders
 * (aftercart_decider_use) or make new ones, then close the old one. Hosts that cannot keep a handle between two requests ask
 * aftercart_resident for one, and aftercart_resident_programmes.
 *
 * NULL is allowed only where it says so. Where a count, length or capacity is 0, its pointer does not matter. Pointers to structs
 * and element sizes are multiples of 8.
 *
 * GROWTH. Structs that come alone start with struct_size, arrays of structs come with the size of an element: set them to
 * sizeof. Zero the rest of a struct before you use it: zero always means "as if this were not here". Thus a program that was
 * compiled with an older header runs with a newer library: what it does not know is zero. With an older library, fields that it
 * does not know must be zero, or you get AFTERCART_UNSUPPORTED_FIELD. Of what is written, you get the part that you know.
 *
 * As long as AFTERCART_ABI_VERSION is 1, a program that was compiled with any header of ABI 1 runs with any later library of
 * ABI 1. What may come: functions; fields at the end of structs (but not of aftercart_text and aftercart_lease); a meaning for
 * fields that are reserved; values of lists, flags, kinds of facts, statuses and reasons, so be ready for a number that you do not
 * know. What may not: another signature, another place, size or meaning of a field, a number used again. Which offers are chosen
 * is not part of it. Another ABI number is another soname; both can be installed beside each other.
 *
 * TEXT is UTF-8. In structs it is given as offset and length into one block, the strings argument; there are no pointers in
 * structs. A path is bytes as the system has them. MONEY is in minor units of the catalog's currency. TIME is Unix milliseconds,
 * and comes from you.
 *
 * STATUS. Every int32_t is AFTERCART_OK (0); positive: done, with a remark; or negative: failed, in hundreds by family (-1xx
 * argument, -2xx handle, -3xx file, -4xx version, -5xx system, -6xx defect, -7xx budget, -8xx token). A function that fails changes nothing
 * but its count, its handle argument and its error argument; aftercart_live_edit says how many changes it made before. Show nothing
 * and go on: a receipt page needs no offers.
 *
 * MEMORY. aftercart_decide and aftercart_next_question allocate nothing; neither do leases, tokens, the calls before payment, plans
 * of follow-ups, events as JSON and what is kept of decisions. A catalog that is copied into memory and does not fit there, and a
 * handle for which there is no room, are AFTERCART_OUT_OF_MEMORY. Where any other allocation of the control plane fails, the process
 * ends by abort(), as Rust programs do: open and make what you need when the process starts.
 *
 * SIZE. Stripped, the shared library weighs some 1.47 MB on x86-64, about a quarter of it for programmes, logs and events.
 *
 * SIGBUS. A mapped catalog (AFTERCART_OPEN_MAP) must never be truncated or rewritten in place: the system would kill the
 * process with SIGBUS, which no library can prevent. Replace it by rename, as `aftercart build` does, or open it with
 * AFTERCART_OPEN_COPY: also right for network file systems. Any other damage is found when the file is opened, or gives a
 * poor decision, never a fault. A live overlay is always mapped, and so is what aftercart_log_to writes: keep both on a local file
 * system, where nobody truncates them.
 */


#ifndef AFTERCART_H
#define AFTERCART_H

#include <stddef.h>
#include <stdint.h>

// The release that this header came with.
#define AFTERCART_VERSION_MAJOR 0
#define AFTERCART_VERSION_MINOR 1
#define AFTERCART_VERSION_PATCH 0

// How a call ended. `aftercart_status_name` has the names.
// Done.
#define AFTERCART_OK 0
// Done: nothing belongs on the page. The summary has the reason.
#define AFTERCART_NO_OFFERS 1
// Done, but not everything fitted; the count is of all there is.
#define AFTERCART_TRUNCATED 2
// Done: no question is worth asking.
#define AFTERCART_NO_QUESTION 3
// A pointer that must be given is null.
#define AFTERCART_NULL_POINTER (-101)
// A pointer or an element size is not a multiple of 8.
#define AFTERCART_MISALIGNED (-102)
// A struct_size, element size or count that cannot be.
#define AFTERCART_BAD_SIZE (-103)
// A reserved field, or one that this version does not know, is not zero.
#define AFTERCART_UNSUPPORTED_FIELD (-104)
// A field holds a value outside its list, or one that needs a flag which is not set.
#define AFTERCART_BAD_VALUE (-105)
// A text lies outside the strings that were given.
#define AFTERCART_BAD_STRING (-106)
// A text is not UTF-8.
#define AFTERCART_BAD_UTF8 (-107)
// More than AFTERCART_LINES_MAX lines: rules could not be checked against all.
#define AFTERCART_TOO_MANY_LINES (-108)
// More than AFTERCART_FACTS_MAX facts.
#define AFTERCART_TOO_MANY_FACTS (-109)
// More than AFTERCART_SLOTS_MAX slots.
#define AFTERCART_TOO_MANY_SLOTS (-110)
// An id that the catalog, or the catalogs of the overlay, do not have.
#define AFTERCART_UNKNOWN_ID (-111)
// More than AFTERCART_OPTIONS_MAX options.
#define AFTERCART_TOO_MANY_OPTIONS (-112)
// Not a live handle of this kind.
#define AFTERCART_BAD_HANDLE (-201)
// Another thread is using this decider.
#define AFTERCART_BUSY (-202)
// An earlier call on this decider ended in a defect; free it and make another.
#define AFTERCART_POISONED (-203)
// The catalog file breaks a rule of its format.
#define AFTERCART_BAD_CATALOG (-301)
// The policy in the catalog file cannot be used.
#define AFTERCART_BAD_POLICY (-302)
// The live overlay is damaged, or was not bound to this catalog: aftercart live bind.
#define AFTERCART_BAD_LIVE (-303)
// The live overlay has no room for this; make a larger one.
#define AFTERCART_LIVE_FULL (-304)
// Not a model, or a damaged one: learn it again, or leave it out.
#define AFTERCART_BAD_MODEL (-305)
// Programmes that cannot be read, or do not fit the catalog.
#define AFTERCART_BAD_PROGRAMMES (-306)
// The catalog file was built by an incompatible version.
#define AFTERCART_CATALOG_VERSION (-401)
// No memory.
#define AFTERCART_OUT_OF_MEMORY (-501)
// The system refused; os_error has its number.
#define AFTERCART_SYSTEM_ERROR (-502)
// A defect of aftercart was caught before it reached you: report it.
#define AFTERCART_INTERNAL (-601)
// Nothing is left of a budget: do not show the offer.
#define AFTERCART_BUDGET_EMPTY (-701)
// As many leases of a budget are out as the overlay has room for.
#define AFTERCART_LEASES_OUT (-702)
// The offer or its partner was paused: do not show it.
#define AFTERCART_PAUSED (-703)
// The lease expired, or was activated or released before. Nothing was counted.
#define AFTERCART_LEASE_GONE (-704)
// The lease or the item is not of this engine's overlay.
#define AFTERCART_LEASE_FOREIGN (-705)
// Not a token, or not one of this version.
#define AFTERCART_BAD_TOKEN (-801)
// The token was not signed with this key, or was changed afterwards.
#define AFTERCART_BAD_SIGNATURE (-802)
// The offer has expired: do not charge.
#define AFTERCART_TOKEN_EXPIRED (-803)
// The offer is in another currency than the order: do not charge.
#define AFTERCART_WRONG_CURRENCY (-804)

// Where in the purchase: aftercart_transaction.stage.
#define AFTERCART_STAGE_CONFIRMATION 0
#define AFTERCART_STAGE_CART 1
#define AFTERCART_STAGE_CHECKOUT 2
#define AFTERCART_STAGE_PAYMENT 3
#define AFTERCART_STAGE_ORDER_STATUS 4
#define AFTERCART_STAGE_EMAIL 5
#define AFTERCART_STAGE_APP 6

// Kind of purchase: aftercart_line.role.
#define AFTERCART_ROLE_UNKNOWN 0
#define AFTERCART_ROLE_DURABLE 1
#define AFTERCART_ROLE_CONSUMABLE 2
#define AFTERCART_ROLE_SERVICE 3
#define AFTERCART_ROLE_DIGITAL 4
#define AFTERCART_ROLE_GIFT_CARD 5

// Sensitive classes: aftercart_line.sensitive.
#define AFTERCART_SENSITIVE_NONE 0
#define AFTERCART_SENSITIVE_ALCOHOL 1
#define AFTERCART_SENSITIVE_TOBACCO 2
#define AFTERCART_SENSITIVE_HEALTH 3
#define AFTERCART_SENSITIVE_ADULT 4
#define AFTERCART_SENSITIVE_WEAPONS 5
#define AFTERCART_SENSITIVE_GAMBLING 6
#define AFTERCART_SENSITIVE_CREDIT 7
#define AFTERCART_SENSITIVE_INSURANCE 8

// How it was paid: aftercart_transaction.payment.
#define AFTERCART_PAYMENT_UNKNOWN 0
#define AFTERCART_PAYMENT_CARD 1
#define AFTERCART_PAYMENT_WALLET 2
#define AFTERCART_PAYMENT_BNPL 3
#define AFTERCART_PAYMENT_DIRECT_DEBIT 4
#define AFTERCART_PAYMENT_BANK_TRANSFER 5
#define AFTERCART_PAYMENT_INVOICE 6
#define AFTERCART_PAYMENT_GIFT_CARD 7
#define AFTERCART_PAYMENT_CASH 8

// Customers: aftercart_profile.customer.
#define AFTERCART_CUSTOMER_ANY 0
#define AFTERCART_CUSTOMER_NEW 1
#define AFTERCART_CUSTOMER_RETURNING 2

// Ages: aftercart_profile.age_band.
#define AFTERCART_AGE_UNKNOWN 0
#define AFTERCART_AGE_MINOR 1
#define AFTERCART_AGE_ADULT 2

// Purposes of a consent: bits of aftercart_profile.purposes_asked and purposes_granted.
#define AFTERCART_PURPOSE_PREFERENCES 0
#define AFTERCART_PURPOSE_ANALYTICS 1
#define AFTERCART_PURPOSE_MARKETING 2
#define AFTERCART_PURPOSE_SALE_OF_DATA 3

// What is offered: aftercart_offer.kind.
#define AFTERCART_KIND_PRODUCT 0
#define AFTERCART_KIND_ADD_ON 1
#define AFTERCART_KIND_WARRANTY 2
#define AFTERCART_KIND_SERVICE 3
#define AFTERCART_KIND_SUBSCRIPTION 4
#define AFTERCART_KIND_PAYMENT_INCENTIVE 5
#define AFTERCART_KIND_LOYALTY 6
#define AFTERCART_KIND_APP_PROMPT 7
#define AFTERCART_KIND_CONTENT 8
#define AFTERCART_KIND_NEXT_PURCHASE 9

// How it may be accepted: aftercart_offer.accept.
#define AFTERCART_ACCEPT_NONE 0
#define AFTERCART_ACCEPT_ONE_CLICK_STORED_CREDENTIAL 1
#define AFTERCART_ACCEPT_CONFIRM_CONSENT 2
#define AFTERCART_ACCEPT_REDIRECT 3
#define AFTERCART_ACCEPT_REENTER_PAYMENT 4
#define AFTERCART_ACCEPT_LEAD_OPT_IN 5

// Why in that way and no shorter one: aftercart_offer.accept_reason.
#define AFTERCART_ACCEPTANCE_NOTHING_TO_ACCEPT 0
#define AFTERCART_ACCEPTANCE_APP_SHOP 1
#define AFTERCART_ACCEPTANCE_ENROLMENT 2
#define AFTERCART_ACCEPTANCE_THIRD_PARTY_SELLS 3
#define AFTERCART_ACCEPTANCE_REGULATED 4
#define AFTERCART_ACCEPTANCE_BEFORE_PAYMENT 5
#define AFTERCART_ACCEPTANCE_NOT_RECHARGEABLE 6
#define AFTERCART_ACCEPTANCE_RECURS 7
#define AFTERCART_ACCEPTANCE_SOLD_ONCE 8

// Where the customer sits: aftercart_rank_payment_methods.
#define AFTERCART_DEVICE_UNKNOWN 0
#define AFTERCART_DEVICE_PHONE 1
#define AFTERCART_DEVICE_TABLET 2
#define AFTERCART_DEVICE_DESKTOP 3

// Why an option stands where it does: aftercart_ranked.because, aftercart_prefilled.because.
#define AFTERCART_BECAUSE_HOST_ORDER 0
#define AFTERCART_BECAUSE_LAST_USED 1
#define AFTERCART_BECAUSE_OFTEN_USED 2
#define AFTERCART_BECAUSE_READY_ON_DEVICE 3
#define AFTERCART_BECAUSE_USUAL_HERE 4
#define AFTERCART_BECAUSE_CHEAPER_FIRST 5
#define AFTERCART_BECAUSE_HOLDOUT 6

// What a message is for: aftercart_follow_up.kind.
#define AFTERCART_MESSAGE_DELIVERY 0
#define AFTERCART_MESSAGE_GUIDANCE 1
#define AFTERCART_MESSAGE_SUGGESTION 2
#define AFTERCART_MESSAGE_REFILL 3

// Through what it goes: aftercart_follow_up.channel.
#define AFTERCART_CHANNEL_EMAIL 0
#define AFTERCART_CHANNEL_SMS 1
#define AFTERCART_CHANNEL_PUSH 2

// Why it is withheld: aftercart_follow_up.withheld.
#define AFTERCART_WITHHELD_TIME_UNKNOWN 1
#define AFTERCART_WITHHELD_TOO_LATE 2
#define AFTERCART_WITHHELD_CONTACT_POLICY 3
#define AFTERCART_WITHHELD_CONSENT 4
#define AFTERCART_WITHHELD_GIFT 5

// What happened: aftercart_event.kind.
#define AFTERCART_EVENT_ACTIVATED 1
#define AFTERCART_EVENT_ENGAGED 2
#define AFTERCART_EVENT_ACCEPTED 3
#define AFTERCART_EVENT_ACCEPT_FAILED 4
#define AFTERCART_EVENT_CONVERTED 5
#define AFTERCART_EVENT_RETURNED 6
#define AFTERCART_EVENT_DISMISSED 7
#define AFTERCART_EVENT_SURVEY_ANSWERED 8
#define AFTERCART_EVENT_ORDERED 9

// How it follows from the order: aftercart_offer.relation.
#define AFTERCART_RELATION_BOUGHT_TOGETHER 1
#define AFTERCART_RELATION_GOES_WITH_TYPE 2
#define AFTERCART_RELATION_REFILL 3
#define AFTERCART_RELATION_TRIGGERED 4
#define AFTERCART_RELATION_HOUSE 5
#define AFTERCART_RELATION_ALIKE 6

// Why nothing was offered: `aftercart_summary.reason`. `aftercart_reason_text` has the texts.
#define AFTERCART_REASON_BELOW_RESERVE 100 // expected contribution below the reserve
#define AFTERCART_REASON_LOST_TO_HIGHER 102 // lost to an offer of higher expected contribution
#define AFTERCART_REASON_PARTNER_EXCLUDED 205 // partner suppressed, paused or unknown
#define AFTERCART_REASON_CATEGORY_EXCLUDED 209 // category suppressed
#define AFTERCART_REASON_BRAND_EXCLUDED 210 // brand suppressed
#define AFTERCART_REASON_PRODUCT_EXCLUDED 211 // product or offer suppressed by name
#define AFTERCART_REASON_KIND_EXCLUDED 212 // kind of offer suppressed
#define AFTERCART_REASON_OPTED_OUT 213 // the customer opted out
#define AFTERCART_REASON_ALREADY_MEMBER 214 // the customer already has it
#define AFTERCART_REASON_ATTRIBUTE_EXCLUDED 215 // attribute suppressed, or not one of those allowed
#define AFTERCART_REASON_SAME_ITEM 1001 // the same product was just bought
#define AFTERCART_REASON_SAME_GROUP 1002 // a variant of it was just bought
#define AFTERCART_REASON_SAME_TYPE 1003 // the same type of product was just bought
#define AFTERCART_REASON_OWNED 1004 // the customer has it, and it is not due again
#define AFTERCART_REASON_DECLINED 1005 // the customer declined it recently
#define AFTERCART_REASON_FREQUENCY_CAP 1010 // shown or taken often enough lately
#define AFTERCART_REASON_LEASE_EMPTY 1012 // nothing is left to reserve of its budget or its partner's
#define AFTERCART_REASON_PACED 1013 // held back, so that the day's budget lasts
#define AFTERCART_REASON_PAUSED 1014 // paused or killed in the live overlay
#define AFTERCART_REASON_OUT_OF_STOCK 1020 // not in stock
#define AFTERCART_REASON_PRICE_UNKNOWN 1021 // no usable price, or a stale one
#define AFTERCART_REASON_REGION 1022 // not for this region
#define AFTERCART_REASON_AGE 1023 // not for this age, or the age is not known
#define AFTERCART_REASON_CONSENT_MISSING 1024 // the customer did not consent to a purpose that it needs
#define AFTERCART_REASON_SENSITIVE_CONTEXT 1025 // sensitive class that the policy does not allow
#define AFTERCART_REASON_PARTNER_CONTEXT 1026 // the partner refuses this basket
#define AFTERCART_REASON_ORDER_VALUE 1027 // order value outside the offer's bounds, or not known
#define AFTERCART_REASON_OUTSIDE_FLIGHT 1028 // outside the offer's dates, or the time is not known
#define AFTERCART_REASON_CUSTOMER_KIND 1029 // for other customers
#define AFTERCART_REASON_UNKNOWN_CATEGORY 1030 // category not known, and a rule depends on it
#define AFTERCART_REASON_CURRENCY 1032 // the transaction is in another currency
#define AFTERCART_REASON_COMPETITIVE_SEPARATION 1040 // may not stand beside another offer of the slate
#define AFTERCART_REASON_TYPE_QUOTA 1041 // enough offers of this type in the slate
#define AFTERCART_REASON_BRAND_QUOTA 1042 // enough offers of this brand in the slate
#define AFTERCART_REASON_PARTNER_QUOTA 1043 // enough offers of this partner in the slate
#define AFTERCART_REASON_THIRD_PARTY_QUOTA 1044 // enough third-party offers in the slate
#define AFTERCART_REASON_REFILL_QUOTA 1045 // enough refills in the slate
#define AFTERCART_REASON_OFFER_CONDITION 1048 // the offer's own condition does not hold, or is not known to
#define AFTERCART_REASON_POSITION_EXCLUDED 1046 // no free position takes its kind or party
#define AFTERCART_REASON_UNKNOWN_PLACEMENT 1047 // the policy has placements, and not this one
#define AFTERCART_REASON_SHARE_OWED 1049 // its place went to a partner who is owed a share of the slots
#define AFTERCART_REASON_BELOW_RELEVANCE 1060 // below the relevance floor
#define AFTERCART_REASON_PRICE_TOO_HIGH 1061 // too dear beside the order
#define AFTERCART_REASON_BELOW_ACCEPTANCE 1062 // below the floor on p_accept
#define AFTERCART_REASON_GIFT_SUPPRESSES_REFILL 1070 // a gift needs no refill
#define AFTERCART_REASON_HOLDOUT 1080 // held out: show nothing
#define AFTERCART_REASON_HOLDOUT_EARLIER 1081 // held out: show the page as it was before
#define AFTERCART_REASON_NOT_RETRIEVED 1100 // nothing bought leads to it
#define AFTERCART_REASON_VERIFIER_DROPPED 1101 // the final check disagreed with the gate
#define AFTERCART_REASON_KILL_SWITCH 1102 // the policy switches all offers off
#define AFTERCART_REASON_NOTHING_TO_ASK 1103 // no bought line can be asked about
#define AFTERCART_REASON_BAD_RECORD 1104 // damaged catalog entry
#define AFTERCART_REASON_NO_LIVE 1110 // no live overlay that fits the catalog, and the policy demands one


// The ABI that this header describes. Compare with `aftercart_abi_version()` once at start.
#define AFTERCART_ABI_VERSION 1

// Most lines of a transaction.
#define AFTERCART_LINES_MAX 512

// Most facts of a call. Of these are read: the last 1024 purchases, the last 256 declines, the last 256 that were shown, looked
// at or taken, the last 256 questions that were asked, the last 256 uses, the last 64 messages, the first 16 answers and the first 16 products removed from
// the cart. Of more than 32 opted-out categories, all categories are taken as opted out.
#define AFTERCART_FACTS_MAX 4096

// Most slots of a placement: a capacity that always suffices.
#define AFTERCART_SLOTS_MAX 16

// Most pairs of files and thread for which `aftercart_resident` keeps handles.
#define AFTERCART_RESIDENTS_MAX 1024

// `aftercart_options.mode`: map the file; its pages are shared by all processes of the machine.
#define AFTERCART_OPEN_MAP 0

// `aftercart_options.mode`: read the file into memory of this process: for network file systems, and for files that
// somebody may truncate.
#define AFTERCART_OPEN_COPY 1

// `aftercart_options.verify`: check everything; reads the whole file once.
#define AFTERCART_VERIFY_FULL 0

// `aftercart_options.verify`: check the structure only, in microseconds: for files that were verified when they were
// published. Memory safety does not rest on the rest.
#define AFTERCART_VERIFY_STRUCTURE 1

// `aftercart_options.prefault`: a thread of this process reads a large mapped file ahead while decisions run, and ends.
#define AFTERCART_PREFAULT_BACKGROUND 0

// `aftercart_options.prefault`: opening returns when the whole mapped file was read.
#define AFTERCART_PREFAULT_WHOLE 1

// `aftercart_options.prefault`: each page of a mapped file is read when it is first needed. No thread.
#define AFTERCART_PREFAULT_NONE 2

// Not known.
#define AFTERCART_UNKNOWN 0

// No.
#define AFTERCART_NO 1

// Yes.
#define AFTERCART_YES 2

// `aftercart_transaction.flags`: `value` is given.
#define AFTERCART_TRANSACTION_HAS_VALUE 1

// `aftercart_transaction.flags`: `min_relevance` is given.
#define AFTERCART_TRANSACTION_HAS_MIN_RELEVANCE 2

// `aftercart_transaction.flags`: the order is a gift.
#define AFTERCART_TRANSACTION_IS_GIFT 4

// `aftercart_transaction.flags`: a test order, decided as any other.
#define AFTERCART_TRANSACTION_IS_TEST 8

// `aftercart_transaction.flags`: nothing that the customer bought before.
#define AFTERCART_TRANSACTION_FIRST_PURCHASES 16

// `aftercart_line.flags`: `unit_price` is given.
#define AFTERCART_LINE_HAS_UNIT_PRICE 1

// `aftercart_profile.flags`: the customer wants nothing from third parties.
#define AFTERCART_PROFILE_OPT_OUT_THIRD_PARTY 1

// `aftercart_profile.flags`: `orders` is given.
#define AFTERCART_PROFILE_HAS_ORDERS 2

// `aftercart_profile.flags`: the browser sends Global Privacy Control, which refuses the sale of data.
#define AFTERCART_PROFILE_GPC 4

// `aftercart_fact.kind`: an earlier purchase of product `id`, at `at_ms`.
#define AFTERCART_FACT_PURCHASE 1

// `aftercart_fact.kind`: the customer declined product or offer `id`, at `at_ms`.
#define AFTERCART_FACT_DECLINE 2

// `aftercart_fact.kind`: an answer `tag` to question `id` of a micro-survey. The tag `gift` suppresses refills.
#define AFTERCART_FACT_ANSWER 3

// `aftercart_fact.kind`: the customer does not want to see category path `id`, with its subtree.
#define AFTERCART_FACT_OPT_OUT_CATEGORY 4

// `aftercart_fact.kind`: product `id` was looked at in this session and put back.
#define AFTERCART_FACT_CART_REMOVED 5

// `aftercart_fact.kind`: `id` is a word of yours for this order, which a policy's conditions may ask for.
#define AFTERCART_FACT_ORDER_TAG 6

// `aftercart_fact.kind`: `id` is a word of yours for this customer, likewise.
#define AFTERCART_FACT_SEGMENT 7

// `aftercart_fact.kind`: product or offer `id` was shown on an earlier page, at `at_ms`: for frequency caps.
#define AFTERCART_FACT_SHOWN 8

// `aftercart_fact.kind`: the customer looked closer at it: likewise.
#define AFTERCART_FACT_ENGAGED 9

// `aftercart_fact.kind`: the customer took it: likewise.
#define AFTERCART_FACT_ACCEPTED 10

// `aftercart_fact.kind`: question `id` was asked, at `at_ms`, in this order or before, whatever the answer: so that it rests.
#define AFTERCART_FACT_ASKED 11

// `aftercart_fact.kind`: the customer paid or shipped with `id`, a name of yours, at `at_ms`. For the calls before payment; decisions
// do not look at it.
#define AFTERCART_FACT_USED 12

// `aftercart_fact.kind`: likewise, and it did not work out: declined, or given up.
#define AFTERCART_FACT_FAILED 13

// `aftercart_fact.kind`: a message that the customer got at `at_ms`, or will get, through any channel. For `aftercart_plan_follow_ups`;
// has no `id`.
#define AFTERCART_FACT_CONTACTED 14

// Of an id: whatever has it, product, offer or partner. An id that several of them have is refused.
#define AFTERCART_ITEM_ANY 0

// `aftercart_offer.item_kind`: a product of the catalog.
#define AFTERCART_ITEM_PRODUCT 1

// `aftercart_offer.item_kind`: any other offer.
#define AFTERCART_ITEM_OFFER 2

// A partner: only in calls about the live overlay.
#define AFTERCART_ITEM_PARTNER 3

// A question of the policy: only in `aftercart_item_text`, where its title is its words.
#define AFTERCART_ITEM_QUESTION 4

// An answer to one: likewise, where its id is its tag.
#define AFTERCART_ITEM_ANSWER 5

// `aftercart_item_text`: the id in the feed.
#define AFTERCART_TEXT_ID 1

// `aftercart_item_text`: the title.
#define AFTERCART_TEXT_TITLE 2

// `aftercart_item_text`: the category path; empty where not known and for other offers.
#define AFTERCART_TEXT_CATEGORY 3

// `aftercart_item_text`: the id of the partner behind it; empty for your own.
#define AFTERCART_TEXT_PARTNER 4

// `aftercart_live_fact.own` of an offer, and `.partner`: paused or killed.
#define AFTERCART_LIVE_PAUSED 1

// Likewise: nothing was left to reserve.
#define AFTERCART_LIVE_EMPTY 2

// Likewise, from this bit on: decisions that pacing turned away, parts per million.
#define AFTERCART_LIVE_THROTTLE_SHIFT 8

// `aftercart_change.set` and `.clear`: units in stock.
#define AFTERCART_CHANGE_STOCK 1

// Likewise: the price, with `priced_at_ms`.
#define AFTERCART_CHANGE_PRICE 2

// Likewise: what an offer earns.
#define AFTERCART_CHANGE_BID 4

// Likewise: the limit of a day.
#define AFTERCART_CHANGE_DAILY 8

// Likewise: the limit over all days.
#define AFTERCART_CHANGE_TOTAL 16

// Likewise: how the limit of a day is spread over it.
#define AFTERCART_CHANGE_PACING 32

// `aftercart_change.set`: when the day begins.
#define AFTERCART_CHANGE_UTC_OFFSET 64

// Most reasons of an explanation.
#define AFTERCART_REASONS_MAX 32

// `aftercart_selftest`: run into a defect, to show that it ends there.
#define AFTERCART_SELFTEST_PANIC 1

// Room for the longest token and a zero byte.
#define AFTERCART_TOKEN_BYTES 192

// Most options that are put in order.
#define AFTERCART_OPTIONS_MAX 32

// `aftercart_option.flags`: a way to pay is set up on the device, as wallets are.
#define AFTERCART_OPTION_READY 1

// Most messages of a plan, those withheld among them: a capacity that always suffices.
#define AFTERCART_FOLLOW_UPS_MAX 32

// `aftercart_log_to`: also keep how long each decision took, by the system's monotonic clock.
#define AFTERCART_LOG_TIMED 1

// Room for the longest event as JSON and a zero byte.
#define AFTERCART_JSON_BYTES 8193

// `aftercart_event.flags`: `value` is given.
#define AFTERCART_AMOUNT_VALUE 1

// `aftercart_event.flags`: `margin` is given.
#define AFTERCART_AMOUNT_MARGIN 2

// `aftercart_event.flags`: `payout` is given.
#define AFTERCART_AMOUNT_PAYOUT 4

// Makes decisions, one call at a time; may move between threads. Owns all memory that a decision needs.
typedef struct aftercart_decider aftercart_decider;

// An opened catalog with its policy. Immutable: any number of threads may use one at the same time.
typedef struct aftercart_engine aftercart_engine;

// A secret of your servers, with which they sign offers. Immutable: any number of threads may use one at the same time.
typedef struct aftercart_key aftercart_key;

// What follows a purchase, by category, made ready for a catalog. Immutable: any number of threads may use it at the same time.
typedef struct aftercart_programmes aftercart_programmes;

// How to open a catalog. All zero (but `struct_size`) is the default.
typedef struct {
  // `sizeof(aftercart_options)`.
  uint32_t struct_size;
  // `AFTERCART_OPEN_MAP` or `AFTERCART_OPEN_COPY`.
  uint32_t mode;
  // `AFTERCART_VERIFY_FULL` or `AFTERCART_VERIFY_STRUCTURE`.
  uint32_t verify;
  // What is read from disk before decisions ask for it: `AFTERCART_PREFAULT_BACKGROUND`, `AFTERCART_PREFAULT_WHOLE` or
  // `AFTERCART_PREFAULT_NONE`.
  uint32_t prefault;
  // Products that a search may look at; 0 = as the catalog says. At the number of products, every search is exact.
  uint64_t visit_budget;
} aftercart_options;

// What went wrong, in words. Filled in where a function that takes it fails.
typedef struct {
  // `sizeof(aftercart_error)`.
  uint32_t struct_size;
  // The status that the function returned.
  int32_t status;
  // `errno` of the system call that failed, else 0.
  int32_t os_error;
  // Number of the rule of the format that the file breaks, else 0.
  uint32_t rule;
  // Where the file breaks it: a byte, or a row of `part`.
  uint64_t offset;
  // Which part of the file: a header field or section, ended by a zero byte.
  char part[32];
  // The whole story in one line of UTF-8, cut where it does not fit, ended by a zero byte.
  char message[456];
} aftercart_error;

// What an engine is.
typedef struct {
  // `sizeof(aftercart_info)`.
  uint32_t struct_size;
  // Products in the catalog.
  uint32_t products;
  // Other offers in the catalog.
  uint32_t offers;
  // ISO 4217 code of all amounts, padded with zeros.
  char currency[4];
  // Content of the catalog: equal content, equal number.
  uint64_t index_generation;
  // Content of the policy.
  uint64_t policy_generation;
  // When the newest order in the catalog was placed, Unix milliseconds.
  int64_t created_at_ms;
  // Bytes of the file.
  uint64_t file_bytes;
  // Instruction set that compares vectors, ended by a zero byte. Offers do not depend on it.
  char kernel[16];
} aftercart_info;

// A text: `length` bytes of UTF-8 from byte `offset` of the `strings` argument. Length 0 = not given, whatever the offset.
typedef struct {
  // First byte in `strings`.
  uint32_t offset;
  // Bytes.
  uint32_t length;
} aftercart_text;

// A paid order, or a basket before payment.
typedef struct {
  // `sizeof(aftercart_transaction)`.
  uint32_t struct_size;
  // `AFTERCART_TRANSACTION_...`, or-ed.
  uint32_t flags;
  // When, Unix milliseconds. 0 = not known: offers that depend on time are not shown.
  int64_t created_at_ms;
  // Total in minor units, with `AFTERCART_TRANSACTION_HAS_VALUE`. Without: the sum of the lines, where all prices are known.
  int64_t value;
  // Your order id. Only hashed into the decision id.
  aftercart_text order_id;
  // ISO 4217 code, for example `"EUR"`, of `value` and the lines. Empty = the catalog's.
  char currency[4];
  // ISO 3166-1 code, for example `"DE"`, of where the order goes. Empty = not known: offers bound to a region are not shown.
  char country[4];
  // Where in the purchase: `AFTERCART_STAGE_...`.
  uint32_t stage;
  // Slots to fill, at most `AFTERCART_SLOTS_MAX`; 0 = as the policy says.
  uint32_t slots;
  // Least relevance in thousandths, with `AFTERCART_TRANSACTION_HAS_MIN_RELEVANCE`. Without: as the policy says.
  uint32_t min_relevance;
  // How it was paid: `AFTERCART_PAYMENT_...`.
  uint32_t payment;
  // Whether that payment can be charged again without asking for it once more: `AFTERCART_UNKNOWN`, `AFTERCART_NO` or
  // `AFTERCART_YES`.
  uint32_t rechargeable;
  // Zero.
  uint32_t reserved;
  // The placement's id in the policy. Empty = whichever the policy has for the stage. One that the policy does not have shows
  // nothing, where it has placements at all.
  aftercart_text placement;
} aftercart_transaction;

// The customer, as far as you know and may say. All zero (but `struct_size`) is an anonymous one. There is no field for a
// name, an e-mail address, a phone number or a street.
typedef struct {
  // `sizeof(aftercart_profile)`.
  uint32_t struct_size;
  // `AFTERCART_PROFILE_...`, or-ed.
  uint32_t flags;
  // New or returning: `AFTERCART_CUSTOMER_...`.
  uint32_t customer;
  // Age: `AFTERCART_AGE_...`. Where not known, age-restricted offers are not shown.
  uint32_t age_band;
  // In the loyalty programme: `AFTERCART_UNKNOWN`, `AFTERCART_NO` or `AFTERCART_YES`.
  uint32_t loyalty_member;
  // Has your app: likewise.
  uint32_t has_app;
  // 128 bits of a hash of your choice; only for assigning to experiments. All zero = none.
  uint64_t unit_key[2];
  // 128 bits of a hash that ends with the session. All zero = none.
  uint64_t session_key[2];
  // Your name of the customer's loyalty tier. Empty = not known.
  aftercart_text loyalty_tier;
  // Orders before this one, with `AFTERCART_PROFILE_HAS_ORDERS`. Without: not known.
  uint32_t orders;
  // Zero.
  uint32_t reserved;
  // Purposes that the customer was asked to consent to: `1 << AFTERCART_PURPOSE_...`, or-ed.
  uint32_t purposes_asked;
  // Those of them that the customer granted; the others are refused.
  uint32_t purposes_granted;
} aftercart_profile;

// One bought line.
typedef struct {
  // The product's id in the feed. May be one that the catalog does not know.
  aftercart_text item_id;
  // Full category path, levels joined by `" > "`: stands in where the catalog does not know the id.
  aftercart_text category;
  // Brand: likewise.
  aftercart_text brand;
  // Price of one unit in minor units, with `AFTERCART_LINE_HAS_UNIT_PRICE`. Without: not known.
  int64_t unit_price;
  // Units; 0 = one.
  uint32_t quantity;
  // What kind of purchase: `AFTERCART_ROLE_...`; 0 = as the catalog says.
  uint32_t role;
  // Your own mark: `AFTERCART_SENSITIVE_...`. Such a line is not asked about; 0 = as catalog and policy say.
  uint32_t sensitive;
  // `AFTERCART_LINE_...`, or-ed.
  uint32_t flags;
} aftercart_line;

// One thing known of the customer, oldest first. Fields that its kind does not use are zero.
typedef struct {
  // `AFTERCART_FACT_...`.
  uint32_t kind;
  // Zero.
  uint32_t reserved;
  // When, Unix milliseconds, 0 = not known. Purchases, declines, and what was shown, looked at or taken.
  int64_t at_ms;
  // What it is about: see `AFTERCART_FACT_...`.
  aftercart_text id;
  // The tag that an answer stands for. Answers only.
  aftercart_text tag;
} aftercart_fact;

// One offer of the slate.
typedef struct {
  // `AFTERCART_ITEM_PRODUCT` or `AFTERCART_ITEM_OFFER`.
  uint32_t item_kind;
  // Row in the catalog, for `aftercart_item_text`. Only valid with the engine of this decider.
  uint32_t item_row;
  // What it is: `AFTERCART_KIND_...`.
  uint32_t kind;
  // Position on the page, from 0.
  uint32_t position;
  // 1 = sold or made by a third party.
  uint32_t third_party;
  // How it follows from the order: `AFTERCART_RELATION_...`.
  uint32_t relation;
  // Index of the bought line behind it; -1 where no single line is.
  int32_t line;
  // How well it fits what was bought, in thousandths.
  uint32_t relevance;
  // Probability that the customer accepts it, parts per million.
  uint32_t p_accept_ppm;
  // Probability that the policy shows it in this slot, parts per million: what pacing lets pass of it.
  uint32_t p_select_ppm;
  // What you earn when it is accepted, minor units.
  int64_t value;
  // Expected contribution, millionths of a minor unit.
  int64_t ev_micros;
  // Price to the customer in minor units, as the live overlay has it, else the catalog; -1 = not known.
  int64_t price;
  // Bytes of `id`.
  uint32_t id_length;
  // How it may be accepted: `AFTERCART_ACCEPT_...`. Charging is yours; `stage`, `payment` and `rechargeable` of the
  // transaction decide whether the payment of the order may be charged again.
  uint32_t accept;
  // Id in the feed, at most 64 bytes of UTF-8, ended by a zero byte.
  char id[72];
  // Why it is accepted in that way and no shorter one: `AFTERCART_ACCEPTANCE_...`.
  uint32_t accept_reason;
  // 1 = the customer's bank may want them to confirm the charge (strong customer authentication).
  uint32_t may_need_confirmation;
} aftercart_offer;

// The decision as a whole: enough to log it, and to make it again.
typedef struct {
  // `sizeof(aftercart_summary)`.
  uint32_t struct_size;
  // Without offers: the commonest reason, `AFTERCART_REASON_...`. With offers: 0.
  uint32_t reason;
  // Equal for equal order, catalog and policy: low half.
  uint64_t decision_id_low;
  // High half.
  uint64_t decision_id_high;
  // Content of the catalog.
  uint64_t index_generation;
  // Content of the policy.
  uint64_t policy_generation;
  // Candidates retrieved.
  uint32_t retrieved;
  // Candidates that passed every rule.
  uint32_t eligible;
  // Candidates refused.
  uint32_t rejected;
  // Centroids that the search compared.
  uint32_t centroids;
  // Cells that the search scanned.
  uint32_t cells;
  // Products that the search compared.
  uint32_t compared;
  // Changes of the live overlay before the decision; 0 without one. `aftercart_live_facts` has what was read of it.
  uint64_t overlay_generation;
  // Equal for all decisions of one order under one catalog and policy, whatever the customer answered: low half.
  uint64_t group_id_low;
  // High half.
  uint64_t group_id_high;
  // Content of the model; 0 without one.
  uint32_t model_generation;
  // Zero.
  uint32_t reserved;
} aftercart_summary;

// Everything that speaks for and against one product or offer.
typedef struct {
  // `sizeof(aftercart_explanation)`.
  uint32_t struct_size;
  // `AFTERCART_ITEM_PRODUCT` or `AFTERCART_ITEM_OFFER`.
  uint32_t item_kind;
  // Row in the catalog.
  uint32_t item_row;
  // Position on the page; -1 = not shown.
  int32_t position;
  // How it follows from the order: `AFTERCART_RELATION_...`; 0 = nothing leads to it.
  uint32_t relation;
  // Index of the bought line behind it; -1 where no single line is.
  int32_t line;
  // How well it fits what was bought, in thousandths.
  uint32_t relevance;
  // Probability that the customer accepts it, parts per million.
  uint32_t p_accept_ppm;
  // Expected contribution, millionths of a minor unit.
  int64_t ev_micros;
  // Reasons that there are; more than fit into `reasons` are counted, not kept.
  uint32_t reason_count;
  // Zero.
  uint32_t reserved;
  // Why it is not shown: all rules that refuse it, and the limit or competitor that it lost to. `AFTERCART_REASON_...`.
  uint32_t reasons[32];
} aftercart_explanation;

// A question that is worth asking. `aftercart_item_text` of this decider's engine has the texts: of the question by
// `AFTERCART_ITEM_QUESTION` and `row`, of its answers by `AFTERCART_ITEM_ANSWER` and `answer_row` and the rows after it.
typedef struct {
  // `sizeof(aftercart_question)`.
  uint32_t struct_size;
  // Which of the policy's.
  uint32_t row;
  // By how much the page is expected to be worth more once it is answered, millionths of a minor unit.
  int64_t gain_micros;
  // Its first answer; the others follow.
  uint32_t answer_row;
  // Answers that it has.
  uint32_t answer_count;
  // Decisions that were made to find out.
  uint32_t decisions;
  // Zero.
  uint32_t reserved;
} aftercart_question;

// What was offered, at what price, until when.
typedef struct {
  // `sizeof(aftercart_claim)`.
  uint32_t struct_size;
  // Units, at least 1.
  uint32_t quantity;
  // Of the decision: low half.
  uint64_t decision_id_low;
  // High half.
  uint64_t decision_id_high;
  // Of one unit, minor units, at least 0.
  int64_t price;
  // Until when, Unix milliseconds, above 0.
  int64_t expires_at_ms;
  // Of the price, ISO 4217.
  char currency[4];
  // Bytes of `id`.
  uint32_t id_length;
  // Of the product or offer, at most 64 bytes of UTF-8.
  char id[72];
  // Of a token that was verified: the same for every token of one offer of one decision, whichever key signed it. Low half.
  // Zero where you sign.
  uint64_t idempotency_key_low;
  // High half.
  uint64_t idempotency_key_high;
} aftercart_claim;

// A way to pay or to ship that you permit for this order.
typedef struct {
  // Your name for it, as in `AFTERCART_FACT_USED`.
  aftercart_text id;
  // A way to ship: minor units. Else 0.
  int64_t price;
  // A way to ship: the last moment of the promised window, Unix milliseconds; 0 = none was promised. Else 0.
  int64_t arrives_by_ms;
  // A way to pay: `AFTERCART_OPTION_READY` or 0. Else 0.
  uint32_t flags;
  // Zero.
  uint32_t reserved;
} aftercart_option;

// How often your customers use a way to pay, in one group of orders.
typedef struct {
  // Your name for it.
  aftercart_text id;
  // Orders of this country, ISO 3166-1.
  char country[4];
  // On such devices: `AFTERCART_DEVICE_...`.
  uint32_t device;
  // Of at least this amount, minor units, and below the next greater one that occurs.
  int64_t amount_from;
  // So many.
  uint32_t orders;
  // Zero.
  uint32_t reserved;
} aftercart_method_count;

// Where an option goes.
typedef struct {
  // Index into the options.
  uint32_t option;
  // Why: `AFTERCART_BECAUSE_...`.
  uint32_t because;
  // Zero.
  uint64_t reserved;
} aftercart_ranked;

// Something in your store that may be filled in. Its value stays with you.
typedef struct {
  // What it is, by a number of yours, 0 to 255: an address, a phone number. At most one of each is suggested.
  uint32_t field;
  // Its place in your store, 0 to 65535.
  uint32_t slot;
  // Country of an address, ISO 3166-1; empty where it has none.
  char country[4];
  // How often it was used.
  uint32_t uses;
  // When it was used last, Unix milliseconds; 0 = not known.
  int64_t last_used_ms;
} aftercart_stored;

// What to fill in.
typedef struct {
  // Of what.
  uint32_t field;
  // From where.
  uint32_t slot;
  // The latest, or the commonest: `AFTERCART_BECAUSE_...`.
  uint32_t because;
  // Zero.
  uint32_t reserved;
  // How sure, parts per million.
  int64_t confidence_ppm;
} aftercart_prefilled;

// A message that is planned, or withheld.
typedef struct {
  // What it is for: `AFTERCART_MESSAGE_...`. Offers in advertising are decided when it is sent, for stage
  // `AFTERCART_STAGE_EMAIL`.
  uint32_t kind;
  // Through what: `AFTERCART_CHANNEL_...`.
  uint32_t channel;
  // 0 = planned; else why it is withheld: `AFTERCART_WITHHELD_...`.
  uint32_t withheld;
  // Index of the bought line that it is about.
  uint32_t line;
  // When to send it, Unix milliseconds.
  int64_t at_ms;
  // When it no longer makes sense.
  int64_t expires_at_ms;
  // `AFTERCART_ITEM_PRODUCT` where the catalog knows the line's product; else 0.
  uint32_t item_kind;
  // Row in the catalog, for `aftercart_item_text`.
  uint32_t item_row;
  // Of a refill: days from the order to the next purchase that is expected; else -1.
  int32_t due_days;
  // Intervals of the customer's own behind that; 0 = the usual days alone.
  uint32_t own_intervals;
  // Id of its programme, at most 64 bytes, ended by a zero byte.
  char programme[72];
  // Your mail service's name for it, likewise.
  char template_id[72];
  // Id of the offer of kind content that it carries, likewise: what the programme names, else for guidance what the catalog has
  // for the very product; empty = none.
  char content_id[72];
} aftercart_follow_up;

// What a decision read of the live overlay about one candidate.
typedef struct {
  // `AFTERCART_ITEM_PRODUCT` or `AFTERCART_ITEM_OFFER`.
  uint32_t item_kind;
  // Row in the catalog.
  uint32_t item_row;
  // A product: its price + 1 (32 bits), the price's minute since 2025 (24 bits), its stock + 1 (6 bits), paused, killed; each
  // 0 where the overlay does not say. An offer: `AFTERCART_LIVE_...`.
  uint64_t own;
  // Of its partner: `AFTERCART_LIVE_...`.
  uint64_t partner;
  // What an offer earns, minor units; -1 = as the catalog says.
  int64_t bid;
} aftercart_live_fact;

// The right to spend from the budgets of an offer, until it expires. Plain data: keep it with the customer's session, and
// activate or release it from any process of the machine.
typedef struct {
  // `sizeof(aftercart_lease)`.
  uint32_t struct_size;
  // Zero.
  uint32_t reserved;
  // When it expires, Unix milliseconds; 0 = it holds nothing, since there is no limit.
  int64_t expires_at_ms;
  // What the library knows it by.
  uint64_t words[4];
} aftercart_lease;

// One change of the live overlay. What it does not name stays as it is.
typedef struct {
  // What `id` is: `AFTERCART_ITEM_...`.
  uint32_t kind;
  // `AFTERCART_CHANGE_...`, or-ed: which of the fields below count. Others are zero.
  uint32_t set;
  // `AFTERCART_CHANGE_...`, or-ed: what the overlay forgets, so that the catalog's holds again, or no limit.
  uint32_t clear;
  // Products: units in stock; more than 62 count as 62.
  uint32_t stock;
  // Not to be shown for now: `AFTERCART_YES` or `AFTERCART_NO`; `AFTERCART_UNKNOWN` = as it is.
  uint32_t paused;
  // Not to be shown any more: likewise.
  uint32_t killed;
  // Whether limits count minor units of value, not accepted offers: likewise. Cannot change once there was a limit.
  uint32_t money;
  // Offers and partners: when the day begins, minutes east of UTC, -840 to 840.
  int32_t utc_offset_minutes;
  // Id in the feed.
  aftercart_text id;
  // Offers and partners with a limit of a day: `"even"`, or 24 weights of hours or 96 of quarters of an hour in decimal,
  // joined by commas, from midnight on.
  aftercart_text pacing;
  // Products: price in minor units of the catalog's currency, 0 to 4294967294.
  int64_t price;
  // When that price was stated, Unix milliseconds; 0 = not known.
  int64_t priced_at_ms;
  // Offers: what you earn when it is accepted, minor units, in place of the catalog's.
  int64_t bid;
  // Offers and partners: limit of one day, 0 to 17592186044415.
  int64_t daily;
  // Offers and partners: limit over all days, likewise.
  int64_t total;
} aftercart_change;

// What the live overlay says of one product, offer or partner.
typedef struct {
  // `sizeof(aftercart_live_state)`.
  uint32_t struct_size;
  // What it is: `AFTERCART_ITEM_...`.
  uint32_t kind;
  // 1 = not to be shown for now.
  uint32_t paused;
  // 1 = not to be shown any more.
  uint32_t killed;
  // Products: units in stock, of which 62 stands for more; -1 = as the catalog says.
  int32_t stock;
  // Offers and partners: when the day begins, minutes east of UTC.
  int32_t utc_offset_minutes;
  // 1 = limits count minor units of value; 0 = accepted offers.
  uint32_t money;
  // 1 = the limit of a day is spread over it.
  uint32_t paced;
  // Decisions that pacing turns away now, parts per million.
  uint32_t throttle_ppm;
  // Leases that are out.
  uint32_t leases;
  // Products: price in minor units; -1 = as the catalog says.
  int64_t price;
  // When that price was stated, Unix milliseconds, to the minute below; 0 = not known.
  int64_t priced_at_ms;
  // Offers: what you earn when it is accepted, minor units; -1 = as the catalog says.
  int64_t bid;
  // Limit of one day; -1 = none.
  int64_t daily;
  // Limit over all days; -1 = none.
  int64_t total;
  // Activated today.
  int64_t spent_today;
  // Activated ever.
  int64_t spent;
  // Held by leases that are out.
  int64_t held;
} aftercart_live_state;

// What became of the decisions of a decider since it logs. All zero where it does not.
typedef struct {
  // `sizeof(aftercart_logged)`.
  uint32_t struct_size;
  // 1 = it logs.
  uint32_t logs;
  // Decisions made: logged and dropped.
  uint64_t made;
  // Logged: in the ring, or in files.
  uint64_t logged;
  // Lost, since the ring was full: drain it more often, or make it larger.
  uint64_t dropped;
  // Of those logged, the ones that were put into files.
  uint64_t drained;
} aftercart_logged;

// What came of a decision: one thing that happened. Amounts are minor units of the currency of the decision.
typedef struct {
  // `sizeof(aftercart_event)`.
  uint32_t struct_size;
  // What happened: `AFTERCART_EVENT_...`.
  uint32_t kind;
  // `AFTERCART_AMOUNT_...`, or-ed.
  uint32_t flags;
  // Zero.
  uint32_t reserved;
  // Of which decision: low half.
  uint64_t decision_id_low;
  // High half.
  uint64_t decision_id_high;
  // When, Unix milliseconds.
  int64_t at_ms;
  // With `AFTERCART_AMOUNT_VALUE`: 0 or more. Converted, returned and ordered have one.
  int64_t value;
  // With `AFTERCART_AMOUNT_MARGIN`: may be negative.
  int64_t margin;
  // With `AFTERCART_AMOUNT_PAYOUT`: from the partner, 0 or more.
  int64_t payout;
  // Its own, 1 to 128 bytes: of several with the same id only one counts, so repeat what you are not sure of.
  aftercart_text event_id;
  // Id of the product or offer, at most 256 bytes; empty = the whole page.
  aftercart_text item_id;
  // Your own word, at most 256 bytes: why it failed, was declined or came back.
  aftercart_text code;
  // Of a survey: the question's id, at most 256 bytes.
  aftercart_text question;
  // And the answer's tag, likewise.
  aftercart_text answer;
} aftercart_event;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The ABI of the library that runs. Refuse to go on where it is not `AFTERCART_ABI_VERSION`.
uint32_t aftercart_abi_version(void);

// Version of the library that runs, for people. Static.
const char *aftercart_version(void);

// Name of a status without its prefix, for logs. `"?"` for a number that is none. Static.
const char *aftercart_status_name(int32_t status);

// What a reason says, in one English line. `"?"` for a number that is none. Static.
const char *aftercart_reason_text(uint32_t reason);

// Opens a catalog file, with the policy that was built into it.
//
// `path` has `path_length` bytes and needs no zero byte. `options` may be null. `*engine` is a new handle, or null where
// the function fails. `error` may be null.
int32_t aftercart_engine_open(const char *path,
                              size_t path_length,
                              const aftercart_options *options,
                              aftercart_engine **engine,
                              aftercart_error *error);

// Makes an engine that decides with a model, a file that the command `aftercart learn` made: by how likely it says that offers
// are accepted. The engine that was given stays as it is; both share the catalog.
//
// `path` has `path_length` bytes and needs no zero byte. With `shadow` = 1 the model decides nothing, and what it would have said
// is recorded; else 0. `*with_model` is a new handle, or null where the function fails. `error` may be null. The file is read into
// memory, and each product is looked up once.
int32_t aftercart_engine_with_model(const aftercart_engine *engine,
                                    const char *path,
                                    size_t path_length,
                                    uint32_t shadow,
                                    aftercart_engine **with_model,
                                    aftercart_error *error);

// Gives an engine back. Its deciders keep what they need of it, so the order does not matter. Null is allowed.
int32_t aftercart_engine_close(aftercart_engine *engine);

// Says what an engine is. Set `info->struct_size` before.
int32_t aftercart_engine_info(const aftercart_engine *engine, aftercart_info *info);

// Writes a text of a product, offer, question or answer, ended by a zero byte, into `buffer`, which has `capacity` bytes.
//
// `item_kind` and `item_row` come from an offer or question of a decider of this engine; `text` is `AFTERCART_TEXT_...`. `*length`,
// where not null, is the number of bytes without the zero byte, even where not all of them fitted (`AFTERCART_TRUNCATED`).
// A row that is not there has empty texts.
int32_t aftercart_item_text(const aftercart_engine *engine,
                            uint32_t item_kind,
                            uint32_t item_row,
                            uint32_t text,
                            char *buffer,
                            size_t capacity,
                            size_t *length);

// Makes a decider, which sets aside all memory that its decisions need.
//
// The decider keeps what it needs of the engine, which may be closed at any time. `*decider` is a new handle, or null
// where the function fails. `error` may be null.
int32_t aftercart_decider_new(const aftercart_engine *engine,
                              aftercart_decider **decider,
                              aftercart_error *error);

// Gives a decider back. `AFTERCART_BUSY`, and it lives on, where a call on it is still running. Null is allowed.
int32_t aftercart_decider_free(aftercart_decider *decider);

// Decides what belongs on the page. No heap allocation, no waiting, no system call; the same input gives the same offers on
// every machine.
//
// - `transaction`: the order. `profile`: the customer; may be null.
// - `lines`, `facts`: arrays of `..._count` elements of `..._size` bytes each: `sizeof(aftercart_line)`,
//   `sizeof(aftercart_fact)`.
// - `strings`: `strings_length` bytes, where the texts of all of these lie. They may share bytes.
// - `offers`: room for `capacity` elements of `offer_size` bytes, `sizeof(aftercart_offer)`, best first.
// - `count`: the number of offers that there are; `AFTERCART_TRUNCATED` where `capacity` is less. 0 where the function fails.
// - `summary`: may be null. Set `summary->struct_size` before.
//
// Returns `AFTERCART_OK`, `AFTERCART_NO_OFFERS` or `AFTERCART_TRUNCATED`; negative where the request cannot be answered:
// then there is nothing to show, and nothing else was written.
int32_t aftercart_decide(aftercart_decider *decider,
                         const aftercart_transaction *transaction,
                         const aftercart_profile *profile,
                         const aftercart_line *lines,
                         size_t line_size,
                         size_t line_count,
                         const aftercart_fact *facts,
                         size_t fact_size,
                         size_t fact_count,
                         const char *strings,
                         size_t strings_length,
                         aftercart_offer *offers,
                         size_t offer_size,
                         size_t capacity,
                         size_t *count,
                         aftercart_summary *summary);

// Says why a product or offer is, or is not, on the page of a request: decides, and then asks every rule about it. For people:
// it allocates, and takes some times as long as a decision.
//
// The request is that of `aftercart_decide`. `kind` and `id`, which has `id_length` bytes, say of what: a product, or another
// offer. Set `explanation->struct_size` before. Names are written into `buffer`, which has `capacity` bytes, as lines of UTF-8
// whose fields are separated by tabs, ended by a zero byte: `rule NAME` for each rule of the policy that refuses it, and for
// products `feature NAME VALUE WEIGHT` for each feature of the score, where the weight is in thousandths of a nat.
// `*length`, where not null, is the number of bytes without the zero byte, even where not all of them fitted
// (`AFTERCART_TRUNCATED`).
int32_t aftercart_explain(aftercart_decider *decider,
                          const aftercart_transaction *transaction,
                          const aftercart_profile *profile,
                          const aftercart_line *lines,
                          size_t line_size,
                          size_t line_count,
                          const aftercart_fact *facts,
                          size_t fact_size,
                          size_t fact_count,
                          const char *strings,
                          size_t strings_length,
                          uint32_t kind,
                          const char *id,
                          size_t id_length,
                          aftercart_explanation *explanation,
                          char *buffer,
                          size_t capacity,
                          size_t *length);

// Finds the question whose answer is expected to make the page worth most. `AFTERCART_NO_QUESTION` where no answer would change it,
// or where one was asked or answered in this order.
//
// The request is that of `aftercart_decide`. Set `question->struct_size` before. It makes at most 33 decisions, so it takes as long; no
// heap allocation, no waiting, no system call; the same input gives the same question on every machine. Once it is answered,
// decide again with the answer as a fact (`AFTERCART_FACT_ANSWER`: the question's id, the answer's tag) and the rest unchanged:
// both decisions have the same group id, and chance falls alike in both. Whether answered or not, pass it as
// `AFTERCART_FACT_ASKED` from then on.
int32_t aftercart_next_question(aftercart_decider *decider,
                                const aftercart_transaction *transaction,
                                const aftercart_profile *profile,
                                const aftercart_line *lines,
                                size_t line_size,
                                size_t line_count,
                                const aftercart_fact *facts,
                                size_t fact_size,
                                size_t fact_count,
                                const char *strings,
                                size_t strings_length,
                                aftercart_question *question);

// Takes a secret, of at least 32 random bytes (`AFTERCART_BAD_VALUE`: fewer). `*key` is a new handle, or null where the function
// fails. `error` may be null.
int32_t aftercart_key_new(const uint8_t *secret,
                          size_t secret_length,
                          aftercart_key **key,
                          aftercart_error *error);

// Gives a key back, when no other thread is using it. Null is allowed.
int32_t aftercart_key_free(aftercart_key *key);

// Signs what was offered. The page carries the token to your server, which verifies it and charges: charging is yours. Sign offers
// that have a price and that you charge: `AFTERCART_ACCEPT_ONE_CLICK_STORED_CREDENTIAL`, `_CONFIRM_CONSENT` and `_REENTER_PAYMENT`.
//
// The token, characters of `A-Z a-z 0-9 - _` and a zero byte, goes into `buffer`, which has `capacity` bytes:
// `AFTERCART_TOKEN_BYTES` always suffice; with fewer than it needs you get `AFTERCART_BAD_SIZE`. `*length`, where not null, is the
// number of its characters. `AFTERCART_BAD_VALUE`: an id, price, quantity or expiry that cannot be signed. No allocation.
int32_t aftercart_token_sign(const aftercart_key *key,
                             const aftercart_claim *claim,
                             char *buffer,
                             size_t capacity,
                             size_t *length);

// Verifies a token of `token_length` characters for an order, and says what was offered. Then charge `price * quantity`, once: enter
// the idempotency key into a table where it is unique, in the transaction that charges. The library remembers nothing.
//
// `currency` has the three letters of the order's currency. `now_ms` is the time; clocks may differ by `skew_ms`. Set
// `claim->struct_size` before. `AFTERCART_BAD_TOKEN`, `AFTERCART_BAD_SIGNATURE` (try the key that you had before),
// `AFTERCART_TOKEN_EXPIRED`, `AFTERCART_WRONG_CURRENCY`: do not charge. The signature is compared in constant time. No allocation.
int32_t aftercart_token_verify(const aftercart_key *key,
                               const char *token,
                               size_t token_length,
                               const char *currency,
                               int64_t now_ms,
                               int64_t skew_ms,
                               aftercart_claim *claim);

// Puts the ways to pay that you permit in order, best first: by the customer's own use, fading over months, drawn to what your customers
// of the country, on such a device and with such an amount use. None is added or taken away; ties stay as you have them, and
// so does everything for a customer in the policy's holdout.
//
// The request is that of `aftercart_decide`, of a basket before payment, with the customer's uses as facts (`AFTERCART_FACT_USED`,
// `AFTERCART_FACT_FAILED`). `device`: `AFTERCART_DEVICE_...`. `options` and `counts` are arrays as the others; of `counts` the first
// 1024 are read. `ranking`: room for `capacity` elements of `ranked_size` bytes, `sizeof(aftercart_ranked)`; `count`: as many as there
// are options, `AFTERCART_TRUNCATED` where `capacity` is less. `AFTERCART_TOO_MANY_OPTIONS`. No allocation.
int32_t aftercart_rank_payment_methods(aftercart_decider *decider,
                                       const aftercart_transaction *transaction,
                                       const aftercart_profile *profile,
                                       const aftercart_line *lines,
                                       size_t line_size,
                                       size_t line_count,
                                       const aftercart_fact *facts,
                                       size_t fact_size,
                                       size_t fact_count,
                                       const char *strings,
                                       size_t strings_length,
                                       uint32_t device,
                                       const aftercart_option *options,
                                       size_t option_size,
                                       size_t option_count,
                                       const aftercart_method_count *counts,
                                       size_t count_size,
                                       size_t count_count,
                                       aftercart_ranked *ranking,
                                       size_t ranked_size,
                                       size_t capacity,
                                       size_t *count);

// Puts the ways to ship that you permit in order, best first: by the customer's own use. A dearer one never stands above one that is
// cheaper and promised as early or earlier. Otherwise as `aftercart_rank_payment_methods`.
int32_t aftercart_rank_shipping_options(aftercart_decider *decider,
                                        const aftercart_transaction *transaction,
                                        const aftercart_profile *profile,
                                        const aftercart_line *lines,
                                        size_t line_size,
                                        size_t line_count,
                                        const aftercart_fact *facts,
                                        size_t fact_size,
                                        size_t fact_count,
                                        const char *strings,
                                        size_t strings_length,
                                        const aftercart_option *options,
                                        size_t option_size,
                                        size_t option_count,
                                        aftercart_ranked *ranking,
                                        size_t ranked_size,
                                        size_t capacity,
                                        size_t *count);

// Says which stored thing to fill in for each field, where more than half of its uses, fading over months, are one slot's. An address of
// another country than the order's is left out, and for a gift every address is.
//
// Of `transaction` only `created_at_ms`, `country` and `AFTERCART_TRANSACTION_IS_GIFT` are read. `stored`: an array of `stored_count`
// elements of `stored_size` bytes, of which the first 256 are read. `prefilled`: room for `capacity` elements of
// `prefilled_size` bytes; `count`: as many as there are, `AFTERCART_TRUNCATED` where `capacity` is less; `AFTERCART_OPTIONS_MAX` always
// suffice. Needs no handle; no allocation.
int32_t aftercart_prefill(const aftercart_transaction *transaction,
                          const aftercart_stored *stored,
                          size_t stored_size,
                          size_t stored_count,
                          aftercart_prefilled *prefilled,
                          size_t prefilled_size,
                          size_t capacity,
                          size_t *count);

// Reads what follows a purchase from a file of TOML, and makes it ready for the catalog of an engine: once, when the process
// starts, and again for every new catalog.
//
// `path` has `path_length` bytes and needs no zero byte. `*programmes` is a new handle, or null where the function fails. `error`
// may be null. `AFTERCART_BAD_PROGRAMMES`: the message says where and why.
int32_t aftercart_programmes_open(const aftercart_engine *engine,
                                  const char *path,
                                  size_t path_length,
                                  aftercart_programmes **programmes,
                                  aftercart_error *error);

// Gives programmes back, when no other thread is using them. Null is allowed.
int32_t aftercart_programmes_free(aftercart_programmes *programmes);

// Plans what to send in the days after an order. A plan, not a sender. Guidance and what is owed is never kept back; advertising
// needs consent to marketing, keeps its distance to all other messages, and a gift has neither guidance nor refills. Later events
// cancel messages at your side: a return all about its line, a purchase of the product its refill, an opt-out all advertising.
//
// The request is that of `aftercart_decide`, of a paid order with its time, and with the customer's earlier purchases; other messages
// that the customer gets are facts (`AFTERCART_FACT_CONTACTED`). `delivery_at_ms`: the promised delivery; 0 = as the programmes
// say. `follow_ups`: room for `capacity` elements of `follow_up_size` bytes, `sizeof(aftercart_follow_up)`: what is planned,
// earliest first, then what is withheld. `count`: the number that there are; `AFTERCART_TRUNCATED` where `capacity` is less; 0 where
// the function fails. `AFTERCART_BAD_PROGRAMMES`: they were made ready for another catalog. No allocation, no waiting, no system call;
// the same input gives the same plan on every machine.
int32_t aftercart_plan_follow_ups(aftercart_decider *decider,
                                  const aftercart_transaction *transaction,
                                  const aftercart_profile *profile,
                                  const aftercart_line *lines,
                                  size_t line_size,
                                  size_t line_count,
                                  const aftercart_fact *facts,
                                  size_t fact_size,
                                  size_t fact_count,
                                  const char *strings,
                                  size_t strings_length,
                                  const aftercart_programmes *programmes,
                                  int64_t delivery_at_ms,
                                  aftercart_follow_up *follow_ups,
                                  size_t follow_up_size,
                                  size_t capacity,
                                  size_t *count);

// Makes an engine that decides with a live overlay, a file that `aftercart_live_bind` or the command `aftercart live bind`
// made for the same catalog. The engine that was given stays as it is; both share the catalog.
//
// `path` has `path_length` bytes and needs no zero byte. `*with_live` is a new handle, or null where the function fails.
// `error` may be null. The overlay is mapped, writable, and shared with all processes of the machine; it must never be
// truncated or replaced (see SIGBUS).
int32_t aftercart_engine_with_live(const aftercart_engine *engine,
                                   const char *path,
                                   size_t path_length,
                                   aftercart_engine **with_live,
                                   aftercart_error *error);

// Lets a decider go on with another engine: another catalog, or another overlay. Allocates nothing; gives up what only the
// decider still had of the old engine, so call it between two pages.
int32_t aftercart_decider_use(aftercart_decider *decider,
                              const aftercart_engine *engine);

// What the last decision of a decider read of the live overlay: with the request, enough to make it again.
//
// `facts`: room for `capacity` elements of `fact_size` bytes, `sizeof(aftercart_live_fact)`. `count`: the number of facts that
// there are; `AFTERCART_TRUNCATED` where `capacity` is less.
int32_t aftercart_live_facts(aftercart_decider *decider,
                             aftercart_live_fact *facts,
                             size_t fact_size,
                             size_t capacity,
                             size_t *count);

// Takes a lease on the budgets of an offer and its partner, before it is shown: one accepted offer of each, or `value` where
// the limit counts money.
//
// `item_kind`, `item_row` and `value` come from an offer of a decider of this engine. `now_ms` is the time; the lease expires
// `for_ms` later (at most a day) and comes back by itself, also where this process died. Set `lease->struct_size` before.
// Without a limit, or an overlay, the lease holds nothing. `AFTERCART_BUDGET_EMPTY`, `AFTERCART_PAUSED`: do not show the offer.
int32_t aftercart_lease_reserve(const aftercart_engine *engine,
                                uint32_t item_kind,
                                uint32_t item_row,
                                int64_t value,
                                int64_t now_ms,
                                int64_t for_ms,
                                aftercart_lease *lease);

// Counts what a lease holds as spent. Call it where your contract counts: when the offer was shown, or accepted.
//
// `AFTERCART_LEASE_GONE`: it expired, or was used before, and nothing is counted; do not honour the offer on it, or reserve
// anew.
int32_t aftercart_lease_activate(const aftercart_engine *engine,
                                 const aftercart_lease *lease,
                                 int64_t now_ms);

// Gives back what a lease holds: the customer declined, or left.
int32_t aftercart_lease_release(const aftercart_engine *engine, const aftercart_lease *lease, int64_t now_ms);

// Makes a live overlay for the catalog of an engine, or makes one that is there fit this catalog too: what it knows carries
// over by id. Do so before the first `aftercart_engine_with_live` of a new catalog. Takes some 0.2 s for a million products.
//
// `path` has `path_length` bytes and needs no zero byte. `error` may be null. A new overlay has room for a quarter more
// products than there are, and 64 limits with 1024 leases each; the command `aftercart live bind` makes others.
int32_t aftercart_live_bind(const aftercart_engine *engine,
                            const char *path,
                            size_t path_length,
                            aftercart_error *error);

// Changes the live overlay of an engine: every process of the machine that uses it sees a change with its next decision.
//
// `changes`: an array of `change_count` elements of `change_size` bytes, `sizeof(aftercart_change)`; `strings`: where their
// texts lie. `now_ms` is the time. `*done`, where not null, is the number of changes that were made: each is made as a whole
// or not at all, in order, and the first that cannot be made ends the call. `error` may be null.
//
// Waits for other processes that change the overlay. The first call of an engine reads the ids of the catalog: some 0.1 s for
// a million products. Not for the thread that decides.
int32_t aftercart_live_edit(const aftercart_engine *engine,
                            const aftercart_change *changes,
                            size_t change_size,
                            size_t change_count,
                            const char *strings,
                            size_t strings_length,
                            int64_t now_ms,
                            size_t *done,
                            aftercart_error *error);

// Says what the live overlay of an engine knows of one product, offer or partner. Gives expired leases back first.
//
// `kind` is `AFTERCART_ITEM_...`; `id` has `id_length` bytes. `now_ms` is the time. Set `state->struct_size` before. `error`
// may be null. Not for the thread that decides: it waits for processes that change the overlay.
int32_t aftercart_live_look(const aftercart_engine *engine,
                            uint32_t kind,
                            const char *id,
                            size_t id_length,
                            int64_t now_ms,
                            aftercart_live_state *state,
                            aftercart_error *error);

// Lets a decider keep every decision from now on: in a ring, a file of its own in the folder of a log, which is made where it is not
// there. Another process puts what is there into Parquet files, while this one lives and after it was killed:
// `aftercart log --log FOLDER --catalog FILE --every 5`, run by a user who may write there.
//
// `folder` has `folder_length` bytes and needs no zero byte; with none, the decider stops. A decider that logs there already goes on.
// `capacity`: decisions that the ring holds until they are drained, of 824 bytes each on disk; 0 = 4096, at most 1048576. `flags`:
// `AFTERCART_LOG_TIMED` or 0. `error` may be null. Writing a record is not waited for, allocates nothing and is no system call;
// where the ring is full the decision is counted as dropped. What is kept says nothing of who the customer is.
//
// After fork() the ring is the parent's: the child, of which the library hears by pthread_atfork(), does not log until it calls
// this itself.
int32_t aftercart_log_to(aftercart_decider *decider,
                         const char *folder,
                         size_t folder_length,
                         size_t capacity,
                         uint32_t flags,
                         aftercart_error *error);

// Says what became of the decisions of a decider. Set `logged->struct_size` before. No allocation.
int32_t aftercart_log_counts(aftercart_decider *decider, aftercart_logged *logged);

// Appends an event to a log, for the command `aftercart log` to take in: the folder that `aftercart_log_to` writes to, here or on
// another machine. Any process and thread may at any time; one write of the system, some 10 microseconds.
//
// `folder` has `folder_length` bytes and needs no zero byte; it is made where it is not there. `strings`: where the texts of the
// event lie. `error` may be null. `AFTERCART_BAD_VALUE`: it cannot be what happened. `AFTERCART_SYSTEM_ERROR`: it is not in the log;
// try again.
int32_t aftercart_event_append(const char *folder,
                               size_t folder_length,
                               const aftercart_event *event,
                               const char *strings,
                               size_t strings_length,
                               aftercart_error *error);

// Writes an event as one object of JSON, the form that `aftercart events import` reads, where you carry events to the log yourself.
//
// It goes into `buffer`, which has `capacity` bytes, ended by a zero byte: `AFTERCART_JSON_BYTES` always suffice; with fewer than it
// needs you get `AFTERCART_BAD_SIZE`. `*length`, where not null, is the number of bytes without the zero byte. Otherwise as
// `aftercart_event_append`. No allocation, unless it fails.
int32_t aftercart_event_json(const aftercart_event *event,
                             const char *strings,
                             size_t strings_length,
                             char *buffer,
                             size_t capacity,
                             size_t *length,
                             aftercart_error *error);

// Gives the engine and the decider that this process keeps for a catalog file: for hosts that cannot keep a handle from one
// request to the next (PHP). The first call of a thread opens the file; later calls ask the system whether another file
// lies at `path`, and give the same handles while there is none. Else they open it, and give the former handles back:
// do not use them any more.
//
// With a `live_length`, the engine decides with the live overlay at `live`: see `aftercart_engine_with_live`. Bind it to a new
// catalog before you publish that, or you get `AFTERCART_BAD_LIVE`.
//
// Both handles belong to the library: neither close nor free them. They are for the calling thread. `options` count where
// a file is opened, and may be null; threads share what is opened. At most `AFTERCART_RESIDENTS_MAX` are kept, then you
// get `AFTERCART_OUT_OF_MEMORY`. `error` may be null.
int32_t aftercart_resident(const char *path,
                           size_t path_length,
                           const char *live,
                           size_t live_length,
                           const aftercart_options *options,
                           aftercart_engine **engine,
                           aftercart_decider **decider,
                           aftercart_error *error);

// Likewise, deciding with the model at `model`, where it has a `model_length`: see `aftercart_engine_with_model` for it and for
// `shadow`. A model that was replaced is opened anew, as a catalog is.
int32_t aftercart_resident_model(const char *path,
                                 size_t path_length,
                                 const char *live,
                                 size_t live_length,
                                 const char *model,
                                 size_t model_length,
                                 uint32_t shadow,
                                 const aftercart_options *options,
                                 aftercart_engine **engine,
                                 aftercart_decider **decider,
                                 aftercart_error *error);

// Gives the programmes that this process keeps for an engine of `aftercart_resident` or `aftercart_resident_model`, as it keeps the
// engine. The first call reads the file at `path`, as `aftercart_programmes_open` does; later calls ask the system whether another
// file lies there, and give the same handle while there is none. Else they read it, and give the former handle back: do not
// use it any more. A file that cannot be read leaves the former handle as it is.
//
// The handle belongs to the library: do not free it. It is for the calling thread, and ends with its engine: ask again after you
// asked for that. At most `AFTERCART_RESIDENTS_MAX` are kept for an engine, then you get `AFTERCART_OUT_OF_MEMORY`.
// `AFTERCART_BAD_HANDLE`: the engine is not one that is kept for this thread. `error` may be null.
int32_t aftercart_resident_programmes(const aftercart_engine *engine,
                                      const char *path,
                                      size_t path_length,
                                      aftercart_programmes **programmes,
                                      aftercart_error *error);

// Shows on your machine that the library is what it says. For tests, not for checkouts.
//
// `AFTERCART_SELFTEST_PANIC` runs into a defect while it holds `decider`, which may be null. It returns
// `AFTERCART_INTERNAL`, writes nothing to standard error, and leaves the decider poisoned: every further call on it
// returns `AFTERCART_POISONED` until it is freed. Engine and other deciders are as before.
int32_t aftercart_selftest(aftercart_decider *decider,
                           uint32_t what);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* AFTERCART_H */
