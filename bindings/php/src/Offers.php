<?php

declare(strict_types=1);

namespace Aftercart;

// Named, so that they are found when the file is compiled, and not at each call.
use function sprintf;

/**
 * A decision: the slate, best first, and how it came about.
 *
 * @implements \IteratorAggregate<int, Offer>
 */
final readonly class Offers implements \IteratorAggregate, \Countable
{
    /** @param list<Offer> $slate */
    private function __construct(
        public array $slate,
        /** Without offers: the number of the commonest reason. With offers: 0. */
        public int $reason,
        /** Equal for equal order, catalog and policy. */
        public string $decisionId,
        public string $indexGeneration,
        public string $policyGeneration,
        /** Changes of the live overlay before the decision; 0 without one. */
        public int $overlayGeneration,
        /** Equal for all decisions of one order, whatever the customer answered. */
        public string $groupId,
        /** Content of the model; 0 without one. */
        public int $modelGeneration,
        /** Candidates retrieved, that passed every rule, and refused. */
        public int $retrieved,
        public int $eligible,
        public int $rejected,
        /** Work of the search. */
        public int $centroids,
        public int $cells,
        public int $compared,
    ) {
    }

    /** What the reason says, in one English line. */
    public function reasonText(): string
    {
        return $this->reason === 0 ? '' : Native::ffi()->aftercart_reason_text($this->reason);
    }

    public function count(): int
    {
        return count($this->slate);
    }

    public function getIterator(): \Iterator
    {
        return new \ArrayIterator($this->slate);
    }

    /** @internal reads what C wrote: field by field, which is faster than unpack() */
    public static function of(Engine $engine, \FFI\CData $s, \FFI\CData $offers, int $count): self
    {
        $slate = [];
        for ($i = 0; $i < $count; $i++) {
            $o = $offers[$i];
            $slate[] = new Offer(
                \FFI::string($o->id),
                Kind::tryFrom($o->kind),
                Relation::tryFrom($o->relation),
                $o->position,
                $o->line < 0 ? null : $o->line,
                $o->third_party !== 0,
                $o->relevance,
                $o->p_accept_ppm,
                $o->p_select_ppm,
                $o->value,
                $o->ev_micros,
                $o->price < 0 ? null : $o->price,
                Accept::tryFrom($o->accept),
                Acceptance::tryFrom($o->accept_reason),
                $o->may_need_confirmation !== 0,
                $o->item_kind,
                $o->item_row,
                $engine,
            );
        }
        $decisionId = sprintf('%016x%016x', $s->decision_id_high, $s->decision_id_low);
        // Without answers a decision has its group's id.
        $alone = $s->group_id_low === $s->decision_id_low && $s->group_id_high === $s->decision_id_high;
        return new self(
            $slate,
            $s->reason,
            $decisionId,
            sprintf('%016x', $s->index_generation),
            sprintf('%016x', $s->policy_generation),
            $s->overlay_generation,
            $alone ? $decisionId : sprintf('%016x%016x', $s->group_id_high, $s->group_id_low),
            $s->model_generation,
            $s->retrieved,
            $s->eligible,
            $s->rejected,
            $s->centroids,
            $s->cells,
            $s->compared,
        );
    }
}

/** One offer of the slate. */
final readonly class Offer
{
    /** @internal */
    public function __construct(
        /** In the feed. */
        public string $id,
        /** null = one that only a newer version of this binding knows. */
        public ?Kind $kind,
        /** Likewise. */
        public ?Relation $relation,
        /** On the page, from 0. */
        public int $position,
        /** Index of the bought line behind it; null where no single line is. */
        public ?int $line,
        /** Sold or made by a third party. */
        public bool $thirdParty,
        /** How well it fits what was bought, thousandths. */
        public int $relevance,
        /** Probability that the customer accepts it, parts per million. */
        public int $acceptPpm,
        /** Probability that the policy shows it in this slot, parts per million. */
        public int $selectPpm,
        /** What you earn when it is accepted, minor units. */
        public int $value,
        /** Expected contribution, millionths of a minor unit. */
        public int $evMicros,
        /** To the customer, as the live overlay has it, else the catalog; minor units, null = not known. */
        public ?int $price,
        /** How it may be accepted; null = in a way that only a newer version of this binding knows. */
        public ?Accept $accept,
        /** Why in that way and no shorter one; null likewise. */
        public ?Acceptance $acceptance,
        /** The customer's bank may want them to confirm the charge. */
        public bool $mayNeedConfirmation,
        /** @internal */
        public int $itemKind,
        /** @internal */
        public int $itemRow,
        private Engine $engine,
    ) {
    }

    public function title(): string
    {
        return $this->engine->text($this->itemKind, $this->itemRow, 2);
    }

    /** The category path; empty where not known and for other offers. */
    public function category(): string
    {
        return $this->engine->text($this->itemKind, $this->itemRow, 3);
    }

    /** The id of the partner behind it; empty for your own. */
    public function partner(): string
    {
        return $this->engine->text($this->itemKind, $this->itemRow, 4);
    }
}
