/** The lists of the header, in small letters. */
export type Mode = 'map' | 'copy';
export type Verify = 'full' | 'structure';
export type Prefault = 'background' | 'whole' | 'none';
export type Stage = 'confirmation' | 'cart' | 'checkout' | 'payment' | 'order_status' | 'email' | 'app';
export type Payment = 'unknown' | 'card' | 'wallet' | 'bnpl' | 'direct_debit' | 'bank_transfer' | 'invoice' | 'gift_card' |
  'cash';
export type Role = 'unknown' | 'durable' | 'consumable' | 'service' | 'digital' | 'gift_card';
export type Sensitive = 'none' | 'alcohol' | 'tobacco' | 'health' | 'adult' | 'weapons' | 'gambling' | 'credit' |
  'insurance';
export type Customer = 'any' | 'new' | 'returning';
export type AgeBand = 'unknown' | 'minor' | 'adult';
export type Kind = 'product' | 'add_on' | 'warranty' | 'service' | 'subscription' | 'payment_incentive' | 'loyalty' |
  'app_prompt' | 'content' | 'next_purchase';
export type Relation = 'bought_together' | 'goes_with_type' | 'refill' | 'triggered' | 'house' | 'alike';
export type Status = 'NULL_POINTER' | 'MISALIGNED' | 'BAD_SIZE' | 'UNSUPPORTED_FIELD' | 'BAD_VALUE' | 'BAD_STRING' |
  'BAD_UTF8' | 'TOO_MANY_LINES' | 'TOO_MANY_FACTS' | 'TOO_MANY_SLOTS' | 'TOO_MANY_OPTIONS' | 'BAD_HANDLE' | 'BUSY' | 'POISONED' |
  'BAD_CATALOG' | 'BAD_POLICY' | 'CATALOG_VERSION' | 'OUT_OF_MEMORY' | 'SYSTEM_ERROR' | 'INTERNAL'
  | 'BAD_MODEL' | 'BAD_PROGRAMMES' | 'BAD_TOKEN' | 'BAD_SIGNATURE' | 'TOKEN_EXPIRED' | 'WRONG_CURRENCY' | 'BAD_LIVE' | 'BUDGET_EMPTY' | 'LEASES_OUT' | 'PAUSED' | 'LEASE_GONE' | 'LEASE_FOREIGN';

/** How to open a catalog. */
export interface Options {
  /** Default: 'map'. */
  mode?: Mode;
  /** Default: 'full'. */
  verify?: Verify;
  /** Default: 'background'. */
  prefault?: Prefault;
  /** Products that a search may look at; 0 = as the catalog says. */
  visitBudget?: number;
}

/** One bought line. Category and brand stand in where the catalog does not know the id. Amounts are minor units. */
export interface Line {
  itemId: string;
  category?: string;
  brand?: string;
  /** Default: 1. */
  quantity?: number;
  unitPrice?: number;
  role?: Role;
  sensitive?: Sensitive;
}

/** A paid order, or a basket before payment. What is not known is left out. */
export interface Transaction {
  /** At most 512. */
  lines?: readonly Line[];
  /** Only hashed into the decision id. */
  orderId?: string;
  /** Unix milliseconds. Where not known, offers that depend on time are not shown. */
  createdAtMs?: number;
  /** Total; where not known, the sum of the lines if all prices are known. */
  value?: number;
  /** ISO 4217; default: the catalog's. */
  currency?: string;
  /** ISO 3166-1. Where not known, offers bound to a region are not shown. */
  country?: string;
  /** Default: 'confirmation'. */
  stage?: Stage;
  /** To fill, at most 16; default: as the policy says. */
  slots?: number;
  /** In thousandths; default: as the policy says. */
  minRelevance?: number;
  isGift?: boolean;
  isTest?: boolean;
  /** Nothing that the customer bought before. */
  firstPurchases?: boolean;
  payment?: Payment;
  /** Whether that payment can be charged again without asking for it once more. */
  rechargeable?: boolean;
  /** Its id in the policy; default: whichever the policy has for the stage. */
  placement?: string;
  /** Your own words for this order, which a policy may ask for. */
  tags?: readonly string[];
}

/** Something that happened to a product or offer. */
export interface Event {
  id: string;
  atMs?: number;
}

