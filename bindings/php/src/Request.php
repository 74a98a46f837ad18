<?php

declare(strict_types=1);

namespace Aftercart;

// Named, so that they are found when the file is compiled, and not at each call.
use function count, pack, str_repeat, strlen;

/** @internal A request as C reads it. */
final class Request
{
    public string $transaction;
    public string $profile;
    public string $lines;
    public string $facts;
    public readonly int $lineCount;
    public readonly int $factCount;
    public string $strings = '';
    /** @var list<Event> the first facts */
    private array $purchases = [];

    /** A fact of kind FactKind::Purchase, of which time and text are not written yet. */
    private const PURCHASE = "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    /**
     * @param list<PastUse> $uses
     * @param list<int> $contactedAtMs
     */
    public function __construct(Transaction $order, ?Profile $customer, array $uses = [], array $contactedAtMs = [])
    {
        $this->lineCount = count($order->lines);
        if ($this->lineCount > Native::LINES_MAX) {
            throw AftercartException::of(Status::TooManyLines->value);
        }
        $this->transaction = $this->order($order);
        $lines = '';
        foreach ($order->lines as $line) {
            $lines .= $this->line($line);
        }
        $this->lines = $lines;
        $this->profile = $this->customer($customer);
        $this->factCount = count($order->tags) + count($uses) + count($contactedAtMs) + ($customer === null ? 0 : $customer->factCount());
        if ($this->factCount > Native::FACTS_MAX) {
            throw AftercartException::of(Status::TooManyFacts->value);
        }
        $facts = $customer === null ? '' : $this->facts($customer);
        foreach ($order->tags as $tag) {
            $facts .= $this->fact(FactKind::OrderTag, $tag);
        }
        foreach ($uses as $use) {
            $facts .= $this->fact($use->failed ? FactKind::Failed : FactKind::Used, $use->id, $use->atMs);
        }
        foreach ($contactedAtMs as $atMs) {
            $facts .= $this->fact(FactKind::Contacted, '', $atMs);
        }
        $this->facts = $facts;
    }

    /** Adds a text, and says where it is. @return array{int, int} */
    public function text(string $text): array
    {
        $this->strings .= $text;
        return [strlen($this->strings) - strlen($text), strlen($text)];
    }

    private function order(Transaction $order): string
    {
        if (strlen($order->currency) > 4 || strlen($order->country) > 4) {
            throw AftercartException::of(Status::BadValue->value);
        }
        $offset = strlen($this->strings);
        $this->strings .= $order->orderId . $order->placement;
        return pack(
            Native::TRANSACTION,
            Native::TRANSACTION_BYTES,
            ($order->value !== null ? Transaction::HAS_VALUE : 0)
                | ($order->minRelevance !== null ? Transaction::HAS_MIN_RELEVANCE : 0)
                | ($order->isGift ? Transaction::IS_GIFT : 0)
                | ($order->isTest ? Transaction::IS_TEST : 0)
                | ($order->firstPurchases ? Transaction::FIRST_PURCHASES : 0),
            $order->createdAtMs,
            $order->value ?? 0,
            $offset,
            strlen($order->orderId),
            $order->currency,
            $order->country,
            $order->stage->value,
            self::uint32($order->slots),
            self::uint32($order->minRelevance ?? 0),
            $order->payment->value,
            self::known($order->rechargeable),
            0,
            $offset + strlen($order->orderId),
            strlen($order->placement),
        );
    }

    private function line(Line $line): string
    {
        $item = strlen($this->strings);
        $this->strings .= $line->itemId;
        $category = strlen($this->strings);
        $this->strings .= $line->category;
        $brand = strlen($this->strings);
        $this->strings .= $line->brand;
        return pack(
            Native::LINE,
            $item,
            $category - $item,
            $category,
            $brand - $category,
            $brand,
            strlen($line->brand),
            $line->unitPrice ?? 0,
            self::uint32($line->quantity),
            $line->role->value,
            $line->sensitive->value,
            $line->unitPrice !== null ? Line::HAS_UNIT_PRICE : 0,
        );
    }

