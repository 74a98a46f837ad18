//! Questions that a page may ask the customer: plainly, as a file stores them, and ready for decisions.

use zerocopy::little_endian::{I64, U32};

use super::PolicyError;
use super::condition::Condition;
use super::facts::{Facts, text_hash};
use super::rules::{self, Op, is_sound};
use super::stored::{op_key_value, read_op};
use crate::index::format::{PolicyRecord, rule};
use crate::limits::{
    CONDITION_STACK_MAX, PLACEMENTS_MAX, QUESTION_ANSWERS_MAX, QUESTION_DECISIONS_MAX, QUESTION_TEXT_MAX,
    QUESTIONS_MAX, RULE_NAME_MAX,
};

/// A question with its possible answers. Which one is worth asking, [`crate::Decider::next_question`] finds out.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(deny_unknown_fields, default))]
pub struct Question {
    /// Its id in answers, 1 to 64 bytes, its own.
    pub id: String,
    /// What the customer reads, 1 to 255 bytes.
    pub text: String,
    /// Asked only where this surely holds: not where the request does not say what it asks about.
    #[cfg_attr(feature = "policy", serde(deserialize_with = "super::cel::deserialize"))]
    pub ask_if: Condition,
    /// Ids of the placements that ask it; empty = all.
    pub placements: Vec<String>,
    /// Days in which a customer is not asked the same again.
    pub cooldown_days: u16,
    /// Least gain in expected contribution that is worth the customer's attention, in major units.
    pub min_gain: f64,
    /// 2 to 6 answers.
    #[cfg_attr(feature = "policy", serde(rename = "answer"))]
    pub answers: Vec<PossibleAnswer>,
    /// Signs that make some answers likelier. The first that surely holds puts its priors in place of the answers' own; it is
    /// never taken for an answer.
    #[cfg_attr(feature = "policy", serde(rename = "sign"))]
    pub signs: Vec<Sign>,
}

impl Default for Question {
    fn default() -> Self {
        Self {
            id: String::new(),
            text: String::new(),
            ask_if: Condition::Always,
            placements: Vec::new(),
            cooldown_days: 30,
            min_gain: 0.0,
            answers: Vec::new(),
            signs: Vec::new(),
        }
    }
}

/// One possible answer.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(deny_unknown_fields))]
pub struct PossibleAnswer {
    /// What the customer reads, 1 to 255 bytes.
    pub text: String,
    /// What it stands for in rules and triggers, 1 to 64 bytes; `gift` is [`crate::GIFT`].
    pub tag: String,
    /// Share of customers who would give it, 0 to 1; those of a question add up to 1.
    pub prior: f64,
}

/// A weak sign of an answer.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(deny_unknown_fields))]
pub struct Sign {
    /// When it is there.
    #[cfg_attr(feature = "policy", serde(deserialize_with = "super::cel::deserialize"))]
    pub when: Condition,
    /// The prior of each answer then.
    pub priors: Vec<f64>,
}

/// A question ready for decisions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ready {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) cooldown_days: u16,
    pub(crate) min_gain_micros: i64,
    pub(crate) answers: Vec<ReadyAnswer>,
    /// Hashes of ids.
    placements: Vec<u64>,
    ask_if: Vec<Op>,
    signs: Vec<ReadySign>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct ReadyAnswer {
    pub(crate) text: String,
    pub(crate) tag: String,
    prior_ppm: u32,
}

#[derive(Debug, Clone, Default)]
struct ReadySign {
    when: Vec<Op>,
    priors_ppm: Vec<u32>,
}

impl Ready {
    /// Whether a request is one that it may be asked in.
    pub(crate) fn may_ask(&self, placement: &str, facts: &Facts) -> bool {
        let here = self.placements.is_empty() || self.placements.contains(&text_hash(placement));
        here && rules::answer(&self.ask_if, facts) == Some(true)
    }

    /// Its answers, each with its prior in parts per million.
    pub(crate) fn likely<'q>(&'q self, facts: &Facts) -> impl Iterator<Item = (&'q ReadyAnswer, u32)> {
        let sign = self.signs.iter().find(|sign| rules::answer(&sign.when, facts) == Some(true));
        let prior =
            move |at: usize, own: u32| sign.map_or(own, |sign| sign.priors_ppm.get(at).copied().unwrap_or(0));
        self.answers.iter().enumerate().map(move |(at, answer)| (answer, prior(at, answer.prior_ppm)))
    }
}

