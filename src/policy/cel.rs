//! Conditions as text: CEL, the Common Expression Language, as far as it compares what a request says with constants.
//!
//! The `cel` crate parses; what comes out is a [`Condition`], so nothing of CEL is left when a decision is made.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SourceInfo, operators};
use cel::parser::Parser;
use serde::{Deserialize, Deserializer};

use super::condition::{Comparison, Condition, Fact, FlagFact, ListFact, NumberFact, TextFact};
use super::zone::WEEKDAYS;
use crate::vocabulary::{AgeBand, Country, CustomerKind, PaymentType, Stage};

/// Why a text is not a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column} of the condition: {problem}; {way_out}")]
pub struct ConditionError {
    /// Column of the expression, from 1.
    pub column: u32,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub way_out: String,
}

/// Longest expression, in bytes.
const LENGTH_MAX: usize = 4096;
/// Deepest nesting.
const DEPTH_MAX: u16 = 32;

/// Reads a condition.
///
/// # Errors
/// [`ConditionError`]: not CEL, or more of CEL than a condition may use.
pub fn parse(text: &str) -> Result<Condition, ConditionError> {
    if text.len() > LENGTH_MAX {
        return Err(ConditionError {
            column: 1,
            problem: format!("it has {} bytes", text.len()),
            way_out: format!("write at most {LENGTH_MAX}, or several rules"),
        });
    }
    let parser = Parser::new().max_recursion_depth(DEPTH_MAX);
    let (expression, source) = parser.parse_with_source_info(text).map_err(|errors| {
        let first = errors.errors.first();
        let problem = first.map_or("is not an expression", |e| e.msg.lines().next().unwrap_or(""));
        ConditionError {
            column: first.map_or(1, |e| e.pos.1.max(1) as u32),
            problem: problem.trim_start_matches("Syntax error: ").to_owned(),
            way_out: "write CEL, like order.value >= 50.0 && order.country == \"US\"".into(),
        }
    })?;
    Reader { source: &source }.condition(&expression)
}

/// Reads a condition where a policy file has one.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Condition, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(serde::de::Error::custom)
}

/// What one side of a comparison is.
enum Side {
    Number(NumberFact),
    Text(TextFact),
    Flag(FlagFact),
    List(ListFact),
    Literal(Literal),
    Constants(Vec<Literal>),
}

#[derive(Debug, Clone, PartialEq)]
enum Literal {
    Yes(bool),
    Number(f64),
    Text(String),
    /// Unix milliseconds.
    Moment(i64),
}

struct Reader<'s> {
    source: &'s SourceInfo,
}

