<?php

// A confirmation page that decides within the request: /confirmation.php?order=A-1&item[]=SKU&item[]=SKU, with
// &card=kept where it was paid by a card that you may charge again. Where AFTERCART_LOG names a folder that the workers may write to, they keep
// there what they decided, that the page was sent, and (accept.php) which offers were accepted, while beside FPM runs
//
//     aftercart log --log FOLDER --catalog shop.aftercart --every 5
//
// In a shop the order comes from your database; everything from here on is what you would write.

declare(strict_types=1);

use Aftercart\{Accept, AftercartException, Engine, EventKind, Line, LogEvent, Payment, Transaction};

if (!class_exists(Engine::class)) {
    require __DIR__ . '/vendor/autoload.php'; // FPM has the classes from its preload script
}

$items = array_values(array_filter((array) ($_GET['item'] ?? []), is_string(...)));
$order = new Transaction(
    lines: array_map(fn (string $item) => new Line($item), $items),
    orderId: is_string($_GET['order'] ?? null) ? $_GET['order'] : '',
    createdAtMs: (int) (microtime(true) * 1000),
    payment: isset($_GET['card']) ? Payment::Card : Payment::Unknown,
    rechargeable: ($_GET['card'] ?? null) === 'kept' ? true : null,
);
$log = $_SERVER['AFTERCART_LOG'] ?? '';
$offers = null;
try {
    // Once per process, then a look whether the file was replaced.
    $engine = Engine::open($_SERVER['AFTERCART_CATALOG'], log: $log);
    $offers = $engine->decide($order);
} catch (AftercartException $failed) {
    error_log($failed->getMessage()); // a receipt needs no offers
}
// How an offer may be accepted is decided for you; how that looks is yours.
$how = fn (?Accept $accept): string => match ($accept) {
    Accept::OneClickStoredCredential => ', added with one click, paid as this order',
    Accept::ConfirmConsent => ', added after you agree to its terms',
    Accept::Redirect => ', at our partner',
    Accept::LeadOptIn => ', join here',
    default => '', // the product's own page
};
$h = fn (string $text) => htmlspecialchars($text, ENT_QUOTES | ENT_SUBSTITUTE);
?>
<!doctype html>
<meta charset="utf-8">
<title>Thank you</title>
<h1>Thank you for order <?= $h($order->orderId) ?></h1>
<ul>
<?php foreach ($items as $item): ?>
  <li><?= $h($item) ?></li>
<?php endforeach ?>
</ul>
<?php if ($offers !== null && count($offers) > 0): ?>
<h2>Goes well with it</h2>
<ul>
<?php foreach ($offers as $offer): ?>
  <li><a href="/accept.php?decision=<?= $offers->decisionId ?>&amp;item=<?= rawurlencode($offer->id) ?>"><?= $h($offer->title()) ?></a><?= $how($offer->accept) ?></li>
<?php endforeach ?>
</ul>
<?php endif ?>
<?php
// It was sent; where a script tells you that it was seen, say so then. By its id it counts once, however often the page is loaded.
if ($log !== '' && $offers !== null) {
    try {
        $now = (int) (microtime(true) * 1000);
        (new LogEvent(EventKind::Activated, "activated $offers->decisionId", $offers->decisionId, $now))->append($log);
    } catch (AftercartException $failed) {
        error_log($failed->getMessage());
    }
}
