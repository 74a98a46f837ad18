//! A pool of budgets in Redis or Valkey.
//!
//! Keys of a budget share a hash tag, so that a cluster keeps them together:
//!
//! ```text
//! aftercart:budgets                     set     partner:acme, offer:deal, ...
//! aftercart:{partner:acme}              hash    daily, total, least, money, utc_offset, pacing
//! aftercart:{partner:acme}:total        hash    machine -> granted ever
//! aftercart:{partner:acme}:day:20780    hash    machine -> granted for that day (kept for three days)
//! aftercart:{partner:acme}:turn         hash    machine -> turn
//! aftercart:{partner:acme}:used         hash    machine -> day, used on it, used ever: as it said last
//! aftercart:{partner:acme}:new          text    is there for three seconds after a budget was made
//! ```
//!
//! What is granted is never written down twice: it is the sum over the machines. A server that lost its data has no budgets, and
//! grants nothing until they are set anew; for three seconds after that it only hears what each machine keeps. A machine that
//! cannot reach it in these seconds may then spend what others were given too, up to its grant; `appendonly yes` prevents that.

use std::sync::Arc;
use std::time::Duration;

use redis::{Client, Commands, Connection, RedisError, RedisResult, Script};

use super::format::LIMIT_MAX;
use super::{Ask, Grant, LeaseSource, LiveKind, Pacing, PooledBudget};

/// Longest wait for the server; connecting included.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long a new budget only hears what machines keep.
const LISTEN_MS: u64 = 3_000;

/// One exchange. Limits and grants are below 2^45, which Lua's numbers hold exactly.
const EXCHANGE: &str = r"
local limits, total_key, day_key, turn_key, used_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local listening = redis.call('EXISTS', KEYS[6]) == 1
local machine, turn, day, open_ppm = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local used_today, used, kept_today, kept =
  tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local daily, total = redis.call('HGET', limits, 'daily'), redis.call('HGET', limits, 'total')
if not daily and not total then return false end
local now = tonumber(redis.call('HGET', turn_key, machine) or '0')
if now ~= turn then return {now, -1, -1, 0} end
local function granted(key)
  local sum, machines, own = 0, 0, redis.call('HGET', key, machine)
  for _, amount in ipairs(redis.call('HVALS', key)) do sum, machines = sum + amount, machines + 1 end
  if own then return sum - own, machines else return sum, machines + 1 end
end
local least, spare = tonumber(redis.call('HGET', limits, 'least') or '1'), nil
local function free(key, limit, keeps)
  if not limit then return end
  local others, machines = granted(key)
  local left = limit - others - keeps
  local fair = math.max(least, math.ceil(math.max(left, 0) / (4 * machines)))
  spare = math.min(spare or fair, fair)
end
local open = daily and math.floor(tonumber(daily) / 1000000 * open_ppm)
free(day_key, open, used_today)
free(total_key, total and tonumber(total), used)
local function grant(key, limit, keeps, uses)
  if not limit then return -1 end
  local others = granted(key)
  local amount = listening and keeps or math.max(keeps, math.min(uses + spare, limit - others))
  redis.call('HSET', key, machine, string.format('%.0f', amount))
  return amount
end
local today = grant(day_key, open, kept_today, used_today)
local ever = grant(total_key, total and tonumber(total), kept, used)
if today >= 0 then redis.call('EXPIRE', day_key, 259200) end
redis.call('HSET', turn_key, machine, turn + 1)
redis.call('HSET', used_key, machine, day .. ' ' .. ARGV[5] .. ' ' .. ARGV[6])
return {turn + 1, today, ever, spare}
";

/// A pool on a server.
pub struct RedisPool {
    client: Client,
    connection: Option<Connection>,
    prefix: String,
    exchange: Arc<Script>,
}

impl std::fmt::Debug for RedisPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisPool").field("prefix", &self.prefix).finish_non_exhaustive() // the URL may hold a password
    }
}

