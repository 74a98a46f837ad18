<?php

// php tests/run.php: everything but FPM, which tests/fpm.php starts. Needs libaftercart.so.1 where the loader looks.

declare(strict_types=1);

use Aftercart\{AftercartException, Change, Claim, Engine, EventKind, Item, Lease, Line, LogEvent, Mode, Native, Options, Prefault, Programmes, Stage, Status, TokenKey, Transaction, Verify};

foreach (glob(__DIR__ . '/../src/*.php') as $file) {
    require_once $file;
}
require __DIR__ . '/conformance.php';

const ROOT = __DIR__ . '/../../../';
const SHOP = ROOT . 'tests/conformance/shop.aftercart';

function check(bool $true, string $what): void
{
    if (!$true) {
        throw new Exception("not so: $what");
    }
}

function fails(Status $status, callable $work, string $word = ''): AftercartException
{
    try {
        $work();
    } catch (AftercartException $failed) {
        check($failed->status === $status && str_contains($failed->getMessage(), $word), $failed->getMessage());
        return $failed;
    }
    throw new Exception("did not fail with $status->name");
}

function machine(string $category = ''): Transaction
{
    return new Transaction([new Line('espresso-machine'), new Line('beans-house', $category)]);
}

/** Where the fields of a format of pack() start, and its size at the end. */
function offsets(string $format): array
{
    preg_match_all('~[LqQ]|a(\d+)~', $format, $fields, PREG_SET_ORDER);
    $offsets = [0];
    foreach ($fields as $field) {
        $offsets[] = end($offsets) + (int) ($field[1] ?? ($field[0] === 'L' ? 4 : 8));
    }
    return $offsets;
}

function compare(string $record, string $told): void
{
    [$told, $recorded] = [explode("\n", $told), explode("\n", conformance($record))];
    foreach ($recorded as $number => $line) {
        check($line === ($told[$number] ?? null), 'line ' . $number + 1 . " of $record: " . ($told[$number] ?? ''));
    }
    check(count($told) === count($recorded), 'as many lines');
}

/** Does something with an overlay for the shop. */
function overlaid(callable $work): void
{
    $folder = sys_get_temp_dir() . '/aftercart-live-' . getmypid();
    mkdir($folder);
    Engine::open(SHOP)->bindLive("$folder/shop.live");
    try {
        $work("$folder/shop.live");
    } finally {
        unlink("$folder/shop.live");
        rmdir($folder);
    }
}

