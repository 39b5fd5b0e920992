//! The common parts of the rules of all checks: severities, and the table that declares the rules of a check. The rules
//! themselves are beside their checks.

/// Severity of the findings of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The inventory or the document says something wrong.
    Error,
    /// It says too little, or something doubtful.
    Warning,
}

impl Severity {
    /// Returns the name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Declares the rules of a check as an enum. Each row has the variant, the name, the severity and the meaning.
macro_rules! rules {
    (
        $(#[$about:meta])*
        pub enum $rules:ident { $($variant:ident => $name:literal, $severity:ident, $meaning:literal;)+ }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $rules {
            $(#[doc = $meaning] $variant,)+
        }

        impl $rules {
            /// All rules: name, severity and meaning, in the order of their declaration.
            pub const ALL: [(Self, &'static str, $crate::model::rule::Severity, &'static str); [$($name),+].len()] =
                [$((Self::$variant, $name, $crate::model::rule::Severity::$severity, $meaning)),+];

            /// Returns the name.
            #[must_use]
            pub fn name(self) -> &'static str {
                Self::ALL[self as usize].1
            }

            /// Returns the severity.
            #[must_use]
            pub fn severity(self) -> $crate::model::rule::Severity {
                Self::ALL[self as usize].2
            }
        }
    };
}

pub(in crate::model) use rules;
