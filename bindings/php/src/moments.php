<?php

declare(strict_types=1);

namespace Aftercart;

use FFI;
use FFI\CData;

/** The question that is worth asking. */
final readonly class Question
{
    private function __construct(
        public string $id,
        public string $text,
        /** @var list<array{tag: string, text: string}> the page shows the text; `new SurveyAnswer($id, $tag)` says that it was given */
        public array $answers,
        /** By how much the page is expected to be worth more, millionths of a minor unit. */
        public int $gainMicros,
        /** Decisions that were made to find out. */
        public int $decisions,
    ) {
    }

    /** @internal */
    public static function of(Engine $engine, CData $question): self
    {
        $answers = [];
        for ($row = $question->answer_row; $row < $question->answer_row + $question->answer_count; $row++) {
            $text = fn (int $which) => $engine->text(Item::Answer->value, $row, $which);
            $answers[] = ['tag' => $text(1), 'text' => $text(2)];
        }
        $text = fn (int $which) => $engine->text(Item::Question->value, $question->row, $which);
        return new self($text(1), $text(2), $answers, $question->gain_micros, $question->decisions);
    }
}

/** A way to pay that you permit for this order. */
final readonly class PaymentOption
{
    /** @internal flag of the header */
    public const READY = 1;

    public function __construct(
        /** Your name for it. */
        public string $id,
        /** It is set up on the device, as wallets are. */
        public bool $ready = false,
    ) {
    }
}

/** A way to ship that you permit for this order. */
final readonly class ShippingOption
{
    public function __construct(
        /** Your name for it. */
        public string $id,
        public int $price,
        /** The last moment of the promised window, Unix milliseconds; 0 = none was promised. */
        public int $arrivesByMs = 0,
    ) {
    }
}

/** What the customer paid or shipped with before. */
final readonly class PastUse
{
    public function __construct(
        /** Your name for it. */
        public string $id,
        /** Unix milliseconds; 0 = not known. */
        public int $atMs = 0,
        /** It was declined, or given up. */
        public bool $failed = false,
    ) {
    }
}

/** How often your customers use a way to pay, in one group of orders. */
final readonly class MethodCount
{
    public function __construct(
        public string $id,
        /** ISO 3166-1. */
        public string $country,
        public Device $device,
        /** Of at least this amount, and below the next greater one that occurs. */
        public int $amountFrom,
        public int $orders,
    ) {
    }
}

/** Where an option goes. */
final readonly class Ranked
{
    public function __construct(
        /** Index into the options. */
        public int $option,
        /** null = a reason that only a newer version of this binding knows. */
        public ?Because $because,
    ) {
    }
}

/** Something in your store that may be filled in. Its value stays with you. */
final readonly class StoredField
{
    public function __construct(
        /** What it is, by a number of yours, 0 to 255; at most one of each is suggested. */
        public int $field,
        /** Its place in your store, 0 to 65535. */
        public int $slot,
        /** Of an address, ISO 3166-1. */
        public string $country = '',
        public int $uses = 0,
        /** Unix milliseconds; 0 = not known. */
        public int $lastUsedMs = 0,
    ) {
    }
}

/** What to fill in. */
final readonly class Prefilled
{
    private function __construct(public int $field, public int $slot, public int $confidencePpm, public ?Because $because)
    {
    }

    /**
     * Says which stored thing to fill in for each field, where more than half of its uses, fading over months, are one slot's. An address
     * of another country than the order's is left out, and for a gift every address is.
     *
     * @param list<StoredField> $stored
     * @return list<self>
     */
    public static function of(Transaction $order, array $stored): array
    {
        [$ffi, $rows] = [Native::ffi(), ''];
        foreach ($stored as $of) {
            $rows .= pack('LLa4Lq', Request::uint32($of->field), Request::uint32($of->slot), $of->country, Request::uint32($of->uses),
                $of->lastUsedMs);
        }
        $given = Engine::sized($ffi, 'aftercart_transaction');
        $only = new Transaction(createdAtMs: $order->createdAtMs, country: $order->country, isGift: $order->isGift);
        $packed = (new Request($only, null))->transaction;
        FFI::memcpy($given, $packed, Native::TRANSACTION_BYTES);
        $from = $ffi->new('aftercart_stored[' . max(1, count($stored)) . ']');
        FFI::memcpy($from, $rows, strlen($rows));
        [$filled, $count] = [$ffi->new('aftercart_prefilled[' . Native::OPTIONS_MAX . ']'), $ffi->new('size_t[1]')];
        $status = $ffi->aftercart_prefill($given, $from, 24, count($stored), $filled, 24, Native::OPTIONS_MAX, $count);
        if ($status < 0) {
            throw AftercartException::of($status);
        }
        $all = [];
        for ($i = 0; $i < $count[0]; $i++) {
            $all[] = new self($filled[$i]->field, $filled[$i]->slot, $filled[$i]->confidence_ppm, Because::tryFrom($filled[$i]->because));
        }
        return $all;
    }
}

