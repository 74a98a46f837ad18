//! What makes offers good, counted on held-out cases.

use std::collections::{HashMap, HashSet};

use super::cases::Case;

/// Offers of a case that count.
pub(super) const K: usize = 10;

/// What is known of products beside the cases.
pub(super) struct Known<'a> {
    /// The type of a product: its category path, else its title.
    pub(super) type_of: &'a dyn Fn(&str) -> Option<&'a str>,
    /// Training lines of each relevant product.
    pub(super) bought: &'a HashMap<String, u64>,
}

/// One method on the cases of one task.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Row {
    pub(super) task: String,
    pub(super) method: String,
    /// Cases.
    pub(super) n: usize,
    /// Share of the cases with a relevant product among the ten.
    pub(super) hit: f64,
    /// 1.96 standard errors of that share.
    pub(super) margin: f64,
    /// Gain discounted by the logarithm of the position, over the best that was possible.
    pub(super) ndcg: f64,
    /// Share of all relevant products found, each weighed with 1 / sqrt(its training lines).
    pub(super) upop: f64,
    /// Share of the cases with a product of a relevant type among the ten.
    pub(super) type_hit: f64,
    /// Offers in percent that share their type with a basket line: look-alikes.
    pub(super) same_percent: f64,
    /// Mean number of offers.
    pub(super) fill: f64,
    /// Distinct products offered.
    pub(super) distinct: usize,
}

/// 1.96 standard errors of a share of `n`.
pub(super) fn margin(share: f64, n: usize) -> f64 {
    1.96 * (share * (1.0 - share) / n.max(1) as f64).sqrt()
}

/// What a hit at a position, from 0, counts.
fn gain(position: usize) -> f64 {
    1.0 / (position as f64 + 2.0).log2()
}

/// Judges the offers to the cases of one task; at least one case.
pub(super) fn judge(cases: &[(&Case, &[String])], known: &Known<'_>) -> Row {
    let (mut hits, mut type_hits, mut same, mut fill) = (0usize, 0usize, 0usize, 0usize);
    let (mut ndcg, mut found, mut wanted) = (0.0, 0.0, 0.0);
    let mut distinct: HashSet<&str> = HashSet::new();
    for (case, offers) in cases {
        let offers = &offers[..offers.len().min(K)];
        let is_hit = |id: &String| case.relevant.contains(id);
        hits += usize::from(offers.iter().any(is_hit));
        let gained: f64 =
            offers.iter().enumerate().filter(|(_, id)| is_hit(id)).map(|(at, _)| gain(at)).sum();
        ndcg += gained / (0..case.relevant.len().min(K)).map(gain).sum::<f64>();
        // What training never saw weighs as if it were bought once.
        let weight = |id: &String| 1.0 / (known.bought.get(id).copied().unwrap_or(0).max(1) as f64).sqrt();
        found += offers.iter().filter(|id| is_hit(id)).map(weight).sum::<f64>();
        wanted += case.relevant.iter().map(weight).sum::<f64>();
        let wanted_types: HashSet<&str> = case.relevant.iter().filter_map(|id| (known.type_of)(id)).collect();
        let line_types: HashSet<&str> = case.lines.iter().filter_map(|line| line.kind(known)).collect();
        let types = || offers.iter().filter_map(|id| (known.type_of)(id));
        type_hits += usize::from(types().any(|kind| wanted_types.contains(kind)));
        same += types().filter(|kind| line_types.contains(kind)).count();
        fill += offers.len();
        distinct.extend(offers.iter().map(String::as_str));
    }
    let n = cases.len();
    let share = |count: usize, of: usize| count as f64 / of.max(1) as f64;
    Row {
        n,
        hit: share(hits, n),
        margin: margin(share(hits, n), n),
        ndcg: ndcg / n.max(1) as f64,
        upop: if wanted > 0.0 { found / wanted } else { 0.0 },
        type_hit: share(type_hits, n),
        same_percent: 100.0 * share(same, fill),
        fill: share(fill, n),
        distinct: distinct.len(),
        ..Row::default()
    }
}