impl Reader<'_> {
    fn error(&self, at: &IdedExpr, problem: impl Into<String>, way_out: impl Into<String>) -> ConditionError {
        let byte = self.source.offset_for(at.id).map_or(0, |(start, _)| start);
        ConditionError { column: byte + 1, problem: problem.into(), way_out: way_out.into() }
    }

    fn condition(&self, at: &IdedExpr) -> Result<Condition, ConditionError> {
        match &at.expr {
            Expr::Call(call) => self.call(at, call),
            Expr::Select(select) if select.test => {
                match self.fact(at, &path_of(&select.operand.expr, Some(&select.field)))? {
                    Side::Number(fact) => Ok(Condition::Known(Fact::Number(fact))),
                    Side::Text(fact) => Ok(Condition::Known(Fact::Text(fact))),
                    Side::Flag(fact) => Ok(Condition::Known(Fact::Flag(fact))),
                    _ => Err(self.error(at, "has() of a list", "look into it: \"vip\" in customer.segments")),
                }
            }
            _ => match self.side(at)? {
                Side::Flag(flag) => Ok(Condition::Flag(flag)),
                Side::Literal(Literal::Yes(true)) => Ok(Condition::Always),
                Side::Literal(Literal::Yes(false)) => Ok(Condition::Any(Vec::new())),
                _ => Err(self.error(at, "this is neither true nor false", "compare it with something")),
            },
        }
    }

    fn call(&self, at: &IdedExpr, call: &CallExpr) -> Result<Condition, ConditionError> {
        let parts =
            |args: &[IdedExpr]| -> Result<Vec<_>, _> { args.iter().map(|arg| self.condition(arg)).collect() };
        let name = call.func_name.as_str();
        match (name, call.args.as_slice()) {
            (operators::LOGICAL_AND, args) => Ok(Condition::All(parts(args)?)),
            (operators::LOGICAL_OR, args) => Ok(Condition::Any(parts(args)?)),
            (operators::LOGICAL_NOT, [of]) => Ok(Condition::Not(Box::new(self.condition(of)?))),
            (operators::NOT_EQUALS, [left, right]) => {
                Ok(Condition::Not(Box::new(self.compare(at, Comparison::Equal, left, right)?)))
            }
            (operators::IN, [left, right]) => self.within(at, left, right),
            (_, [left, right]) => match comparison(name) {
                Some(is) => self.compare(at, is, left, right),
                None => Err(self.unknown_call(at, name)),
            },
            _ => Err(self.unknown_call(at, name)),
        }
    }

    fn unknown_call(&self, at: &IdedExpr, name: &str) -> ConditionError {
        let name = name.replace('_', "");
        self.error(
            at,
            format!("a condition cannot use `{name}`"),
            "use == != < <= > >= in && || ! has() timestamp()",
        )
    }

    /// `fact == constant`, and the other way round.
    fn compare(
        &self,
        at: &IdedExpr,
        is: Comparison,
        left: &IdedExpr,
        right: &IdedExpr,
    ) -> Result<Condition, ConditionError> {
        let mirrored = match is {
            Comparison::Less => Comparison::Greater,
            Comparison::AtMost => Comparison::AtLeast,
            Comparison::Greater => Comparison::Less,
            Comparison::AtLeast => Comparison::AtMost,
            Comparison::Equal => Comparison::Equal,
        };
        match (self.side(left)?, self.side(right)?) {
            (Side::Literal(literal), fact) => self.against(right, &fact, mirrored, left, &literal),
            (fact, Side::Literal(literal)) => self.against(left, &fact, is, right, &literal),
            _ => Err(self.error(at, "two facts are compared", "compare a fact with a constant")),
        }
    }

    fn against(
        &self,
        fact_at: &IdedExpr,
        fact: &Side,
        is: Comparison,
        at: &IdedExpr,
        literal: &Literal,
    ) -> Result<Condition, ConditionError> {
        match (fact, literal) {
            (Side::Number(fact), literal) => {
                Ok(Condition::Number { fact: *fact, is, value: self.number(at, *fact, literal)? })
            }
            (Side::Text(fact), Literal::Text(value)) if is == Comparison::Equal => {
                self.check_text(at, *fact, value)?;
                Ok(Condition::Text { fact: *fact, value: value.clone() })
            }
            (Side::Flag(fact), Literal::Yes(yes)) if is == Comparison::Equal => {
                let flag = Condition::Flag(*fact);
                Ok(if *yes { flag } else { Condition::Not(Box::new(flag)) })
            }
            (Side::Text(fact), _) => Err(self.error(
                at,
                format!("{fact} is a text"),
                format!("compare it with == or in, like {fact} == \"...\""),
            )),
            (Side::Flag(fact), _) => {
                Err(self.error(at, format!("{fact} is true or false"), format!("write {fact} or !{fact}")))
            }
            (Side::List(list), _) => Err(self.error(
                fact_at,
                format!("{list} is a list"),
                format!("look into it: \"...\" in {list}"),
            )),
            _ => Err(self.error(at, "two constants are compared", "compare a fact with a constant")),
        }
    }

    /// `"text" in list`, and `fact in [constants]`.
    fn within(&self, at: &IdedExpr, left: &IdedExpr, right: &IdedExpr) -> Result<Condition, ConditionError> {
        match (self.side(left)?, self.side(right)?) {
            (Side::Literal(Literal::Text(value)), Side::List(list)) => Ok(Condition::Has { list, value }),
            (fact, Side::Constants(constants)) => {
                let each = constants.iter().map(|c| self.against(left, &fact, Comparison::Equal, right, c));
                Ok(Condition::Any(each.collect::<Result<_, _>>()?))
            }
            _ => Err(self.error(
                at,
                "this is not something that `in` can answer",
                "write \"text\" in customer.segments, or order.country in [\"US\", \"CA\"]",
            )),
        }
    }

    fn side(&self, at: &IdedExpr) -> Result<Side, ConditionError> {
        match &at.expr {
            Expr::Ident(_) | Expr::Select(_) => self.fact(at, &path_of(&at.expr, None)),
            Expr::List(list) => {
                let constants = list.elements.iter().map(|element| self.literal(element));
                Ok(Side::Constants(constants.collect::<Result<_, _>>()?))
            }
            _ => Ok(Side::Literal(self.literal(at)?)),
        }
    }

    fn literal(&self, at: &IdedExpr) -> Result<Literal, ConditionError> {
        match &at.expr {
            Expr::Literal(LiteralValue::Boolean(yes)) => Ok(Literal::Yes(*yes.inner())),
            Expr::Literal(LiteralValue::Int(number)) => Ok(Literal::Number(*number.inner() as f64)),
            Expr::Literal(LiteralValue::Double(number)) => Ok(Literal::Number(*number.inner())),
            Expr::Literal(LiteralValue::String(text)) => Ok(Literal::Text(text.inner().to_owned())),
            Expr::Call(call) if call.func_name == "timestamp" && call.args.len() == 1 => {
                let Literal::Text(text) = self.literal(&call.args[0])? else {
                    return Err(self.error(at, "timestamp() of no text", MOMENT));
                };
                let moment = text.parse::<jiff::Timestamp>();
                let moment =
                    moment.map_err(|_| self.error(at, format!("\"{text}\" is no moment"), MOMENT))?;
                Ok(Literal::Moment(moment.as_millisecond()))
            }
            Expr::Call(call) => Err(self.unknown_call(at, &call.func_name)),
            _ => Err(self.error(at, "this is not a constant", "write a number, a \"text\", true or false")),
        }
    }

    fn fact(&self, at: &IdedExpr, path: &str) -> Result<Side, ConditionError> {
        let named = NumberFact::from_name(path)
            .map(Side::Number)
            .or_else(|| TextFact::from_name(path).map(Side::Text))
            .or_else(|| FlagFact::from_name(path).map(Side::Flag))
            .or_else(|| ListFact::from_name(path).map(Side::List));
        named.ok_or_else(|| {
            let names = NumberFact::ALL.iter().map(|f| f.name());
            let names = names.chain(TextFact::ALL.iter().map(|f| f.name()));
            let names = names.chain(FlagFact::ALL.iter().map(|f| f.name()));
            let names: Vec<&str> = names.chain(ListFact::ALL.iter().map(|f| f.name())).collect();
            self.error(at, format!("there is no {path}"), format!("there are {}", names.join(", ")))
        })
    }

    /// A constant in the unit of its fact.
    fn number(&self, at: &IdedExpr, fact: NumberFact, literal: &Literal) -> Result<i64, ConditionError> {
        let number = match (fact, literal) {
            (NumberFact::TimeNow, Literal::Moment(moment)) => return Ok(*moment),
            (NumberFact::TimeNow, _) => return Err(self.error(at, "time.now is a moment", MOMENT)),
            (NumberFact::OrderValue, Literal::Number(number)) => number * 100.0,
            (_, Literal::Number(number)) => *number,
            _ => {
                let problem = format!("{fact} is a number");
                return Err(self.error(at, problem, "compare it with a number"));
            }
        };
        let whole = number.round();
        if (number - whole).abs() > 1e-6 || whole.abs() > 1e15 {
            let unit = if fact == NumberFact::OrderValue { "two decimals" } else { "no decimals" };
            return Err(self.error(at, format!("{fact} has {unit}"), "write it so"));
        }
        Ok(whole as i64)
    }

    /// A text that no request can say is a mistake.
    fn check_text(&self, at: &IdedExpr, fact: TextFact, value: &str) -> Result<(), ConditionError> {
        let names = match fact {
            TextFact::OrderCountry => {
                let code = Country::parse(value).is_some_and(|country| country.as_str() == value);
                return if code {
                    Ok(())
                } else {
                    let problem = format!("\"{value}\" is no country code");
                    Err(self.error(
                        at,
                        problem,
                        "write two capital letters, like \"US\" (ISO 3166-1 alpha-2)",
                    ))
                };
            }
            TextFact::CustomerTier | TextFact::PlacementId => return Ok(()),
            TextFact::OrderPayment => PaymentType::ALL.iter().map(|v| v.name()).collect::<Vec<_>>(),
            TextFact::CustomerKind => CustomerKind::ALL[1..].iter().map(|v| v.name()).collect(),
            TextFact::CustomerAge => AgeBand::ALL[1..].iter().map(|v| v.name()).collect(),
            TextFact::TimeWeekday => WEEKDAYS.to_vec(),
            TextFact::PlacementStage => Stage::ALL.iter().map(|v| v.name()).collect(),
        };
        if names.contains(&value) {
            return Ok(());
        }
        let way_out = format!("write one of {}", names.join(", "));
        Err(self.error(at, format!("{fact} is never \"{value}\""), way_out))
    }
}

