//! What goes with what, learnt from orders.

mod associates;
mod baskets;
mod cold;
mod cooccurrence;
mod direct;
mod factor;
mod refill;
mod transitions;
mod words;

pub use self::associates::{Associate, ProductFacts};
pub use self::baskets::Baskets;
pub(crate) use self::refill::Refill;
pub use self::words::Words;
use crate::build::error::BuildError;
use crate::build::feed::{Embeddings, NONE, Orders};
use crate::build::progress::{Progress, Unit};
use crate::vocabulary::Role;

/// What is known of the products. All numbers are dense; [`NONE`] = not there.
#[derive(Debug, Clone, Copy)]
pub struct AffinityInput<'a> {
    /// Number of products.
    pub products: usize,
    /// Per product: its type, below `types`. Products of one type are look-alikes.
    pub type_of: &'a [u32],
    /// Number of types.
    pub types: usize,
    /// Per category: its parent, or [`NONE`] at a root.
    pub category_parent: &'a [u32],
    /// Per product: its category, or [`NONE`].
    pub category_of: &'a [u32],
    /// Per product: its brand, or [`NONE`].
    pub brand_of: &'a [u32],
    /// Row i for product i, where there are any.
    pub embeddings: Option<&'a Embeddings>,
    /// Words of the products' titles, where there are any.
    pub words: Option<&'a Words>,
    /// What was bought.
    pub orders: &'a Orders,
    /// Vectors come from elsewhere: only the rest is learnt.
    pub vectors_given: bool,
    /// Per type: what is expected before the orders speak; empty = nothing of any.
    pub prior: &'a [TypePrior],
}

/// What is expected of a type before any orders.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TypePrior {
    /// What goes with it, each type once.
    pub goes_with: Vec<Expected>,
    /// Role where neither the feed nor the orders say one.
    pub role: Role,
}

/// A type that is expected to go with another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// The type offered.
    pub to: u32,
    /// How many times likelier than by chance; above 0.
    pub lift: f32,
    /// Probability that a basket with the first type holds the second.
    pub probability: f32,
}

/// How to learn. The defaults were measured on a grocer's orders.
#[derive(Debug, Clone, PartialEq)]
pub struct AffinityOptions {
    /// Values per vector, a multiple of 64. Default 64.
    pub dim: usize,
    /// Seed of the random start of the factorisation. Default 1.
    pub seed: u64,
    /// Subspace iterations of the factorisation (0 to 8). Default 3.
    pub iterations: usize,
    /// Singular values enter both factors with this power. Default 0.5.
    pub spectrum_power: f64,
    /// Added to a product's customers before normalising. Default 20.
    pub shrinkage: f32,
    /// Power of (customers + `shrinkage`) that a product's counts are divided by; 0.5 = cosine. Default 0.5.
    pub popularity_power: f32,
    /// A product bought in n baskets of one customer counts n^-power in each; 0.5 = as one customer. Default 0.5.
    pub repeat_power: f32,
    /// Pairs of a basket of n lines count n^-power. Default 0.5.
    pub basket_power: f32,
    /// Baskets with more lines count less in vectors and not at all in transitions. Default 100.
    pub large_basket: u32,
    /// Weight of a customer's next basket beside the same basket (1). Default 0.3.
    pub next_weight: f32,
    /// The next basket counts within so many days. Default 14.
    pub next_days: u16,
    /// Most transitions per type, by lift and probability; as many again by direct weight. Default 16.
    pub transitions: usize,
    /// Pseudo-customers that draw a lift towards 1. Default 5.
    pub transition_shrinkage: f32,
    /// Pseudo-customers of a type that bought as the prior says. Default 20.
    pub prior_customers: f32,
    /// Transitions are ordered by ln(lift) × probability^power. Default 0.25.
    pub transition_power: f32,
    /// Least named customers (with purchases on two days or more) for a role. Default 20.
    pub role_support: u32,
    /// Consumable from this share of customers who come back for the type. Default 0.2.
    pub consumable_share: f64,
    /// Durable up to this share. Default 0.05.
    pub durable_share: f64,
    /// Pseudo-customers that draw a product's vector towards its type, category, brand and text. Default 3.
    pub prior_strength: f32,
    /// Pseudo-products that draw a type's or brand's mean towards the level above. Default 3.
    pub group_strength: f32,
    /// Ridge penalty of the map from embeddings, in units of the mean squared feature. Default 1.
    pub ridge: f64,
}

