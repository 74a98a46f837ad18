<?php

declare(strict_types=1);

use Aftercart\{AgeBand, AftercartException, Customer, Engine, Event, Line, Offers, Payment, Profile, Role, Sensitive, Stage, SurveyAnswer, Transaction};

/** Reads a file of tests/conformance. */
function conformance(string $name): string
{
    return file_get_contents(__DIR__ . "/../../../tests/conformance/$name");
}

/** @return list<array{string, Transaction, Profile}> the requests of the file, whose grammar is at its top */
function requests(string $text): array
{
    $all = [];
    foreach (explode("\n\n", $text) as $block) {
        $lines = array_values(array_filter(explode("\n", $block), fn ($line) => $line !== '' && $line[0] !== '#'));
        if ($lines === []) {
            continue;
        }
        $name = explode("\t", array_shift($lines))[1];
        [$order, $customer] = [['lines' => []], ['purchases' => []]];
        foreach ($lines as $line) {
            $f = array_pad(explode("\t", $line), 9, '');
            $int = (int) $f[1];
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
                'answer' => $customer['answers'][] = new SurveyAnswer($f[1], $f[2]),
                'opt_out_category' => $customer['optOutCategories'][] = $f[1],
                'cart_removed' => $customer['cartRemoved'][] = $f[1],
                'expect' => null,
            };
        }
        $all[] = [$name, new Transaction(...$order), new Profile(...$customer)];
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
        $offers = $engine->decide($order, $customer);
    } catch (AftercartException $failed) {
        return "status\t" . substr($failed->getMessage(), strlen('aftercart: ')) . "\n";
    }
    $text = implode("\t", ['status', count($offers) === 0 ? 'NO_OFFERS' : 'OK', $offers->reason, $offers->decisionId,
        $offers->indexGeneration, $offers->policyGeneration, $offers->retrieved, $offers->eligible, $offers->rejected,
        $offers->centroids, $offers->cells, $offers->compared]) . "\n";
    foreach ($offers as $o) {
        $text .= implode("\t", ['offer', $o->id, $o->itemKind, $o->itemRow, $o->kind->value, $o->position,
            (int) $o->thirdParty, $o->relation->value, $o->line ?? -1, $o->relevance, $o->acceptPpm, $o->selectPpm,
            $o->value, $o->evMicros, $o->price ?? -1, $o->title(), $o->category(), $o->partner()]) . "\n";
    }
    return $text;
}
