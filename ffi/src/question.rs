//! The one question of a page.
#![allow(unsafe_code, reason = "exported functions: each is one `call`, whose SAFETY line is the header")]
#![allow(non_camel_case_types, reason = "these are the names that C sees")]

use std::ffi::c_char;

use engine::Engine;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

use crate::boundary::{Caller, call};
use crate::decider::begin;
use crate::engine::ANSWER_BITS;
use crate::status::Status;
use crate::types::*;

/// A question that is worth asking. `aftercart_item_text` of this decider's engine has the texts: of the question by
/// `AFTERCART_ITEM_QUESTION` and `row`, of its answers by `AFTERCART_ITEM_ANSWER` and `answer_row` and the rows after it.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_question {
    /// `sizeof(aftercart_question)`.
    pub struct_size: u32,
    /// Which of the policy's.
    pub row: u32,
    /// By how much the page is expected to be worth more once it is answered, millionths of a minor unit.
    pub gain_micros: i64,
    /// Its first answer; the others follow.
    pub answer_row: u32,
    /// Answers that it has.
    pub answer_count: u32,
    /// Decisions that were made to find out.
    pub decisions: u32,
    /// Zero.
    pub reserved: u32,
}

/// Finds the question whose answer is expected to make the page worth most. `AFTERCART_NO_QUESTION` where no answer would change it,
/// or where one was asked or answered in this order.
///
/// The request is that of `aftercart_decide`. Set `question->struct_size` before. It makes at most 33 decisions, so it takes as long; no
/// heap allocation, no waiting, no system call; the same input gives the same question on every machine. Once it is answered,
/// decide again with the answer as a fact (`AFTERCART_FACT_ANSWER`: the question's id, the answer's tag) and the rest unchanged:
/// both decisions have the same group id, and chance falls alike in both. Whether answered or not, pass it as
/// `AFTERCART_FACT_ASKED` from then on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_next_question(
    decider: *mut aftercart_decider,
    transaction: *const aftercart_transaction,
    profile: *const aftercart_profile,
    lines: *const aftercart_line,
    line_size: usize,
    line_count: usize,
    facts: *const aftercart_fact,
    fact_size: usize,
    fact_count: usize,
    strings: *const c_char,
    strings_length: usize,
    question: *mut aftercart_question,
) -> i32 {
    let ask = |caller: &Caller| {
        let room = caller.room(question)?;
        let (lines, facts) = ((lines, line_size, line_count), (facts, fact_size, fact_count));
        let strings = (strings, strings_length);
        let (mut state, given) = begin(caller, decider, transaction, profile, lines, facts, strings)?;
        let next = state.run(&given, |decider, transaction, profile, _| {
            Ok(decider.next_question(transaction, profile)?)
        })?;
        room.fill(&next.map_or_else(aftercart_question::new_zeroed, |next| plain(state.engine(), &next)));
        Ok(if next.is_some() { Status::Ok } else { Status::NoQuestion })
    };
    // SAFETY: the contract of the header.
    unsafe { call(ask) }
}

fn plain(engine: &Engine, next: &engine::NextQuestion) -> aftercart_question {
    let mut plain = aftercart_question::new_zeroed();
    plain.row = next.question.0.into();
    plain.gain_micros = next.gain_micros;
    plain.answer_row = plain.row << ANSWER_BITS;
    plain.answer_count = engine.question_answers(next.question).count() as u32;
    plain.decisions = next.decisions.into();
    plain
}
