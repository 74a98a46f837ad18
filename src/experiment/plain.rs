//! Experiments as a policy writes them, checked, and written as the records that a file stores.

use super::stored::{write_arm, write_holdout, write_layer, write_mix};
use super::{BUCKETS, HOLDOUT_LAYER, Shows};
use crate::index::format::PolicyRecord;
use crate::limits::{ARMS_MAX, EXPLORE_MAX, LAYERS_MAX, RULE_NAME_MAX};

/// Units that no experiment has: the first buckets of a layer of their own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(deny_unknown_fields, default))]
pub struct Holdout {
    /// Ten-thousandths of the units, 0 to 10,000.
    pub buckets: u16,
    /// Another salt, other units. At most 64 bytes.
    pub salt: String,
    /// What they see: `Nothing` or `Earlier`.
    pub shows: Shows,
}

/// Arms that units are divided among.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(deny_unknown_fields, default))]
pub struct Experiment {
    /// Its name, 1 to 64 bytes, its own.
    pub id: String,
    /// Experiments of one layer divide its buckets among them, so that no unit is in two. Those of different layers cross. At
    /// most 4 layers; empty = a layer of its own, named like the experiment.
    pub layer: String,
    /// Another salt, other units; one for all experiments of a layer. At most 64 bytes.
    pub salt: String,
    /// At most 64 in a layer. All ranges of a layer together are the buckets 0 to 10,000, each once.
    pub arms: Vec<Arm>,
}

/// One arm.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(deny_unknown_fields, default))]
pub struct Arm {
    /// Its name in the experiment, 1 to 64 bytes; the host may read it.
    pub name: String,
    /// First bucket, and the one after the last.
    pub range: [u16; 2],
    /// What its units see.
    pub shows: Shows,
    /// Exploration of its slates; `None` = as the policy says. Of two layers only one may say.
    pub explore: Option<Explore>,
}

/// How much chance has a say in what is shown, among what passed every rule and floor. `Default`: none.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(deny_unknown_fields, default))]
pub struct Explore {
    /// Of how many of the best it draws, 0 to 32; 0 and 1 = no exploration.
    pub best: u8,
    /// Each is drawn in proportion to its expected contribution to the power of 1 / temperature. 0 = the best one is; at most 100.
    pub temperature: f64,
    /// Share of draws in which all are alike, 0 to 1.
    pub epsilon: f64,
    /// Another seed, other draws.
    pub seed: u64,
}

impl Default for Explore {
    fn default() -> Self {
        Self { best: 0, temperature: 0.0, epsilon: 0.0, seed: 0 }
    }
}

impl Explore {
    fn problem(&self) -> Option<&'static str> {
        if usize::from(self.best) > EXPLORE_MAX {
            return Some("explore.best: must be 0 to 32");
        }
        if !(0.0..=100.0).contains(&self.temperature) {
            return Some("explore.temperature: must be 0 to 100");
        }
        (!(0.0..=1.0).contains(&self.epsilon)).then_some("explore.epsilon: must be 0 to 1")
    }
}

/// What is wrong with the experiments of a policy, and the way out: the experiment's id, and a sentence.
pub(crate) fn check(
    holdout: &Holdout,
    explore: &Explore,
    experiments: &[Experiment],
) -> Result<(), (String, String)> {
    let held = |problem: &str| Err(("holdout".to_owned(), problem.to_owned()));
    if holdout.buckets > BUCKETS || holdout.salt.len() > RULE_NAME_MAX {
        return held("buckets: must be 0 to 10,000, and salt at most 64 bytes");
    }
    if holdout.buckets > 0 && holdout.shows == Shows::Offers {
        return held("shows: say what its units see, \"nothing\" or \"earlier\"");
    }
    if let Some(problem) = explore.problem() {
        return Err(("explore".to_owned(), problem.to_owned()));
    }
    for experiment in experiments {
        check_one(experiment, experiments).map_err(|problem| (experiment.id.clone(), problem))?;
    }
    let layers = layers(experiments);
    if layers.len() > LAYERS_MAX {
        return Err(("experiment".to_owned(), "layer: at most 4 layers; let some share one".to_owned()));
    }
    for (layer, members) in &layers {
        check_layer(layer, members).map_err(|problem| (members[0].id.clone(), problem))?;
    }
    let explores = |members: &Vec<&Experiment>| {
        members.iter().any(|experiment| experiment.arms.iter().any(|arm| arm.explore.is_some()))
    };
    let mut exploring = layers.iter().filter(|(_, members)| explores(members));
    match (exploring.next(), exploring.next()) {
        (Some(_), Some((_, members))) => {
            Err((members[0].id.clone(), "explore: another layer says too; leave it to one of the two".into()))
        }
        _ => Ok(()),
    }
}