impl Default for AffinityOptions {
    fn default() -> Self {
        Self {
            dim: 64,
            seed: 1,
            iterations: 3,
            spectrum_power: 0.5,
            shrinkage: 20.0,
            popularity_power: 0.5,
            repeat_power: 0.5,
            basket_power: 0.5,
            large_basket: 100,
            next_weight: 0.3,
            next_days: 14,
            transitions: 16,
            transition_shrinkage: 5.0,
            prior_customers: 20.0,
            transition_power: 0.25,
            role_support: 20,
            consumable_share: 0.2,
            durable_share: 0.05,
            prior_strength: 3.0,
            group_strength: 3.0,
            ridge: 1.0,
        }
    }
}

/// What the orders taught, one entry per product row or per type.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Affinity {
    /// Values per vector.
    pub dim: usize,
    /// IN (as bought), row-major, unit length (or all zero where nothing at all is known).
    pub in_vectors: Vec<f32>,
    /// OUT (as offered), row-major, unit length (or all zero).
    pub out_vectors: Vec<f32>,
    /// Distinct customers (baskets where anonymous) who bought the product.
    pub popularity: Vec<u32>,
    /// When things are bought again, where enough is.
    pub(crate) refill: Option<Refill>,
    /// Per type: learnt role, for types where no product's feed states one.
    pub type_roles: Vec<Role>,
    /// Per type: what goes with it, best first.
    pub transitions: Vec<Vec<Transition>>,
    /// Per type: days between purchases by one customer, quartiles; zeros where unknown.
    pub replenish_days: Vec<[u16; 3]>,
    /// Per product: what it was bought with, strongest first.
    pub associates: Vec<Vec<Associate>>,
    /// Earlier baskets.
    pub baskets: Baskets,
    /// Per product: what the orders say of it alone.
    pub facts: Vec<ProductFacts>,
    /// Types of whose transitions the prior says more than their customers: it has more of them.
    pub prior_types: u32,
    /// Share of products whose vectors come from their own orders, in parts per million.
    pub learnt_ppm: u32,
}

/// Who buys one type also buys this type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transition {
    /// The type offered.
    pub to: u32,
    /// How many times likelier than by chance, shrunk for small counts.
    pub lift: f32,
    /// Probability that a basket (or the customer's next one) with the first type holds the second, shrunk.
    pub probability: f32,
    /// Distinct customers behind it.
    pub support: u32,
    /// How much the one type alone says of the other (EASE), from 0.
    pub direct: f32,
}