/** The customer, as far as you know and may say. There is no field for a name or an address. */
export interface Profile {
  customer?: Customer;
  ageBand?: AgeBand;
  loyaltyMember?: boolean;
  hasApp?: boolean;
  optOutThirdParty?: boolean;
  /** At most 16 bytes of a hash of your choice; only for assigning to experiments. */
  unitKey?: Uint8Array;
  /** At most 16 bytes of a hash that ends with the session. */
  sessionKey?: Uint8Array;
  /** Oldest first. */
  purchases?: readonly Event[];
  /** Products and offers, oldest first. */
  declines?: readonly Event[];
  /** The tag 'gift' suppresses refills. */
  answers?: readonly { question: string; tag: string }[];
  /** Category paths, each with its subtree. */
  optOutCategories?: readonly string[];
  /** Products that were looked at in this session and put back. */
  cartRemoved?: readonly string[];
  /** Your name of it. */
  loyaltyTier?: string;
  /** Before this one. */
  orders?: number;
  /** Your own words for this customer, which a policy may ask for. */
  segments?: readonly string[];
  /** What the customer said to a consent banner; not given = nobody asked. A policy says what that is worth. */
  consent?: { [purpose in Purpose]?: boolean };
  /** The browser sends Global Privacy Control, which refuses the sale of data. */
  gpc?: boolean;
  /** Offers that were on earlier pages, oldest first: for frequency caps. Without a time it counts as recent. */
  exposures?: readonly { id: string; event?: Exposure; atMs?: number }[];
  /** Questions that were asked, in this order and before, oldest first, whatever the answer. */
  asked?: readonly Event[];
}

export type Accept = 'none' | 'one_click_stored_credential' | 'confirm_consent' | 'redirect' | 'reenter_payment' | 'lead_opt_in';
/** Why an offer is accepted in its way and no shorter one. */
export type Acceptance = 'nothing_to_accept' | 'app_shop' | 'enrolment' | 'third_party_sells' | 'regulated' | 'before_payment' |
  'not_rechargeable' | 'recurs' | 'sold_once';
/** Where the customer sits. */
export type Device = 'unknown' | 'phone' | 'tablet' | 'desktop';
/** Why an option stands where it does. */
export type Because = 'host_order' | 'last_used' | 'often_used' | 'ready_on_device' | 'usual_here' | 'cheaper_first' | 'holdout';
export type Purpose = 'preferences' | 'analytics' | 'marketing' | 'sale_of_data';
export type Exposure = 'shown' | 'engaged' | 'accepted';
/** What an id names. `any`: whichever has the id; one that several have is refused. `partner`: only in the live overlay. */
export type Item = 'any' | 'product' | 'offer' | 'partner' | /** internal */ 'question' | 'answer';

/** One offer of the slate. */
export interface Offer {
  id: string;
  /** A number where only a newer version of this binding knows it. */
  kind: Kind | number;
  relation: Relation | number;
  position: number;
  /** Index of the bought line behind it; null where no single line is. */
  line: number | null;
  thirdParty: boolean;
  /** Thousandths. */
  relevance: number;
  /** Parts per million. */
  acceptPpm: number;
  selectPpm: number;
  /** What you earn when it is accepted, minor units. */
  value: number;
  /** Expected contribution, millionths of a minor unit. */
  evMicros: number;
  /** To the customer, as the live overlay has it, else the catalog; null = not known. */
  price: number | null;
  /** How it may be accepted; charging is yours. */
  accept: Accept | number;
  /** Why in that way and no shorter one. */
  acceptance: Acceptance | number;
  /** The customer's bank may want them to confirm the charge. */
  mayNeedConfirmation: boolean;
  itemKind: number;
  itemRow: number;
}

/** A decision: the slate, best first, and how it came about. */
export interface Offers {
  slate: Offer[];
  /** Without offers: the number of the commonest reason, and its text. */
  reason: number;
  reasonText: string;
  decisionId: string;
  indexGeneration: string;
  policyGeneration: string;
  /** Changes of the live overlay before the decision; 0 without one. */
  overlayGeneration: number;
  /** Equal for all decisions of one order, whatever the customer answered. */
  groupId: string;
  /** Content of the model; 0 without one. */
  modelGeneration: number;
  retrieved: number;
  eligible: number;
  rejected: number;
  centroids: number;
  cells: number;
  compared: number;
}