fn check_one(experiment: &Experiment, all: &[Experiment]) -> Result<(), String> {
    let named = |name: &str| (1..=RULE_NAME_MAX).contains(&name.len());
    if !named(&experiment.id)
        || experiment.layer.len() > RULE_NAME_MAX
        || experiment.salt.len() > RULE_NAME_MAX
    {
        return Err("id: give it 1 to 64 bytes; layer and salt at most 64".into());
    }
    if all.iter().filter(|other| other.id == experiment.id).count() > 1 {
        return Err("id: it is there twice; give each its own".into());
    }
    if layer_of(experiment) == HOLDOUT_LAYER {
        return Err("layer: \"holdout\" is the global one; choose another name".into());
    }
    if all.iter().any(|other| layer_of(other) == layer_of(experiment) && other.salt != experiment.salt) {
        return Err("salt: experiments of one layer have one salt".into());
    }
    for arm in &experiment.arms {
        let twice = experiment.arms.iter().filter(|other| other.name == arm.name).count() > 1;
        if !named(&arm.name) || twice {
            return Err("arms.name: give each arm a name of its own, 1 to 64 bytes".into());
        }
        if let Some(problem) = arm.explore.as_ref().and_then(Explore::problem) {
            return Err(format!("arm \"{}\": {problem}", arm.name));
        }
    }
    Ok(())
}

/// Half-open ranges that tile: a bucket too many or too few is a known cause of uneven arms.
fn check_layer(layer: &str, members: &[&Experiment]) -> Result<(), String> {
    let arms = arms_of(members);
    if arms.len() > ARMS_MAX {
        return Err(format!("arms: layer \"{layer}\" has more than 64"));
    }
    let mut from = 0;
    for (experiment, arm) in &arms {
        let [begin, end] = arm.range;
        let name = format!("arm \"{}\" of \"{}\"", arm.name, experiment.id);
        if begin >= end || end > BUCKETS {
            return Err(format!(
                "range: {name} is [{begin}, {end}): it must hold a bucket and end at 10,000 at most"
            ));
        }
        if begin != from {
            let what = if begin > from { "nobody has" } else { "two arms have" };
            let (low, high) = (begin.min(from), begin.max(from));
            return Err(format!(
                "range: {what} the buckets [{low}, {high}) of layer \"{layer}\"; let {name} begin at {from}, so that all ranges of the layer tile 0 to 10,000"
            ));
        }
        from = end;
    }
    if from != BUCKETS {
        return Err(format!(
            "range: nobody has the buckets [{from}, 10000) of layer \"{layer}\"; ranges of a layer tile 0 to 10,000"
        ));
    }
    Ok(())
}

fn layer_of(experiment: &Experiment) -> &str {
    if experiment.layer.is_empty() { &experiment.id } else { &experiment.layer }
}

/// Layers in the order in which they are named, each with its experiments.
fn layers(experiments: &[Experiment]) -> Vec<(&str, Vec<&Experiment>)> {
    let mut layers: Vec<(&str, Vec<&Experiment>)> = Vec::new();
    for experiment in experiments {
        let id = layer_of(experiment);
        match layers.iter_mut().find(|(layer, _)| *layer == id) {
            Some((_, members)) => members.push(experiment),
            None => layers.push((id, vec![experiment])),
        }
    }
    layers
}

/// Arms of a layer in the order of their buckets.
fn arms_of<'a>(members: &[&'a Experiment]) -> Vec<(&'a Experiment, &'a Arm)> {
    let mut arms: Vec<_> =
        members.iter().flat_map(|member| member.arms.iter().map(move |arm| (*member, arm))).collect();
    arms.sort_by_key(|(_, arm)| arm.range);
    arms
}

/// Writes experiments that were checked.
pub(crate) fn write(
    holdout: &Holdout,
    explore: &Explore,
    experiments: &[Experiment],
    to: &mut Vec<PolicyRecord>,
) {
    if holdout.buckets > 0 {
        write_holdout(holdout, to);
    }
    if *explore != Explore::default() {
        write_mix(explore, false, to);
    }
    for (layer, members) in layers(experiments) {
        write_layer(layer, &members[0].salt, to);
        for (experiment, arm) in arms_of(&members) {
            write_arm(&experiment.id, arm, to);
            if let Some(explore) = &arm.explore {
                write_mix(explore, true, to);
            }
        }
    }
}

/// Reads the experiments of a policy file, and checks them there, so that errors name line and column.
#[cfg(feature = "policy")]
pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Experiment>, D::Error> {
    use serde::de::{Deserialize, Error};
    let experiments = Vec::<Experiment>::deserialize(from)?;
    check(&Holdout::default(), &Explore::default(), &experiments)
        .map_err(|(id, problem)| D::Error::custom(format!("experiment \"{id}\": {problem}")))?;
    Ok(experiments)
}