/// What is shown at one floor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) cases: usize,
    /// Cases with an offer.
    pub(super) with_offer: usize,
    /// Cases with a relevant offer.
    pub(super) with_hit: usize,
    pub(super) offers: usize,
    /// Relevant offers.
    pub(super) hits: usize,
}

impl Shown {
    /// Counts one more case.
    pub(super) fn add(&mut self, offers: usize, hits: usize) {
        self.cases += 1;
        self.with_offer += usize::from(offers > 0);
        self.with_hit += usize::from(hits > 0);
        self.offers += offers;
        self.hits += hits;
    }

    /// Share of the cases with an offer.
    pub(super) fn coverage(&self) -> f64 {
        self.with_offer as f64 / self.cases.max(1) as f64
    }

    /// Share of the offers that are relevant; `None` without offers.
    pub(super) fn precision(&self) -> Option<f64> {
        (self.offers > 0).then(|| self.hits as f64 / self.offers as f64)
    }

    /// Share of the cases with an offer that have a relevant one.
    pub(super) fn hit_rate(&self) -> Option<f64> {
        (self.with_offer > 0).then(|| self.with_hit as f64 / self.with_offer as f64)
    }

    /// Offers per case.
    pub(super) fn fill(&self) -> f64 {
        self.offers as f64 / self.cases.max(1) as f64
    }
}

/// Offers of like predicted probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bin {
    pub(crate) n: usize,
    /// Mean of the predictions.
    pub(crate) predicted: f64,
    /// Share that was bought.
    pub(crate) observed: f64,
}

/// Sorts predictions, with what came of them, into bins of like size. Equal predictions stay together.
pub(super) fn reliability(mut told: Vec<(f64, bool)>, bins: usize) -> Vec<Bin> {
    told.sort_by(|a, b| a.0.total_cmp(&b.0));
    let size = told.len().div_ceil(bins.max(1)).max(1);
    let mut found: Vec<Bin> = Vec::new();
    let mut rest = told.as_slice();
    while let Some(last) = rest.get(size.min(rest.len()).wrapping_sub(1)) {
        let (bin, after) = rest.split_at(rest.partition_point(|(p, _)| *p <= last.0));
        let n = bin.len();
        found.push(Bin {
            n,
            predicted: bin.iter().map(|(p, _)| p).sum::<f64>() / n as f64,
            observed: bin.iter().filter(|(_, hit)| *hit).count() as f64 / n as f64,
        });
        rest = after;
    }
    found
}

/// Basket sizes that are counted together, both ends included.
pub(super) const SIZES: [(usize, usize); 7] =
    [(0, 1), (2, 2), (3, 3), (4, 5), (6, 10), (11, 20), (21, usize::MAX)];

/// Cases and cases with a hit, for each of [`SIZES`].
pub(super) fn by_size(cases: &[(&Case, &[String])]) -> [(usize, usize); SIZES.len()] {
    SIZES.map(|(low, high)| {
        let sized = cases.iter().filter(|(case, _)| (low..=high).contains(&case.lines.len()));
        let hit =
            |(case, offers): &&(&Case, &[String])| offers.iter().take(K).any(|id| case.relevant.contains(id));
        (sized.clone().count(), sized.filter(hit).count())
    })
}

#[cfg(test)]
mod tests {
    use super::super::cases::Line;
    use super::*;

    fn ids(list: &[&str]) -> Vec<String> {
        list.iter().map(|id| (*id).to_owned()).collect()
    }

    fn case(lines: &[&str], relevant: &[&str]) -> Case {
        let lines = lines.iter().map(|id| Line { id: (*id).to_owned(), ..Line::default() }).collect();
        Case { lines, relevant: ids(relevant), ..Case::default() }
    }