/** The question that is worth asking. */
export interface Question {
  id: string;
  text: string;
  /** The page shows the text; `{ question: id, tag }` in `Profile.answers` says that it was given. */
  answers: { tag: string; text: string }[];
  /** By how much the page is expected to be worth more, millionths of a minor unit. */
  gainMicros: number;
  /** That were made to find out. */
  decisions: number;
}

/** What the customer paid or shipped with before, by your name for it. */
export interface Use {
  id: string;
  atMs?: number;
  /** Declined, or given up. */
  failed?: boolean;
}

/** How often your customers use a way to pay, in one group of orders: of this country, on such devices, of at least this amount and
 *  below the next greater one that occurs. */
export interface MethodCount {
  id: string;
  country: string;
  device?: Device;
  amountFrom: number;
  orders: number;
}

/** Where an option goes: its index, and why. */
export interface Ranked {
  option: number;
  because: Because | number;
}

/** Something in your store that may be filled in, by numbers of yours: what it is (0 to 255) and its place (0 to 65535). Its value
 *  stays with you. */
export interface StoredField {
  field: number;
  slot: number;
  /** Of an address, ISO 3166-1. */
  country?: string;
  uses?: number;
  lastUsedMs?: number;
}

/** Says which stored thing to fill in for each field, where more than half of its uses, fading over months, are one slot's. An address of
 *  another country than the order's is left out, and for a gift every address is. */
export function prefill(order: Transaction, stored: readonly StoredField[]):
  { field: number; slot: number; confidencePpm: number; because: Because | number }[];

/** What happened after a decision. `activated`: the page was seen; without it nothing counts as shown. `ordered`: afterwards, by an offer
 *  or not. */
export type EventKind = 'activated' | 'engaged' | 'accepted' | 'accept_failed' | 'converted' | 'returned' | 'dismissed' |
  'survey_answered' | 'ordered';

/** What came of a decision: one thing that happened. Amounts are minor units of the currency of the decision. */
export interface LogEvent {
  kind: EventKind;
  /** Its own, 1 to 128 bytes: of several with the same id only one counts, so repeat what you are not sure of. */
  eventId: string;
  /** Of the offers. */
  decisionId: string;
  atMs: number;
  /** Of the product or offer; not given = the whole page. */
  itemId?: string;
  /** 0 or more; converted, returned and ordered have one. */
  value?: number;
  /** May be negative. */
  margin?: number;
  /** From the partner, 0 or more. */
  payout?: number;
  /** Your own word: why it failed, was declined or came back. */
  code?: string;
  /** Of a survey, and the answer's tag. */
  question?: string;
  answer?: string;
}

/** Appends an event to a log, for the command `aftercart log` to take in: the folder that `Engine.logTo` names. From any thread, at any
 *  time; some 10 microseconds. BAD_VALUE: it cannot be what happened; SYSTEM_ERROR: it is not in the log, try again. */
export function appendEvent(folder: string, event: LogEvent): void;
/** One object of JSON, the form that `aftercart events import` reads, where you carry events to the log yourself. */
export function eventJson(event: LogEvent): string;

/** What became of the decisions of a decider since it logs. */
export interface Logged {
  /** Whether it does. */
  logs: boolean;
  /** Logged and dropped. */
  made: number;
  /** In the ring, or in files. */
  logged: number;
  /** Lost, since the ring was full. */
  dropped: number;
  /** Of those logged, the ones that were put into files. */
  drained: number;
}

/** What a message is for. The first two are owed to the customer, the others advertise. */
export type MessageKind = 'delivery' | 'guidance' | 'suggestion' | 'refill';
export type Channel = 'email' | 'sms' | 'push';
/** Why a message is not planned. */
export type Withheld = 'time_unknown' | 'too_late' | 'contact_policy' | 'consent' | 'gift';

/** What follows a purchase, by category: read once from a file of TOML, for the catalog of an engine, and again for every new one.
 *  BAD_PROGRAMMES: the message says where and why. */
export class Programmes {
  constructor(engine: Engine, path: string);
}

