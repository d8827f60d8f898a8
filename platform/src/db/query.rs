//! Statements with their values, and the rows that they give: the same for both engines.

use std::sync::Arc;

use sqlx::{SqlSafeStr, SqlStr};

/// A value of a statement. Columns are TEXT or BIGINT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(Option<String>),
    Number(Option<i64>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(Some(text.clone()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<&Option<String>> for Value {
    fn from(text: &Option<String>) -> Self {
        Self::Text(text.clone())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

/// A statement and its values. Its placeholders are `$1`, `$2` and so on.
#[derive(Clone, Debug)]
pub struct Query {
    pub(super) sql: SqlStr,
    pub(super) values: Vec<Value>,
}

/// Where statements that read can run: a database, by themselves, or within a transaction.
pub trait Reads {
    /// Runs one, to its end.
    fn rows(self, query: Query) -> impl Future<Output = Result<Vec<Row>, sqlx::Error>> + Send;
}

impl Query {
    /// A statement whose values are still to come. What is put together from parts says that it is safe, as with sqlx.
    pub fn new(sql: impl SqlSafeStr) -> Self {
        Self { sql: sql.into_sql_str(), values: Vec::new() }
    }

    /// Gives the next placeholder its value.
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Gives the next placeholders their values.
    pub fn bind_all(mut self, values: Vec<Value>) -> Self {
        self.values.extend(values);
        self
    }

    /// All rows.
    ///
    /// # Errors
    /// The engine's; or that no connection became free in time.
    pub async fn fetch_all(self, from: impl Reads) -> Result<Vec<Row>, sqlx::Error> {
        from.rows(self).await
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// As [`Query::fetch_all`].
    pub async fn fetch_optional(self, from: impl Reads) -> Result<Option<Row>, sqlx::Error> {
        Ok(from.rows(self).await?.into_iter().next())
    }

    /// The row of a statement that always gives one.
    ///
    /// # Errors
    /// As [`Query::fetch_all`].
    pub async fn fetch_one(self, from: impl Reads) -> Result<Row, sqlx::Error> {
        self.fetch_optional(from).await?.ok_or(sqlx::Error::RowNotFound)
    }
}

/// What stands in a column of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Null,
    Text(String),
    Number(i64),
}

/// A row.
#[derive(Clone, Debug)]
pub struct Row {
    pub(super) names: Arc<[String]>,
    pub(super) cells: Vec<Cell>,
}

impl Row {
    /// The names of its columns, in their order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What stands in a column, by its name or its place.
    ///
    /// # Errors
    /// There is no such column, or what stands there is of another kind.
    pub fn try_get<'r, T: FromCell<'r>, I: Column>(&'r self, column: I) -> Result<T, sqlx::Error> {
        let index = column.index(&self.names)?;
        let cell = self
            .cells
            .get(index)
            .ok_or(sqlx::Error::ColumnIndexOutOfBounds { index, len: self.cells.len() })?;
        T::from_cell(cell).ok_or_else(|| sqlx::Error::ColumnDecode {
            index: self.names.get(index).cloned().unwrap_or_default(),
            source: "of another kind than was asked for".into(),
        })
    }
}

/// A column, by its name or its place.
pub trait Column {
    /// Its place.
    ///
    /// # Errors
    /// None has that name.
    fn index(self, names: &[String]) -> Result<usize, sqlx::Error>;
}

impl Column for usize {
    fn index(self, _: &[String]) -> Result<usize, sqlx::Error> {
        Ok(self)
    }
}

impl Column for &str {
    fn index(self, names: &[String]) -> Result<usize, sqlx::Error> {
        let found = names.iter().position(|name| name == self);
        found.ok_or_else(|| sqlx::Error::ColumnNotFound(self.to_owned()))
    }
}

/// What can be read from a column.
pub trait FromCell<'r>: Sized {
    /// `None` if it is of another kind.
    fn from_cell(cell: &'r Cell) -> Option<Self>;
}

impl<'r> FromCell<'r> for &'r str {
    fn from_cell(cell: &'r Cell) -> Option<Self> {
        if let Cell::Text(text) = cell { Some(text) } else { None }
    }
}

impl<'r> FromCell<'r> for String {
    fn from_cell(cell: &'r Cell) -> Option<Self> {
        <&str>::from_cell(cell).map(str::to_owned)
    }
}

impl<'r> FromCell<'r> for i64 {
    fn from_cell(cell: &'r Cell) -> Option<Self> {
        if let Cell::Number(number) = cell { Some(*number) } else { None }
    }
}

impl<'r, T: FromCell<'r>> FromCell<'r> for Option<T> {
    fn from_cell(cell: &'r Cell) -> Option<Self> {
        if *cell == Cell::Null { Some(None) } else { T::from_cell(cell).map(Some) }
    }
}
