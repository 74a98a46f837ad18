<?php

declare(strict_types=1);

namespace Aftercart;

use FFI;
use FFI\CData;
use WeakReference;

// Named, so that they are found when the file is compiled, and not at each call.
use function count, strlen;

/**
 * An opened catalog with its policy, and a decider. One per process and path: the C library keeps both from one request to the
 * next, and opens the file anew after it was replaced. With a live overlay it decides with that.
 */
final class Engine
{
    /** @var array<string, WeakReference<self>> engines that are in use: their handles must stay */
    private static array $open = [];

    /** @var array<string, CData> programmes that are in use: likewise */
    private array $programmes = [];

    private CData $transaction;
    private CData $profile;
    private CData $summary;
    private CData $offers;
    private CData $count;
    private CData $lines;
    private CData $facts;
    /** The same memory as numbers of 64 bits. */
    private CData $numbers;

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
        $this->numbers = $ffi->cast('int64_t[64]', $this->facts);
    }

    /**
     * The engine of this process for a catalog file. While you hold one for the path you get that one; else the file is
     * opened if this process has not, or if another file lies there now. `$live` is the path of a live overlay that is bound to the
     * catalog (bindLive, or the command `aftercart live bind`); empty = none. `$model` is that of a model, a file that `aftercart
     * learn` made; with `$shadow` it decides nothing, and what it would have said is recorded.
     *
     * With `$log`, the folder of a log, the decider that this process keeps for these files writes every decision there from now on, also in
     * later requests, until another folder is named: in files of which another process makes Parquet, while this one lives and after
     * it was killed (`aftercart log --log FOLDER --catalog FILE --every 5`). A decision waits for nothing: where its ring of
     * `$logCapacity` records of 824 bytes (0 = 4096) is full it is counted as dropped. `$logTimed`: also how long each took.
     *
     * @throws AftercartException BadCatalog, CatalogVersion, SystemError, BadLive, BadModel, ...
     */
    public static function open(string $path, Options $options = new Options(), string $live = '', string $model = '', bool $shadow = false,
        string $log = '', int $logCapacity = 0, bool $logTimed = false): self
    {
        $engine = self::kept($path, $options, $live, $model, $shadow);
        if ($log !== '') {
            $error = self::sized($engine->ffi, 'aftercart_error');
            if ($engine->ffi->aftercart_log_to($engine->decider, $log, strlen($log), $logCapacity, $logTimed ? Native::LOG_TIMED : 0, $error) < 0) {
                throw AftercartException::detailed($error[0]);
            }
        }
        return $engine;
    }

    private static function kept(string $path, Options $options, string $live, string $model, bool $shadow): self
    {
        $key = "$path\0$live\0$model\0$shadow";
        $held = (self::$open[$key] ?? null)?->get();
        if ($held !== null) {
            return $held;
        }
        $ffi = Native::ffi();
        $given = $ffi->new('aftercart_options[1]');
        FFI::memcpy($given, $options->pack(), Native::OPTIONS_BYTES);
        $engine = $ffi->new('aftercart_engine*[1]');
        $decider = $ffi->new('aftercart_decider*[1]');
        $error = self::sized($ffi, 'aftercart_error');
        $status = $ffi->aftercart_resident_model($path, strlen($path), $live, strlen($live), $model, strlen($model), (int) $shadow,
            $given, $engine, $decider, $error);
        if ($status < 0) {
            throw AftercartException::detailed($error[0]);
        }
        $opened = new self($ffi, $engine[0], $decider[0]);
        self::$open[$key] = WeakReference::create($opened);
        return $opened;
    }

    /**
     * Decides what belongs on the page. No offers is no failure: then `$offers->reason` says why.
     *
     * @throws AftercartException where the request cannot be answered: show nothing, and go on
     */
    public function decide(Transaction $order, ?Profile $customer = null): Offers
    {
        $request = $this->pack($order, $customer);
        $room = [$this->offers, Native::OFFER_BYTES, Native::SLOTS_MAX, $this->count, $this->summary];
        $status = $this->ffi->aftercart_decide(...$request, ...$room);
        if ($status < 0) {
            throw AftercartException::of($status);
        }
        return Offers::of($this, $this->summary[0], $this->offers, $this->count[0]);
    }

    /**
     * Says why a product or offer is, or is not, on the page of a request. For people: it takes some times as long as a decision.
     */
    public function explain(Transaction $order, ?Profile $customer, string $id, Item $kind = Item::Any): Explanation
    {
        $request = $this->pack($order, $customer);
        $explanation = self::sized($this->ffi, 'aftercart_explanation');
        $length = $this->ffi->new('size_t[1]');
        for ($capacity = 4096; ; $capacity = $length[0] + 1) {
            $names = $this->ffi->new("char[$capacity]");
            $what = [$kind->value, $id, strlen($id), $explanation, $names, $capacity, $length];
            $status = $this->ffi->aftercart_explain(...$request, ...$what);
            self::done($status);
            if ($status === 0) {
                return Explanation::of($explanation[0], FFI::string($names, $length[0]));
            }
        }
    }

    /**
     * The question whose answer is expected to make the page worth most; null where no answer would change it, or where one was asked
     * or answered in this order. Then decide again with the answer. Takes as long as the decisions that it makes, at most 33.
     */
    public function nextQuestion(Transaction $order, ?Profile $customer = null): ?Question
    {
        $question = self::sized($this->ffi, 'aftercart_question');
        $status = $this->ffi->aftercart_next_question(...$this->pack($order, $customer), ...[$question]);
        self::done($status);
        return $status > 0 ? null : Question::of($this, $question[0]);
    }

    /**
     * Plans what to send in the days after an order: what is planned, earliest first, then what is withheld. A plan, not a sender.
     * `$deliveryAtMs`: as promised; 0 = as the programmes say. `$contactedAtMs`: other messages that the customer gets, through any
     * channel.
     *
     * @param list<int> $contactedAtMs
     * @return list<FollowUp>
     * @throws AftercartException BadProgrammes: they were made for another catalog
     */
    public function planFollowUps(Programmes $programmes, Transaction $order, ?Profile $customer = null, int $deliveryAtMs = 0,
        array $contactedAtMs = []): array
    {
        $request = $this->arguments(new Request($order, $customer, [], $contactedAtMs));
        [$rows, $count] = [$this->ffi->new('aftercart_follow_up[' . Native::FOLLOW_UPS_MAX . ']'), $this->ffi->new('size_t[1]')];
        $room = [$programmes->handle, $deliveryAtMs, $rows, Native::FOLLOW_UP_BYTES, Native::FOLLOW_UPS_MAX, $count];
        self::done($this->ffi->aftercart_plan_follow_ups(...$request, ...$room));
        $plan = [];
        for ($i = 0; $i < $count[0]; $i++) {
            $plan[] = FollowUp::of($this, $rows[$i]);
        }
        return $plan;
    }

    /** @internal */
    public function programmes(string $path): CData
    {
        if (!isset($this->programmes[$path])) {
            [$error, $kept] = [self::sized($this->ffi, 'aftercart_error'), $this->ffi->new('aftercart_programmes*[1]')];
            if ($this->ffi->aftercart_resident_programmes($this->engine, $path, strlen($path), $kept, $error) < 0) {
                throw AftercartException::detailed($error[0]);
            }
            $this->programmes[$path] = $kept[0];
        }
        return $this->programmes[$path];
    }

    /** What became of the decisions of this process's decider for these files. */
    public function logged(): Logged
    {
        $counts = self::sized($this->ffi, 'aftercart_logged');
        self::done($this->ffi->aftercart_log_counts($this->decider, $counts));
        return Logged::of($counts[0]);
    }

    /**
     * Puts the ways to pay that you permit (at most 32) in order, best first: by the customer's own use, drawn to what your customers here
     * use. None is added or taken away.
     *
     * @param list<PaymentOption> $options
     * @param list<PastUse> $uses
     * @param list<MethodCount> $counts
     * @return list<Ranked>
     */
    public function rankPaymentMethods(Transaction $order, ?Profile $customer, array $options, array $uses = [], array $counts = [],
        Device $device = Device::Unknown): array
    {
        [$request, $rows, $usual] = [new Request($order, $customer, $uses), '', ''];
        foreach ($options as $option) {
            $rows .= pack('LLqqLL', ...[...$request->text($option->id), 0, 0, $option->ready ? PaymentOption::READY : 0, 0]);
        }
        foreach ($counts as $of) {
            $packed = [...$request->text($of->id), $of->country, $of->device->value, $of->amountFrom, Request::uint32($of->orders), 0];
            $usual .= pack('LLa4LqLL', ...$packed);
        }
        $known = [$device->value, $this->rows('aftercart_option', $rows), 32, count($options),
            $this->rows('aftercart_method_count', $usual), 32, count($counts)];
        return $this->rank('aftercart_rank_payment_methods', $request, $known);
    }

    /**
     * Puts the ways to ship that you permit in order, best first: by the customer's own use. A dearer one never stands above one that is
     * cheaper and promised as early or earlier.
     *
     * @param list<ShippingOption> $options
     * @param list<PastUse> $uses
     * @return list<Ranked>
     */
    public function rankShippingOptions(Transaction $order, ?Profile $customer, array $options, array $uses = []): array
    {
        [$request, $rows] = [new Request($order, $customer, $uses), ''];
        foreach ($options as $option) {
            $rows .= pack('LLqqLL', ...[...$request->text($option->id), $option->price, $option->arrivesByMs, 0, 0]);
        }
        return $this->rank('aftercart_rank_shipping_options', $request, [$this->rows('aftercart_option', $rows), 32, count($options)]);
    }

    /**
     * @param list<mixed> $known
     * @return list<Ranked>
     */
    private function rank(string $call, Request $request, array $known): array
    {
        [$ranking, $count] = [$this->ffi->new('aftercart_ranked[' . Native::OPTIONS_MAX . ']'), $this->ffi->new('size_t[1]')];
        $room = [$ranking, 16, Native::OPTIONS_MAX, $count];
        self::done($this->ffi->$call(...$this->arguments($request), ...$known, ...$room));
        $ranked = [];
        for ($i = 0; $i < $count[0]; $i++) {
            $ranked[] = new Ranked($ranking[$i]->option, Because::tryFrom($ranking[$i]->because));
        }
        return $ranked;
    }

    /** Packed structs where C reads them. */
    private function rows(string $type, string $packed): CData
    {
        return self::fill($this->ffi->new("{$type}[1]"), $type, $packed, intdiv(strlen($packed), 16));
    }

    /**
     * Makes a live overlay for this catalog, or makes one that is there fit this catalog too: what it knows carries over by id. Do so
     * before workers open the new catalog with it; it takes some 0.2 s for a million products.
     */
    public function bindLive(string $path): void
    {
        $error = self::sized($this->ffi, 'aftercart_error');
        if ($this->ffi->aftercart_live_bind($this->engine, $path, strlen($path), $error) < 0) {
            throw AftercartException::detailed($error[0]);
        }
    }

    /**
     * Changes the live overlay: every process of the machine sees a change with its next decision. Each change is made as a whole or
     * not at all, in order; the first that cannot be made ends the call, and the exception's `done` says how many were. Not for
     * pages: it waits for other processes that change the overlay.
     *
     * @param list<Change> $changes
     */
    public function edit(array $changes, int $nowMs): void
    {
        $count = count($changes);
        $packed = $this->ffi->new('aftercart_change[' . max(1, $count) . ']');
        $texts = '';
        foreach (array_values($changes) as $i => $change) {
            $change->fill($packed[$i], $texts);
        }
        [$done, $error] = [$this->ffi->new('size_t[1]'), self::sized($this->ffi, 'aftercart_error')];
        $status = $this->ffi->aftercart_live_edit($this->engine, $packed, Native::CHANGE_BYTES, $count, $texts, strlen($texts),
            $nowMs, $done, $error);
        if ($status < 0) {
            throw AftercartException::detailed($error[0], $done[0]);
        }
    }

    /** What the live overlay knows of one product, offer or partner. */
    public function look(string $id, int $nowMs, Item $kind = Item::Any): LiveState
    {
        $state = self::sized($this->ffi, 'aftercart_live_state');
        $error = self::sized($this->ffi, 'aftercart_error');
        if ($this->ffi->aftercart_live_look($this->engine, $kind->value, $id, strlen($id), $nowMs, $state, $error) < 0) {
            throw AftercartException::detailed($error[0]);
        }
        return LiveState::of($state[0]);
    }

    /**
     * Takes a lease on the budgets of an offer and its partner, before it is shown; it expires `$forMs` later, at most a day. Without
     * a limit, or an overlay, it holds nothing.
     *
     * @throws AftercartException BudgetEmpty, Paused: do not show the offer
     */
    public function reserve(Offer $offer, int $nowMs, int $forMs): Lease
    {
        $lease = self::sized($this->ffi, 'aftercart_lease');
        self::done($this->ffi->aftercart_lease_reserve($this->engine, $offer->itemKind, $offer->itemRow, $offer->value, $nowMs,
            $forMs, $lease));
        return new Lease(FFI::string($lease, Native::LEASE_BYTES));
    }

    /**
     * Counts what a lease holds as spent.
     *
     * @throws AftercartException LeaseGone: it expired, or was used before; do not honour the offer on it
     */
    public function activate(Lease $lease, int $nowMs): void
    {
        self::done($this->ffi->aftercart_lease_activate($this->engine, $this->lease($lease), $nowMs));
    }

    /** Gives back what a lease holds: the customer declined, or left. */
    public function release(Lease $lease, int $nowMs): void
    {
        self::done($this->ffi->aftercart_lease_release($this->engine, $this->lease($lease), $nowMs));
    }

    private function lease(Lease $lease): CData
    {
        $given = $this->ffi->new('aftercart_lease[1]');
        $data = $lease->data;
        FFI::memcpy($given, $data, Native::LEASE_BYTES);
        return $given;
    }

    private static function done(int $status): void
    {
        if ($status < 0) {
            throw AftercartException::of($status);
        }
    }

    /** @internal a struct that says its size */
    public static function sized(FFI $ffi, string $type): CData
    {
        $struct = $ffi->new("{$type}[1]");
        $struct[0]->struct_size = FFI::sizeof($struct);
        return $struct;
    }

    public function info(): Info
    {
        $info = self::sized($this->ffi, 'aftercart_info');
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

    /**
     * Writes a request to where C reads it.
     *
     * @return list<mixed> the arguments with which every call about a request begins
     */
    private function pack(Transaction $order, ?Profile $customer): array
    {
        return $this->arguments(new Request($order, $customer));
    }

    /** @return list<mixed> */
    private function arguments(Request $request): array
    {
        $this->lines = self::fill($this->lines, 'aftercart_line', $request->lines, $request->lineCount);
        $facts = self::fill($this->facts, 'aftercart_fact', $request->facts, $request->factCount);
        if ($facts !== $this->facts) {
            $this->numbers = $this->ffi->cast('int64_t[' . intdiv(FFI::sizeof($facts), 8) . ']', $facts);
            $this->facts = $facts;
        }
        $strings = $request->purchases($this->numbers);
        FFI::memcpy($this->transaction, $request->transaction, Native::TRANSACTION_BYTES);
        FFI::memcpy($this->profile, $request->profile, Native::PROFILE_BYTES);
        return [$this->decider, $this->transaction, $this->profile, $this->lines, Native::LINE_BYTES, $request->lineCount,
            $this->facts, Native::FACT_BYTES, $request->factCount, $strings, strlen($strings)];
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