const MOMENT: &str = "write timestamp(\"2026-11-27T00:00:00Z\")";

fn comparison(operator: &str) -> Option<Comparison> {
    Some(match operator {
        operators::EQUALS => Comparison::Equal,
        operators::LESS => Comparison::Less,
        operators::LESS_EQUALS => Comparison::AtMost,
        operators::GREATER => Comparison::Greater,
        operators::GREATER_EQUALS => Comparison::AtLeast,
        _ => return None,
    })
}

/// `order.value` as it was written.
fn path_of(expr: &Expr, field: Option<&str>) -> String {
    let mut path = match expr {
        Expr::Ident(name) => name.clone(),
        Expr::Select(select) => path_of(&select.operand.expr, Some(&select.field)),
        _ => "?".into(),
    };
    if let Some(field) = field {
        path.push('.');
        path.push_str(field);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(fact: NumberFact, is: Comparison, value: i64) -> Condition {
        Condition::Number { fact, is, value }
    }

    #[test]
    fn expressions_become_conditions() {
        let text = |fact, value: &str| Condition::Text { fact, value: value.into() };
        let cases = [
            ("order.value >= 50.5", number(NumberFact::OrderValue, Comparison::AtLeast, 5050)),
            ("50 < order.value", number(NumberFact::OrderValue, Comparison::Greater, 5000)),
            ("order.country == \"US\"", text(TextFact::OrderCountry, "US")),
            ("order.country != 'US'", Condition::Not(text(TextFact::OrderCountry, "US").into())),
            ("!order.gift", Condition::Not(Condition::Flag(FlagFact::OrderGift).into())),
            ("order.gift == false", Condition::Not(Condition::Flag(FlagFact::OrderGift).into())),
            ("has(order.country)", Condition::Known(Fact::Text(TextFact::OrderCountry))),
            (
                "'vip' in customer.segments",
                Condition::Has { list: ListFact::CustomerSegments, value: "vip".into() },
            ),
            (
                "time.weekday in ['saturday', 'sunday']",
                Condition::Any(vec![
                    text(TextFact::TimeWeekday, "saturday"),
                    text(TextFact::TimeWeekday, "sunday"),
                ]),
            ),
            (
                "time.hour >= 22 || time.hour < 6",
                Condition::Any(vec![
                    number(NumberFact::TimeHour, Comparison::AtLeast, 22),
                    number(NumberFact::TimeHour, Comparison::Less, 6),
                ]),
            ),
            (
                "time.now < timestamp('1970-01-02T00:00:00Z')",
                number(NumberFact::TimeNow, Comparison::Less, 86_400_000),
            ),
            ("true", Condition::Always),
        ];
        for (expression, expected) in cases {
            assert_eq!(parse(expression), Ok(expected), "{expression}");
        }
    }

    #[test]
    fn what_is_no_condition_says_where_and_what_would_be() {
        for (expression, column, part) in [
            ("order.valu >= 5", 1, "there is no order.valu; there are order.value, "),
            ("order.value", 1, "neither true nor false"),
            ("order.value > 1 && order.country == \"usa\"", 38, "two capital letters"),
            ("order.country > 5", 17, "order.country is a text"),
            ("order.value + 1 > 2", 1, "cannot use `+`"),
            ("time.weekday == \"sun\"", 17, "write one of monday"),
            ("customer.segments == \"vip\"", 1, "look into it"),
            ("order.lines > 1.5", 15, "no decimals"),
            ("order.value > ", 1, "CEL"),
            ("time.now > 5", 12, "timestamp("),
            ("order.value > order.lines", 1, "compare a fact with a constant"),
        ] {
            let error = parse(expression).expect_err(expression);
            assert!(error.to_string().contains(part), "{expression}: {error}");
            assert!(error.column >= column.min(2), "{expression}: {error}");
        }
        let deep = format!("{}true{}", "(".repeat(5000), ")".repeat(5000));
        assert!(parse(&deep[..4000]).is_err() && parse(&deep).is_err());
    }
}
