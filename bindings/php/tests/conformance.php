<?php

declare(strict_types=1);

use Aftercart\{Accept, AgeBand, AftercartException, Change, Claim, Consent, Customer, Device, Engine, Event, Exposed, Exposure, EventKind, Field, Item, Lease, Line, LiveState, LogEvent, MethodCount, Offers, PastUse, Payment, PaymentOption, Prefilled, Profile, Programmes, Role, Sensitive, ShippingOption, Stage, StoredField, SurveyAnswer, TokenKey, Transaction};

/** Reads a file of tests/conformance. */
function conformance(string $name): string
{
    return file_get_contents(__DIR__ . "/../../../tests/conformance/$name");
}

const STEPS = ['decide', 'set', 'look', 'reserve', 'activate', 'release', 'explain', 'model', 'page', 'ask', 'sign', 'verify', 'rank_payment', 'rank_shipping', 'prefill', 'follow_ups', 'event'];
const BESIDE = ['used', 'failed', 'pay', 'ship', 'usual', 'stored', 'contacted'];

/** @return list<array{string, Transaction, Profile, list<list<string>>}> requests and steps of a file, whose grammar is at its top */
function requests(string $text): array
{
    $all = [];
    foreach (explode("\n\n", $text) as $block) {
        $lines = array_values(array_filter(explode("\n", $block), fn ($line) => $line !== '' && $line[0] !== '#'));
        if ($lines === []) {
            continue;
        }
        $name = explode("\t", array_shift($lines))[1];
        [$order, $customer, $consent, $steps] = [['lines' => []], ['purchases' => []], [], []];
        foreach ($lines as $line) {
            $f = array_pad(explode("\t", $line), 12, '');
            $int = (int) $f[1];
            if (in_array($f[0], [...STEPS, ...BESIDE], true)) {
                $steps[] = $f;
                continue;
            }
            match ($f[0]) {
                'order_id' => $order['orderId'] = $f[1],
                'created_at_ms' => $order['createdAtMs'] = $int,
                'value' => $order['value'] = $int,
                'currency', 'country' => $order[$f[0]] = $f[1],
                'stage' => $order['stage'] = Stage::from($int),
                'slots' => $order['slots'] = $int,
                'min_relevance' => $order['minRelevance'] = $int,
                'payment' => $order['payment'] = Payment::from($int),
                'rechargeable' => $order['rechargeable'] = [null, false, true][$int],
                'placement' => $order['placement'] = $f[1],
                'order_tag' => $order['tags'][] = $f[1],
                'loyalty_tier' => $customer['loyaltyTier'] = $f[1],
                'orders' => $customer['orders'] = $int,
                'segment' => $customer['segments'][] = $f[1],
                'is_gift' => $order['isGift'] = true,
                'is_test' => $order['isTest'] = true,
                'first_purchases' => $order['firstPurchases'] = true,
                'line' => $order['lines'][] = new Line($f[1], $f[2], $f[3], $f[4] === '' ? 1 : (int) $f[4],
                    $f[5] === '' ? null : (int) $f[5], Role::from((int) $f[6]), Sensitive::from((int) $f[7])),
                'lines' => array_push($order['lines'], ...array_map(fn ($n) => new Line("$f[2]-$n"), range(1, $int))),
                'customer' => $customer['customer'] = Customer::from($int),
                'age_band' => $customer['ageBand'] = AgeBand::from($int),
                'loyalty_member' => $customer['loyaltyMember'] = [null, false, true][$int],
                'has_app' => $customer['hasApp'] = [null, false, true][$int],
                'opt_out_third_party' => $customer['optOutThirdParty'] = true,
                'unit_key' => $customer['unitKey'] = key128($f[1], $f[2]),
                'session_key' => $customer['sessionKey'] = key128($f[1], $f[2]),
                'purchase' => $customer['purchases'][] = new Event($f[1], (int) $f[2]),
                'purchases' => array_push($customer['purchases'], ...array_map(fn ($n) => new Event("$f[2]-$n"), range(1, $int))),
                'decline' => $customer['declines'][] = new Event($f[1], (int) $f[2]),
                'consent' => $consent[['preferences', 'analytics', 'marketing', 'saleOfData'][$int]] = $f[2] === '2',
                'gpc' => $consent['gpc'] = true,
                'shown' => $customer['exposures'][] = new Exposed($f[1], Exposure::Shown, (int) $f[2]),
                'engaged' => $customer['exposures'][] = new Exposed($f[1], Exposure::Engaged, (int) $f[2]),
                'accepted' => $customer['exposures'][] = new Exposed($f[1], Exposure::Accepted, (int) $f[2]),
                'asked' => $customer['asked'][] = new Event($f[1], (int) $f[2]),
                'answer' => $customer['answers'][] = new SurveyAnswer($f[1], $f[2]),
                'opt_out_category' => $customer['optOutCategories'][] = $f[1],
                'cart_removed' => $customer['cartRemoved'][] = $f[1],
                'expect' => null,
            };
        }
        $all[] = [$name, new Transaction(...$order), new Profile(...$customer, consent: new Consent(...$consent)), $steps];
    }
    return $all;
}