/** What was offered, at what price, until when. */
final readonly class Claim
{
    public function __construct(
        /** Of the offers. */
        public string $decisionId,
        public string $itemId,
        /** Of one unit. */
        public int $price,
        /** `Info::$currency`. */
        public string $currency,
        /** Unix milliseconds. */
        public int $expiresAtMs,
        public int $quantity = 1,
        /** Of a token that was verified: the same for every token of one offer of one decision. */
        public string $idempotencyKey = '',
    ) {
    }
}

/** A secret of your servers, at least 32 random bytes. */
final class TokenKey
{
    private readonly CData $key;

    public function __construct(#[\SensitiveParameter] string $secret)
    {
        $ffi = Native::ffi();
        [$error, $key] = [Engine::sized($ffi, 'aftercart_error'), $ffi->new('aftercart_key*[1]')];
        $given = self::bytes($secret);
        if ($ffi->aftercart_key_new($given, strlen($secret), $key, $error) < 0) {
            throw AftercartException::detailed($error[0]);
        }
        $this->key = $key[0];
    }

    public function __destruct()
    {
        if (isset($this->key)) {
            Native::ffi()->aftercart_key_free($this->key);
        }
    }

    /** A token for the page. Sign offers that have a price and that you charge: OneClickStoredCredential, ConfirmConsent, ReenterPayment. */
    public function sign(Claim $claim): string
    {
        $ffi = Native::ffi();
        $given = Engine::sized($ffi, 'aftercart_claim');
        [$to, $id, $currency] = [$given[0], $claim->itemId, $claim->currency]; // memcpy takes references, which readonly forbids
        $fits = strlen($id) <= FFI::sizeof($to->id) && strlen($currency) <= 4;
        if (!$fits || !preg_match('/^[0-9a-f]{1,32}$/', $claim->decisionId) || $claim->quantity < 0 || $claim->quantity > 0xFFFFFFFF) {
            throw AftercartException::of(Status::BadValue->value);
        }
        $halves = unpack('Jhigh/Jlow', hex2bin(str_pad($claim->decisionId, 32, '0', STR_PAD_LEFT)));
        [$to->decision_id_high, $to->decision_id_low] = [$halves['high'], $halves['low']];
        [$to->quantity, $to->price, $to->expires_at_ms] = [$claim->quantity, $claim->price, $claim->expiresAtMs];
        FFI::memcpy($to->currency, $currency, strlen($currency));
        FFI::memcpy($to->id, $id, strlen($id));
        $to->id_length = strlen($id);
        [$token, $length] = [$ffi->new('char[' . Native::TOKEN_BYTES . ']'), $ffi->new('size_t[1]')];
        $status = $ffi->aftercart_token_sign($this->key, $given, $token, Native::TOKEN_BYTES, $length);
        return $status < 0 ? throw AftercartException::of($status) : FFI::string($token, $length[0]);
    }

    /**
     * What a token offers, where it holds for an order in this currency now. Then charge price * quantity, once: enter the idempotency key
     * where it is unique, in the transaction that charges.
     *
     * @throws AftercartException BadToken, BadSignature (try the key that you had before), TokenExpired, WrongCurrency: do not
     */
    public function verify(string $token, string $currency, int $nowMs, int $skewMs = 0): Claim
    {
        if (strlen($currency) !== 3) {
            throw AftercartException::of(Status::BadValue->value);
        }
        $claim = Engine::sized(Native::ffi(), 'aftercart_claim');
        $status = Native::ffi()->aftercart_token_verify($this->key, $token, strlen($token), $currency, $nowMs, $skewMs, $claim);
        if ($status < 0) {
            throw AftercartException::of($status);
        }
        $c = $claim[0];
        return new Claim(
            sprintf('%016x%016x', $c->decision_id_high, $c->decision_id_low),
            FFI::string($c->id, $c->id_length),
            $c->price,
            FFI::string($c->currency, 3),
            $c->expires_at_ms,
            $c->quantity,
            sprintf('%016x%016x', $c->idempotency_key_high, $c->idempotency_key_low),
        );
    }

    private static function bytes(string $text): CData
    {
        $bytes = Native::ffi()->new('uint8_t[' . max(1, strlen($text)) . ']');
        FFI::memcpy($bytes, $text, strlen($text));
        return $bytes;
    }
}