/// What is wrong with questions: the id of one, and the way out.
fn problem_of(question: &Question, placements: &[String]) -> Option<&'static str> {
    let text_ok = |text: &str| (1..=QUESTION_TEXT_MAX).contains(&text.len());
    let tag_ok = |tag: &str| (1..=RULE_NAME_MAX).contains(&tag.len());
    let share = |prior: &f64| (0.0..=1.0).contains(prior);
    let whole = |priors: &[f64]| priors.iter().all(share) && (priors.iter().sum::<f64>() - 1.0).abs() < 1e-6;
    let own: Vec<f64> = question.answers.iter().map(|answer| answer.prior).collect();
    let mut conditions = question.signs.iter().map(|sign| &sign.when).chain([&question.ask_if]);
    if !text_ok(&question.text) || !question.answers.iter().all(|answer| text_ok(&answer.text)) {
        return Some("text: what customers read has 1 to 255 bytes");
    }
    if !(2..=QUESTION_ANSWERS_MAX).contains(&question.answers.len()) {
        return Some("answer: give it 2 to 6 answers");
    }
    if !question.answers.iter().all(|answer| tag_ok(&answer.tag)) {
        return Some("answer.tag: must have 1 to 64 bytes");
    }
    if !whole(&own) {
        return Some("answer.prior: each must be 0 to 1, and all must add up to 1");
    }
    if question.signs.iter().any(|sign| sign.priors.len() != own.len() || !whole(&sign.priors)) {
        return Some("sign.priors: one for each answer, 0 to 1, adding up to 1");
    }
    if !(0.0..=1e6).contains(&question.min_gain) {
        return Some("min_gain: must be 0 to 1,000,000");
    }
    if question.placements.iter().any(|id| !placements.contains(id)) {
        return Some("placements: names one that the policy does not have");
    }
    conditions.any(|when| !is_sound(&ops_of(when))).then_some("a condition is too wide; split it")
}

fn ops_of(condition: &Condition) -> Vec<Op> {
    let mut ops = Vec::new();
    Op::write(condition, &mut ops);
    ops
}

/// Checks and writes questions. `placements` are the ids that the policy has.
pub(super) fn write(
    questions: &[Question],
    placements: &[String],
    to: &mut Vec<PolicyRecord>,
) -> Result<(), PolicyError> {
    let decisions: usize = questions.iter().map(|question| question.answers.len()).sum();
    if questions.len() > QUESTIONS_MAX || decisions > QUESTION_DECISIONS_MAX {
        return Err(PolicyError::OutOfRange {
            field: "question",
            allowed: "at most 16, with 32 answers in all",
        });
    }
    for question in questions {
        if let Some(problem) = problem_of(question, placements) {
            let (name, problem) = (question.id.clone(), problem.to_owned());
            return Err(PolicyError::Rule { field: "question", name, problem });
        }
        write_one(question, to);
    }
    Ok(())
}