/** A message that is planned, or withheld. Offers in advertising are decided when it is sent, for stage `email`. */
export interface FollowUp {
  kind: MessageKind | number;
  channel: Channel | number;
  /** null = planned. */
  withheld: Withheld | number | null;
  /** Index of the bought line that it is about, and the title of its product; empty where the catalog does not know it. */
  line: number;
  title: string;
  atMs: number;
  /** When it no longer makes sense. */
  expiresAtMs: number;
  /** Of a refill: days from the order to the next purchase that is expected, and intervals of the customer's behind that. */
  dueDays: number | null;
  ownIntervals: number;
  programme: string;
  /** Your mail service's name for it. */
  template: string;
  /** Of the offer that it carries; empty = none. */
  contentId: string;
}

/** What was offered, at what price, until when. */
export interface Claim {
  /** Of the offers. */
  decisionId: string;
  itemId: string;
  /** Of one unit. */
  price: number;
  /** `Info.currency`. */
  currency: string;
  /** Default: 1. */
  quantity?: number;
  expiresAtMs: number;
}

/** A secret of your servers, at least 32 random bytes. */
export class TokenKey {
  constructor(secret: Buffer);
  /** A token for the page. Sign offers that have a price and that you charge: one_click_stored_credential, confirm_consent and
   *  reenter_payment. */
  sign(claim: Claim): string;
  /** What a token offers, where it holds for an order in this currency now. Then charge price * quantity, once: enter the idempotency
   *  key where it is unique, in the transaction that charges. BAD_TOKEN, BAD_SIGNATURE (try the key that you had before),
   *  TOKEN_EXPIRED, WRONG_CURRENCY: do not. */
  verify(token: string, currency: string, nowMs: number, skewMs?: number): Required<Claim> & { idempotencyKey: string };
}

/** What an engine is. */
export interface Info {
  products: number;
  offers: number;
  /** Of all amounts, ISO 4217. */
  currency: string;
  indexGeneration: string;
  policyGeneration: string;
  createdAtMs: number;
  fileBytes: number;
  kernel: string;
}

/** A change of one product, offer or partner in the live overlay. Not given = stays; null = the overlay forgets it. */
export interface Change {
  id: string;
  kind?: Item;
  /** Products: units; more than 62 count as 62. */
  stock?: number | null;
  /** Products, and when it was stated. */
  price?: number | null;
  pricedAtMs?: number;
  /** Offers: what you earn, in place of the catalog's. */
  bid?: number | null;
  /** Offers and partners: limit of a day, and over all days. */
  daily?: number | null;
  total?: number | null;
  /** With a limit of a day: "even", or 24 or 96 weights joined by commas. */
  pacing?: string | null;
  /** Not to be shown for now; not any more. */
  paused?: boolean;
  killed?: boolean;
  /** Limits count minor units of value, not accepted offers. */
  money?: boolean;
  /** Offers and partners: when the day begins. */
  utcOffsetMinutes?: number;
}

/** What the live overlay says of one product, offer or partner. null = as the catalog says, or no limit. */
export interface LiveState {
  kind: Item;
  paused: boolean;
  killed: boolean;
  stock: number | null;
  utcOffsetMinutes: number;
  money: boolean;
  paced: boolean;
  /** Decisions that pacing turns away now. */
  throttlePpm: number;
  /** That are out. */
  leases: number;
  price: number | null;
  pricedAtMs: number;
  bid: number | null;
  daily: number | null;
  total: number | null;
  spentToday: number;
  spent: number;
  /** By leases that are out. */
  held: number;
}

/** The right to spend from the budgets of an offer. Keep the 48 bytes with the customer's session. */
export class Lease {
  constructor(bytes: Uint8Array);
  toBuffer(): Buffer;
  /** 0 = it holds nothing, since there is no limit. */
  readonly expiresAtMs: number;
}

/** Everything that speaks for and against one product or offer. */
export interface Explanation {
  /** On the page; null = not shown. */
  position: number | null;
  /** Why it is not shown. */
  reasons: number[];
  reasonTexts: string[];
  /** Of the policy, that refuse it. */
  rules: string[];
  /** null = nothing leads to it. */
  relation: Relation | number | null;
  line: number | null;
  relevance: number;
  acceptPpm: number;
  evMicros: number;
  /** Of the score, for products; weights in thousandths of a nat. */
  features: { name: string; value: number; weight: number }[];
}

/** A call failed. On a page: show nothing, and go on. */
export class AftercartError extends Error {
  readonly status: Status;
  readonly osError: number;
  readonly rule: number;
  readonly part: string;
  /** Of `edit`: changes that were made before. */
  readonly done?: number;
}

