<?php

// php tests/fpm.php CATALOG ITEM...: starts php-fpm and nginx as a shop does, with the default ffi.enable = preload, sends
// requests at the same time, and looks at what the workers share.

declare(strict_types=1);

use Aftercart\{Change, Engine};

const WORKERS = 3;
const BUDGET = 100;

foreach (glob(__DIR__ . '/../src/*.php') as $file) {
    require_once $file;
}

[, $catalog] = $argv;
$items = array_slice($argv, 2);
$catalog = realpath($catalog);
$example = realpath(__DIR__ . '/../../../examples/php');
$folder = sys_get_temp_dir() . '/aftercart-fpm-' . getmypid();
mkdir($folder, 0755);
// A path of its own, which the test replaces later.
copy($catalog, "$folder/shop.aftercart");
chmod("$folder/shop.aftercart", 0644);
// An overlay that the workers may write to: an offer may be accepted so many times.
Engine::open("$folder/shop.aftercart")->bindLive("$folder/shop.live");
chmod("$folder/shop.live", 0666);
$live = Engine::open("$folder/shop.aftercart", live: "$folder/shop.live");
$now = (int) (microtime(true) * 1000);
$live->edit([new Change('bean-subscription', daily: BUDGET)], $now);

function check(bool $true, string $what): void
{
    if (!$true) {
        throw new Exception("not so: $what\n" . implode('', array_map(file_get_contents(...), glob($GLOBALS['folder'] . '/*.log'))));
    }
}

/** A port that nobody listens at. */
function port(): int
{
    $socket = stream_socket_server('tcp://127.0.0.1:0');
    return (int) substr(strrchr(stream_socket_get_name($socket, false), ':'), 1);
}

/** Sends requests at the same time. @return list<string> bodies */
function get(int $port, string ...$paths): array
{
    return array_map(function (array $answer) {
        check(str_starts_with($answer[0], 'HTTP/1.1 200'), $answer[0]);
        return $answer[1];
    }, ask($port, ...$paths));
}

/** Likewise. @return list<array{string, string}> heads and bodies */
function ask(int $port, string ...$paths): array
{
    $sockets = [];
    foreach ($paths as $path) {
        $socket = stream_socket_client("tcp://127.0.0.1:$port", timeout: 60);
        fwrite($socket, "GET $path HTTP/1.0\r\nHost: shop\r\n\r\n");
        $sockets[] = $socket;
    }
    return array_map(fn ($socket) => explode("\r\n\r\n", stream_get_contents($socket), 2), $sockets);
}

/** Starts a server. It belongs to this test: it is ended by its handle. */
function start(array $command, string $name)
{
    $log = ['file', $GLOBALS['folder'] . "/$name.log", 'a'];
    return proc_open($command, [['file', '/dev/null', 'r'], $log, $log], $pipes);
}

function until(callable $true): void
{
    for ($i = 0; $i < 600 && !$true(); $i++) {
        usleep(50_000);
    }
    check($true(), 'ready within 30 s');
}

/** Bytes of the catalog in the memory of a process: what it touched, its share of that, and what only it has. */
function pages(int $pid): array
{
    $sums = ['Rss' => 0, 'Pss' => 0, 'Private_Dirty' => 0];
    $inside = false;
    foreach (file("/proc/$pid/smaps") as $line) {
        if (preg_match('~^[0-9a-f]+-[0-9a-f]+ ~', $line)) {
            $inside = str_contains($line, '/shop.aftercart');
        } elseif ($inside && preg_match('~^(\w+): +(\d+) kB~', $line, $found) && isset($sums[$found[1]])) {
            $sums[$found[1]] += 1024 * (int) $found[2];
        }
    }
    return $sums;
}

$port = port();
$user = posix_geteuid() === 0 ? "user = www-data\ngroup = www-data" : '';
$preload_user = posix_geteuid() === 0 ? ['-d', 'opcache.preload_user=www-data'] : [];
file_put_contents("$folder/fpm.conf", "[global]\nerror_log = $folder/fpm.log\n[shop]\nlisten = $folder/fpm.sock\n"
    . "listen.mode = 0666\n$user\npm = static\npm.max_children = " . WORKERS . "\nenv[AFTERCART_CATALOG] = $folder/shop.aftercart\n"
    . "env[AFTERCART_LIVE] = $folder/shop.live\nenv[MEASURE_LOG] = $folder/log\n");