/// What a pool has of a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolStatus {
    /// The budget.
    pub budget: PooledBudget,
    /// Limit of one day, all machines together.
    pub daily: Option<u64>,
    /// Limit over all days.
    pub total: Option<u64>,
    /// Granted for the day of the question, and ever.
    pub granted_today: u64,
    /// Granted over all days.
    pub granted: u64,
    /// Used that day, as the machines said last: spent, or held by leases.
    pub used_today: u64,
    /// Used ever, as they said last.
    pub used: u64,
    /// Machines that asked.
    pub machines: u32,
}

impl RedisPool {
    /// A pool at a URL such as `redis://host:6379` or `redis+unix:///run/redis.sock`. Connects when it is first asked.
    ///
    /// # Errors
    /// The URL cannot be read.
    pub fn new(url: &str) -> RedisResult<Self> {
        let (client, exchange) = (Client::open(url)?, Arc::new(Script::new(EXCHANGE)));
        Ok(Self { client, connection: None, prefix: "aftercart".into(), exchange })
    }

    /// Another prefix of all keys than `aftercart`, for several shops on one server.
    #[must_use]
    pub fn with_prefix(self, prefix: &str) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// Asks the server; after a failure the next question connects anew, so that no answer is taken for another's.
    fn ask<T>(&mut self, question: impl FnOnce(&mut Connection) -> RedisResult<T>) -> RedisResult<T> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let new = self.client.get_connection_with_timeout(PATIENCE)?;
                new.set_read_timeout(Some(PATIENCE))?;
                new.set_write_timeout(Some(PATIENCE))?;
                new
            }
        };
        let answer = question(&mut connection)?;
        self.connection = Some(connection);
        Ok(answer)
    }

    fn key(&self, kind: LiveKind, id: &str) -> String {
        format!("{}:{{{}:{id}}}", self.prefix, kind.name())
    }

    /// Puts a budget into the pool, or changes it. A machine takes it over when it asks next; a limit below what is granted
    /// lets nobody have more.
    ///
    /// # Errors
    /// The server did not answer, or there is neither limit, or one above 17,592,186,044,415.
    pub fn set(
        &mut self,
        budget: &PooledBudget,
        daily: Option<u64>,
        total: Option<u64>,
        least: u64,
    ) -> RedisResult<()> {
        let refuse =
            |problem: &'static str| Err(RedisError::from((redis::ErrorKind::InvalidClientConfig, problem)));
        if daily.is_none() && total.is_none() {
            return refuse("a pooled budget needs a daily or a total limit");
        }
        if daily.max(total).is_some_and(|limit| limit > LIMIT_MAX) {
            return refuse("a limit is at most 17,592,186,044,415");
        }
        let mut fields = vec![
            ("money", u8::from(budget.money).to_string()),
            ("utc_offset", budget.utc_offset_minutes.to_string()),
            ("least", least.max(1).to_string()),
        ];
        fields.extend(daily.map(|limit| ("daily", limit.to_string())));
        fields.extend(total.map(|limit| ("total", limit.to_string())));
        let words = |pacing: &Pacing| pacing.weights.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        fields.extend(budget.pacing.as_ref().map(|pacing| ("pacing", words(pacing))));
        let (key, set) = (self.key(budget.kind, &budget.id), format!("{}:budgets", self.prefix));
        let member = format!("{}:{}", budget.kind.name(), budget.id);
        self.ask(|connection| {
            let is_new = !connection.exists::<_, bool>(&key)?;
            let mut all = redis::pipe();
            all.atomic().del(&key).hset_multiple(&key, &fields);
            if is_new {
                all.pset_ex(format!("{key}:new"), 1, LISTEN_MS);
            }
            all.exec(connection)?;
            connection.sadd(&set, &member)
        })
    }

    /// Takes a budget out of the pool. Machines keep what they were granted.
    ///
    /// # Errors
    /// The server did not answer.
    pub fn remove(&mut self, kind: LiveKind, id: &str) -> RedisResult<()> {
        let (key, set) = (self.key(kind, id), format!("{}:budgets", self.prefix));
        let member = format!("{}:{id}", kind.name());
        self.ask(|connection| {
            connection.srem::<_, _, ()>(&set, &member)?;
            connection.del(&key)
        })
    }

    /// All budgets with what is granted and used, at a moment.
    ///
    /// # Errors
    /// The server did not answer.
    pub fn status(&mut self, now_ms: i64) -> RedisResult<Vec<PoolStatus>> {
        let mut all = Vec::new();
        for budget in self.budgets()? {
            let key = self.key(budget.kind, &budget.id);
            let (day, _) = super::format::local_day(now_ms, budget.utc_offset_minutes);
            let (daily, total, today, ever, used) = self.ask(|connection| {
                let limits: (Option<u64>, Option<u64>) = connection.hmget(&key, &["daily", "total"])?;
                let today: Vec<u64> = connection.hvals(format!("{key}:day:{day}"))?;
                let ever: Vec<u64> = connection.hvals(format!("{key}:total"))?;
                let used: Vec<String> = connection.hvals(format!("{key}:used"))?;
                Ok((limits.0, limits.1, today, ever, used))
            })?;
            let (mut used_today, mut used_ever) = (0, 0);
            for line in &used {
                let mut numbers = line.split(' ').map(|number| number.parse::<u64>().unwrap_or(0));
                let (on, of_day, of_all) = (numbers.next(), numbers.next(), numbers.next());
                used_today += if on == Some(day.into()) { of_day.unwrap_or(0) } else { 0 };
                used_ever += of_all.unwrap_or(0);
            }
            let (granted_today, granted) = (today.iter().sum(), ever.iter().sum());
            let machines = used.len() as u32;
            let used = used_ever;
            all.push(PoolStatus { budget, daily, total, granted_today, granted, used_today, used, machines });
        }
        all.sort_by(|a, b| (a.budget.kind, &a.budget.id).cmp(&(b.budget.kind, &b.budget.id)));
        Ok(all)
    }
}