/** Two unsigned numbers in decimal, as bytes. PHP's integers are signed: the upper half comes through text. */
function key128(string $low, string $high): string
{
    $bytes = '';
    foreach ([$low, $high] as $decimal) {
        for ($i = 0; $i < 8; $i++) {
            [$quotient, $rest] = ['', 0];
            foreach (str_split($decimal) as $digit) {
                $rest = $rest * 10 + (int) $digit;
                $quotient .= intdiv($rest, 256);
                $rest %= 256;
            }
            $bytes .= chr($rest);
            $decimal = $quotient;
        }
    }
    return $bytes;
}

function answer(Engine $engine, Transaction $order, Profile $customer): string
{
    try {
        return told($engine->decide($order, $customer));
    } catch (AftercartException $failed) {
        return "status\t" . name($failed) . "\n";
    }
}

/** The status as the header names it. */
function name(AftercartException $failed): string
{
    return explode(':', substr($failed->getMessage(), strlen('aftercart: ')))[0];
}

/** A decision in the form of offers.txt. */
function told(Offers $offers): string
{
    $text = row('status', count($offers) === 0 ? 'NO_OFFERS' : 'OK', $offers->reason, $offers->decisionId,
        $offers->indexGeneration, $offers->policyGeneration, $offers->retrieved, $offers->eligible, $offers->rejected,
        $offers->centroids, $offers->cells, $offers->compared);
    foreach ($offers as $o) {
        $text .= row('offer', $o->id, $o->itemKind, $o->itemRow, $o->kind->value, $o->position, (int) $o->thirdParty,
            $o->relation->value, $o->line ?? -1, $o->relevance, $o->acceptPpm, $o->selectPpm, $o->value, $o->evMicros,
            $o->price ?? -1, $o->accept->value, $o->title(), $o->category(), $o->partner());
    }
    return $text;
}

function row(string|int ...$fields): string
{
    return implode("\t", $fields) . "\n";
}

/** What live.txt asks for, one after the other, on one overlay. */
final class Steps
{
    private ?Offers $offers = null;
    /** @var array<string, Lease> */
    private array $leases = [];

    public function __construct(private readonly Engine $engine)
    {
    }

    /** @param list<string> $f */
    public function take(Transaction $order, Profile $customer, array $f): string
    {
        try {
            return match ($f[0]) {
                'decide' => told($this->offers = $this->engine->decide($order, $customer)),
                'look' => self::look($this->engine->look($f[2], (int) $f[3], Item::from((int) $f[1]))),
                'explain' => $this->explain($order, $customer, $f[1]),
                default => $this->act($f) ?? row($f[0], 'OK'),
            };
        } catch (AftercartException $failed) {
            return row($f[0], name($failed));
        }
    }