foreach (['log', 'page-log'] as $log) {
    mkdir("$folder/$log");
    chmod("$folder/$log", 0777);
}
$fcgi = '';
foreach (['QUERY_STRING' => '$query_string', 'REQUEST_METHOD' => '$request_method', 'REQUEST_URI' => '$request_uri'] as $name => $value) {
    $fcgi .= "fastcgi_param $name $value; ";
}
$temp = '';
foreach (['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'] as $kind) {
    $temp .= "{$kind}_temp_path $folder/$kind; ";
}
file_put_contents("$folder/nginx.conf", "daemon off; pid $folder/nginx.pid; error_log $folder/nginx.log; "
    . (posix_geteuid() === 0 ? 'user www-data; ' : '') . "events {} http { access_log off; $temp server { listen 127.0.0.1:$port; "
    . "location / { fastcgi_pass unix:$folder/fpm.sock; $fcgi fastcgi_param SCRIPT_FILENAME $example\$fastcgi_script_name; } "
    . "location ~ ^/logged(/.*) { fastcgi_pass unix:$folder/fpm.sock; $fcgi fastcgi_param SCRIPT_FILENAME $example\$1; "
    . "fastcgi_param AFTERCART_LOG $folder/page-log; } "
    . "location /budget.php { fastcgi_pass unix:$folder/fpm.sock; $fcgi fastcgi_param SCRIPT_FILENAME " . __DIR__ . "/www/budget.php; } "
    . "location /measure.php { fastcgi_pass unix:$folder/fpm.sock; $fcgi fastcgi_param SCRIPT_FILENAME " . __DIR__ . "/www/measure.php; } } }");
$fpm = start([trim((string) shell_exec('command -v php-fpm || ls /usr/sbin/php-fpm* | head -1')), '-F', '-R', '-y', "$folder/fpm.conf",
    '-d', 'opcache.enable=1', '-d', 'ffi.preload=' . realpath(__DIR__ . '/../src/aftercart.ffi.h'),
    '-d', 'opcache.preload=' . realpath(__DIR__ . '/../preload.php'), ...$preload_user], 'fpm-start');
