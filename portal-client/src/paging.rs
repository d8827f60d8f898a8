//! Long lists, a page at a time: nothing falls off the end of one.

/// Rows on a page.
const ROWS: u32 = 100;

/// Which page of a list; the first one is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page(u32);

/// What stands on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paged<T> {
    pub rows: Vec<T>,
    /// The page after this one, if there is one.
    pub next: Option<u32>,
}

impl Page {
    pub const FIRST: Self = Self(1);

    /// From the parameter of a URL; `None` if that is no page.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::FIRST);
        }
        text.parse().ok().filter(|number| (1..=1_000_000).contains(number)).map(Self)
    }

    /// The page before this one, if there is one.
    pub fn previous(self) -> Option<u32> {
        (self.0 > 1).then(|| self.0 - 1)
    }

    /// How many rows to read: one more than a page holds tells whether there is another.
    pub fn limit(self) -> i64 {
        i64::from(ROWS) + 1
    }

    /// How many rows to pass over.
    pub fn offset(self) -> i64 {
        i64::from(self.0 - 1) * i64::from(ROWS)
    }

    /// The page of these rows, which were read by [`Page::limit`] and [`Page::offset`].
    pub fn of<T>(self, mut rows: Vec<T>) -> Paged<T> {
        let next = (rows.len() > ROWS as usize).then(|| self.0 + 1);
        rows.truncate(ROWS as usize);
        Paged { rows, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_stands_on_one_page() {
        let all: Vec<i64> = (0..250).collect();
        let (mut seen, mut page) = (Vec::new(), Some(Page::FIRST));
        while let Some(current) = page {
            let (from, to) = (current.offset(), current.offset() + current.limit());
            let read = all.iter().copied().filter(|row| (from..to).contains(row)).collect();
            let paged = current.of(read);
            seen.extend(paged.rows);
            page = paged.next.map(Page);
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn what_is_no_page_is_refused() {
        assert_eq!(Page::parse(""), Some(Page::FIRST));
        assert_eq!(Page::parse("3").map(Page::previous), Some(Some(2)));
        for text in ["0", "-1", "x", "99999999999999", "1.5"] {
            assert_eq!(Page::parse(text), None, "{text}");
        }
    }
}
