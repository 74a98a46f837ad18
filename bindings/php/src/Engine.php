<?php

declare(strict_types=1);

namespace Aftercart;

use FFI;
use FFI\CData;
use WeakReference;

/**
 * An opened catalog with its policy, and a decider. One per process and path: the C library keeps both from one request to the
 * next, and opens the file anew after it was replaced.
 */
final class Engine
{
    /** @var array<string, WeakReference<self>> engines that are in use: their handles must stay */
    private static array $open = [];

    private CData $transaction;
    private CData $profile;
    private CData $summary;
    private CData $offers;
    private CData $count;
    private CData $lines;
    private CData $facts;

    private function __construct(
        private readonly FFI $ffi,
        private readonly CData $engine,
        private readonly CData $decider,
    ) {
        $this->transaction = $ffi->new('aftercart_transaction[1]');
        $this->profile = $ffi->new('aftercart_profile[1]');
        $this->summary = $ffi->new('aftercart_summary[1]');
        $this->summary[0]->struct_size = FFI::sizeof($this->summary);
        $this->offers = $ffi->new('aftercart_offer[' . Native::SLOTS_MAX . ']');
        $this->count = $ffi->new('size_t[1]');
        $this->lines = $ffi->new('aftercart_line[16]');
        $this->facts = $ffi->new('aftercart_fact[16]');
    }

    /**
     * The engine of this process for a catalog file. While you hold one for the path you get that one; else the file is
     * opened if this process has not, or if another file lies there now.
     *
     * @throws AftercartException BadCatalog, CatalogVersion, SystemError, ...
     */
    public static function open(string $path, Options $options = new Options()): self
    {
        $held = (self::$open[$path] ?? null)?->get();
        if ($held !== null) {
            return $held;
        }
        $ffi = Native::ffi();
        $given = $ffi->new('aftercart_options[1]');
        FFI::memcpy($given, $options->pack(), Native::OPTIONS_BYTES);
        $engine = $ffi->new('aftercart_engine*[1]');
        $decider = $ffi->new('aftercart_decider*[1]');
        $error = $ffi->new('aftercart_error[1]');
        $error[0]->struct_size = FFI::sizeof($error);
        $status = $ffi->aftercart_resident($path, strlen($path), $given, $engine, $decider, $error);
        if ($status < 0) {
            throw AftercartException::detailed($error[0]);
        }
        $opened = new self($ffi, $engine[0], $decider[0]);
        self::$open[$path] = WeakReference::create($opened);
        return $opened;
    }

    /**
     * Decides what belongs on the page. No offers is no failure: then `$offers->reason` says why.
     *
     * @throws AftercartException where the request cannot be answered: show nothing, and go on
     */
    public function decide(Transaction $order, ?Profile $customer = null): Offers
    {
        $request = new Request($order, $customer);
        $this->lines = self::fill($this->lines, 'aftercart_line', $request->lines, $request->lineCount);
        $this->facts = self::fill($this->facts, 'aftercart_fact', $request->facts, $request->factCount);
        FFI::memcpy($this->transaction, $request->transaction, Native::TRANSACTION_BYTES);
        FFI::memcpy($this->profile, $request->profile, Native::PROFILE_BYTES);
        $status = $this->ffi->aftercart_decide(
            $this->decider,
            $this->transaction,
            $this->profile,
            $this->lines,
            Native::LINE_BYTES,
            $request->lineCount,
            $this->facts,
            Native::FACT_BYTES,
            $request->factCount,
            $request->strings,
            strlen($request->strings),
            $this->offers,
            Native::OFFER_BYTES,
            Native::SLOTS_MAX,
            $this->count,
            $this->summary,
        );
        if ($status < 0) {
            throw AftercartException::of($status);
        }
        return Offers::of($this, $this->summary[0], $this->offers, $this->count[0]);
    }

    public function info(): Info
    {
        $info = $this->ffi->new('aftercart_info[1]');
        $info[0]->struct_size = FFI::sizeof($info);
        $status = $this->ffi->aftercart_engine_info($this->engine, $info);
        if ($status < 0) {
            throw AftercartException::of($status);
        }
        return Info::of($info[0]);
    }

    /** @internal a text of an offer of this engine */
    public function text(int $itemKind, int $itemRow, int $which): string
    {
        $length = $this->ffi->new('size_t[1]');
        for ($capacity = 256; ; $capacity = $length[0] + 1) {
            $buffer = $this->ffi->new("char[$capacity]");
            $status = $this->ffi->aftercart_item_text($this->engine, $itemKind, $itemRow, $which, $buffer, $capacity, $length);
            if ($status < 0) {
                throw AftercartException::of($status);
            }
            if ($status === 0) {
                return FFI::string($buffer, $length[0]);
            }
        }
    }

    /** @internal runs into a defect on purpose, for the tests */
    public function selftest(): int
    {
        return $this->ffi->aftercart_selftest($this->decider, 1);
    }

    /** Copies packed structs to where C reads them, with more room where they do not fit. */
    private static function fill(CData $room, string $type, string $packed, int $count): CData
    {
        if (strlen($packed) > FFI::sizeof($room)) {
            $room = Native::ffi()->new($type . '[' . 2 * $count . ']');
        }
        if ($packed !== '') {
            FFI::memcpy($room, $packed, strlen($packed));
        }
        return $room;
    }
}