    /// The first letter of an id is its type; "?" has none.
    fn type_of(id: &str) -> Option<&'static str> {
        ["a", "b", "c", "d"].into_iter().find(|kind| id.starts_with(kind))
    }

    fn close(value: f64, want: f64) {
        assert!((value - want).abs() < 1e-12, "{value}, not {want}");
    }

    #[test]
    fn every_metric_is_what_one_counts_by_hand() {
        // First case: c1 at place 2 of 3, of two relevant; a9 looks like the bought a1. Second case: only the type is right.
        let cases = [case(&["a1", "b1"], &["c1", "d4"]), case(&["b2"], &["d1"])];
        let offers = [ids(&["a9", "c1", "?x"]), ids(&["d2"])];
        let bought = HashMap::from([("c1".to_owned(), 4), ("d4".to_owned(), 16), ("d1".to_owned(), 1)]);
        let known = Known { type_of: &|id| type_of(id), bought: &bought };
        let asked: Vec<(&Case, &[String])> = cases.iter().zip(offers.iter().map(Vec::as_slice)).collect();
        let row = judge(&asked, &known);
        assert_eq!((row.n, row.distinct), (2, 4));
        close(row.hit, 0.5);
        close(row.margin, 1.96 * (0.25f64 / 2.0).sqrt());
        // 1/log2(3) over 1/log2(2) + 1/log2(3), and 0.
        let second = 1.0 / 3f64.log2();
        close(row.ndcg, second / (1.0 + second) / 2.0);
        // Found 1/sqrt(4) of 1/sqrt(4) + 1/sqrt(16) + 1/sqrt(1).
        close(row.upop, 0.5 / 1.75);
        close(row.type_hit, 1.0);
        close(row.same_percent, 25.0);
        close(row.fill, 2.0);
    }

    #[test]
    fn only_ten_offers_count_and_none_is_no_hit() {
        let eleven: Vec<String> = (0..11).map(|n| format!("c{n}")).collect();
        let cases = [case(&["a1"], &["c10"]), case(&["a1"], &["c10"])];
        let known = Known { type_of: &|id| type_of(id), bought: &HashMap::new() };
        let row = judge(&[(&cases[0], &eleven), (&cases[1], &[])], &known);
        assert_eq!((row.hit, row.ndcg, row.upop, row.same_percent), (0.0, 0.0, 0.0, 0.0));
        assert_eq!((row.fill, row.distinct, row.type_hit), (5.0, 10, 0.5));
    }

    #[test]
    fn the_ideal_of_many_relevant_products_is_ten_hits() {
        let twelve: Vec<String> = (0..12).map(|n| format!("c{n}")).collect();
        let wants = Case { relevant: twelve.clone(), ..Case::default() };
        let known = Known { type_of: &|id| type_of(id), bought: &HashMap::new() };
        let row = judge(&[(&wants, &twelve)], &known);
        close(row.ndcg, 1.0);
        close(row.upop, 10.0 / 12.0);
    }

    #[test]
    fn a_floor_is_judged_by_what_it_lets_through() {
        let mut shown = Shown::default();
        assert_eq!((shown.coverage(), shown.precision(), shown.hit_rate()), (0.0, None, None));
        for (offers, hits) in [(3, 2), (2, 0), (0, 0), (1, 0)] {
            shown.add(offers, hits);
        }
        assert_eq!((shown.coverage(), shown.fill()), (0.75, 1.5));
        assert_eq!((shown.precision(), shown.hit_rate()), (Some(2.0 / 6.0), Some(1.0 / 3.0)));
    }

    #[test]
    fn bins_are_of_like_size_and_keep_equal_predictions_together() {
        let told = vec![(0.3, true), (0.1, false), (0.1, true), (0.1, false), (0.2, false), (0.4, true)];
        let bins = reliability(told, 3);
        let counts: Vec<usize> = bins.iter().map(|bin| bin.n).collect();
        assert_eq!(counts, [3, 2, 1]);
        close(bins[0].predicted, 0.1);
        close(bins[0].observed, 1.0 / 3.0);
        close(bins[1].predicted, 0.25);
        close(bins[1].observed, 0.5);
        close(bins[2].observed, 1.0);
        assert_eq!(reliability(Vec::new(), 3), []);
    }

    #[test]
    fn baskets_are_counted_by_their_size() {
        let cases =
            [case(&["a1"], &["c1"]), case(&["a1", "a2", "b1", "b2"], &["c1"]), case(&["a1"; 30], &["c2"])];
        let offers = ids(&["c1"]);
        let asked: Vec<(&Case, &[String])> = cases.iter().map(|case| (case, offers.as_slice())).collect();
        assert_eq!(by_size(&asked), [(1, 1), (0, 0), (0, 0), (1, 1), (0, 0), (0, 0), (1, 0)]);
    }
}
