//! The log as tables, and SQL over them: DataFusion, inside this process. The same text runs on DuckDB.

use aftercart::log::{Log, Table};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};

use crate::Failure;

/// The queries, by name.
pub(super) const BASE: &str = include_str!("sql/base.sql");
pub(super) const QUERIES: [(&str, &str); 9] = [
    ("arms", include_str!("sql/arms.sql")),
    ("totals", include_str!("sql/totals.sql")),
    ("by", include_str!("sql/by.sql")),
    ("days", include_str!("sql/days.sql")),
    ("reasons", include_str!("sql/reasons.sql")),
    ("coverage", include_str!("sql/coverage.sql")),
    ("cohorts", include_str!("sql/cohorts.sql")),
    ("latency", include_str!("sql/latency.sql")),
    ("reliability", include_str!("sql/reliability.sql")),
];

/// What a query answers.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) columns: Vec<String>,
    /// Empty = null.
    pub(super) rows: Vec<Vec<String>>,
}

impl Answer {
    fn at(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|own| own == column)
    }

    /// A value as text; empty where there is none.
    pub(super) fn text(&self, row: usize, column: &str) -> &str {
        self.at(column).and_then(|at| self.rows.get(row)?.get(at)).map_or("", String::as_str)
    }

    /// A value as number; 0 where there is none.
    pub(super) fn number(&self, row: usize, column: &str) -> f64 {
        self.text(row, column).parse().unwrap_or(0.0)
    }

    /// As CSV.
    pub(super) fn csv(&self) -> Result<Vec<u8>, Failure> {
        let mut out = csv::Writer::from_writer(Vec::new());
        out.write_record(&self.columns)?;
        self.rows.iter().try_for_each(|row| out.write_record(row))?;
        Ok(out.into_inner()?)
    }
}

/// The tables of some logs.
pub(super) struct Tables {
    context: SessionContext,
    runtime: tokio::runtime::Runtime,
    /// Files that are damaged, and why.
    pub(super) skipped: Vec<String>,
}

impl Tables {
    /// Opens the whole files of all logs.
    pub(super) fn open(logs: &[Log]) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let config = SessionConfig::new()
            .with_target_partitions(2)
            .set_bool("datafusion.execution.parquet.schema_force_view_types", false)
            .set_bool("datafusion.sql_parser.enable_ident_normalization", true);
        let mut tables =
            Self { context: SessionContext::new_with_config(config), runtime, skipped: Vec::new() };
        for table in Table::ALL {
            let mut paths = Vec::new();
            for log in logs {
                let files = log.files(table)?;
                paths.extend(files.whole.iter().map(|path| path.to_string_lossy().into_owned()));
                let told = files.skipped.iter().map(|(path, why)| format!("{}: {why}", path.display()));
                tables.skipped.extend(told);
            }
            tables.register(table, paths)?;
        }
        for view in
            BASE.split(';').filter(|text| text.lines().any(|l| !l.trim().is_empty() && !l.starts_with("--")))
        {
            tables.ask(view)?;
        }
        Ok(tables)
    }

    fn register(&self, table: Table, paths: Vec<String>) -> Result<(), Failure> {
        if paths.is_empty() {
            self.context.register_batch(table.name(), table.empty()?)?;
            return Ok(());
        }
        let read = self.context.read_parquet(paths, ParquetReadOptions::default());
        let frame = self.runtime.block_on(read)?;
        self.context.register_table(table.name(), frame.into_view())?;
        Ok(())
    }

    /// Runs a query.
    pub(super) fn ask(&self, sql: &str) -> Result<Answer, Failure> {
        let batches = self.runtime.block_on(async { self.context.sql(sql).await?.collect().await })?;
        let mut answer = Answer::default();
        let options = FormatOptions::default();
        for batch in &batches {
            answer.columns = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
            let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            for row in 0..batch.num_rows() {
                answer.rows.push(columns.iter().map(|column| column.value(row).to_string()).collect());
            }
        }
        Ok(answer)
    }
}
