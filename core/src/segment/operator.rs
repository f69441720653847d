//! Operators: react-querybuilder's by its names, and those it lacks.

macro_rules! operators {
    ($($name:ident = $text:literal, $phrase:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Operator { $($name,)* }

        impl Operator {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in a definition.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The words between a field and its value.
            #[must_use]
            pub const fn phrase(self) -> &'static str {
                match self { $(Self::$name => $phrase,)* }
            }
        }
    };
}

operators! {
    Equal = "=", "is";
    NotEqual = "!=", "is not";
    Less = "<", "is less than";
    Greater = ">", "is more than";
    LessOrEqual = "<=", "is at most";
    GreaterOrEqual = ">=", "is at least";
    Contains = "contains", "contains";
    BeginsWith = "beginsWith", "begins with";
    EndsWith = "endsWith", "ends with";
    DoesNotContain = "doesNotContain", "does not contain";
    DoesNotBeginWith = "doesNotBeginWith", "does not begin with";
    DoesNotEndWith = "doesNotEndWith", "does not end with";
    Null = "null", "is missing";
    NotNull = "notNull", "is there";
    In = "in", "is";
    NotIn = "notIn", "is not";
    Between = "between", "is between";
    NotBetween = "notBetween", "is not between";
    ContainsAny = "containsAny", "contain";
    ContainsAll = "containsAll", "contain all of";
    ContainsNone = "containsNone", "contain none of";
    WithinLast = "withinLast", "is within the last";
    WithinNext = "withinNext", "is within the next";
    OlderThan = "olderThan", "is older than";
}

impl Operator {
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|operator| operator.as_str() == name)
    }

    /// The operator that this one is the negation of.
    #[must_use]
    pub const fn positive(self) -> Option<Self> {
        match self {
            Self::NotEqual => Some(Self::Equal),
            Self::DoesNotContain => Some(Self::Contains),
            Self::DoesNotBeginWith => Some(Self::BeginsWith),
            Self::DoesNotEndWith => Some(Self::EndsWith),
            Self::NotIn => Some(Self::In),
            Self::NotBetween => Some(Self::Between),
            Self::ContainsNone => Some(Self::ContainsAny),
            _ => None,
        }
    }

    /// Whether the value is a list, or comma-separated text.
    #[must_use]
    pub const fn takes_list(self) -> bool {
        matches!(
            self,
            Self::In
                | Self::NotIn
                | Self::Between
                | Self::NotBetween
                | Self::ContainsAny
                | Self::ContainsAll
                | Self::ContainsNone
        )
    }

    #[must_use]
    pub const fn takes_nothing(self) -> bool {
        matches!(self, Self::Null | Self::NotNull)
    }

    #[must_use]
    pub const fn takes_duration(self) -> bool {
        matches!(self, Self::WithinLast | Self::WithinNext | Self::OlderThan)
    }

    /// Whether the value may be another field.
    #[must_use]
    pub const fn takes_field(self) -> bool {
        !self.takes_nothing()
            && !self.takes_duration()
            && !matches!(
                self,
                Self::In | Self::NotIn | Self::ContainsAny | Self::ContainsAll | Self::ContainsNone
            )
    }
}
