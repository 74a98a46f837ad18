//! What the orders say of types: which go together, which are bought again and when.

use rayon::prelude::*;

use super::associates;
use super::cooccurrence::{Log, group};
use super::direct::Direct;
use super::{AffinityInput, AffinityOptions, Expected, Transition, TypePrior};
use crate::vocabulary::Role;

/// What was learnt of one type.
#[derive(Debug, Default)]
pub(super) struct TypeFacts {
    pub(super) role: Role,
    pub(super) replenish_days: [u16; 3],
    pub(super) transitions: Vec<Transition>,
    /// Whether the prior has more pseudo-customers than the type has customers.
    pub(super) leans_on_prior: bool,
}

/// Days after which a consumable comes back of which only the prior says that it does.
const USUAL_DAYS: [u16; 3] = [30; 3];

/// The log by type.
struct Types<'a> {
    log: &'a Log,
    type_of: &'a [u32],
    options: &'a AffinityOptions,
    /// Per type, or empty.
    prior: &'a [TypePrior],
    /// Customers with a number below this are named; the others are single baskets.
    named: u32,
    units: f32,
    start: Vec<u32>,
    lines: Vec<u32>,
    /// Per type: expected share of a unit's baskets that hold it.
    base: Vec<f32>,
    direct: Direct,
}

/// Counters per type, emptied after each use.
struct Scratch {
    seen: Vec<f32>,
    support: Vec<u32>,
    last_unit: Vec<u32>,
    touched: Vec<u32>,
}

/// Learns every type's facts.
pub(super) fn learn(log: &Log, input: &AffinityInput<'_>, options: &AffinityOptions) -> Vec<TypeFacts> {
    let (start, lines) = group(input.types, log.product.len(), |l| input.type_of[log.product[l] as usize]);
    let mut types = Types {
        log,
        type_of: input.type_of,
        options,
        prior: input.prior,
        named: input.orders.customers,
        units: 0.0,
        start,
        lines,
        base: Vec::new(),
        direct: direct(log, input),
    };
    let mut share = vec![0.0f32; log.baskets()];
    let mut done = 0;
    for unit in log.unit.chunk_by(|a, b| a == b) {
        share[done..done + unit.len()].fill(1.0 / unit.len() as f32);
        done += unit.len();
        types.units += 1.0;
    }
    types.base = (0..input.types)
        .into_par_iter()
        .map(|t| {
            let held: f32 = types.baskets(t).map(|b| share[b as usize]).sum();
            held / types.units.max(1.0)
        })
        .collect();
    (0..input.types)
        .into_par_iter()
        .map_init(
            || Scratch {
                seen: vec![0.0; input.types],
                support: vec![0; input.types],
                last_unit: vec![u32::MAX; input.types],
                touched: Vec::new(),
            },
            |scratch, t| types.facts(t, scratch),
        )
        .collect()
}

/// Most bought types among which EASE is solved.
const DIRECT_MAX: usize = 6000;

/// What one type alone says of another.
fn direct(log: &Log, input: &AffinityInput<'_>) -> Direct {
    let type_of = |product: &u32| input.type_of[*product as usize];
    let each = |basket: usize, add: &mut dyn FnMut(u32)| {
        let products = &log.product[log.lines(basket)]; // sorted by type
        products.chunk_by(|a, b| type_of(a) == type_of(b)).for_each(|run| add(type_of(&run[0])));
    };
    let mut counts = vec![0; input.types];
    (0..log.baskets()).for_each(|basket| each(basket, &mut |kind| counts[kind as usize] += 1));
    let mut holders: Vec<Vec<u32>> = counts.iter().map(|count| Vec::with_capacity(*count as usize)).collect();
    for basket in 0..log.baskets() {
        each(basket, &mut |kind| holders[kind as usize].push(basket as u32));
    }
    Direct::new(&counts, DIRECT_MAX, 5, associates::ridge(log.baskets()), |kind, add| {
        holders[kind as usize].iter().for_each(|basket| each(*basket as usize, add));
    })
}

