<?php

declare(strict_types=1);

namespace Aftercart;

use FFI\CData;

/** A change of one product, offer or partner in the live overlay. null = stays as it is. */
final readonly class Change
{
    public function __construct(
        public string $id,
        public Item $kind = Item::Any,
        /** Products: units; more than 62 count as 62. */
        public ?int $stock = null,
        /** Products. */
        public ?int $price = null,
        /** When that price was stated, Unix milliseconds; 0 = not known. */
        public int $pricedAtMs = 0,
        /** Offers: what you earn, in place of the catalog's. */
        public ?int $bid = null,
        /** Offers and partners: limit of a day. */
        public ?int $daily = null,
        /** Offers and partners: limit over all days. */
        public ?int $total = null,
        /** With a limit of a day: "even", or 24 or 96 weights joined by commas. */
        public ?string $pacing = null,
        /** Not to be shown for now. */
        public ?bool $paused = null,
        /** Not to be shown any more. */
        public ?bool $killed = null,
        /** Limits count minor units of value, not accepted offers. */
        public ?bool $money = null,
        /** Offers and partners: when the day begins, minutes east of UTC. */
        public ?int $utcOffsetMinutes = null,
        /** @var list<Field> what the overlay forgets, so that the catalog's holds again, or no limit */
        public array $forget = [],
    ) {
    }

    /** @internal writes it where C reads it; `$texts` gets its texts */
    public function fill(CData $to, string &$texts): void
    {
        $set = 0;
        foreach ([1 => 'stock', 2 => 'price', 4 => 'bid', 8 => 'daily', 16 => 'total', 64 => 'utcOffsetMinutes'] as $bit => $name) {
            if ($this->$name !== null) {
                $set |= $bit;
                $field = $bit === 64 ? 'utc_offset_minutes' : $name;
                $to->$field = $this->$name;
                if ($to->$field !== $this->$name) { // cut to 32 bits
                    throw AftercartException::of(Status::BadValue->value);
                }
            }
        }
        $to->kind = $this->kind->value;
        $to->set = $set | ($this->pacing === null ? 0 : Field::Pacing->value);
        $to->clear = array_reduce($this->forget, fn (int $all, Field $one) => $all | $one->value, 0);
        $to->priced_at_ms = $this->pricedAtMs;
        foreach (['paused', 'killed', 'money'] as $name) {
            $to->$name = match ($this->$name) {
                null => 0,
                false => 1,
                true => 2,
            };
        }
        foreach (['id' => $this->id, 'pacing' => $this->pacing ?? ''] as $name => $text) {
            $to->$name->offset = strlen($texts);
            $to->$name->length = strlen($text);
            $texts .= $text;
        }
    }
}

/** What the live overlay says of one product, offer or partner. null = as the catalog says, or no limit. */
final readonly class LiveState
{
    private function __construct(
        public Item $kind,
        public bool $paused,
        public bool $killed,
        public ?int $stock,
        public int $utcOffsetMinutes,
        /** Limits count minor units of value, not accepted offers. */
        public bool $money,
        /** The limit of a day is spread over it. */
        public bool $paced,
        /** Decisions that pacing turns away now. */
        public int $throttlePpm,
        /** That are out. */
        public int $leases,
        public ?int $price,
        public int $pricedAtMs,
        public ?int $bid,
        public ?int $daily,
        public ?int $total,
        /** Activated today, and ever. */
        public int $spentToday,
        public int $spent,
        /** By leases that are out. */
        public int $held,
    ) {
    }

    /** @internal */
    public static function of(CData $s): self
    {
        $known = fn (int $number): ?int => $number < 0 ? null : $number;
        return new self(
            Item::from($s->kind),
            $s->paused !== 0,
            $s->killed !== 0,
            $known($s->stock),
            $s->utc_offset_minutes,
            $s->money !== 0,
            $s->paced !== 0,
            $s->throttle_ppm,
            $s->leases,
            $known($s->price),
            $s->priced_at_ms,
            $known($s->bid),
            $known($s->daily),
            $known($s->total),
            $s->spent_today,
            $s->spent,
            $s->held,
        );
    }
}

/**
 * The right to spend from the budgets of an offer, until it expires. Keep `$data` with the customer's session: `new Lease($data)` is
 * the same lease in any process of the machine.
 */
final readonly class Lease
{
    public function __construct(
        /** 48 bytes. */
        public string $data,
    ) {
        // C would read as much as the first four bytes say.
        if (strlen($data) !== Native::LEASE_BYTES || unpack('V', $data)[1] !== Native::LEASE_BYTES) {
            throw AftercartException::of(Status::BadSize->value);
        }
    }

    /** Unix milliseconds; 0 = it holds nothing, since there is no limit. */
    public function expiresAtMs(): int
    {
        return unpack('q', $this->data, 8)[1];
    }
}

/** Everything that speaks for and against one product or offer. */
final readonly class Explanation
{
    private function __construct(
        /** On the page; null = not shown. */
        public ?int $position,
        /** @var list<int> why it is not shown */
        public array $reasons,
        /** @var list<string> of the policy, that refuse it */
        public array $rules,
        /** null = nothing leads to it. */
        public ?Relation $relation,
        /** Index of the bought line behind it; null where no single line is. */
        public ?int $line,
        public int $relevance,
        public int $acceptPpm,
        public int $evMicros,
        /** @var list<array{name: string, value: int, weight: int}> of the score, for products; weights in thousandths of a nat */
        public array $features,
    ) {
    }

    /** @return list<string> what the reasons say, in one English line each */
    public function reasonTexts(): array
    {
        return array_map(fn (int $reason) => Native::ffi()->aftercart_reason_text($reason), $this->reasons);
    }

    /** @internal */
    public static function of(CData $e, string $names): self
    {
        [$rules, $features, $reasons] = [[], [], []];
        foreach (explode("\n", $names) as $line) {
            $f = explode("\t", $line);
            match ($f[0]) {
                'rule' => $rules[] = $f[1],
                'feature' => $features[] = ['name' => $f[1], 'value' => (int) $f[2], 'weight' => (int) $f[3]],
                default => null,
            };
        }
        for ($i = 0; $i < min($e->reason_count, Native::REASONS_MAX); $i++) {
            $reasons[] = $e->reasons[$i];
        }
        return new self(
            $e->position < 0 ? null : $e->position,
            $reasons,
            $rules,
            Relation::tryFrom($e->relation),
            $e->line < 0 ? null : $e->line,
            $e->relevance,
            $e->p_accept_ppm,
            $e->ev_micros,
            $features,
        );
    }
}
