<?php

declare(strict_types=1);

namespace Aftercart;

use FFI;
use FFI\CData;

/** What became of the decisions of this process's decider since it logs. */
final readonly class Logged
{
    private function __construct(
        /** Whether it does. */
        public bool $logs,
        /** Logged and dropped. */
        public int $made,
        /** In the ring, or in files. */
        public int $logged,
        /** Lost, since the ring was full. */
        public int $dropped,
        /** Of those logged, the ones that were put into files. */
        public int $drained,
    ) {
    }

    /** @internal */
    public static function of(CData $of): self
    {
        return new self($of->logs !== 0, $of->made, $of->logged, $of->dropped, $of->drained);
    }
}

/** What came of a decision: one thing that happened. Amounts are minor units of the currency of the decision. */
final readonly class LogEvent
{
    /** @internal flags of the header */
    public const VALUE = 1;
    /** @internal */
    public const MARGIN = 2;
    /** @internal */
    public const PAYOUT = 4;

    public function __construct(
        public EventKind $kind,
        /** Its own, 1 to 128 bytes: of several with the same id only one counts, so repeat what you are not sure of. */
        public string $eventId,
        /** Of the offers. */
        public string $decisionId,
        /** Unix milliseconds. */
        public int $atMs,
        /** Of the product or offer; empty = the whole page. */
        public string $itemId = '',
        /** 0 or more; converted, returned and ordered have one. */
        public ?int $value = null,
        /** May be negative. */
        public ?int $margin = null,
        /** From the partner, 0 or more. */
        public ?int $payout = null,
        /** Your own word: why it failed, was declined or came back. */
        public string $code = '',
        /** Of a survey. */
        public string $question = '',
        /** The answer's tag. */
        public string $answer = '',
    ) {
    }

    /**
     * Appends the event to a log, for the command `aftercart log` to take in: the folder that `Engine::open` names. From any process, at
     * any time; some 10 microseconds.
     *
     * @throws AftercartException BadValue: it cannot be what happened; SystemError: it is not in the log, try again
     */
    public function append(string $folder): void
    {
        [$ffi, $texts] = [Native::ffi(), ''];
        $error = Engine::sized($ffi, 'aftercart_error');
        $event = $this->pack($ffi, $texts);
        if ($ffi->aftercart_event_append($folder, strlen($folder), $event, $texts, strlen($texts), $error) < 0) {
            throw AftercartException::detailed($error[0]);
        }
    }

    /** One object of JSON, the form that `aftercart events import` reads, where you carry events to the log yourself. */
    public function json(): string
    {
        [$ffi, $texts] = [Native::ffi(), ''];
        $error = Engine::sized($ffi, 'aftercart_error');
        $event = $this->pack($ffi, $texts);
        [$json, $length] = [$ffi->new('char[' . Native::JSON_BYTES . ']'), $ffi->new('size_t[1]')];
        if ($ffi->aftercart_event_json($event, $texts, strlen($texts), $json, Native::JSON_BYTES, $length, $error) < 0) {
            throw AftercartException::detailed($error[0]);
        }
        return FFI::string($json, $length[0]);
    }

    private function pack(FFI $ffi, string &$texts): CData
    {
        if (!preg_match('/^[0-9a-f]{1,32}$/', $this->decisionId)) {
            throw AftercartException::of(Status::BadValue->value);
        }
        $event = Engine::sized($ffi, 'aftercart_event');
        $to = $event[0];
        $halves = unpack('Jhigh/Jlow', hex2bin(str_pad($this->decisionId, 32, '0', STR_PAD_LEFT)));
        [$to->decision_id_high, $to->decision_id_low] = [$halves['high'], $halves['low']];
        [$to->kind, $to->at_ms] = [$this->kind->value, $this->atMs];
        foreach (['value' => self::VALUE, 'margin' => self::MARGIN, 'payout' => self::PAYOUT] as $name => $flag) {
            $to->$name = $this->$name ?? 0;
            $to->flags |= $this->$name === null ? 0 : $flag;
        }
        $given = ['event_id' => $this->eventId, 'item_id' => $this->itemId, 'code' => $this->code, 'question' => $this->question,
            'answer' => $this->answer];
        foreach ($given as $name => $text) {
            [$to->$name->offset, $to->$name->length] = [strlen($texts), strlen($text)];
            $texts .= $text;
        }
        return $event;
    }
}

/**
 * What follows a purchase, by category, for the catalog of an engine: a file of TOML. The C library keeps it with the engine from one
 * request to the next, and reads it anew after it was replaced; while you hold the engine, its programmes for a path stay.
 */
final readonly class Programmes
{
    /** @internal */
    public CData $handle;

    /** @throws AftercartException BadProgrammes: the message says where and why */
    public function __construct(private Engine $engine, string $path) // it is held, since they end with it
    {
        $this->handle = $engine->programmes($path);
    }
}

/** A message that is planned, or withheld. Offers in advertising are decided when it is sent, for `Stage::Email`. */
final readonly class FollowUp
{
    private function __construct(
        /** null = one that only a newer version of this binding knows. */
        public ?MessageKind $kind,
        /** Likewise. */
        public ?Channel $channel,
        /** Whether it is to be sent. */
        public bool $planned,
        /** Why it is not; null where it is. */
        public ?Withheld $withheld,
        /** Index of the bought line that it is about. */
        public int $line,
        /** When to send it, Unix milliseconds. */
        public int $atMs,
        /** When it no longer makes sense. */
        public int $expiresAtMs,
        /** Of a refill: days from the order to the next purchase that is expected. */
        public ?int $dueDays,
        /** Intervals of the customer's behind that; 0 = the usual days alone. */
        public int $ownIntervals,
        public string $programme,
        /** Your mail service's name for it. */
        public string $template,
        /** Of the offer that it carries; empty = none. */
        public string $contentId,
        private int $itemKind,
        private int $itemRow,
        private Engine $engine,
    ) {
    }

    /** The title of the line's product; empty where the catalog does not know it. */
    public function title(): string
    {
        return $this->itemKind === 0 ? '' : $this->engine->text($this->itemKind, $this->itemRow, 2);
    }

    /** @internal */
    public static function of(Engine $engine, CData $f): self
    {
        return new self(
            MessageKind::tryFrom($f->kind),
            Channel::tryFrom($f->channel),
            $f->withheld === 0,
            Withheld::tryFrom($f->withheld),
            $f->line,
            $f->at_ms,
            $f->expires_at_ms,
            $f->due_days < 0 ? null : $f->due_days,
            $f->own_intervals,
            FFI::string($f->programme),
            FFI::string($f->template_id),
            FFI::string($f->content_id),
            $f->item_kind,
            $f->item_row,
            $engine,
        );
    }
}
