//! The one question: it is the one of most expected value, by another count, and its answer changes the page within its group.
#![cfg(feature = "build")]

mod common;

use std::sync::Arc;

use aftercart::experiment::{Holdout, Shows};
use aftercart::policy::condition::{Condition, FlagFact, ListFact};
use aftercart::policy::{PossibleAnswer, Question, Sign};
use aftercart::{
    Answer, Asked, Decider, GIFT, NextQuestion, Offers, Policy, Profile, QuestionIx, Reason, Status,
    Transaction,
};
use common::{Request, Rng, World};

fn question(id: &str, answers: &[(&str, f64)]) -> Question {
    let answer = |(tag, prior): &(&str, f64)| PossibleAnswer {
        text: tag.to_string(),
        tag: tag.to_string(),
        prior: *prior,
    };
    Question {
        id: id.into(),
        text: format!("{id}?"),
        answers: answers.iter().map(answer).collect(),
        ..Question::default()
    }
}

fn questions() -> Vec<Question> {
    vec![
        question("gift", &[(GIFT, 0.25), ("not-gift", 0.75)]),
        question("occasion", &[("pets", 0.5), ("travel", 0.25), ("neither", 0.25)]),
    ]
}

fn answered<'a>(profile: &Profile<'a>, answers: &'a [Answer<'a>]) -> Profile<'a> {
    Profile { answers, ..*profile }
}

/// V(S | a) by the explanations of what stood on the page.
fn still_worth(
    decider: &mut Decider,
    transaction: &Transaction<'_>,
    told: &Profile<'_>,
    as_is: &Offers,
) -> i64 {
    let mut sum = 0;
    for offer in as_is.slate() {
        let why = decider.explain(transaction, told, offer.item).expect("within the limits");
        // What the slate's limits leave out is worth what it would be; what a rule or a floor refuses is worth nothing.
        let lost = |reason: &Reason| {
            matches!(
                reason,
                Reason::LostToHigher
                    | Reason::TypeQuota
                    | Reason::BrandQuota
                    | Reason::PartnerQuota
                    | Reason::ThirdPartyQuota
                    | Reason::RefillQuota
                    | Reason::CompetitiveSeparation
                    | Reason::PositionExcluded
            )
        };
        if why.reasons.iter().all(lost) {
            sum += why.ev_micros;
        }
    }
    sum
}

/// Gain of each question, in doubles.
fn gains(decider: &mut Decider, request: &Request, questions: &[Question]) -> Vec<f64> {
    request.with(|transaction, profile| {
        let as_is = decider.decide(transaction, profile).expect("within the limits");
        let gain = |question: &Question| {
            let mut sum = 0.0;
            for answer in &question.answers {
                let given = [Answer { question: &question.id, tag: &answer.tag }];
                let told = answered(profile, &given);
                let offers = decider.decide(transaction, &told).expect("within the limits");
                let worth: i64 = offers.slate().iter().map(|offer| offer.ev_micros).sum();
                sum += answer.prior * (worth - still_worth(decider, transaction, &told, &as_is)) as f64;
            }
            sum
        };
        questions.iter().map(gain).collect()
    })
}

fn next(decider: &mut Decider, request: &Request) -> Option<NextQuestion> {
    request
        .with(|transaction, profile| decider.next_question(transaction, profile).expect("within the limits"))
}

#[test]
fn the_question_is_the_one_of_most_expected_value() {
    let (mut asked, mut none, mut of_each) = (0, 0, [0; 2]);
    for seed in 0..4 {
        let world = World::new(seed, 300);
        let policy = Policy { questions: questions(), ..Policy::default() };
        let mut decider = Decider::new(world.under(&policy));
        let mut rng = Rng::new(seed);
        for number in 0..60 {
            let request =
                Request { answers: Vec::new(), is_gift: false, ..common::request(&mut rng, &world) };
            let gains = gains(&mut decider, &request, &policy.questions);
            let best = gains.iter().copied().fold(0.0, f64::max);
            match next(&mut decider, &request) {
                None => {
                    assert!(best <= 3.0, "seed {seed}, request {number}: {gains:?}");
                    none += 1;
                }
                Some(found) => {
                    let own = gains[usize::from(found.question.0)];
                    // Whole millionths are cut once an answer.
                    assert!((own - found.gain_micros as f64).abs() <= 3.0, "{found:?} of {gains:?}");
                    assert!(best - own <= 3.0, "{found:?} of {gains:?}");
                    assert_eq!(found.decisions, 6, "one as things stand, one an answer");
                    of_each[usize::from(found.question.0)] += 1;
                    asked += 1;
                }
            }
        }
    }
    assert!(asked > 20 && none > 20 && of_each.iter().all(|n| *n > 0), "{asked} {none} {of_each:?}");
}