    private function customer(?Profile $customer): string
    {
        if ($customer === null) {
            return pack(Native::PROFILE, Native::PROFILE_BYTES, 0, 0, 0, 0, 0, '', '', 0, 0, 0, 0, 0, 0);
        }
        if (strlen($customer->unitKey) > 16 || strlen($customer->sessionKey) > 16) {
            throw AftercartException::of(Status::BadValue->value);
        }
        $offset = strlen($this->strings);
        $this->strings .= $customer->loyaltyTier;
        return pack(
            Native::PROFILE,
            Native::PROFILE_BYTES,
            ($customer->optOutThirdParty ? Profile::OPT_OUT_THIRD_PARTY : 0)
                | ($customer->orders !== null ? Profile::HAS_ORDERS : 0)
                | ($customer->consent->gpc ? Profile::GPC : 0),
            $customer->customer->value,
            $customer->ageBand->value,
            self::known($customer->loyaltyMember),
            self::known($customer->hasApp),
            $customer->unitKey,
            $customer->sessionKey,
            $offset,
            strlen($customer->loyaltyTier),
            self::uint32($customer->orders ?? 0),
            0,
            $customer->consent->bits(),
            $customer->consent->bits(true),
        );
    }

    private function facts(Profile $customer): string
    {
        $this->purchases = $customer->purchases;
        $facts = str_repeat(self::PURCHASE, count($this->purchases));
        foreach ($customer->declines as $event) {
            $facts .= $this->fact(FactKind::Decline, $event->id, $event->atMs);
        }
        foreach ($customer->exposures as $exposed) {
            $facts .= $this->fact(FactKind::from($exposed->event->value), $exposed->id, $exposed->atMs);
        }
        foreach ($customer->asked as $event) {
            $facts .= $this->fact(FactKind::Asked, $event->id, $event->atMs);
        }
        foreach ($customer->answers as $answer) {
            $facts .= $this->fact(FactKind::Answer, $answer->question, 0, $answer->tag);
        }
        foreach ($customer->optOutCategories as $path) {
            $facts .= $this->fact(FactKind::OptOutCategory, $path);
        }
        foreach ($customer->cartRemoved as $id) {
            $facts .= $this->fact(FactKind::CartRemoved, $id);
        }
        foreach ($customer->segments as $segment) {
            $facts .= $this->fact(FactKind::Segment, $segment);
        }
        return $facts;
    }

    /**
     * Adds when and what was bought to the facts where C reads them: four numbers of 64 bits each, low half first. Histories are
     * long, and this is faster than pack(). All texts come back.
     */
    public function purchases(\FFI\CData $numbers): string
    {
        [$ids, $offset, $at] = ['', strlen($this->strings), 1];
        foreach ($this->purchases as $event) {
            $id = $event->id;
            $length = strlen($id);
            $ids .= $id;
            $numbers[$at] = $event->atMs;
            $numbers[$at + 1] = $length << 32 | $offset;
            $offset += $length;
            $at += 4;
        }
        return $this->strings . $ids;
    }

    private function fact(FactKind $kind, string $id, int $atMs = 0, string $tag = ''): string
    {
        $offset = strlen($this->strings);
        $this->strings .= $id . $tag;
        return pack(Native::FACT, $kind->value, 0, $atMs, $offset, strlen($id), $offset + strlen($id), strlen($tag));
    }

    private static function known(?bool $answer): int
    {
        return match ($answer) {
            null => 0,
            false => 1,
            true => 2,
        };
    }

    /** pack() would take the low half of anything else. */
    public static function uint32(int $number): int
    {
        if ($number < 0 || $number > 0xFFFFFFFF) {
            throw AftercartException::of(Status::BadValue->value);
        }
        return $number;
    }
}
