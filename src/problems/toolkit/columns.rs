//! Columns of a result table, declared together with the values that stand in them.

use crate::lab::{Column, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A column with this heading, whose key is the name of its field.
pub(in crate::problems) const fn label(label: &'static str) -> Column {
    Column::new("", label)
}

/// Values of some columns of a row. The macro `columns!` makes such types.
pub(in crate::problems) trait Columns: Serialize {
    /// The columns, in the order of the fields.
    const COLUMNS: &'static [Column];

    /// The values by column key, in the order of the fields. A number that is not finite becomes null.
    fn values(&self) -> Row {
        match serde_json::to_value(self) {
            Ok(Value::Object(row)) => row,
            _ => unreachable!("a struct of plain values becomes an object"),
        }
    }

    /// The values read back from `row`; none where one is missing or was not finite.
    fn read(row: &Row) -> Option<Self>
    where
        Self: DeserializeOwned,
    {
        serde_json::from_value(Value::Object(row.clone())).ok()
    }
}

/// Declares a struct whose fields are columns of a result table: the field's name is the column's key, the text after
/// `=` says how it is shown. A row made from such structs has every column, or it does not compile.
macro_rules! columns {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident { $($key:ident: $kind:ty = $style:expr,)* }) => {
        $(#[$attribute])*
        #[derive(serde::Serialize)]
        $visibility struct $name { $(pub(super) $key: $kind,)* }

        impl $crate::problems::toolkit::Columns for $name {
            const COLUMNS: &'static [$crate::lab::Column] = {
                use $crate::problems::toolkit::label;
                &[$($crate::lab::Column { key: stringify!($key), ..$style },)*]
            };
        }
    };
}
pub(in crate::problems) use columns;

/// The columns of a table whose rows are made of several structs, in their order: `table!(Subject; Results)`. Rows are
/// told apart by the subject, what they are about.
macro_rules! table {
    ($subject:ty; $($results:ty),+) => {{
        use $crate::problems::toolkit::{Columns, joined};
        const MEMORY: &[$crate::lab::Column] =
            &[$crate::lab::Column::ESTIMATED_PEAK_BYTES, $crate::lab::Column::PEAK_BYTES];
        const COUNT: usize =
            <$subject as Columns>::COLUMNS.len() $(+ <$results as Columns>::COLUMNS.len())+ + MEMORY.len();
        static TABLE: [$crate::lab::Column; COUNT] =
            joined(<$subject as Columns>::COLUMNS, &[$(<$results as Columns>::COLUMNS,)+ MEMORY]);
        &TABLE
    }};
}
pub(in crate::problems) use table;

/// The columns of `subject`, which identify a row, and those of `results`, `N` together.
pub(in crate::problems) const fn joined<const N: usize>(subject: &[Column], results: &[&[Column]]) -> [Column; N] {
    let mut all = [label(""); N];
    let mut place = 0;
    while place < subject.len() {
        all[place] = subject[place].identifying();
        place += 1;
    }
    let mut part = 0;
    while part < results.len() {
        let mut column = 0;
        while column < results[part].len() {
            all[place] = results[part][column];
            place += 1;
            column += 1;
        }
        part += 1;
    }
    assert!(place == N, "N is the number of columns in all parts");
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    columns! {
        struct City {
            city: &'static str = label("city").brief(),
        }
    }

    columns! {
        #[derive(Debug, PartialEq, serde::Deserialize)]
        struct Weather {
            warmth: f64 = label("warmth").unit("°C").digits(1),
            rain: Option<f64> = label("rain"),
        }
    }

    #[test]
    fn columns_and_values_are_declared_together() {
        let table: &[Column] = table!(City; Weather);
        let found: Vec<_> =
            table.iter().map(|column| (column.key, column.digits, column.brief, column.identity)).collect();
        let declared = [("city", 0, true, true), ("warmth", 1, false, false), ("rain", 0, false, false)];
        let memory = ["estimated_peak_bytes", "measured_peak_bytes"].map(|key| (key, 0, false, false));
        assert_eq!(found, [&declared[..], &memory].concat());
        let weather = Weather { warmth: 0.1 + 0.2, rain: None };
        let mut row = City { city: "Ulm" }.values();
        row.extend(weather.values());
        assert_eq!(row.keys().collect::<Vec<_>>(), ["city", "warmth", "rain"]);
        assert_eq!(Weather::read(&row), Some(weather));
        let row = Weather { warmth: f64::NAN, rain: None }.values();
        assert!(row["warmth"].is_null());
        assert_eq!(Weather::read(&row), None, "a number that was not finite cannot be read back");
    }
}
