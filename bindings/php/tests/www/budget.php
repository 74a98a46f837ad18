<?php

// Accepts an offer as long as its budget lasts: a lease before it is shown, kept as bytes as in a session, activated on acceptance.

declare(strict_types=1);

use Aftercart\{AftercartException, Customer, Engine, Lease, Line, Profile, Status, Transaction};

$now = (int) $_GET['now'];
$engine = Engine::open($_SERVER['AFTERCART_CATALOG'], live: $_SERVER['AFTERCART_LIVE']);
$order = new Transaction([new Line('beans-house')], createdAtMs: $now);
$outcome = 'not-shown';
foreach ($engine->decide($order, new Profile(Customer::Returning)) as $offer) {
    if ($offer->id === 'bean-subscription') {
        try {
            $session = bin2hex($engine->reserve($offer, $now, 60_000)->data);
            usleep(1000); // the customer thinks, and other workers ask
            $engine->activate(new Lease(hex2bin($session)), $now);
            $outcome = 'activated';
        } catch (AftercartException $failed) {
            $outcome = $failed->status === Status::BudgetEmpty ? 'empty' : $failed->getMessage();
        }
    }
}
echo getmypid(), ' ', $outcome;