$nginx = start(['nginx', '-c', "$folder/nginx.conf", '-e', "$folder/nginx.log"], 'nginx-start');
try {
    until(fn () => file_exists("$folder/fpm.sock") && @stream_socket_client("tcp://127.0.0.1:$port") !== false);
    $query = implode('&', array_map(fn (string $item) => 'item[]=' . rawurlencode($item), $items));

    [$page] = get($port, "/confirmation.php?order=A-1&$query");
    check(str_contains($page, 'Thank you for order A-1') && substr_count($page, '<a href="/accept.php?') > 0, $page);
    check(!str_contains($page, 'one click'), 'nobody said that the payment may be charged again');
    [$page] = get($port, "/confirmation.php?order=A-1&card=kept&$query");
    check(str_contains($page, 'added with one click'), $page);
    [$bare] = get($port, '/confirmation.php?order=%3Cb%3E');
    check(str_contains($bare, '&lt;b&gt;'), $bare);
    echo "ok: the example's page has offers\n";

    $answers = [];
    for ($round = 0; $round < 200; $round++) {
        foreach (get($port, ...array_fill(0, 2 * WORKERS, "/measure.php?$query")) as $body) {
            $answers[] = json_decode($body, true, flags: JSON_THROW_ON_ERROR);
        }
    }
    $offers = array_unique(array_map(fn ($answer) => implode(' ', $answer['offers']), $answers));
    $pids = array_unique(array_column($answers, 'pid'));
    check(count($offers) === 1 && $offers[0] !== '', 'all workers offer the same: ' . implode(' | ', $offers));
    check(count($pids) === WORKERS, 'all workers answered');
    check(!in_array(true, array_column($answers, 'may_call_c'), true), 'a page itself may not call C: ffi.enable = preload');
    echo 'ok: ', count($answers), ' requests, ', count($pids), " workers, one answer\n";

    $sum = ['Rss' => 0, 'Pss' => 0, 'Private_Dirty' => 0];
    foreach ($pids as $pid) {
        foreach (pages($pid) as $name => $bytes) {
            $sum[$name] += $bytes;
        }
    }
    check($sum['Private_Dirty'] === 0 && $sum['Rss'] > 0, 'no worker has pages of its own');
    check($sum['Pss'] <= filesize($catalog) + 4096, "together they hold the file once at most: {$sum['Pss']}");
    check($sum['Rss'] >= 1.9 * $sum['Pss'], "most of it is shared: {$sum['Rss']} touched, {$sum['Pss']} held");
    printf("ok: workers share the catalog: %d workers touch %.2f MiB, and hold %.2f MiB of the %.2f MiB file\n",
        WORKERS, $sum['Rss'] / 2 ** 20, $sum['Pss'] / 2 ** 20, filesize($catalog) / 2 ** 20);

    // Not checked: times differ by machine.
    $first = $later = [];
    foreach ($answers as $answer) {
        isset($first[$answer['pid']]) ? $later[] = $answer : $first[$answer['pid']] = $answer;
    }
    foreach (['later' => $later] as $name => $some) {
        foreach (['open_us', 'decide_us'] as $what) {
            $column = array_column($some, $what);
            sort($column);
            $$what = $column[intdiv(count($column), 2)];
        }
    }
    printf("    first request of a worker: %s us; later ones: open %.1f us, decide %.1f us (medians)\n",
        implode(', ', array_map(fn ($answer) => sprintf('open %.0f + decide %.0f', $answer['open_us'], $answer['decide_us']), $first)),
        $open_us, $decide_us);

    $outcomes = [];
    for ($round = 0; $round < 50; $round++) {
        foreach (get($port, ...array_fill(0, 2 * WORKERS, "/budget.php?now=$now")) as $body) {
            [$pid, $outcome] = explode(' ', $body);
            $outcomes[$outcome][] = $pid;
        }
    }
    $spent = $live->look('bean-subscription', $now);
    check(count($outcomes['activated']) === BUDGET && $spent->spentToday === BUDGET && $spent->held === 0,
        json_encode([array_map(count(...), $outcomes), $spent]));
    check(count(array_unique($outcomes['activated'])) === WORKERS, 'all workers had some of it');
    echo 'ok: of a budget of ', BUDGET, ' the workers spent ', $spent->spent, ' in ',
        json_encode(array_map(count(...), $outcomes)), "\n";

    copy($catalog, "$folder/new");
    chmod("$folder/new", 0644);
    rename("$folder/new", "$folder/shop.aftercart");
    for ($round = 0; $round < 20; $round++) {
        get($port, ...array_fill(0, 2 * WORKERS, "/measure.php?$query"));
        get($port, ...array_fill(0, 2 * WORKERS, "/budget.php?now=$now"));
    }
    foreach ($pids as $pid) {
        $maps = file_get_contents("/proc/$pid/maps");
        check(str_contains($maps, '/shop.aftercart') && !str_contains($maps, '(deleted)/shop') && !preg_match('~shop\.aftercart \(deleted\)~', $maps), 'the old file is gone');
    }
    echo "ok: workers change to a new file by themselves\n";

    for ($round = 0; $round < 50; $round++) {
        get($port, ...array_fill(0, 2 * WORKERS, "/measure.php?log=1&$query"));
    }
    $rings = glob("$folder/log/rings/*.ring");
    $written = array_map(fn ($ring) => unpack('P', file_get_contents($ring, false, null, 24, 8))[1], $rings);
    check(count($rings) === WORKERS && array_sum($written) === 50 * 2 * WORKERS && min($written) > 0, json_encode($written));
    echo 'ok: of ', array_sum($written), ' decisions the workers keep ', implode(', ', $written), " in rings of their own\n";

    for ($i = 0; $i < 50; $i++) {
        $orders[] = "/logged/confirmation.php?order=B-$i&$query";
    }
    get($port, ...$orders);
    [$page] = get($port, "/logged/confirmation.php?order=C-1&$query", '/logged/confirmation.php?order=C-2');
    check(preg_match('~<a href="(/accept\.php\?decision=[0-9a-f]{32}&amp;item=([^"]+))"~', $page, $link) === 1, $page);
    foreach (['first', 'again'] as $time) {
        [[$head]] = ask($port, '/logged' . html_entity_decode($link[1]));
        check(str_starts_with($head, 'HTTP/1.1 303') && preg_match("~^Location: /product/$link[2]\r?$~m", $head) === 1, "$time: $head");
    }
    until(fn () => substr_count((string) @file_get_contents("$folder/page-log/incoming/events.jsonl"), '"activated"') === 52);
    $written = array_map(fn ($ring) => unpack('P', file_get_contents($ring, false, null, 24, 8))[1], glob("$folder/page-log/rings/*.ring"));
    check(array_sum($written) === 52, json_encode($written));
    check(substr_count(file_get_contents("$folder/page-log/incoming/events.jsonl"), '"accepted"') === 2, 'each load of the link is told');
    echo "ok: what the example's pages decided is in the log\n";
} finally {
    proc_terminate($nginx, SIGTERM);
    proc_terminate($fpm, SIGTERM);
    proc_close($nginx);
    proc_close($fpm);
    $shared = getenv('AFTERCART_TEST_LOG'); // bindings/test then drains it
    if ($shared !== false) {
        rename("$folder/page-log", "$shared/php-page");
    }
    array_map(unlink(...), glob("$folder/*log/{rings,incoming}/*", GLOB_BRACE));
    array_map(rmdir(...), glob("$folder/*log/*", GLOB_ONLYDIR));
    array_map(fn ($file) => is_dir($file) ? rmdir($file) : unlink($file), glob("$folder/*"));
    rmdir($folder);
}