    private function act(array $f): null
    {
        match ($f[0]) {
            'set' => $this->engine->edit([self::change(...array_slice($f, 1, 4))], (int) $f[5]),
            'reserve' => $this->leases[$f[1]] = new Lease($this->engine->reserve($this->shown($f[2]), (int) $f[3], (int) $f[4])->data),
            'activate' => $this->engine->activate($this->leases[$f[1]], (int) $f[2]),
            'release' => $this->engine->release($this->leases[$f[1]], (int) $f[2]),
        };
        return null;
    }

    private function shown(string $id): Aftercart\Offer
    {
        foreach ($this->offers as $offer) {
            if ($offer->id === $id) {
                return $offer;
            }
        }
        throw new Exception("$id is not on the page");
    }

    /** A change of one field; without a value the overlay forgets it. */
    private static function change(string $kind, string $id, string $field, string $value): Change
    {
        $kind = Item::from((int) $kind);
        $int = (int) $value;
        return match (true) {
            $value === '' => new Change($id, $kind, forget: [constant(Field::class . '::' . ucfirst($field))]),
            $field === 'price' => new Change($id, $kind, price: $int, pricedAtMs: (int) explode(' ', $value)[1]),
            $field === 'utc_offset' => new Change($id, $kind, utcOffsetMinutes: $int),
            $field === 'pacing' => new Change($id, $kind, pacing: $value),
            in_array($field, ['paused', 'killed', 'money'], true) => new Change($id, $kind, ...[$field => $value === '1']),
            default => new Change($id, $kind, ...[$field => $int]),
        };
    }

    private static function look(LiveState $s): string
    {
        $fields = array_slice(array_values(get_object_vars($s)), 1);
        return row('look', 'OK', $s->kind->value, ...array_map(fn ($field) => (int) ($field ?? -1), $fields));
    }

    private function explain(Transaction $order, Profile $customer, string $id): string
    {
        $e = $this->engine->explain($order, $customer, $id);
        $text = row('explain', 'OK', $e->position ?? -1, $e->relation->value ?? 0, $e->line ?? -1, $e->relevance, $e->acceptPpm,
            $e->evMicros, implode(',', $e->reasons));
        foreach ($e->rules as $rule) {
            $text .= row('rule', $rule);
        }
        foreach ($e->features as $feature) {
            $text .= row('feature', ...array_values($feature));
        }
        return $text;
    }
}

/** What moments.txt asks for. */
final class Moments
{
    private Engine $engine;
    private string $token = '';
    /** @var array<string, list<list<string>>> */
    private array $beside = [];

    /** @param list<list<string>> $steps */
    public function all(Transaction $order, Profile $customer, array $steps): string
    {
        $this->engine = Engine::open(SHOP);
        $told = '';
        $this->beside = array_fill_keys(BESIDE, []);
        foreach ($steps as $f) {
            if (isset($this->beside[$f[0]])) {
                $this->beside[$f[0] === 'failed' ? 'used' : $f[0]][] = $f;
                continue;
            }
            try {
                $told .= $this->take($order, $customer, $f);
            } catch (AftercartException $failed) {
                $told .= row(['rank_payment' => 'ranked', 'sign' => 'token', 'verify' => 'claim'][$f[0]] ?? $f[0], name($failed));
            }
        }
        return $told;
    }