/// Learns vectors, type transitions and rhythms from orders.
///
/// IN and OUT are the factors of a randomised singular value decomposition (Halko, Martinsson, Tropp, SIAM
/// Review 2011) of the co-purchase counts normalised like cosine with shrinkage; products with few or no orders
/// are drawn towards what their type, category, brand and embedding suggest. The same input, options and seed give
/// the same bytes for any number of threads.
///
/// # Errors
///
/// [`BuildError::Input`] where lengths or numbers do not fit together.
pub fn learn(
    input: &AffinityInput<'_>,
    options: &AffinityOptions,
    progress: &dyn Progress,
) -> Result<Affinity, BuildError> {
    check(input, options)?;
    let categories = cold::parents_first(input.category_parent)?;
    progress.start("learning from orders", 5, Unit::Items);
    let log = cooccurrence::Log::new(input);
    let popularity = log.popularity();
    progress.at(1);
    let facts = transitions::learn(&log, input, options);
    progress.at(2);
    let (in_vectors, out_vectors, learnt) = if input.vectors_given {
        (Vec::new(), Vec::new(), popularity.iter().filter(|customers| **customers > 0).count())
    } else {
        learn_vectors(&log, &popularity, &categories, input, options, progress)
    };
    progress.at(4);
    let mut associates = associates::learn(&log, &popularity, input, options);
    words::add(&mut associates, input);
    let baskets = baskets::keep(&log, &popularity);
    progress.at(5);
    let mut affinity = Affinity {
        dim: options.dim,
        in_vectors,
        out_vectors,
        popularity,
        associates,
        baskets,
        facts: associates::facts(&log, input.orders.customers),
        refill: refill::learn(&log, input.type_of, input.types, input.orders.customers),
        learnt_ppm: (learnt as u64 * 1_000_000 / input.products.max(1) as u64) as u32,
        ..Affinity::default()
    };
    for fact in facts {
        affinity.prior_types += u32::from(fact.leans_on_prior);
        affinity.type_roles.push(fact.role);
        affinity.replenish_days.push(fact.replenish_days);
        affinity.transitions.push(fact.transitions);
    }
    let again = affinity.refill.as_ref().map_or(String::new(), |refill| {
        let [due, found] = refill.due.map(|share| share * 100.0);
        format!("; due again: {due:.0} % of what was bought before, {found:.0} % of what came back")
    });
    progress.finish(&format!(
        "{learnt} of {} products learnt from {} baskets{again}",
        input.products,
        log.baskets()
    ));
    Ok(affinity)
}

/// IN and OUT vectors, and how many products have their own.
fn learn_vectors(
    log: &cooccurrence::Log,
    popularity: &[u32],
    categories: &[u32],
    input: &AffinityInput<'_>,
    options: &AffinityOptions,
    progress: &dyn Progress,
) -> (Vec<f32>, Vec<f32>, usize) {
    let operator = cooccurrence::Operator::new(log, input, options);
    let factors = factor::factorise(
        input.products,
        options.dim,
        options.spectrum_power,
        options.iterations,
        options.seed,
        |v, k, transpose| operator.apply(v, k, transpose),
    );
    progress.at(3);
    let (mut in_vectors, mut out_vectors) = (factors.left, factors.right);
    cold::unit_rows(&mut in_vectors, options.dim);
    cold::unit_rows(&mut out_vectors, options.dim);
    let learnt = in_vectors.chunks_exact(options.dim).filter(|row| row.iter().any(|&x| x != 0.0)).count();
    if learnt == 0 {
        in_vectors = cold::from_content(input, options);
        out_vectors.clone_from(&in_vectors);
    } else {
        for vectors in [&mut in_vectors, &mut out_vectors] {
            cold::fill(vectors, popularity, categories, input, options);
        }
    }
    (in_vectors, out_vectors, learnt)
}

