//! Enums whose variants a person chooses by name: each variant is declared once, with its name and a line of help.
//!
//! Parameter choices, help texts, parsing, messages and tables derive from the declaration:
//!
//! ```ignore
//! named! {
//!     /// How rows are drawn.
//!     pub enum Rows {
//!         Gaussian = "gaussian", "independent Gaussian rows";
//!         Orthogonal = "orthogonal", "blocks of orthogonal rows";
//!     }
//! }
//! Param::choice("rows", "rows", Rows::CHOICES, "gaussian");      // the declaration of a parameter
//! let rows: Rows = params.choice("rows");                        // its checked value
//! static FEW: &[Choice] = &[Rows::Gaussian.choice()];            // a part of the choices
//! ```

/// One name that can be chosen, with a line saying what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The name as typed.
    pub name: &'static str,
    /// What it stands for.
    pub help: &'static str,
}

/// An enum declared by [`named!`]: its variants with their names.
pub trait Named: Copy + PartialEq + 'static {
    /// Every variant, in the order they are offered.
    const ALL: &'static [Self];

    /// Name and help of every variant, in the order of [`Named::ALL`].
    const CHOICES: &'static [Choice];

    /// The variant called `name`.
    ///
    /// # Errors
    /// No variant has that name; the error lists the names there are.
    fn parse(name: &str) -> Result<Self, UnknownName> {
        match Self::CHOICES.iter().position(|choice| choice.name == name) {
            Some(index) => Ok(Self::ALL[index]),
            None => {
                let known: Vec<_> = Self::CHOICES.iter().map(|choice| choice.name).collect();
                Err(UnknownName { found: name.to_owned(), known: known.join(", ") })
            }
        }
    }
}

/// The choices of `first` followed by those of `rest`; `N` is how many they are.
///
/// # Panics
/// `N` is another number.
#[must_use]
pub const fn joined<const N: usize>(first: &[Choice], rest: &[Choice]) -> [Choice; N] {
    assert!(first.len() + rest.len() == N, "as many choices as there are in both");
    let mut all = [Choice { name: "", help: "" }; N];
    let mut i = 0;
    while i < N {
        all[i] = if i < first.len() { first[i] } else { rest[i - first.len()] };
        i += 1;
    }
    all
}

/// A name that no variant has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("found `{found}`, allowed: one of {known}")]
pub struct UnknownName {
    /// The name given.
    pub found: String,
    /// The names there are, separated by commas.
    pub known: String,
}

/// Declares an enum of named variants, `Variant = "name", "help";`. The type is `Clone`, `Copy`, `Debug`, `PartialEq`, `Eq`,
/// `Hash`, [`Named`] and `Display` (its name); attributes may derive more.
#[macro_export]
macro_rules! named {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $Type:ident {
            $($(#[$variant_attribute:meta])* $Variant:ident = $name:literal, $help:literal;)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $visibility enum $Type {
            $(#[doc = $help] $(#[$variant_attribute])* $Variant,)+
        }

        #[allow(dead_code)]
        impl $Type {
            /// Every variant, in the order they are offered.
            pub const ALL: &'static [Self] = &[$(Self::$Variant),+];

            /// Name and help of every variant, in the order of `ALL`.
            pub const CHOICES: &'static [$crate::named::Choice] =
                &[$($crate::named::Choice { name: $name, help: $help }),+];

            /// Name and help.
            #[must_use]
            pub const fn choice(self) -> $crate::named::Choice {
                Self::CHOICES[self as usize]
            }

            /// The name in parameters and files.
            #[must_use]
            pub const fn name(self) -> &'static str {
                self.choice().name
            }

            /// The line that says what it is.
            #[must_use]
            pub const fn help(self) -> &'static str {
                self.choice().help
            }
        }

        impl $crate::named::Named for $Type {
            const ALL: &'static [Self] = Self::ALL;
            const CHOICES: &'static [$crate::named::Choice] = Self::CHOICES;
        }

        impl std::fmt::Display for $Type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}
pub use named;

#[cfg(test)]
mod tests {
    use super::*;

    named! {
        /// For the test.
        #[derive(PartialOrd)]
        enum Colour {
            Red = "red", "like a rose";
            /// With a second line.
            Blue = "blue", "like the sea";
        }
    }

    #[test]
    fn everything_follows_from_the_declaration() {
        assert_eq!(Colour::ALL, [Colour::Red, Colour::Blue]);
        assert_eq!(
            Colour::CHOICES.iter().map(|choice| choice.help).collect::<Vec<_>>(),
            ["like a rose", "like the sea"]
        );
        assert_eq!(
            (Colour::Blue.name(), Colour::Blue.help(), Colour::Red.to_string()),
            ("blue", "like the sea", "red".into())
        );
        assert_eq!(Colour::parse("blue"), Ok(Colour::Blue));
        let error = Colour::parse("green").unwrap_err();
        assert_eq!(error.to_string(), "found `green`, allowed: one of red, blue");
        assert!(Colour::Red < Colour::Blue);
    }
}
