'use strict';

// The lists of the header. A test compares them with it: names are those of the header in small letters.

exports.Mode = { map: 0, copy: 1 };
exports.Verify = { full: 0, structure: 1 };
exports.Prefault = { background: 0, whole: 1, none: 2 };
exports.Stage = { confirmation: 0, cart: 1, checkout: 2, payment: 3, order_status: 4, email: 5, app: 6 };
exports.Payment = {
  unknown: 0, card: 1, wallet: 2, bnpl: 3, direct_debit: 4, bank_transfer: 5, invoice: 6, gift_card: 7, cash: 8,
};
exports.Role = { unknown: 0, durable: 1, consumable: 2, service: 3, digital: 4, gift_card: 5 };
exports.Sensitive = { none: 0, alcohol: 1, tobacco: 2, health: 3, adult: 4, weapons: 5, gambling: 6, credit: 7,
  insurance: 8 };
exports.Customer = { any: 0, new: 1, returning: 2 };
exports.AgeBand = { unknown: 0, minor: 1, adult: 2 };
exports.Kind = { product: 0, add_on: 1, warranty: 2, service: 3, subscription: 4, payment_incentive: 5, loyalty: 6,
  app_prompt: 7, content: 8, next_purchase: 9 };
exports.Relation = { bought_together: 1, goes_with_type: 2, refill: 3, triggered: 4, house: 5, alike: 6 };
exports.Accept = { none: 0, one_click_stored_credential: 1, confirm_consent: 2, redirect: 3, reenter_payment: 4,
  lead_opt_in: 5 };
exports.Acceptance = { nothing_to_accept: 0, app_shop: 1, enrolment: 2, third_party_sells: 3, regulated: 4, before_payment: 5,
  not_rechargeable: 6, recurs: 7, sold_once: 8 };
exports.Device = { unknown: 0, phone: 1, tablet: 2, desktop: 3 };
exports.Because = { host_order: 0, last_used: 1, often_used: 2, ready_on_device: 3, usual_here: 4, cheaper_first: 5, holdout: 6 };
exports.Purpose = { preferences: 0, analytics: 1, marketing: 2, sale_of_data: 3 };
exports.Exposure = { shown: 8, engaged: 9, accepted: 10 };
exports.EventKind = { activated: 1, engaged: 2, accepted: 3, accept_failed: 4, converted: 5, returned: 6, dismissed: 7, survey_answered: 8,
  ordered: 9 };
exports.MessageKind = { delivery: 0, guidance: 1, suggestion: 2, refill: 3 };
exports.Channel = { email: 0, sms: 1, push: 2 };
exports.Withheld = { time_unknown: 1, too_late: 2, contact_policy: 3, consent: 4, gift: 5 };
exports.Item = { any: 0, product: 1, offer: 2, partner: 3, question: 4, answer: 5 };
exports.Field = { stock: 1, price: 2, bid: 4, daily: 8, total: 16, pacing: 32 };
exports.Status = { NULL_POINTER: -101, MISALIGNED: -102, BAD_SIZE: -103, UNSUPPORTED_FIELD: -104, BAD_VALUE: -105,
  BAD_STRING: -106, BAD_UTF8: -107, TOO_MANY_LINES: -108, TOO_MANY_FACTS: -109, TOO_MANY_SLOTS: -110, UNKNOWN_ID: -111, TOO_MANY_OPTIONS: -112,
  BAD_HANDLE: -201, BUSY: -202, POISONED: -203, BAD_CATALOG: -301, BAD_POLICY: -302, CATALOG_VERSION: -401, OUT_OF_MEMORY: -501,
  SYSTEM_ERROR: -502, INTERNAL: -601,
  BAD_LIVE: -303, LIVE_FULL: -304, BAD_MODEL: -305, BAD_PROGRAMMES: -306, BUDGET_EMPTY: -701, LEASES_OUT: -702, PAUSED: -703, LEASE_GONE: -704, LEASE_FOREIGN: -705,
  BAD_TOKEN: -801, BAD_SIGNATURE: -802, TOKEN_EXPIRED: -803, WRONG_CURRENCY: -804,
};