fn check(input: &AffinityInput<'_>, options: &AffinityOptions) -> Result<(), BuildError> {
    let below = |values: &[u32], end: usize| values.iter().all(|&x| (x as usize) < end);
    let below_or_none = |values: &[u32], end: usize| values.iter().all(|&x| x == NONE || (x as usize) < end);
    let orders = input.orders;
    let per_product = [input.type_of, input.category_of, input.brand_of];
    let embeddings_fit =
        input.embeddings.is_none_or(|e| e.dim > 0 && e.values.len() == e.dim * input.products);
    let lines_fit = orders.lines.len() < NONE as usize
        && orders.lines.iter().all(|l| {
            (l.product as usize) < input.products
                && l.basket < orders.baskets
                && (l.customer == NONE || l.customer < orders.customers)
        });
    let rules = [
        (options.dim > 0 && options.dim.is_multiple_of(64), "dim is not a multiple of 64"),
        (
            per_product.iter().all(|x| x.len() == input.products),
            "type_of, category_of and brand_of differ in length from the products",
        ),
        (below(input.type_of, input.types), "a type number is out of range"),
        (
            below_or_none(input.category_parent, input.category_parent.len())
                && below_or_none(input.category_of, input.category_parent.len()),
            "a category number is out of range",
        ),
        (
            (input.prior.is_empty() || input.prior.len() == input.types)
                && input.prior.iter().flat_map(|p| &p.goes_with).all(|x| {
                    (x.to as usize) < input.types && x.lift > 0.0 && (0.0..=1.0).contains(&x.probability)
                }),
            "the prior does not fit the types",
        ),
        (embeddings_fit, "there is not one embedding row per product"),
        (
            input.words.is_none_or(|words| words.len() == input.products),
            "there are not words for each product",
        ),
        (lines_fit, "an order line is out of range"),
    ];
    match rules.iter().find(|(holds, _)| !holds) {
        None => Ok(()),
        Some((_, problem)) => Err(BuildError::Input {
            problem: (*problem).into(),
            way_out: "number products, types, categories, brands and orders densely from 0".into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::feed::OrderLine;
    use crate::build::progress::Silent;

    const DAY: i64 = 86_400_000;

    /// (customer or NONE, day, products)
    type Basket<'a> = (u32, i64, &'a [u32]);

    fn orders(baskets: &[Basket<'_>]) -> Orders {
        let mut orders = Orders { baskets: baskets.len() as u32, ..Orders::default() };
        for (basket, &(customer, day, products)) in baskets.iter().enumerate() {
            if customer != NONE {
                orders.customers = orders.customers.max(customer + 1);
            }
            orders.lines.extend(products.iter().map(|&product| OrderLine {
                basket: basket as u32,
                customer,
                at_ms: day * DAY,
                product,
                quantity: 1,
                unit_price: None,
            }));
        }
        orders
    }

    /// Types: 0 coffee makers (products 0, 1), 1 pods (2, 3), 2 tents (4), 3 pegs (5), 4 lamps (6).
    const TYPE_OF: [u32; 7] = [0, 0, 1, 1, 2, 3, 4];

    fn input(orders: &Orders) -> AffinityInput<'_> {
        AffinityInput {
            products: 7,
            type_of: &TYPE_OF,
            types: 5,
            category_parent: &[],
            category_of: &[NONE; 7],
            brand_of: &[NONE; 7],
            embeddings: None,
            words: None,
            orders,
            vectors_given: false,
            prior: &[],
        }
    }

    fn run(input: &AffinityInput<'_>) -> Affinity {
        learn(input, &AffinityOptions::default(), &Silent).expect("valid input")
    }

    fn cosine(a: &Affinity, bought: usize, offered: usize) -> f32 {
        let row = |v: &[f32], i: usize| v[i * a.dim..(i + 1) * a.dim].to_vec();
        let (x, y) = (row(&a.in_vectors, bought), row(&a.out_vectors, offered));
        x.iter().zip(&y).map(|(x, y)| x * y).sum()
    }

    fn length(v: &[f32], i: usize, dim: usize) -> f32 {
        let row = &v[i * dim..(i + 1) * dim];
        row.iter().map(|x| x * x).sum::<f32>().sqrt()
    }

    /// Sixty customers: makers with pods (now and then two makers together), tents with pegs; nobody buys the lamp.
    fn shop(named: bool) -> Orders {
        let mut baskets: Vec<Basket<'_>> = Vec::new();
        for c in 0..60u32 {
            let customer = if named { c } else { NONE };
            baskets.push((
                customer,
                i64::from(c),
                match c % 4 {
                    0 => &[0, 2, 3],
                    1 => &[0, 1, 2],
                    2 => &[4, 5],
                    _ => &[1, 3, 2],
                },
            ));
            let again: &[u32] = if c % 4 == 2 { &[5] } else { &[2, 3] };
            baskets.push((customer, i64::from(c) + 30, again));
        }
        orders(&baskets)
    }

    #[test]
    fn pods_go_with_the_coffee_maker_and_another_maker_does_not() {
        for named in [true, false] {
            let orders = shop(named);
            let a = run(&input(&orders));
            assert!(cosine(&a, 0, 2) > cosine(&a, 0, 1) + 0.3, "named {named}");
            assert!(cosine(&a, 0, 2) > cosine(&a, 0, 5) + 0.3, "named {named}");
            assert!(cosine(&a, 4, 5) > cosine(&a, 4, 2) + 0.3, "named {named}");
            assert_eq!(a.transitions[0][0].to, 1);
            assert_eq!(a.transitions[2].iter().map(|t| t.to).collect::<Vec<_>>(), [3]);
            assert!(a.transitions.iter().enumerate().all(|(t, list)| {
                list.iter().all(|x| x.to != t as u32 && x.lift > 1.0 && x.support >= 2)
            }));
            assert_eq!(a.popularity[0], 30);
        }
    }

    #[test]
    fn roles_need_named_customers_who_come_back() {
        let named = run(&input(&shop(true)));
        assert_eq!(named.type_roles[1], Role::Consumable);
        assert_eq!(named.type_roles[0], Role::Durable);
        assert_eq!(named.type_roles[2], Role::Unknown, "15 customers are too few");
        assert_eq!(named.replenish_days[1], [30; 3]);
        assert_eq!(named.replenish_days[0], [0; 3]);
        let anonymous = run(&input(&shop(false)));
        assert!(anonymous.type_roles.iter().all(|&r| r == Role::Unknown));
    }

    #[test]
    fn one_customer_many_times_counts_once() {
        let mut baskets: Vec<Basket<'_>> = (0..50).map(|d| (0, d, &[4, 2][..])).collect();
        baskets.push((1, 0, &[4, 5]));
        baskets.push((2, 0, &[4, 5]));
        baskets.push((3, 0, &[6]));
        let a = run(&input(&orders(&baskets)));
        assert_eq!((a.popularity[4], a.popularity[2], a.popularity[5]), (3, 1, 2));
        assert_eq!(a.transitions[2].iter().map(|t| t.to).collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn the_newest_baskets_of_each_product_are_kept_and_long_ones_cut_to_their_rarest() {
        use crate::limits::{BASKET_LINES_MAX, POSTINGS_MAX};
        // Eight lines too many, and those eight are in five more baskets: less rare than the others.
        let (common, end) = (2..10, 10 + BASKET_LINES_MAX as u32);
        let long: Vec<u32> = (2..end).collect();
        let days = POSTINGS_MAX as u32 + 44;
        let mut baskets: Vec<Basket<'_>> = (0..days).map(|day| (day % 10, day.into(), &[0, 1][..])).collect();
        baskets.extend((0..5).map(|customer| (customer, 0, &long[..])));
        baskets.extend((0..5).map(|customer| (customer, 1, &long[..common.len()])));
        let of_few = [0, end];
        baskets.extend((0..9).map(|day| (day % 4, 0, &of_few[..])));
        let orders = orders(&baskets);
        let products = end as usize + 1;
        let types: Vec<u32> = (0..=end).collect();
        let none = vec![NONE; products];
        let shop = AffinityInput {
            products,
            type_of: &types,
            types: products,
            category_of: &none,
            brand_of: &none,
            ..input(&orders)
        };
        let kept = run(&shop).baskets;
        let listed = |product: u32| kept.postings[product as usize].len();
        assert_eq!((listed(0), listed(end)), (POSTINGS_MAX, 0), "the last one has four customers only");
        assert_eq!(kept.lines.len(), POSTINGS_MAX + 5 + 5);
        let cut = kept.lines.iter().filter(|lines| lines.len() == BASKET_LINES_MAX);
        assert_eq!(
            cut.filter(|lines| lines.iter().all(|p| !common.contains(p))).count(),
            5,
            "the rarest stay"
        );
        assert_eq!(kept.weights[0], (255.0 * (4.0f32 / 5.0).sqrt()).round() as u8);
    }

    #[test]
    fn same_bytes_on_one_and_two_threads() {
        let mut baskets = Vec::new();
        let lines: Vec<[u32; 3]> = (0..9000u32).map(|i| [i % 3000, i * 7 % 3000, i * i % 3000]).collect();
        for (i, l) in lines.iter().enumerate() {
            baskets.push((i as u32 / 3, i as i64 / 9, &l[..]));
        }
        let orders = orders(&baskets);
        let type_of: Vec<u32> = (0..3000).map(|p| p % 40).collect();
        let input = AffinityInput {
            products: 3000,
            type_of: &type_of,
            types: 40,
            category_of: &[NONE; 3000],
            brand_of: &type_of,
            ..input(&orders)
        };
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("a pool").install(|| run(&input))
        };
        let (one, two) = (on(1), on(2));
        let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&one.in_vectors), bits(&two.in_vectors));
        assert_eq!(bits(&one.out_vectors), bits(&two.out_vectors));
        assert_eq!(one, two);
        let other = AffinityOptions { seed: 2, ..AffinityOptions::default() };
        let other = learn(&input, &other, &Silent).expect("valid input");
        assert_ne!(bits(&one.in_vectors), bits(&other.in_vectors));
    }

    #[test]
    fn no_orders_leave_categories_or_embeddings_or_nothing() {
        let none = Orders::default();
        let a = run(&input(&none));
        assert!(a.in_vectors.iter().chain(&a.out_vectors).all(|&x| x == 0.0));
        assert_eq!((a.learnt_ppm, a.type_roles.len()), (0, 5));

        // Kitchen (0) holds 1 and 2; garden (3).
        let tree = AffinityInput {
            category_parent: &[NONE, 0, 0, NONE],
            category_of: &[1, 1, 2, 2, 3, 3, NONE],
            ..input(&none)
        };
        let a = run(&tree);
        assert!(cosine(&a, 0, 2) > cosine(&a, 0, 4) + 0.2);
        assert_eq!(length(&a.in_vectors, 6, 64), 0.0);

        let mut values = vec![0.0; 14];
        for (p, row) in values.chunks_exact_mut(2).enumerate() {
            row[usize::from(p >= 4)] = 1.0;
        }
        values[12..].fill(0.0);
        let embeddings = Embeddings { dim: 2, values };
        let a = run(&AffinityInput { embeddings: Some(&embeddings), ..input(&none) });
        assert!(cosine(&a, 0, 2) > 0.99 && cosine(&a, 0, 4) < 0.5);
        assert_eq!(length(&a.in_vectors, 6, 64), 0.0, "it has no embedding");
    }

    /// The prior says that tents bring lamps, and that makers bring pegs.
    fn expecting() -> Vec<TypePrior> {
        let to = |to| vec![Expected { to, lift: 24.0, probability: 0.25 }];
        let mut prior = vec![TypePrior::default(); 5];
        prior[0] = TypePrior { goes_with: to(3), role: Role::Consumable };
        prior[2] = TypePrior { goes_with: to(4), role: Role::Durable };
        prior
    }

    #[test]
    fn without_orders_the_prior_speaks() {
        let (none, prior) = (Orders::default(), expecting());
        let a = run(&AffinityInput { prior: &prior, ..input(&none) });
        let lamp = Transition { to: 4, lift: 24.0, probability: 0.25, support: 0, direct: 0.0 };
        assert_eq!(a.transitions[2], [lamp]);
        assert!(a.transitions[4].is_empty(), "it is directed");
        assert_eq!((a.prior_types, a.type_roles[2]), (2, Role::Durable));
    }

    #[test]
    fn orders_win_against_the_prior_where_they_speak() {
        let (sold, prior) = (shop(true), expecting());
        let (with, without) = (run(&AffinityInput { prior: &prior, ..input(&sold) }), run(&input(&sold)));
        // 45 customers bought makers, a quarter of all customers pegs, none both: worse than by chance.
        assert_eq!(with.transitions[0], without.transitions[0]);
        // 15 customers bought tents, nobody ever a lamp: the prior is all that speaks for it.
        let lamp = with.transitions[2].iter().find(|t| t.to == 4).expect("lamps");
        assert!(lamp.probability < 0.25 && lamp.probability > 0.1, "{lamp:?}");
        assert!(without.transitions[2].iter().all(|t| t.to != 4));
        assert_eq!((with.prior_types, with.type_roles[0]), (1, Role::Durable), "a learnt role stays");
        assert_eq!(with.in_vectors, without.in_vectors);
    }

    #[test]
    fn one_order_teaches_only_its_pair() {
        let one = orders(&[(NONE, 0, &[0, 2])]);
        let a = run(&input(&one));
        assert!(cosine(&a, 0, 2) > 0.9 && cosine(&a, 2, 0) > 0.9);
        assert!(cosine(&a, 0, 1) < 0.1);
        assert!(a.transitions.iter().all(Vec::is_empty));
        assert_eq!(length(&a.in_vectors, 4, 64), 0.0);
        let single = orders(&[(NONE, 0, &[0])]);
        assert!(run(&input(&single)).in_vectors.iter().all(|&x| x == 0.0));
    }

    #[test]
    fn products_never_sold_follow_type_category_brand_or_text() {
        let sold = shop(true);
        // Product 7 is a third kind of pods, 8 and 9 are of a type never sold: 8 stands in the category of
        // the pegs, 9 has only a text like the maker's.
        let mut values = vec![0.0; 20];
        for (p, side) in [0, 0, 1, 1, 2, 2, 2, 1, 2, 0].into_iter().enumerate() {
            if side < 2 {
                values[p * 2 + side] = 1.0;
            }
        }
        let embeddings = Embeddings { dim: 2, values };
        let a = run(&AffinityInput {
            products: 10,
            type_of: &[0, 0, 1, 1, 2, 3, 4, 1, 5, 6],
            types: 7,
            category_parent: &[NONE],
            category_of: &[NONE, NONE, NONE, NONE, NONE, 0, NONE, NONE, 0, NONE],
            brand_of: &[NONE; 10],
            embeddings: Some(&embeddings),
            words: None,
            orders: &sold,
            vectors_given: false,
            prior: &[],
        });
        assert!(cosine(&a, 0, 7) > cosine(&a, 0, 5) + 0.3, "type");
        assert!(cosine(&a, 4, 8) > cosine(&a, 4, 2) + 0.3, "category");
        assert!(cosine(&a, 9, 2) > cosine(&a, 9, 5) + 0.3, "text");
        assert!((length(&a.out_vectors, 7, 64) - 1.0).abs() < 1e-5);
        assert_eq!(a.learnt_ppm, 600_000);
    }

    #[test]
    fn inputs_that_do_not_fit_are_refused() {
        let none = Orders::default();
        let refused = |input: &AffinityInput<'_>, options: &AffinityOptions| {
            matches!(learn(input, options, &Silent), Err(BuildError::Input { .. }))
        };
        let fine = AffinityOptions::default();
        let odd = AffinityOptions { dim: 65, ..fine.clone() };
        assert!(refused(&input(&none), &odd));
        assert!(refused(&AffinityInput { types: 4, ..input(&none) }, &fine));
        assert!(refused(&AffinityInput { brand_of: &[NONE; 6], ..input(&none) }, &fine));
        let circle = AffinityInput { category_parent: &[1, 0], ..input(&none) };
        assert!(refused(&circle, &fine));
        let stray = orders(&[(NONE, 0, &[7])]);
        assert!(refused(&input(&stray), &fine));
    }
}