/** An opened catalog with its policy. It never changes. */
export class Engine {
  constructor(path: string, options?: Options);
  info(): Info;
  /** Of an offer of this engine's deciders. */
  title(offer: Offer): string;
  category(offer: Offer): string;
  partner(offer: Offer): string;
  /** Lets every decider that is made from now on keep its decisions in a log's folder, also where it goes on with another engine: in files
   *  of which another process makes Parquet, while this one lives and after it was killed (`aftercart log --log FOLDER --catalog FILE
   *  --every 5`). A decision waits for nothing: where its ring of so many records of 824 bytes (default: 4096) is full it is counted as
   *  dropped. `timed`: also how long each took. A folder that cannot be written fails in `new Decider`. */
  logTo(folder: string, options?: { capacity?: number; timed?: boolean }): void;
  /** Makes a live overlay for this catalog, or makes one that is there fit it too. Before the first `withLive` of a new catalog. */
  bindLive(path: string): void;
  /** An engine that decides with a live overlay, a file that the processes of a machine share. This one stays as it is. */
  withLive(path: string): Engine;
  /** An engine that decides with a model, a file that `aftercart learn` made: by how likely it says that offers are accepted. As a
   *  shadow it decides nothing, and what it would have said is recorded. This one stays as it is. */
  withModel(path: string, options?: { shadow?: boolean }): Engine;
  /** Changes the overlay, in order; the first change that cannot be made ends the call. Waits for other processes that change it. */
  edit(changes: readonly Change[], nowMs: number): void;
  look(id: string, nowMs: number, kind?: Item): LiveState;
  /** Before an offer is shown; at most a day. BUDGET_EMPTY, PAUSED: do not show it. Without a limit the lease holds nothing. */
  reserve(offer: Offer, nowMs: number, forMs: number): Lease;
  /** Counts it as spent. LEASE_GONE: it expired, or was used before; do not honour the offer on it. */
  activate(lease: Lease, nowMs: number): void;
  /** Gives it back: the customer declined, or left. */
  release(lease: Lease, nowMs: number): void;
  /** Gives the catalog back. Deciders keep what they need of it. */
  close(): void;
}

/** Makes decisions. One for each thread is enough: a call does not wait for anything. */
export class Decider {
  constructor(engine: Engine);
  decide(order: Transaction, customer?: Profile): Offers;
  /** Why something is, or is not, on the page. For people: it takes some times as long as a decision. */
  explain(order: Transaction, customer: Profile | undefined, id: string, kind?: Item): Explanation;
  /** The question whose answer is expected to make the page worth most; null where no answer would change it, or where one was asked
   *  or answered in this order. Then decide again with the answer. Takes as long as the decisions that it makes, at most 33. Its
   *  texts are the engine's, which must not be closed yet. */
  nextQuestion(order: Transaction, customer?: Profile): Question | null;
  /** Puts the ways to pay that you permit (at most 32) in order, best first: by the customer's own use, drawn to what your customers here
   *  use. `ready`: set up on the device, as wallets are. None is added or taken away. */
  rankPaymentMethods(order: Transaction, customer: Profile | undefined, options: readonly { id: string; ready?: boolean }[],
    known?: { uses?: readonly Use[]; counts?: readonly MethodCount[]; device?: Device }): Ranked[];
  /** Likewise the ways to ship. A dearer one never stands above one that is cheaper and promised as early or earlier. */
  rankShippingOptions(order: Transaction, customer: Profile | undefined,
    options: readonly { id: string; price: number; arrivesByMs?: number }[], uses?: readonly Use[]): Ranked[];
  /** Plans what to send in the days after an order: what is planned, earliest first, then what is withheld. A plan, not a sender.
   *  `contactedAtMs`: other messages that the customer gets, through any channel. */
  planFollowUps(programmes: Programmes, order: Transaction, customer: Profile | undefined,
    outlook?: { deliveryAtMs?: number; contactedAtMs?: readonly number[] }): FollowUp[];
  /** What became of the decisions, where `Engine.logTo` was called before this was made. */
  logged(): Logged;
  /** Goes on with another engine: another catalog, overlay or model. */
  use(engine: Engine): void;
  close(): void;
}
