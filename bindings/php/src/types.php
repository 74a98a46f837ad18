<?php

declare(strict_types=1);

namespace Aftercart;

/** How to open a catalog. The default trusts that the file was verified when it was published, as `aftercart build` does. */
final readonly class Options
{
    public function __construct(
        public Mode $mode = Mode::Map,
        public Verify $verify = Verify::Structure,
        public Prefault $prefault = Prefault::Background,
        /** Products that a search may look at; 0 = as the catalog says. */
        public int $visitBudget = 0,
    ) {
    }

    /** @internal */
    public function pack(): string
    {
        return pack(
            Native::OPTIONS,
            Native::OPTIONS_BYTES,
            $this->mode->value,
            $this->verify->value,
            $this->prefault->value,
            $this->visitBudget,
        );
    }
}

/** A paid order, or a basket before payment. What is not known stays as it is. Amounts are minor units: 24900 for 249.00. */
final readonly class Transaction
{
    /** @internal flags of the header */
    public const HAS_VALUE = 1;
    /** @internal */
    public const HAS_MIN_RELEVANCE = 2;
    /** @internal */
    public const IS_GIFT = 4;
    /** @internal */
    public const IS_TEST = 8;
    /** @internal */
    public const FIRST_PURCHASES = 16;

    public function __construct(
        /** @var list<Line> what was bought, at most 512 */
        public array $lines = [],
        /** Only hashed into the decision id. */
        public string $orderId = '',
        /** Unix milliseconds; 0 = not known: offers that depend on time are not shown. */
        public int $createdAtMs = 0,
        /** Total; null = the sum of the lines, where all prices are known. */
        public ?int $value = null,
        /** ISO 4217; empty = the catalog's. */
        public string $currency = '',
        /** ISO 3166-1; empty = not known: offers bound to a region are not shown. */
        public string $country = '',
        public Stage $stage = Stage::Confirmation,
        /** To fill, at most 16; 0 = as the policy says. */
        public int $slots = 0,
        /** In thousandths; null = as the policy says. */
        public ?int $minRelevance = null,
        public bool $isGift = false,
        public bool $isTest = false,
        /** Nothing that the customer bought before. */
        public bool $firstPurchases = false,
        public Payment $payment = Payment::Unknown,
        /** Whether that payment can be charged again without asking for it once more; null = not known. */
        public ?bool $rechargeable = null,
        /** Its id in the policy; empty = whichever the policy has for the stage. */
        public string $placement = '',
        /** @var list<string> your own words for this order, which a policy may ask for */
        public array $tags = [],
    ) {
    }
}

/** One bought line. */
final readonly class Line
{
    /** @internal flag of the header */
    public const HAS_UNIT_PRICE = 1;

    public function __construct(
        /** The product's id in the feed. May be one that the catalog does not know. */
        public string $itemId,
        /** Full path, levels joined by " > ": stands in where the catalog does not know the id. */
        public string $category = '',
        /** Likewise. */
        public string $brand = '',
        public int $quantity = 1,
        public ?int $unitPrice = null,
        public Role $role = Role::Unknown,
        public Sensitive $sensitive = Sensitive::None,
    ) {
    }
}

/** The customer, as far as you know and may say. There is no field for a name or an address. */
final readonly class Profile
{
    /** @internal flags of the header */
    public const OPT_OUT_THIRD_PARTY = 1;
    /** @internal */
    public const HAS_ORDERS = 2;
    /** @internal */
    public const GPC = 4;

    public function __construct(
        public Customer $customer = Customer::Any,
        public AgeBand $ageBand = AgeBand::Unknown,
        public ?bool $loyaltyMember = null,
        public ?bool $hasApp = null,
        public bool $optOutThirdParty = false,
        /** 16 bytes of a hash of your choice; only for assigning to experiments. */
        public string $unitKey = '',
        /** 16 bytes of a hash that ends with the session. */
        public string $sessionKey = '',
        /** @var list<Event> oldest first */
        public array $purchases = [],
        /** @var list<Event> products and offers, oldest first */
        public array $declines = [],
        /** @var list<SurveyAnswer> */
        public array $answers = [],
        /** @var list<string> category paths, each with its subtree */
        public array $optOutCategories = [],
        /** @var list<string> products that were looked at in this session and put back */
        public array $cartRemoved = [],
        /** Your name of the loyalty tier. */
        public string $loyaltyTier = '',
        /** Orders before this one; null = not known. */
        public ?int $orders = null,
        /** @var list<string> your own words for this customer, which a policy may ask for */
        public array $segments = [],
        public Consent $consent = new Consent(),
        /** @var list<Exposed> offers that were on earlier pages, oldest first: for frequency caps */
        public array $exposures = [],
        /** @var list<Event> questions that were asked, in this order and before, oldest first, whatever the answer */
        public array $asked = [],
    ) {
    }

    /** @internal */
    public function factCount(): int
    {
        return count($this->purchases) + count($this->declines) + count($this->answers)
            + count($this->optOutCategories) + count($this->cartRemoved) + count($this->segments)
            + count($this->exposures) + count($this->asked);
    }
}

/** What the customer said to a consent banner, by purpose: null = nobody asked. A policy says what that is worth. */
final readonly class Consent
{
    public function __construct(
        public ?bool $preferences = null,
        public ?bool $analytics = null,
        public ?bool $marketing = null,
        public ?bool $saleOfData = null,
        /** The browser sends Global Privacy Control, which refuses the sale of data. */
        public bool $gpc = false,
    ) {
    }

    /** @internal bits of the purposes that were answered so, or at all */
    public function bits(?bool $answer = null): int
    {
        $bits = 0;
        // AFTERCART_PURPOSE_...
        foreach ([$this->preferences, $this->analytics, $this->marketing, $this->saleOfData] as $purpose => $said) {
            $bits |= $said !== null && ($answer === null || $said === $answer) ? 1 << $purpose : 0;
        }
        return $bits;
    }
}

/** Something that happened to a product or offer. */
final readonly class Event
{
    public function __construct(
        public string $id,
        /** Unix milliseconds; 0 = not known. */
        public int $atMs = 0,
    ) {
    }
}

/** What happened to an offer of an earlier page. */
final readonly class Exposed
{
    public function __construct(
        public string $id,
        public Exposure $event = Exposure::Shown,
        /** Unix milliseconds; 0 = not known, which counts as recent. */
        public int $atMs = 0,
    ) {
    }
}

/** An answer to a question of a micro-survey. The tag `gift` suppresses refills. */
final readonly class SurveyAnswer
{
    public function __construct(public string $question, public string $tag)
    {
    }
}

/** What an engine is. */
final readonly class Info
{
    public function __construct(
        public int $products,
        public int $offers,
        /** Equal content, equal text. */
        public string $indexGeneration,
        public string $policyGeneration,
        /** When the newest order in the catalog was placed, Unix milliseconds. */
        public int $createdAtMs,
        public int $fileBytes,
        /** The instruction set that compares vectors. */
        public string $kernel,
        /** Of all amounts, ISO 4217. */
        public string $currency,
    ) {
    }

    /** @internal */
    public static function of(\FFI\CData $info): self
    {
        return new self(
            $info->products,
            $info->offers,
            sprintf('%016x', $info->index_generation),
            sprintf('%016x', $info->policy_generation),
            $info->created_at_ms,
            $info->file_bytes,
            \FFI::string($info->kernel),
            rtrim(\FFI::string($info->currency, 4), "\0"),
        );
    }
}
