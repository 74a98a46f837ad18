<?php

// What the request cost in this process, and what was offered.

declare(strict_types=1);

use Aftercart\{Engine, Line, Transaction};

$order = new Transaction(array_map(fn (string $item) => new Line($item), (array) $_GET['item']));
$start = hrtime(true);
$engine = Engine::open($_SERVER['AFTERCART_CATALOG'], log: isset($_GET['log']) ? $_SERVER['MEASURE_LOG'] : '');
$opened = hrtime(true);
$offers = $engine->decide($order);
$decided = hrtime(true);
usleep(2000); // so that requests at the same time need several workers
echo json_encode([
    'pid' => getmypid(),
    'open_us' => ($opened - $start) / 1000,
    'decide_us' => ($decided - $opened) / 1000,
    'offers' => array_map(fn ($offer) => $offer->id, $offers->slate),
    'may_call_c' => (function (): bool {
        try {
            return (bool) FFI::new('int');
        } catch (FFI\Exception) {
            return false;
        }
    })(),
]);
