<?php

// Under ffi.enable = preload, the default, only code that was loaded when FPM started may call C. In php.ini:
//
//     ffi.preload = .../vendor/aftercart/aftercart/src/aftercart.ffi.h
//     opcache.preload = .../vendor/aftercart/aftercart/preload.php
//
// If you have a preload script of your own, require this file there.

declare(strict_types=1);

foreach (glob(__DIR__ . '/src/*.php') as $file) {
    require_once $file;
}
