//! Budgets that machines share through a real server: together they spend what the pool has and no more, whatever is lost on the
//! way, and whether or not the server is there.
#![cfg(all(feature = "build", feature = "redis", unix))]

mod common;

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aftercart::live::{
    Ask, Grant, LeaseSource, LiveKind, Pacing, PooledBudget, RedisPool, Refill, RefillError, Refilled,
};
use aftercart::{Live, LiveError};
use common::deal::{Shop, daily, shop, shown, status};
use common::{DAY, NOW, Rng};

/// A server of the test's own, in memory, behind a socket file.
struct Server {
    child: Child,
    folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { child: Self::spawn(&folder), folder }
    }

    fn spawn(folder: &tempfile::TempDir) -> Child {
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(folder.path().join("socket"))
            .arg("--dir")
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts; ./test installs it");
        let mut pool = RedisPool::new(&Self::url_of(folder)).expect("a URL");
        let began = Instant::now();
        while pool.budgets().is_err() {
            assert!(began.elapsed() < Duration::from_secs(30), "the server does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
        child
    }

    fn url_of(folder: &tempfile::TempDir) -> String {
        format!("redis+unix://{}", folder.path().join("socket").display())
    }

    fn pool(&self) -> RedisPool {
        RedisPool::new(&Self::url_of(&self.folder)).expect("a URL")
    }

    fn signal(&self, signal: &str) {
        let done = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(done.expect("kill runs").success());
    }

    /// Dies, and comes back without its data.
    fn lose_everything(&mut self) {
        self.child.kill().expect("kill -9");
        self.child.wait().expect("it is dead");
        self.child = Self::spawn(&self.folder);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn budget() -> PooledBudget {
    PooledBudget {
        kind: LiveKind::Partner,
        id: "acme".into(),
        money: false,
        utc_offset_minutes: 0,
        pacing: None,
    }
}

/// Long enough for the server to have heard all machines of a new budget.
fn heard() {
    std::thread::sleep(Duration::from_millis(3_100));
}

/// Loses a third of the answers of a pool, and sends some asks once more when they are old.
struct Lossy {
    pool: RedisPool,
    rng: Rng,
    old: Vec<Ask>,
}

impl LeaseSource for Lossy {
    type Error = std::io::Error;

    fn budgets(&mut self) -> Result<Vec<PooledBudget>, Self::Error> {
        self.pool.budgets().map_err(std::io::Error::other)
    }

    fn exchange(&mut self, ask: &Ask) -> Result<Option<Grant>, Self::Error> {
        let again = (!self.old.is_empty() && self.rng.below(4) == 0).then(|| self.rng.below(self.old.len()));
        if let Some(at) = again {
            let late = self.old.swap_remove(at);
            self.pool.exchange(&late).map_err(std::io::Error::other)?;
        }
        let lost_before = self.rng.below(6) == 0;
        self.old.push(ask.clone());
        if lost_before {
            return Err(std::io::Error::other("lost on the way there"));
        }
        let grant = self.pool.exchange(ask).map_err(std::io::Error::other)?;
        if self.rng.below(6) == 0 {
            return Err(std::io::Error::other("lost on the way back"));
        }
        Ok(grant)
    }
}

/// Takes and activates up to `most` leases; how many there were.
fn spend(shop: &Shop, most: usize, now_ms: i64) -> u64 {
    let mut spent = 0;
    for _ in 0..most {
        let Ok(lease) = shop.engine.reserve(&shop.deal, now_ms, 5_000) else { break };
        shop.live.activate(&lease, now_ms).expect("it holds");
        spent += 1;
    }
    spent
}

fn refill_of<S: LeaseSource>(live: &Arc<Live>, source: S) -> Refill<S> {
    Refill::new(Arc::clone(live), source).expect("nobody else refills it")
}

#[test]
fn machines_spend_all_of_a_budget_and_no_more_whatever_is_lost_on_the_way() {
    const LIMIT: u64 = 3_000;
    let server = Server::start();
    server.pool().set(&budget(), Some(LIMIT), Some(LIMIT + 40), 1).expect("set");
    heard();
    let machine = |seed: u64| {
        let server = &server;
        move || {
            let (shop, mut rng) = (shop(64), Rng::new(seed));
            let source = Lossy { pool: server.pool(), rng: Rng::new(seed + 100), old: Vec::new() };
            let (mut refill, mut spent, mut idle, mut failures) = (refill_of(&shop.live, source), 0, 0, 0);
            let mut now_ms = NOW;
            while idle < 40 {
                now_ms += 1_000;
                failures += u32::from(refill.refill(now_ms).is_err());
                let most = if seed == 3 { rng.below(3) } else { rng.below(60) };
                let before = spent;
                spent += spend(&shop, most, now_ms);
                // Some leases are forgotten, and come back when they expire.
                if rng.below(10) == 0 {
                    let _ = shop.engine.reserve(&shop.deal, now_ms, 5_000);
                }
                let mine = status(&shop.live, LiveKind::Partner, now_ms);
                assert_eq!(mine.overspend_bound, 0, "{mine:?}");
                idle = if spent > before { 0 } else { idle + u32::from(most > 0) };
            }
            assert!(failures > 5, "answers were lost");
            spent
        }
    };
    let spent: u64 = std::thread::scope(|scope| {
        let machines: Vec<_> = (1..=4).map(|seed| scope.spawn(machine(seed))).collect();
        machines.into_iter().map(|machine| machine.join().expect("no panic")).sum()
    });
    assert_eq!(spent, LIMIT);
    let all = server.pool().status(NOW + 1_000).expect("it answers");
    assert!(all[0].granted_today <= LIMIT && all[0].machines == 4, "{all:?}");
}

#[test]
fn without_the_server_a_machine_goes_on_with_what_it_was_granted() {
    let server = Server::start();
    server.pool().set(&budget(), Some(800), None, 1).expect("set");
    heard();
    let machines = [shop(16), shop(16)];
    let mut refills = machines.each_ref().map(|shop| refill_of(&shop.live, server.pool()));
    assert_eq!(
        spend(&machines[0], 1, NOW),
        1,
        "before it is pooled there is no limit, and nothing is counted"
    );
    for refill in &mut refills {
        let done = refill.refill(NOW).expect("it answers");
        assert_eq!(done, Refilled { budgets: 1, ..Refilled::default() });
    }
    let grants = machines.each_ref().map(|shop| status(&shop.live, LiveKind::Partner, NOW).daily);
    assert!(grants.iter().all(|grant| grant.is_some_and(|grant| (10..=401).contains(&grant))), "{grants:?}");
    server.signal("-STOP");
    let began = Instant::now();
    let error = refills[0].refill(NOW + 1_000).expect_err("it hangs");
    assert!(matches!(error, RefillError::Source(_)), "{error}");
    assert!(began.elapsed() < Duration::from_secs(3), "a bounded wait");
    let mut spent = machines.each_ref().map(|shop| spend(shop, usize::MAX, NOW + 1_000));
    for (spent, grant) in spent.iter().zip(grants) {
        assert!(*spent > 0 && *spent <= grant.expect("a grant"), "{spent} of {grant:?}");
    }
    assert!(shown(&machines[0].engine, NOW + 1_000, "empty").is_none(), "and the gate knows");
    server.signal("-CONT");
    for step in 2..200 {
        for (at, refill) in refills.iter_mut().enumerate() {
            refill.refill(NOW + step * 1_000).expect("it answers");
            spent[at] += spend(&machines[at], 30, NOW + step * 1_000);
        }
    }
    assert_eq!(spent.iter().sum::<u64>(), 800);
}

#[test]
fn a_server_that_lost_its_data_hears_the_machines_before_it_grants() {
    let mut server = Server::start();
    server.pool().set(&budget(), Some(900), None, 1).expect("set");
    heard();
    let machines = [shop(16), shop(16), shop(16)];
    let mut refills = machines.each_ref().map(|shop| refill_of(&shop.live, server.pool()));
    let mut spent = [0; 3];
    let mut round = |refills: &mut [Refill<RedisPool>; 3], most: usize, now_ms: i64| {
        for (at, refill) in refills.iter_mut().enumerate() {
            let _ = refill.refill(now_ms); // a connection that died fails once
            spent[at] += spend(&machines[at], most, now_ms);
        }
        spent.iter().sum::<u64>()
    };
    let before = (0..4).map(|step| round(&mut refills, 20, NOW + step * 1_000)).last().expect("rounds");
    assert!((100..800).contains(&before), "{before}");
    server.lose_everything();
    let on = round(&mut refills, 5, NOW + 5_000);
    assert!(on > before && on <= 900, "what was granted holds");
    server.pool().set(&budget(), Some(900), None, 1).expect("set anew");
    for step in 6..9 {
        assert!(round(&mut refills, 5, NOW + step * 1_000) <= 900);
    }
    heard();
    let all = (9..200).map(|step| round(&mut refills, 20, NOW + step * 1_000)).last();
    assert_eq!(all, Some(900));
}

#[test]
fn a_grant_is_of_its_day_and_of_the_pool() {
    let server = Server::start();
    let even = PooledBudget { pacing: Some(Pacing::even()), ..budget() };
    server.pool().set(&even, Some(9_600), None, 1).expect("set");
    heard();
    let shop = shop(16);
    let mut refill = refill_of(&shop.live, server.pool());
    assert!(matches!(Refill::new(Arc::clone(&shop.live), server.pool()), Err(RefillError::Busy(_))));
    let midnight = NOW - NOW.rem_euclid(DAY) + DAY;
    let mut spent = 0;
    for quarter in 1..=24 {
        for again in 0..50 {
            let now_ms = midnight + quarter * 900_000 + again;
            refill.refill(now_ms).expect("it answers");
            spent += spend(&shop, 100, now_ms);
        }
        let (due, ahead) = (quarter as u64 * 100, 9_600 / 32);
        assert!((due..=due + ahead).contains(&spent), "{spent} at quarter {quarter}");
    }
    // Tomorrow without the pool: nothing, although today's grant is not all spent.
    let six = midnight + 24 * 900_000 + 450_000;
    refill.refill(six).expect("it answers");
    assert_eq!(spend(&shop, 2, six), 2);
    assert_eq!(spend(&shop, 1, six + DAY), 0);
    refill.refill(six + DAY).expect("it answers");
    assert_eq!(spend(&shop, 1, six + DAY), 1);
    // The limit is the pool's to change.
    let refused = shop.live.edit().expect("a lock").set(Some(LiveKind::Partner), "acme", &daily(5), NOW);
    assert!(matches!(refused, Err(LiveError::Value { field: "limit", .. })), "{refused:?}");
    let unknown = PooledBudget { id: "nobody".into(), ..budget() };
    server.pool().set(&unknown, None, Some(5), 1).expect("set");
    assert_eq!(refill.refill(six + DAY).expect("it answers").unknown, 1);
    assert!(server.pool().set(&unknown, None, None, 1).is_err(), "no limit at all");
}
