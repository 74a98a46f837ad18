//! Experiments as a file stores them, both ways: records of the policy section, each with its texts behind it.

use zerocopy::little_endian::{I64, U32};

use super::explore::Mix;
use super::plain::{Arm, Explore, Holdout};
use super::{BUCKETS, Experiments, Held, Layer, Range, Shows};
use crate::index::format::{PolicyRecord, rule};
use crate::limits::{ARMS_MAX, EXPLORE_MAX, LAYERS_MAX, RULE_NAME_MAX};

fn record(kind: u32, key: u32, value: i64) -> PolicyRecord {
    PolicyRecord { kind: U32::new(kind), key: U32::new(key), value: I64::new(value) }
}

/// One text behind another.
fn write_texts(texts: [&str; 2], to: &mut Vec<PolicyRecord>) {
    for chunk in texts.concat().as_bytes().chunks(8) {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        to.push(record(rule::EXPERIMENT_TEXT, chunk.len() as u32, i64::from_le_bytes(bytes)));
    }
}

fn lengths(texts: [&str; 2]) -> u32 {
    texts[0].len() as u32 | (texts[1].len() as u32) << 16
}

pub(super) fn write_holdout(holdout: &Holdout, to: &mut Vec<PolicyRecord>) {
    let texts = [holdout.salt.as_str(), ""];
    let value = i64::from(holdout.buckets) | i64::from(holdout.shows as u8) << 16;
    to.push(record(rule::HOLDOUT, lengths(texts), value));
    write_texts(texts, to);
}

pub(super) fn write_layer(id: &str, salt: &str, to: &mut Vec<PolicyRecord>) {
    to.push(record(rule::LAYER, lengths([id, salt]), 0));
    write_texts([id, salt], to);
}

pub(super) fn write_arm(experiment: &str, arm: &Arm, to: &mut Vec<PolicyRecord>) {
    let texts = [experiment, arm.name.as_str()];
    let value = i64::from(arm.range[1]) | i64::from(arm.shows as u8) << 16;
    to.push(record(rule::ARM, lengths(texts), value));
    write_texts(texts, to);
}

pub(super) fn write_mix(explore: &Explore, of_arm: bool, to: &mut Vec<PolicyRecord>) {
    let millionths = |value: f64| (value * 1e6).round() as i64;
    let key = u32::from(explore.best) | u32::from(of_arm) << 8;
    to.push(record(rule::EXPLORE, key, millionths(explore.temperature) << 32 | millionths(explore.epsilon)));
    to.push(record(rule::EXPLORE_SEED, key, explore.seed.cast_signed()));
}

/// Whose texts come next.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Named {
    #[default]
    Nothing,
    Holdout,
    Layer,
    Arm,
}

/// Takes records one by one. Whatever makes no sense is `None`.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    read: Experiments,
    named: Named,
    /// Bytes of its two texts.
    lengths: [usize; 2],
    texts: Vec<u8>,
}

impl Reader {
    pub(crate) fn take(&mut self, record: &PolicyRecord) -> Option<()> {
        let (kind, key, value) = (record.kind.get(), record.key.get(), record.value.get());
        if kind == rule::EXPERIMENT_TEXT {
            let bytes = value.to_le_bytes();
            self.texts.extend(bytes.get(..key as usize)?);
            return (self.texts.len() <= self.lengths.iter().sum()).then_some(());
        }
        self.give_texts()?;
        match kind {
            rule::HOLDOUT => {
                let (buckets, shows) = (value as u16, Shows::from_code((value >> 16) as u8)?);
                self.read.holdout = Some(Held { salt: String::new(), buckets, shows });
                self.begin(Named::Holdout, key)?;
                (buckets <= BUCKETS && shows != Shows::Offers).then_some(())
            }
            rule::LAYER => {
                self.read.layers.push(Layer::default());
                self.begin(Named::Layer, key)?;
                (self.read.layers.len() <= LAYERS_MAX).then_some(())
            }
            rule::ARM => {
                let (until, shows) = (value as u16, Shows::from_code((value >> 16) as u8)?);
                let arms = &mut self.read.layers.last_mut()?.arms;
                let from = arms.last().map_or(0, |arm| arm.until);
                arms.push(Range { experiment: String::new(), name: String::new(), until, shows, mix: None });
                let fits = arms.len() <= ARMS_MAX && from < until && until <= BUCKETS;
                self.begin(Named::Arm, key)?;
                fits.then_some(())
            }
            rule::EXPLORE => {
                let mix = Mix::new((key & 0xFF) as u8, (value >> 32) as u32, value as u32);
                *self.mix(key)? = Some(mix);
                (usize::from(mix.best) <= EXPLORE_MAX && mix.epsilon_ppm <= 1_000_000).then_some(())
            }
            rule::EXPLORE_SEED => {
                self.mix(key)?.as_mut()?.seed = value.cast_unsigned();
                Some(())
            }
            _ => None,
        }
    }

    /// Where exploration belongs: the last arm's, or the policy's.
    fn mix(&mut self, key: u32) -> Option<&mut Option<Mix>> {
        match key >> 8 {
            0 => Some(&mut self.read.mix),
            1 => Some(&mut self.read.layers.last_mut()?.arms.last_mut()?.mix),
            _ => None,
        }
    }

    fn begin(&mut self, named: Named, lengths: u32) -> Option<()> {
        self.named = named;
        self.lengths = [(lengths & 0xFFFF) as usize, (lengths >> 16) as usize];
        self.texts.clear();
        self.lengths.iter().all(|length| *length <= RULE_NAME_MAX).then_some(())
    }

    /// Gives texts that are whole to what they belong to.
    fn give_texts(&mut self) -> Option<()> {
        let (first, second) = self.texts.split_at_checked(self.lengths[0])?;
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).map(str::to_owned).ok();
        let (first, second) = (text(first)?, text(second).filter(|text| text.len() == self.lengths[1])?);
        match self.named {
            Named::Nothing => {}
            Named::Holdout => self.read.holdout.as_mut()?.salt = first,
            Named::Layer => {
                let layer = self.read.layers.last_mut()?;
                (layer.id, layer.salt) = (first, second);
            }
            Named::Arm => {
                let arm = self.read.layers.last_mut()?.arms.last_mut()?;
                (arm.experiment, arm.name) = (first, second);
            }
        }
        (self.named, self.lengths) = (Named::Nothing, [0; 2]);
        self.texts.clear();
        Some(())
    }

    /// What was read, where it is whole: the arms of every layer reach the last bucket.
    pub(crate) fn finish(mut self) -> Option<Experiments> {
        self.give_texts()?;
        let whole = |layer: &Layer| layer.arms.last().is_some_and(|arm| arm.until == BUCKETS);
        self.read.layers.iter().all(whole).then_some(self.read)
    }
}