/// A request in which the policy asks the first question.
fn fruitful(world: &World, decider: &mut Decider) -> Request {
    let mut rng = Rng::new(9);
    (0..500)
        .map(|_| Request { answers: Vec::new(), is_gift: false, ..common::request(&mut rng, world) })
        .find(|request| {
            request.created_at_ms > 0 && next(decider, request).is_some_and(|next| next.question.0 == 0)
        })
        .expect("some request is worth asking in")
}

fn asking(questions: Vec<Question>) -> (World, Decider) {
    let world = World::new(1, 300);
    let decider = Decider::new(world.under(&Policy { questions, ..Policy::default() }));
    (world, decider)
}

#[test]
fn the_answer_changes_the_page_within_the_group() {
    let (world, mut decider) = asking(questions());
    let request = fruitful(&world, &mut decider);
    request.with(|transaction, profile| {
        let given = [Answer { question: "gift", tag: GIFT }];
        let told = answered(profile, &given);
        let before = decider.decide(transaction, profile).expect("within the limits");
        let after = decider.decide(transaction, &told).expect("within the limits");
        assert_eq!(before.group_id, after.group_id);
        assert_eq!(before.decision_id, before.group_id);
        assert_ne!(before.decision_id, after.decision_id);
        assert_ne!(before.slate(), after.slate(), "else the question was worth nothing");
        let again = decider.decide(transaction, profile).expect("within the limits");
        assert_eq!(again, before, "asking leaves nothing behind");
        assert_eq!(decider.next_question(transaction, &told), Ok(None), "one question an order");
    });
}

#[test]
fn a_customer_is_left_in_peace() {
    let (world, mut decider) = asking(questions());
    let request = fruitful(&world, &mut decider);
    let mut asked = |asked: &[Asked<'_>]| {
        request.with(|transaction, profile| {
            let next = decider.next_question(transaction, &Profile { asked, ..*profile });
            next.expect("within the limits").map(|next| next.question)
        })
    };
    let day = 86_400_000;
    let ago = |days: i64| Asked { question: "gift", at_ms: request.created_at_ms - days * day };
    assert_eq!(asked(&[ago(31)]), Some(QuestionIx(0)));
    assert_ne!(asked(&[ago(29)]), Some(QuestionIx(0)), "it rests");
    assert_ne!(
        asked(&[Asked { question: "gift", at_ms: 0 }]),
        Some(QuestionIx(0)),
        "an unknown time is lately"
    );
    assert_eq!(
        asked(&[Asked { question: "another", at_ms: request.created_at_ms + 1 }]),
        None,
        "one an order"
    );
}

#[test]
fn a_sign_is_a_prior_and_no_answer() {
    let plain = vec![question("gift", &[(GIFT, 0.25), ("not-gift", 0.75)])];
    let (world, mut decider) = asking(plain.clone());
    let request = Request { tags: Vec::new(), ..fruitful(&world, &mut decider) };
    let mut signed = plain;
    signed[0].signs = vec![Sign {
        when: Condition::Has { list: ListFact::OrderTags, value: "gift_wrap".into() },
        priors: vec![0.75, 0.25],
    }];
    let (_, mut with_sign) = asking(signed);
    let wrapped = Request { tags: vec!["gift_wrap".into()], ..request.clone() };
    let gain = |next: Option<NextQuestion>| next.expect("asked").gain_micros;
    let (unsigned, likelier) = (gain(next(&mut with_sign, &request)), gain(next(&mut with_sign, &wrapped)));
    assert_eq!(unsigned, gain(next(&mut decider, &request)));
    assert!(likelier > unsigned, "{likelier} > {unsigned}");
    let shown = |request: &Request, decider: &mut Decider| {
        request.with(|transaction, profile| decider.decide(transaction, profile).expect("within the limits"))
    };
    assert_eq!(shown(&request, &mut with_sign).slate(), shown(&wrapped, &mut with_sign).slate());
}