impl Types<'_> {
    /// Distinct baskets that hold a type, in order of unit and time.
    fn baskets(&self, t: usize) -> impl Iterator<Item = u32> + '_ {
        let lines = &self.lines[self.start[t] as usize..self.start[t + 1] as usize];
        lines
            .chunk_by(|&a, &b| self.log.basket[a as usize] == self.log.basket[b as usize])
            .map(|run| self.log.basket[run[0] as usize])
    }

    fn facts(&self, t: usize, scratch: &mut Scratch) -> TypeFacts {
        let baskets: Vec<u32> = self.baskets(t).collect();
        let (mut role, mut replenish_days) = self.rhythm(&baskets);
        let customers = self.by_unit(&baskets).count() as f32;
        // With enough customers of its own, a type is known by its orders alone.
        let prior = self.prior.get(t).filter(|_| customers < self.options.prior_customers);
        if role == Role::Unknown {
            role = prior.map_or(Role::Unknown, |prior| prior.role);
            if role == Role::Consumable && replenish_days == [0; 3] {
                replenish_days = USUAL_DAYS;
            }
        }
        TypeFacts {
            role,
            replenish_days,
            transitions: self.transitions(t as u32, &baskets, scratch),
            leans_on_prior: prior.is_some_and(|prior| !prior.goes_with.is_empty()),
        }
    }

    fn by_unit<'b>(&'b self, baskets: &'b [u32]) -> impl Iterator<Item = &'b [u32]> {
        baskets.chunk_by(|&a, &b| self.log.unit[a as usize] == self.log.unit[b as usize])
    }

    /// Do customers come back for it, and after how many days? Only named customers with purchases on at least
    /// two days count: the others had no chance to come back.
    fn rhythm(&self, baskets: &[u32]) -> (Role, [u16; 3]) {
        let (mut customers, mut back) = (0u32, 0u32);
        let mut gaps: Vec<u16> = Vec::new();
        for own in self.by_unit(baskets) {
            let unit = self.log.unit[own[0] as usize];
            if unit >= self.named || !self.came_twice(unit) {
                continue;
            }
            customers += 1;
            let before = gaps.len();
            gaps.extend(own.windows(2).filter_map(|pair| {
                let days = self.log.day[pair[1] as usize] - self.log.day[pair[0] as usize];
                (days > 0).then_some(days.min(i32::from(u16::MAX)) as u16)
            }));
            back += u32::from(gaps.len() > before);
        }
        let share = f64::from(back) / f64::from(customers.max(1));
        let role = if customers < self.options.role_support {
            Role::Unknown
        } else if share >= self.options.consumable_share {
            Role::Consumable
        } else if share <= self.options.durable_share {
            Role::Durable
        } else {
            Role::Unknown
        };
        gaps.sort_unstable();
        let quartile = |q: usize| gaps[(gaps.len() - 1) * q / 4];
        let days = if back >= self.options.role_support.div_ceil(4).max(1) {
            [quartile(1), quartile(2), quartile(3)]
        } else {
            [0; 3]
        };
        (role, days)
    }

    fn came_twice(&self, unit: u32) -> bool {
        let first = self.log.unit.partition_point(|&u| u < unit);
        let last = self.log.unit.partition_point(|&u| u <= unit) - 1;
        self.log.day[first] < self.log.day[last]
    }

    /// Each customer has one vote, shared among its baskets that hold the type.
    fn transitions(&self, own: u32, baskets: &[u32], scratch: &mut Scratch) -> Vec<Transition> {
        let mut voters = 0.0f32;
        for (number, baskets) in self.by_unit(baskets).enumerate() {
            voters += 1.0;
            for &basket in baskets {
                let lines = self.log.lines(basket as usize);
                if lines.len() > self.options.large_basket as usize {
                    continue;
                }
                let types = self.log.product[lines].chunk_by(|&a, &b| self.same_type(a, b));
                for run in types {
                    let t = self.type_of[run[0] as usize] as usize;
                    if scratch.support[t] == 0 {
                        scratch.touched.push(t as u32);
                        scratch.last_unit[t] = u32::MAX;
                    }
                    if scratch.last_unit[t] != number as u32 {
                        scratch.last_unit[t] = number as u32;
                        scratch.support[t] += 1;
                    }
                    scratch.seen[t] += 1.0 / baskets.len() as f32;
                }
            }
        }
        let shrink = self.options.transition_shrinkage;
        let mut found = self.expected(own, voters, scratch);
        for t in scratch.touched.drain(..) {
            let i = t as usize;
            let (seen, support) = (scratch.seen[i], scratch.support[i]);
            scratch.seen[i] = 0.0;
            scratch.support[i] = 0;
            let transition = Transition {
                to: t,
                lift: (seen + shrink) / (voters * self.base[i] + shrink),
                probability: (seen + shrink * self.base[i]) / (voters + shrink),
                support,
                direct: 0.0,
            };
            let expected = found.iter().any(|other: &Transition| other.to == t);
            if t != own && support >= 2 && transition.lift > 1.0 && !expected {
                found.push(transition);
            }
        }
        found.retain(|transition| transition.lift > 1.0);
        found.sort_by_key(|transition| transition.to);
        for (to, weight) in self.direct.from(own) {
            if let Ok(at) = found.binary_search_by_key(&to, |transition| transition.to) {
                found[at].direct = weight;
            }
        }
        let key = |x: &Transition| x.lift.ln() * x.probability.powf(self.options.transition_power);
        found.sort_by(|a, b| key(b).total_cmp(&key(a)).then(a.to.cmp(&b.to)));
        let mut rest = found.split_off(self.options.transitions.min(found.len()));
        rest.retain(|transition| transition.direct > 0.0);
        rest.sort_by(|a, b| b.direct.total_cmp(&a.direct).then(a.to.cmp(&b.to)));
        rest.truncate(self.options.transitions);
        found.extend(rest);
        found
    }

    /// What the prior expects, and what the orders make of it. The prior speaks as m customers of the type would of whom
    /// m × p also bought the other one, m × p / lift of them by chance; with m customers of its own it is not asked.
    fn expected(&self, own: u32, voters: f32, scratch: &Scratch) -> Vec<Transition> {
        let customers = self.options.prior_customers;
        let blend = |said: &Expected| {
            let (i, both) = (said.to as usize, customers * said.probability);
            Transition {
                to: said.to,
                lift: (scratch.seen[i] + both) / (voters * self.base[i] + both / said.lift),
                probability: (scratch.seen[i] + both) / (voters + customers),
                support: scratch.support[i],
                direct: 0.0,
            }
        };
        let leans = self.prior.get(own as usize).filter(|_| voters < customers);
        let said = leans.map_or(&[][..], |prior| &prior.goes_with);
        said.iter().filter(|said| said.to != own && said.probability > 0.0).map(blend).collect()
    }

    fn same_type(&self, a: u32, b: u32) -> bool {
        self.type_of[a as usize] == self.type_of[b as usize]
    }
}
