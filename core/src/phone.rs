//! Phone numbers, after ITU-T E.164, by Google's libphonenumber metadata.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType, Region};

/// What people write around a number, extension included.
pub const MAX_RAW_LENGTH: usize = 60;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    /// `+` and at most 15 digits. An extension is not part of E.164: it stays in the raw value.
    pub e164: String,
    /// The numbering plan says that it is a mobile number for certain.
    pub is_mobile: bool,
}

/// Reads a number as somebody in `country` (ISO 3166-1 alpha-2) would dial it; `None` if it is not
/// a number that the country's numbering plan has.
#[must_use]
pub fn normalize(raw: &str, country: &str) -> Option<Phone> {
    if raw.len() > MAX_RAW_LENGTH {
        return None;
    }
    let region: Option<Region> = country.parse().ok();
    let number = PHONE_NUMBER_UTIL.parse(raw, region).ok()?;
    PHONE_NUMBER_UTIL.is_valid_number(&number).then(|| Phone {
        e164: PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned(),
        is_mobile: PHONE_NUMBER_UTIL.get_number_type(&number) == PhoneNumberType::Mobile,
    })
}

/// The sender that a provider names: E.164, with or without the plus sign. What the plan does not have
/// (test numbers, new ranges) is taken as it is, because the provider says that it exists.
#[must_use]
pub fn sender(raw: &str, country: &str) -> Option<String> {
    let raw = raw.trim();
    if let Some(phone) = normalize(raw, country) {
        return Some(phone.e164);
    }
    let digits = raw.strip_prefix('+').unwrap_or(raw);
    let plausible = (8..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    plausible.then(|| format!("+{digits}"))
}

/// With what Brazil's mobiles of eight digits began; landlines begin with 2 to 5.
const MOBILE_55: [char; 4] = ['6', '7', '8', '9'];

/// The spellings under which one mobile number is known, itself included, in their order: providers and
/// people disagree on Brazil's ninth digit, Mexico's 1 and Argentina's 9.
#[must_use]
pub fn variants(e164: &str) -> Vec<String> {
    let mut all = vec![e164.to_owned()];
    let digits = e164.strip_prefix('+').unwrap_or(e164);
    if digits.is_ascii() {
        let (country, rest) = digits.split_at(digits.len().min(2));
        all.extend(match (country, rest.len()) {
            // Area code, then 9 and the eight digits of a mobile of old; others never had two spellings.
            ("55", 11) if rest[2..].starts_with('9') && rest[3..].starts_with(MOBILE_55) => {
                Some(format!("+55{}{}", &rest[..2], &rest[3..]))
            }
            ("55", 10) if rest[2..].starts_with(MOBILE_55) => {
                Some(format!("+55{}9{}", &rest[..2], &rest[2..]))
            }
            ("52", 11) if rest.starts_with('1') => Some(format!("+52{}", &rest[1..])),
            ("52", 10) => Some(format!("+521{rest}")),
            ("54", 11) if rest.starts_with('9') => Some(format!("+54{}", &rest[1..])),
            ("54", 10) => Some(format!("+549{rest}")),
            _ => None,
        });
    }
    all.sort_unstable();
    all
}

/// Whether `country` is a country that numbers can be read for.
#[must_use]
pub fn is_country(country: &str) -> bool {
    country.len() == 2
        && country.bytes().all(|byte| byte.is_ascii_uppercase())
        && country
            .parse::<Region>()
            .is_ok_and(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(region).is_some())
}

/// Loads the numbering plans now instead of at the first number (some milliseconds).
pub fn preload() {
    let _ = normalize("+14155552671", "US");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn national_and_international_spellings() {
        let check = |raw: &str, country: &str, expect: Option<&str>| {
            let phone = normalize(raw, country);
            assert_eq!(
                phone.as_ref().map(|phone| phone.e164.as_str()),
                expect,
                "{raw:?} {country}"
            );
        };
        check("(415) 555-2671", "US", Some("+14155552671"));
        check("1-415-555-2671 x 12", "US", Some("+14155552671"));
        check("+44 20 7946 0958", "US", Some("+442079460958"));
        check("020 7946 0958", "GB", Some("+442079460958"));
        check("0043 1 58858", "DE", Some("+43158858"));
        check("0171 1234567", "DE", Some("+491711234567"));
        check("06 12 34 56 78", "FR", Some("+33612345678"));
        check("055 123 4567", "AE", Some("+971551234567"));
        check("090-1234-5678", "JP", Some("+819012345678"));
        check("123", "US", None);
        check("", "US", None);
        check("not a number", "US", None);
        check("020 7946 0958", "US", None);
        check(&"1".repeat(61), "US", None);
    }

    #[test]
    fn mobiles_are_told_apart_where_the_plan_does() {
        assert!(normalize("0171 1234567", "DE").unwrap().is_mobile);
        assert!(!normalize("030 123456", "DE").unwrap().is_mobile);
        assert!(!normalize("(415) 555-2671", "US").unwrap().is_mobile);
    }

    #[test]
    fn a_number_is_known_by_all_its_spellings() {
        for [one, other] in [
            ["+5511987654321", "+551187654321"],
            ["+525512345678", "+5215512345678"],
            ["+541123456789", "+5491123456789"],
        ] {
            assert_eq!(variants(one), variants(other), "{one}");
            assert!(variants(one).iter().any(|known| known == one));
            assert!(variants(one).iter().any(|known| known == other));
        }
        for alone in
            ["+14155552671", "+551133334444", "+5511933334444", "+442079460958", "+5", "+", ""]
        {
            assert_eq!(variants(alone), [alone]);
        }
    }

    #[test]
    fn a_provider_s_sender_is_taken_at_its_word() {
        let check = |raw, expect: Option<&str>| {
            assert_eq!(sender(raw, "US").as_deref(), expect, "{raw}");
        };
        check("+15005550006", Some("+15005550006"));
        check("14155552671", Some("+14155552671"));
        check("5511987654321", Some("+5511987654321"));
        check(" +4915112345678 ", Some("+4915112345678"));
        check("AMAZON", None);
        check("72345", None);
        check("+0123456789", None);
        check("", None);
    }

    #[test]
    fn countries() {
        assert!(is_country("US") && is_country("DE"));
        assert!(!is_country("us") && !is_country("XX") && !is_country("USA") && !is_country(""));
    }

    proptest! {
        #[test]
        fn every_spelling_has_the_same_spellings(number in "\\+(55|52|54|1|49)[0-9]{6,12}") {
            for spelling in variants(&number) {
                prop_assert_eq!(variants(&spelling), variants(&number));
            }
        }

        #[test]
        fn a_normalised_number_is_a_fixed_point_in_every_country(
            digits in "[0-9]{7,12}", country in prop::sample::select(vec!["US", "GB", "DE", "FR", "IN"])
        ) {
            if let Some(phone) = normalize(&digits, country) {
                prop_assert!(phone.e164.starts_with('+') && phone.e164.len() <= 16);
                for other in ["US", "JP", "AE"] {
                    prop_assert_eq!(normalize(&phone.e164, other), Some(phone.clone()));
                }
            }
        }
    }
}
