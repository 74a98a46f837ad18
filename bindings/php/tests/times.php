<?php

// php tests/times.php CATALOG REQUESTS: how many nanoseconds a decision of each request takes, for benches/bindings.rs.

declare(strict_types=1);

use Aftercart\Engine;

foreach (glob(__DIR__ . '/../src/*.php') as $file) {
    require_once $file;
}
require __DIR__ . '/conformance.php';

$engine = Engine::open($argv[1]);
foreach (requests(file_get_contents($argv[2])) as [, $order, $customer]) {
    $batches = [];
    for ($batch = 0; $batch < 100; $batch++) {
        $since = hrtime(true);
        for ($i = 0; $i < 10; $i++) {
            $engine->decide($order, $customer);
        }
        $batches[] = intdiv(hrtime(true) - $since, 10);
    }
    sort($batches);
    echo $batches[9], "\n";
}
