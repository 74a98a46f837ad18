<?php

declare(strict_types=1);

namespace Aftercart;

use FFI;

/** @internal The C library, and how the structs that it reads are packed. The tests compare sizes and formats with the header. */
final class Native
{
    public const ABI_VERSION = 1;
    public const LINES_MAX = 512;
    public const FACTS_MAX = 4096;
    public const SLOTS_MAX = 16;
    public const REASONS_MAX = 32;
    public const TOKEN_BYTES = 192;
    public const OPTIONS_MAX = 32;
    public const FOLLOW_UPS_MAX = 32;
    public const JSON_BYTES = 8193;
    public const LOG_TIMED = 1;

    public const OPTIONS_BYTES = 24;
    public const TRANSACTION_BYTES = 72;
    public const PROFILE_BYTES = 80;
    public const LINE_BYTES = 48;
    public const FACT_BYTES = 32;
    public const OFFER_BYTES = 152;
    public const CHANGE_BYTES = 88;
    public const LEASE_BYTES = 48;
    public const FOLLOW_UP_BYTES = 264;

    // Formats of pack(): L = uint32, q = int64, Q = uint64; a4 = text padded with zeros.
    public const OPTIONS = 'LLLLQ';
    public const TRANSACTION = 'LLqqLLa4a4LLLLLLLL';
    public const PROFILE = 'LLLLLLa16a16LLLLLL';
    public const LINE = 'LLLLLLqLLLL';
    public const FACT = 'LLqLLLL';

    private static ?FFI $ffi = null;

    /** The library: what the preload script loaded, or else, on the command line, loaded now. */
    public static function ffi(): FFI
    {
        if (self::$ffi === null) {
            try {
                $ffi = FFI::scope('AFTERCART');
            } catch (FFI\Exception) {
                $ffi = FFI::load(__DIR__ . '/aftercart.ffi.h');
            }
            $abi = $ffi->aftercart_abi_version();
            if ($abi !== self::ABI_VERSION) {
                throw new \RuntimeException("libaftercart has ABI $abi, this binding needs " . self::ABI_VERSION);
            }
            if (PHP_INT_SIZE !== 8 || pack('S', 1) !== "\1\0") {
                throw new \RuntimeException('this binding needs a machine of 64 bits, low byte first'); // see Request
            }
            self::$ffi = $ffi;
        }
        return self::$ffi;
    }
}
