<?php

// What a link of an offer leads to: /accept.php?decision=ID&item=ID. It notes that the offer was accepted and goes on to the product.
// In a shop, what was offered is in the session: anybody can write an address.

declare(strict_types=1);

use Aftercart\{AftercartException, EventKind, LogEvent};

if (!class_exists(LogEvent::class)) {
    require __DIR__ . '/vendor/autoload.php'; // FPM has the classes from its preload script
}

[$log, $decision, $item] = [$_SERVER['AFTERCART_LOG'] ?? '', $_GET['decision'] ?? '', $_GET['item'] ?? ''];
$item = is_string($item) ? $item : '';
if ($log !== '' && is_string($decision) && $item !== '') {
    try { // by its id it counts once, however often the link is loaded
        (new LogEvent(EventKind::Accepted, "accepted $decision$item", $decision, (int) (microtime(true) * 1000), $item))->append($log);
    } catch (AftercartException $failed) {
        error_log($failed->getMessage());
    }
}
header('Location: /product/' . rawurlencode($item), response_code: 303);