impl LeaseSource for RedisPool {
    type Error = RedisError;

    fn budgets(&mut self) -> RedisResult<Vec<PooledBudget>> {
        let set = format!("{}:budgets", self.prefix);
        let members: Vec<String> = self.ask(|connection| connection.smembers(&set))?;
        let mut budgets = Vec::new();
        for member in members {
            let (kind, id) = match member.split_once(':') {
                Some(("partner", id)) => (LiveKind::Partner, id),
                Some(("offer", id)) => (LiveKind::Offer, id),
                _ => continue, // of a later version
            };
            let key = self.key(kind, id);
            let fields = ["money", "utc_offset", "pacing"];
            let (money, offset, pacing): (Option<u8>, Option<i16>, Option<String>) =
                self.ask(|connection| connection.hmget(&key, &fields))?;
            let (Some(money), Some(utc_offset_minutes)) = (money, offset) else { continue }; // taken out just now
            let weights = |words: String| words.split(',').filter_map(|word| word.parse().ok()).collect();
            let pacing = pacing.map(|words| Pacing { weights: weights(words) });
            budgets.push(PooledBudget { kind, id: id.into(), money: money == 1, utc_offset_minutes, pacing });
        }
        Ok(budgets)
    }

    fn exchange(&mut self, ask: &Ask) -> RedisResult<Option<Grant>> {
        let key = self.key(ask.kind, &ask.id);
        let script = Arc::clone(&self.exchange);
        let mut call = script.prepare_invoke();
        call.key(&key).key(format!("{key}:total")).key(format!("{key}:day:{}", ask.day));
        call.key(format!("{key}:turn")).key(format!("{key}:used")).key(format!("{key}:new"));
        call.arg(format!("{:016x}", ask.machine)).arg(ask.turn).arg(ask.day).arg(ask.open_ppm);
        call.arg(ask.used_today).arg(ask.used).arg(ask.kept_today).arg(ask.kept);
        let answer: Option<(u64, i64, i64, u64)> = self.ask(|connection| call.invoke(connection))?;
        Ok(answer.map(|(turn, daily, total, spare)| Grant {
            turn,
            daily: u64::try_from(daily).ok(),
            total: u64::try_from(total).ok(),
            spare,
        }))
    }
}