#[test]
fn what_is_not_known_or_not_worth_it_is_not_asked() {
    let (world, mut decider) = asking(questions());
    let request = Request { loyalty_member: None, ..fruitful(&world, &mut decider) };
    let with = |change: &dyn Fn(&mut Question)| {
        let mut one = question("gift", &[(GIFT, 0.25), ("not-gift", 0.75)]);
        change(&mut one);
        let policy = Policy { questions: vec![one], ..Policy::default() };
        next(&mut Decider::new(world.under(&policy)), &request)
    };
    let gain = with(&|_| ()).expect("it is asked").gain_micros;
    assert_eq!(with(&|one| one.ask_if = Condition::Flag(FlagFact::CustomerLoyalty)), None, "nobody knows");
    assert_eq!(with(&|one| one.ask_if = Condition::Any(Vec::new())), None);
    assert!(with(&|one| one.min_gain = (gain - 1) as f64 / 1e8).is_some());
    assert_eq!(with(&|one| one.min_gain = gain as f64 / 1e8), None);
    assert_eq!(
        with(&|one| one.answers.iter_mut().for_each(|answer| answer.tag = "nobody-asks".into())),
        None
    );
}

#[test]
fn questions_are_checked_and_kept_in_the_catalog() {
    let world = World::new(1, 60);
    let refused = |change: &dyn Fn(&mut Vec<Question>)| {
        let mut list = questions();
        change(&mut list);
        let policy = Policy { questions: list, ..Policy::default() };
        world.engine.with_policy(&policy).expect_err("it makes no sense").to_string()
    };
    assert!(refused(&|q| q[1].id = q[0].id.clone()).contains("twice"));
    assert!(refused(&|q| q[0].text.clear()).contains("1 to 255"));
    assert!(refused(&|q| q[0].answers.truncate(1)).contains("2 to 6"));
    assert!(refused(&|q| q[0].answers[0].prior = 0.3).contains("add up to 1"));
    assert!(refused(&|q| q[0].placements = vec!["nowhere".into()]).contains("does not have"));
    assert!(refused(&|q| q[0].min_gain = -1.0).contains("min_gain"));
    assert!(
        refused(&|q| *q = (0..17).map(|n| question(&n.to_string(), &[("a", 0.5), ("b", 0.5)])).collect())
            .contains("at most 16")
    );

    let mut inputs = common::inputs(&mut Rng::new(1), 60);
    inputs.policy = Some(Policy { questions: questions(), ..Policy::default() });
    let bytes = aftercart::build::build(
        &inputs,
        &aftercart::build::BuildOptions::default(),
        &aftercart::build::progress::Silent,
    )
    .expect("it builds");
    let catalog = aftercart::Catalog::from_bytes(bytes, aftercart::Verify::Full).expect("a catalog");
    let engine = Arc::new(aftercart::Engine::new(Arc::new(catalog)).expect("its policy"));
    assert_eq!(engine.question(QuestionIx(1)), Some(("occasion", "occasion?")));
    let answers: Vec<_> = engine.question_answers(QuestionIx(1)).collect();
    assert_eq!(answers, [("pets", "pets"), ("travel", "travel"), ("neither", "neither")]);
    assert_eq!(engine.question(QuestionIx(2)), None);
}

#[test]
fn whoever_sees_nothing_is_asked_nothing() {
    let (world, mut decider) = asking(questions());
    let request = fruitful(&world, &mut decider);
    let held = Holdout { buckets: 10_000, shows: Shows::Nothing, ..Holdout::default() };
    let policy = Policy { questions: questions(), holdout: held, ..Policy::default() };
    let mut held_out = Decider::new(world.under(&policy));
    request.with(|transaction, profile| {
        let status = held_out.decide(transaction, profile).expect("within the limits").status;
        assert!(matches!(status, Status::Holdout(_)));
    });
    assert_eq!(next(&mut held_out, &request), None);
    let off = Policy { questions: questions(), kill_switch: true, ..Policy::default() };
    assert_eq!(next(&mut Decider::new(world.under(&off)), &request), None);
}