    /** @param list<string> $f */
    private function take(Transaction $order, Profile $customer, array $f): string
    {
        if ($f[0] === 'model') {
            $this->engine = Engine::open(SHOP, model: __DIR__ . '/../../../tests/conformance/model.bin', shadow: $f[1] === '1');
            return row('model', 'OK');
        }
        if ($f[0] === 'page') {
            $offers = $this->engine->decide($order, $customer);
            $text = row('page', count($offers) === 0 ? 'NO_OFFERS' : 'OK', $offers->groupId, $offers->modelGeneration);
            foreach ($offers as $o) {
                $text .= row('accept', $o->id, $o->accept->value, $o->acceptance->value, (int) $o->mayNeedConfirmation, $o->acceptPpm);
            }
            return $text;
        }
        if ($f[0] === 'ask') {
            $q = $this->engine->nextQuestion($order, $customer);
            if ($q === null) {
                return row('question', 'NO_QUESTION');
            }
            $text = row('question', 'OK', $q->id, $q->text, $q->gainMicros, $q->decisions);
            foreach ($q->answers as $answer) {
                $text .= row('answer', $answer['tag'], $answer['text']);
            }
            return $text;
        }
        if ($f[0] === 'follow_ups') {
            $contacted = array_map(fn ($o) => (int) $o[1], $this->beside['contacted']);
            $programmes = new Programmes($this->engine, __DIR__ . '/../../../tests/conformance/programmes.toml');
            $text = row('follow_ups', 'OK');
            foreach ($this->engine->planFollowUps($programmes, $order, $customer, (int) $f[1], $contacted) as $of) {
                $text .= row('message', $of->programme, $of->template, $of->contentId, $of->kind->value, $of->channel->value,
                    $of->withheld?->value ?? 0, $of->atMs, $of->expiresAtMs, $of->line, $of->title(), $of->dueDays ?? -1, $of->ownIntervals);
            }
            return $text;
        }
        if ($f[0] === 'event') {
            $amount = fn (string $text) => $text === '' ? null : (int) $text;
            return row('event', 'OK', (new LogEvent(EventKind::from((int) $f[1]), $f[2], $f[3], (int) $f[4], $f[5], $amount($f[6]), $amount($f[7]),
                $amount($f[8]), $f[9], $f[10], $f[11]))->json());
        }
        if ($f[0] === 'prefill') {
            $stored = array_map(fn ($o) => new StoredField((int) $o[1], (int) $o[2], $o[3], (int) $o[4], (int) $o[5]), $this->beside['stored']);
            $text = row('prefilled', 'OK');
            foreach (Prefilled::of($order, $stored) as $of) {
                $text .= row('field', $of->field, $of->slot, $of->confidencePpm, $of->because->value);
            }
            return $text;
        }
        if ($f[0] === 'rank_payment' || $f[0] === 'rank_shipping') {
            return $this->ranked($order, $customer, $f);
        }
        $key = new TokenKey($f[1]);
        if ($f[0] === 'sign') {
            $this->token = $key->sign(new Claim($f[2], $f[3], (int) $f[4], $f[5], (int) $f[7], (int) $f[6]));
            return row('token', 'OK', $this->token);
        }
        $c = $key->verify($f[2] === '' ? $this->token : $f[2], $f[3], (int) $f[4], (int) $f[5]);
        return row('claim', 'OK', $c->decisionId, $c->itemId, $c->price, $c->currency, $c->quantity, $c->expiresAtMs, $c->idempotencyKey);
    }

    /** @param list<string> $f */
    private function ranked(Transaction $order, Profile $customer, array $f): string
    {
        $uses = array_map(fn ($o) => new PastUse($o[1], (int) $o[2], $o[0] === 'failed'), $this->beside['used']);
        if ($f[0] === 'rank_payment') {
            $options = array_map(fn ($o) => new PaymentOption($o[1], $o[2] === '1'), $this->beside['pay']);
            $counts = array_map(fn ($o) => new MethodCount($o[1], $o[2], Device::from((int) $o[3]), (int) $o[4], (int) $o[5]), $this->beside['usual']);
            $ranked = $this->engine->rankPaymentMethods($order, $customer, $options, $uses, $counts, Device::from((int) $f[1]));
        } else {
            $options = array_map(fn ($o) => new ShippingOption($o[1], (int) $o[2], (int) $o[3]), $this->beside['ship']);
            $ranked = $this->engine->rankShippingOptions($order, $customer, $options, $uses);
        }
        $text = row('ranked', 'OK');
        foreach ($ranked as $one) {
            $text .= row('option', $one->option, $one->because->value);
        }
        return $text;
    }
}
