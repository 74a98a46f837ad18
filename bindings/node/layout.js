'use strict';

// Sizes and places of structs. The tests compare them with the header, and the addon the size of the block.
const SIZES = { options: 24, error: 512, info: 64, transaction: 72, profile: 80, line: 48, fact: 32, offer: 152, summary: 96,
  change: 88, live_state: 104, explanation: 176, lease: 48, question: 32, claim: 136,
  option: 32, method_count: 32, ranked: 16, stored: 24, prefilled: 24, follow_up: 264,
  logged: 40, event: 104 };
const AT = {
  error: { status: 4, os_error: 8, rule: 12, part: 24, message: 56 },
  transaction: {
    flags: 4, created_at_ms: 8, value: 16, order_id: 24, currency: 32, country: 36, stage: 40, slots: 44, min_relevance: 48,
    payment: 52, rechargeable: 56, placement: 64,
  },
  profile: { flags: 4, customer: 8, age_band: 12, loyalty_member: 16, has_app: 20, unit_key: 24, session_key: 40, loyalty_tier: 56, orders: 64,
    purposes_asked: 72, purposes_granted: 76 },
  line: { item_id: 0, category: 8, brand: 16, unit_price: 24, quantity: 32, role: 36, sensitive: 40, flags: 44 },
  fact: { kind: 0, at_ms: 8, id: 16, tag: 24 },
  offer: {
    item_kind: 0, item_row: 4, kind: 8, position: 12, third_party: 16, relation: 20, line: 24, relevance: 28,
    p_accept_ppm: 32, p_select_ppm: 36, value: 40, ev_micros: 48, price: 56, id_length: 64, accept: 68, id: 72,
    accept_reason: 144, may_need_confirmation: 148,
  },
  summary: {
    reason: 4, decision_id_low: 8, decision_id_high: 16, index_generation: 24, policy_generation: 32, retrieved: 40,
    eligible: 44, rejected: 48, centroids: 52, cells: 56, compared: 60, overlay_generation: 64,
    group_id_low: 72, group_id_high: 80, model_generation: 88,
  },
  change: {
    kind: 0, set: 4, clear: 8, stock: 12, paused: 16, killed: 20, money: 24, utc_offset_minutes: 28, id: 32, pacing: 40, price: 48,
    priced_at_ms: 56, bid: 64, daily: 72, total: 80,
  },
  live_state: {
    kind: 4, paused: 8, killed: 12, stock: 16, utc_offset_minutes: 20, money: 24, paced: 28, throttle_ppm: 32, leases: 36,
    price: 40, priced_at_ms: 48, bid: 56, daily: 64, total: 72, spent_today: 80, spent: 88, held: 96,
  },
  explanation: {
    item_kind: 4, item_row: 8, position: 12, relation: 16, line: 20, relevance: 24, p_accept_ppm: 28, ev_micros: 32,
    reason_count: 40, reasons: 48,
  },
  lease: { expires_at_ms: 8, words: 16 },
  question: { row: 4, gain_micros: 8, answer_row: 16, answer_count: 20, decisions: 24 },
  claim: {
    quantity: 4, decision_id_low: 8, decision_id_high: 16, price: 24, expires_at_ms: 32, currency: 40, id_length: 44, id: 48,
    idempotency_key_low: 120, idempotency_key_high: 128,
  },
  option: { id: 0, price: 8, arrives_by_ms: 16, flags: 24 },
  method_count: { id: 0, country: 8, device: 12, amount_from: 16, orders: 24 },
  ranked: { option: 0, because: 4 },
  stored: { field: 0, slot: 4, country: 8, uses: 12, last_used_ms: 16 },
  prefilled: { field: 0, slot: 4, because: 8, confidence_ppm: 16 },
  follow_up: {
    kind: 0, channel: 4, withheld: 8, line: 12, at_ms: 16, expires_at_ms: 24, item_kind: 32, item_row: 36, due_days: 40, own_intervals: 44,
    programme: 48, template_id: 120, content_id: 192,
  },
  logged: { logs: 4, made: 8, logged: 16, dropped: 24, drained: 32 },
  event: {
    kind: 4, flags: 8, decision_id_low: 16, decision_id_high: 24, at_ms: 32, value: 40, margin: 48, payout: 56, event_id: 64, item_id: 72,
    code: 80, question: 88, answer: 96,
  },
  info: { products: 4, offers: 8, currency: 12, index_generation: 16, policy_generation: 24, created_at_ms: 32, file_bytes: 40, kernel: 48 },
};
const NUMBERS = {
  LINES_MAX: 512, FACTS_MAX: 4096, SLOTS_MAX: 16, TRANSACTION_HAS_VALUE: 1, TRANSACTION_HAS_MIN_RELEVANCE: 2,
  TRANSACTION_IS_GIFT: 4, TRANSACTION_IS_TEST: 8, TRANSACTION_FIRST_PURCHASES: 16, LINE_HAS_UNIT_PRICE: 1,
  PROFILE_OPT_OUT_THIRD_PARTY: 1, FACT_PURCHASE: 1, FACT_DECLINE: 2, FACT_ANSWER: 3, FACT_OPT_OUT_CATEGORY: 4,
  FACT_CART_REMOVED: 5, FACT_ORDER_TAG: 6, FACT_SEGMENT: 7, PROFILE_HAS_ORDERS: 2, PROFILE_GPC: 4,
  FACT_SHOWN: 8, FACT_ENGAGED: 9, FACT_ACCEPTED: 10, FACT_ASKED: 11, FACT_USED: 12, FACT_FAILED: 13, FACT_CONTACTED: 14, AMOUNT_VALUE: 1, AMOUNT_MARGIN: 2,
  AMOUNT_PAYOUT: 4, JSON_BYTES: 8193, LOG_TIMED: 1, FOLLOW_UPS_MAX: 32, TOKEN_BYTES: 192, OPTIONS_MAX: 32, OPTION_READY: 1, REASONS_MAX: 32, CHANGE_STOCK: 1, CHANGE_PRICE: 2, CHANGE_BID: 4,
  CHANGE_DAILY: 8, CHANGE_TOTAL: 16, CHANGE_PACING: 32, CHANGE_UTC_OFFSET: 64,
};

// Where the parts of a decider's block start; addon.c has the same as a struct.
const PROFILE = SIZES.transaction;
const SUMMARY = PROFILE + SIZES.profile;
const COUNT = SUMMARY + SIZES.summary;
const OFFERS = COUNT + 8;
const LINES = OFFERS + SIZES.offer * NUMBERS.SLOTS_MAX;
const FACTS = LINES + SIZES.line * NUMBERS.LINES_MAX;
const BLOCK_BYTES = FACTS + SIZES.fact * NUMBERS.FACTS_MAX;

module.exports = { SIZES, AT, NUMBERS, PROFILE, SUMMARY, COUNT, OFFERS, LINES, FACTS, BLOCK_BYTES };
