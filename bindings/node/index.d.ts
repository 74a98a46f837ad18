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
export type Relation = 'bought_together' | 'goes_with_type' | 'refill' | 'triggered' | 'house';
export type Status = 'NULL_POINTER' | 'MISALIGNED' | 'BAD_SIZE' | 'UNSUPPORTED_FIELD' | 'BAD_VALUE' | 'BAD_STRING' |
  'BAD_UTF8' | 'TOO_MANY_LINES' | 'TOO_MANY_FACTS' | 'TOO_MANY_SLOTS' | 'BAD_HANDLE' | 'BUSY' | 'POISONED' |
  'BAD_CATALOG' | 'BAD_POLICY' | 'CATALOG_VERSION' | 'OUT_OF_MEMORY' | 'SYSTEM_ERROR' | 'INTERNAL'
  | 'BAD_LIVE' | 'BUDGET_EMPTY' | 'LEASES_OUT' | 'PAUSED' | 'LEASE_GONE' | 'LEASE_FOREIGN';

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
}

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
  /** To the customer as the catalog has it; null = not known. */
  price: number | null;
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
  retrieved: number;
  eligible: number;
  rejected: number;
  centroids: number;
  cells: number;
  compared: number;
}

/** What an engine is. */
export interface Info {
  products: number;
  offers: number;
  indexGeneration: string;
  policyGeneration: string;
  createdAtMs: number;
  fileBytes: number;
  kernel: string;
}

/** A call failed. On a page: show nothing, and go on. */
export class AftercartError extends Error {
  readonly status: Status;
  readonly osError: number;
  readonly rule: number;
  readonly part: string;
}

/** An opened catalog with its policy. It never changes. */
export class Engine {
  constructor(path: string, options?: Options);
  info(): Info;
  /** Of an offer of this engine's deciders. */
  title(offer: Offer): string;
  category(offer: Offer): string;
  partner(offer: Offer): string;
  /** Gives the catalog back. Deciders keep what they need of it. */
  close(): void;
}

/** Makes decisions. One for each thread is enough: a call does not wait for anything. */
export class Decider {
  constructor(engine: Engine);
  decide(order: Transaction, customer?: Profile): Offers;
  close(): void;
}
