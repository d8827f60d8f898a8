//! Figures of several rounds, and how they are written.

/// The least, the middle and the most of what the rounds gave.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub min: f64,
    pub median: f64,
    pub max: f64,
}

impl Spread {
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (Some(min), Some(max)) = (values.first(), values.last()) else { panic!("nothing was measured") };
        Self { min: *min, median: values[values.len() / 2], max: *max }
    }

    /// With the least and the most in brackets.
    pub fn text(self) -> String {
        format!("{} ({}–{})", number(self.median), number(self.min), number(self.max))
    }
}

/// With as many digits as matter, and commas between the thousands.
pub fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    let whole = text.split('.').next().unwrap_or_default().trim_start_matches('-').len();
    let sign = text.len() - text.trim_start_matches('-').len();
    let mut out = String::new();
    for (place, digit) in text.chars().enumerate() {
        if place > sign && place < sign + whole && (sign + whole - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