$tests = [
    'answers what every language must' => function () {
        $engine = Engine::open(SHOP);
        $told = '';
        foreach (requests(conformance('requests.txt')) as [$name, $order, $customer]) {
            $told .= "case\t$name\n" . answer($engine, $order, $customer) . "\n";
        }
        compare('offers.txt', $told);
    },
    'answers at the other moments what every language must' => function () {
        [$moments, $told] = [new Moments(), ''];
        foreach (requests(conformance('moments.txt')) as [$name, $order, $customer, $steps]) {
            $told .= "case\t$name\n" . $moments->all($order, $customer, $steps) . "\n";
        }
        compare('moments-answers.txt', $told);
    },
    'keeps decisions and events as every language must' => function () {
        $shared = getenv('AFTERCART_TEST_LOG');
        $folder = $shared === false ? sys_get_temp_dir() . '/aftercart-log-' . getmypid() : "$shared/php";
        $path = sys_get_temp_dir() . '/aftercart-logging-' . getmypid(); // a decider of its own
        copy(SHOP, $path);
        $engine = Engine::open($path);
        check(!$engine->logged()->logs, 'nobody asked for it');
        $made = 0;
        foreach (requests(conformance('requests.txt')) as [, $order, $customer]) {
            try {
                $last = Engine::open($path, log: $folder, logCapacity: 128)->decide($order, $customer);
                $made++;
            } catch (AftercartException) {
            }
        }
        $counts = $engine->logged();
        check([$counts->logs, $counts->made, $counts->logged, $counts->dropped, $counts->drained] === [true, $made, $made, 0, 0], 'counts');
        $rings = glob("$folder/rings/*.ring");
        check(count($rings) === 1 && hash_file('sha256', $rings[0]) === trim(conformance('records.sha256')), 'another ring than Rust leaves');
        foreach ([...EventKind::cases(), ...EventKind::cases()] as $kind) {
            (new LogEvent($kind, "php-$kind->name", $last->decisionId, 1, value: 1299))->append($folder);
        }
        fails(Status::BadValue, fn () => (new LogEvent(EventKind::Converted, 'php', '0', 1))->append($folder), 'value');
        fails(Status::SystemError, fn () => (new LogEvent(EventKind::Activated, 'php', '0', 1))->append('/proc/none'));
        fails(Status::SystemError, fn () => Engine::open($path, log: '/proc/none'));
        fails(Status::BadProgrammes, fn () => new Programmes($engine, __FILE__), 'run.php');
        fails(Status::SystemError, fn () => new Programmes($engine, 'no such file'));
        unset($engine);
        unlink($path);
    },
    'keeps programmes with their engine, until they were replaced' => function () {
        $path = sys_get_temp_dir() . '/aftercart-programmes-' . getmypid();
        $write = function (string $id) use ($path) {
            file_put_contents("$path.new", "[[programme]]\nid = \"$id\"\ncategories = [\"Coffee\"]\n"
                . "step = [{ template = \"hello\", kind = \"guidance\", after = \"order\" }]\n");
            rename("$path.new", $path);
        };
        $order = new Transaction([new Line('beans-house')], createdAtMs: 1793491200000);
        $planned = fn (Engine $engine) => $engine->planFollowUps(new Programmes($engine, $path), $order)[0]->programme;
        $address = function (Engine $engine) use ($path): int {
            $handle = (new Programmes($engine, $path))->handle;
            return FFI::cast('intptr_t', $handle)->cdata;
        };
        $write('first');
        $engine = Engine::open(SHOP, model: ROOT . 'tests/conformance/model.bin'); // one of its own
        [$before, $first] = [$address($engine), $planned($engine)];
        unset($engine); // as a request ends
        $engine = Engine::open(SHOP, model: ROOT . 'tests/conformance/model.bin');
        check($address($engine) === $before && $first === 'first', 'the same in the next request');
        $write('second');
        check($planned($engine) === 'first', 'what is held stays');
        $held = new Programmes($engine, $path);
        unset($engine);
        check($planned(Engine::open(SHOP, model: ROOT . 'tests/conformance/model.bin')) === 'first', 'programmes hold their engine');
        unset($held);
        check($planned(Engine::open(SHOP, model: ROOT . 'tests/conformance/model.bin')) === 'second', 'a file that was replaced');
        unlink($path);
    },
    'refuses keys, claims and models that are none' => function () {
        fails(Status::BadValue, fn () => new TokenKey('too short'), '32 bytes');
        $key = new TokenKey(str_repeat('k', 32));
        $claims = [new Claim('none', 'x', 1, 'USD', 1), new Claim('0', str_repeat('x', 100), 1, 'USD', 1),
            new Claim('0', 'x', 1, 'DOLLARS', 1), new Claim('0', 'x', 1, 'USD', 1, quantity: -1)];
        foreach ($claims as $claim) {
            fails(Status::BadValue, fn () => $key->sign($claim));
        }
        fails(Status::BadValue, fn () => $key->verify('token', 'DOLLARS', 1));
        fails(Status::SystemError, fn () => Engine::open(SHOP, model: 'no such file'), 'no such file');
        fails(Status::BadModel, fn () => Engine::open(SHOP, model: SHOP), 'not a usable model');
        [$plain, $learnt] = [Engine::open(SHOP), Engine::open(SHOP, model: ROOT . 'tests/conformance/model.bin')];
        check($plain !== $learnt && $plain->decide(machine())->modelGeneration === 0, 'engines with and without a model are apart');
        check($learnt->decide(machine())->modelGeneration !== 0 && $plain->info()->currency === 'USD', 'it decides with the model');
    },
    'does with an overlay what every language must' => function () {
        overlaid(function (string $live) {
            $steps = new Steps(Engine::open(SHOP, live: $live));
            $told = '';
            foreach (requests(conformance('live.txt')) as [$name, $order, $customer, $wanted]) {
                $told .= "case\t$name\n";
                foreach ($wanted as $step) {
                    $told .= $steps->take($order, $customer, $step);
                }
                $told .= "\n";
            }
            compare('live-answers.txt', $told);
        });
    },
    'changes an overlay, keeps leases as bytes, and knows its engines apart' => function () {
        overlaid(function (string $live) {
            $now = 1793491200000;
            [$engine, $plain] = [Engine::open(SHOP, live: $live), Engine::open(SHOP)];
            check($engine !== $plain && $engine === Engine::open(SHOP, live: $live), 'one engine for each pair of files');
            $changes = [new Change('barista-course', daily: 1), new Change('nobody', stock: 1), new Change('club', paused: true)];
            $failed = fails(Status::UnknownId, fn () => $engine->edit($changes, $now), 'nobody');
            check($failed->done === 1, 'changes that were made');
            fails(Status::BadLive, fn () => $plain->edit($changes, $now), 'no live overlay');
            fails(Status::BadValue, fn () => $engine->edit([new Change('club', utcOffsetMinutes: 1 << 40)], $now));
            fails(Status::BadValue, fn () => $engine->edit([new Change('pods', stock: -1)], $now));
            $order = new Transaction([new Line('espresso-machine')], createdAtMs: $now);
            $offer = $engine->decide($order)->slate[0];
            check($offer->id === 'barista-course', $offer->id);
            $lease = new Lease($engine->reserve($offer, $now, 60_000)->data);
            check($lease->expiresAtMs() === $now + 60_000, 'a minute');
            fails(Status::BudgetEmpty, fn () => $engine->reserve($offer, $now, 60_000));
            $engine->activate($lease, $now);
            fails(Status::LeaseGone, fn () => $engine->activate($lease, $now));
            check($engine->look('barista-course', $now, Item::Offer)->spentToday === 1, 'spent');
            check($plain->decide($order)->slate[0]->id === 'barista-course', 'without the overlay there is no limit');
            fails(Status::BadSize, fn () => new Lease(str_repeat('x', 48)));
            fails(Status::SystemError, fn () => Engine::open(SHOP, live: "$live.not"), 'shop.live.not');
        });
    },
    'packs structs as the header lays them out' => function () {
        $formats = ['options' => Native::OPTIONS, 'transaction' => Native::TRANSACTION, 'profile' => Native::PROFILE,
            'line' => Native::LINE, 'fact' => Native::FACT];
        $bytes = fn (string $name) => constant(Native::class . '::' . strtoupper($name) . '_BYTES');
        foreach (['offer', 'change', 'lease', 'follow_up'] as $name) {
            check(FFI::sizeof(Native::ffi()->type("aftercart_$name")) === $bytes($name), "the size of $name");
        }
        foreach (file(ROOT . 'ffi/abi/layout.txt', FILE_IGNORE_NEW_LINES) as $line) {
            preg_match('~^aftercart_(\w+)(?:\.(\w+))? (?:size )?(\d+)~', $line, $found);
            [, $name, $field, $number] = $found;
            if ($field === '') {
                check(FFI::sizeof(Native::ffi()->type("aftercart_$name")) === (int) $number, $line);
            }
            if (!isset($formats[$name])) {
                continue; // PHP's own FFI reads its fields
            }
            $offsets = offsets($formats[$name]);
            check($field !== '' || end($offsets) === (int) $number && $bytes($name) === (int) $number, $line);
            check($field === '' || in_array((int) $number, $offsets, true), $line);
        }
    },
    'has every number of the header' => function () {
        $header = file_get_contents(ROOT . 'include/aftercart.h');
        $lists = ['OPEN' => 'Mode', 'VERIFY' => 'Verify', 'PREFAULT' => 'Prefault', 'STAGE' => 'Stage', 'PAYMENT' => 'Payment', 'ROLE' => 'Role',
            'SENSITIVE' => 'Sensitive', 'CUSTOMER' => 'Customer', 'AGE' => 'AgeBand', 'KIND' => 'Kind',
            'RELATION' => 'Relation', 'FACT' => 'FactKind', 'ACCEPT' => 'Accept', 'ACCEPTANCE' => 'Acceptance', 'DEVICE' => 'Device', 'BECAUSE' => 'Because',
            'ITEM' => 'Item', 'EVENT' => 'EventKind', 'MESSAGE' => 'MessageKind', 'CHANNEL' => 'Channel', 'WITHHELD' => 'Withheld'];
        preg_match_all('~^#define AFTERCART_([A-Z]+)_(\w+) (\d+)$~m', $header, $all, PREG_SET_ORDER);
        $same = fn (string $header, string $php) => str_replace('_', '', $header) === strtoupper($php);
        foreach ($all as [$line, $prefix, $name, $number]) {
            if (isset($lists[$prefix])) {
                $case = ('Aftercart\\' . $lists[$prefix])::tryFrom((int) $number);
                check($case !== null && $same($name, $case->name), $line);
            } elseif (in_array($prefix, ['TRANSACTION', 'PROFILE', 'LINE'], true)) {
                check(constant('Aftercart\\' . ucfirst(strtolower($prefix)) . "::$name") === (int) $number, $line);
            } elseif ($prefix === 'CHANGE' && $name !== 'UTC_OFFSET') {
                check($same($name, Aftercart\Field::from((int) $number)->name), $line);
            } elseif ($prefix === 'AMOUNT') {
                check(constant("Aftercart\\LogEvent::$name") === (int) $number, $line);
            } elseif (in_array($prefix, ['JSON', 'LOG'], true)) {
                check(constant(Native::class . "::{$prefix}_$name") === (int) $number, $line);
            } elseif (preg_match('~^(UPS_)?MAX$~', $name) && $prefix !== 'RESIDENTS') {
                check(constant(Native::class . "::{$prefix}_$name") === (int) $number, $line);
            }
        }
        foreach (file(ROOT . 'ffi/abi/status.txt', FILE_IGNORE_NEW_LINES) as $line) {
            [$number, $name] = explode(' ', $line);
            check((int) $number >= 0 || $same($name, Status::from((int) $number)->name), $line);
        }
    },
    'says why a file does not open' => function () {
        $failed = fails(Status::SystemError, fn () => Engine::open('no such file'), 'no such file');
        check($failed->osError === 2, 'ENOENT');
        $failed = fails(Status::BadCatalog, fn () => Engine::open(__FILE__));
        check($failed->rule > 0 && $failed->part !== '', 'rule and part');
    },
    'refuses what is no text and what does not fit' => function () {
        $engine = Engine::open(SHOP);
        fails(Status::BadUtf8, fn () => $engine->decide(machine("\xff")));
        fails(Status::BadValue, fn () => $engine->decide(new Transaction(currency: 'DOLLAR')));
        fails(Status::BadValue, fn () => $engine->decide(new Transaction(slots: -1)));
        fails(Status::BadValue, fn () => $engine->decide(new Transaction([new Line('x', quantity: 1 << 32)])));
        check(count($engine->decide(machine(str_repeat('x', 1 << 20)))) > 0, 'a long text is fine');
        check($engine->info()->products === 19 && $engine->info()->kernel !== '', 'info');
        $none = $engine->decide(new Transaction(currency: 'EUR', stage: Stage::Cart));
        check(count($none) === 0 && str_contains($none->reasonText(), 'currency'), $none->reasonText());
    },
    'finds out that the file was replaced, and that a decider is broken' => function () {
        $path = sys_get_temp_dir() . '/aftercart-' . getmypid();
        copy(SHOP, $path);
        $engine = Engine::open($path, new Options(Mode::Copy, Verify::Full, Prefault::None, 50));
        $before = $engine->decide(machine());
        copy(SHOP, "$path.new");
        rename("$path.new", $path);
        check(Engine::open($path) === $engine, 'what is held stays');
        unset($engine);
        $engine = Engine::open($path);
        check(count($before) > 0 && $engine->decide(machine())->decisionId === $before->decisionId, 'the same content');
        check($before->slate[0]->title() !== '', 'offers keep their engine');
        unset($before);
        check($engine->selftest() === Status::Internal->value, 'a defect');
        fails(Status::Poisoned, fn () => $engine->decide(machine()));
        unset($engine);
        check(count(Engine::open($path)->decide(machine())) > 0, 'a new decider');
        file_put_contents("$path.new", 'no catalog');
        rename("$path.new", $path);
        fails(Status::BadCatalog, fn () => Engine::open($path));
        unlink($path);
    },
];
foreach ($tests as $name => $test) {
    $test();
    echo "ok: $name\n";
}