fn write_one(question: &Question, to: &mut Vec<PolicyRecord>) {
    let ppm = |prior: f64| (prior * 1e6).round() as i64;
    let mut put = |kind, key, value| {
        to.push(PolicyRecord { kind: U32::new(kind), key: U32::new(key), value: I64::new(value) });
    };
    let put_texts = |put: &mut dyn FnMut(u32, u32, i64), kind, texts: [&str; 2], value| {
        put(kind, texts[0].len() as u32 | (texts[1].len() as u32) << 16, value);
        for chunk in texts.concat().as_bytes().chunks(8) {
            let mut bytes = [0; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            put(rule::QUESTION_TEXT, chunk.len() as u32, i64::from_le_bytes(bytes));
        }
    };
    let cooldown = i64::from(question.cooldown_days);
    put_texts(&mut put, rule::QUESTION, [&question.id, &question.text], cooldown);
    put(rule::QUESTION_GAIN, 0, (question.min_gain * 1e8).round() as i64);
    for id in &question.placements {
        put(rule::QUESTION_PLACEMENT, 0, text_hash(id).cast_signed());
    }
    for answer in &question.answers {
        put_texts(&mut put, rule::QUESTION_ANSWER, [&answer.text, &answer.tag], ppm(answer.prior));
    }
    for op in ops_of(&question.ask_if) {
        let (key, value) = op_key_value(op);
        put(rule::QUESTION_CONDITION, key, value);
    }
    for sign in &question.signs {
        put(rule::QUESTION_SIGN, 0, 0);
        for op in ops_of(&sign.when) {
            let (key, value) = op_key_value(op);
            put(rule::QUESTION_CONDITION, key, value);
        }
        sign.priors.iter().for_each(|prior| put(rule::QUESTION_PRIOR, 0, ppm(*prior)));
    }
}

/// Takes records one by one. Whatever makes no sense is `None`.
#[derive(Debug, Default)]
pub(super) struct Reader {
    list: Vec<Ready>,
    /// Bytes of the two texts that are being read.
    lengths: [usize; 2],
    texts: Vec<u8>,
}

impl Reader {
    pub(super) fn take(&mut self, record: &PolicyRecord) -> Option<()> {
        let (kind, key, value) = (record.kind.get(), record.key.get(), record.value.get());
        if kind == rule::QUESTION_TEXT {
            self.texts.extend(value.to_le_bytes().get(..key as usize)?);
            return (self.texts.len() <= self.lengths.iter().sum()).then_some(());
        }
        if kind == rule::QUESTION {
            self.give_texts()?;
            let question = Ready { cooldown_days: u16::try_from(value).ok()?, ..Ready::default() };
            self.list.push(question);
            return self.begin(key).filter(|()| self.list.len() <= QUESTIONS_MAX);
        }
        if kind == rule::QUESTION_ANSWER {
            self.give_texts()?;
            let answer = ReadyAnswer { prior_ppm: ppm(value)?, ..ReadyAnswer::default() };
            self.list.last_mut()?.answers.push(answer);
            return self.begin(key);
        }
        let question = self.list.last_mut()?;
        match kind {
            rule::QUESTION_GAIN => question.min_gain_micros = Some(value).filter(|gain| *gain >= 0)?,
            rule::QUESTION_PLACEMENT => question.placements.push(value.cast_unsigned()),
            rule::QUESTION_CONDITION => {
                let ops = question.signs.last_mut().map_or(&mut question.ask_if, |sign| &mut sign.when);
                ops.push(read_op(key, value)?);
            }
            rule::QUESTION_SIGN => question.signs.push(ReadySign::default()),
            rule::QUESTION_PRIOR => question.signs.last_mut()?.priors_ppm.push(ppm(value)?),
            _ => return None,
        }
        (question.placements.len() <= PLACEMENTS_MAX && question.signs.len() <= CONDITION_STACK_MAX)
            .then_some(())
    }

    fn begin(&mut self, lengths: u32) -> Option<()> {
        self.lengths = [(lengths & 0xFFFF) as usize, (lengths >> 16) as usize];
        self.texts.clear();
        self.lengths.iter().all(|length| (1..=QUESTION_TEXT_MAX).contains(length)).then_some(())
    }

    /// Gives texts that are whole to the last answer, else to the question.
    fn give_texts(&mut self) -> Option<()> {
        let Some(question) = self.list.last_mut() else { return Some(()) };
        if self.texts.len() != self.lengths.iter().sum::<usize>() {
            return None;
        }
        let (first, second) = self.texts.split_at_checked(self.lengths[0])?;
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).map(str::to_owned).ok();
        let (first, second) = (text(first)?, text(second)?);
        match question.answers.last_mut() {
            Some(answer) => (answer.text, answer.tag) = (first, second),
            None => (question.id, question.text) = (first, second),
        }
        Some(())
    }

    /// What was read, where it is whole and within the limits of a decision's work.
    pub(super) fn finish(mut self) -> Option<Vec<Ready>> {
        self.give_texts()?;
        let decisions: usize = self.list.iter().map(|question| question.answers.len()).sum();
        let sound = |question: &Ready| {
            let signs = question.signs.iter();
            is_sound(&question.ask_if)
                && signs.clone().all(|sign| is_sound(&sign.when))
                && signs.clone().all(|sign| sign.priors_ppm.len() == question.answers.len())
        };
        (decisions <= QUESTION_DECISIONS_MAX && self.list.iter().all(sound)).then_some(self.list)
    }
}

fn ppm(value: i64) -> Option<u32> {
    u32::try_from(value).ok().filter(|ppm| *ppm <= 1_000_000)
}
