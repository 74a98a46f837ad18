<?php

declare(strict_types=1);

namespace Aftercart;

/** A call failed. On a page: show nothing, and go on. The code is the status of the header. */
final class AftercartException extends \RuntimeException
{
    private function __construct(
        string $message,
        public readonly Status $status,
        /** errno of the system call that failed, else 0. */
        public readonly int $osError = 0,
        /** The rule of the format that the file breaks, else 0. */
        public readonly int $rule = 0,
        /** Where: a byte, or a row of `part`. */
        public readonly int $offset = 0,
        public readonly string $part = '',
        /** Of `Engine::edit`: changes that were made before. */
        public readonly int $done = 0,
    ) {
        parent::__construct($message, $status->value);
    }

    /** @internal */
    public static function of(int $status): self
    {
        $name = Native::ffi()->aftercart_status_name($status);
        return new self("aftercart: $name", Status::tryFrom($status) ?? Status::Internal);
    }

    /** @internal */
    public static function detailed(\FFI\CData $error, int $done = 0): self
    {
        $name = Native::ffi()->aftercart_status_name($error->status);
        return new self(
            "aftercart: $name: " . \FFI::string($error->message),
            Status::tryFrom($error->status) ?? Status::Internal,
            $error->os_error,
            $error->rule,
            $error->offset,
            \FFI::string($error->part),
            $done,
        );
    }
}
