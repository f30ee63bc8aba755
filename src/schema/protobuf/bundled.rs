//! The `.proto` files that schemas import without bringing them along: Google's common types and
//! Confluent's. The well-known types (`google/protobuf/…`) come from protox.

macro_rules! bundled {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("bundled/", $name)))),*]
    };
}

/// Import paths and texts. Field names and numbers are the published ones.
const FILES: &[(&str, &str)] = bundled![
    "confluent/meta.proto",
    "confluent/type/decimal.proto",
    "confluent/type/variant.proto",
    "confluent/types/decimal.proto",
    "google/type/calendar_period.proto",
    "google/type/color.proto",
    "google/type/date.proto",
    "google/type/datetime.proto",
    "google/type/dayofweek.proto",
    "google/type/decimal.proto",
    "google/type/expr.proto",
    "google/type/fraction.proto",
    "google/type/interval.proto",
    "google/type/latlng.proto",
    "google/type/localized_text.proto",
    "google/type/money.proto",
    "google/type/month.proto",
    "google/type/phone_number.proto",
    "google/type/postal_address.proto",
    "google/type/quaternion.proto",
    "google/type/timeofday.proto",
];

/// The text of a bundled file by its import path.
pub(super) fn text(name: &str) -> Option<&'static str> {
    let found = FILES.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::super::Protobuf;
    use super::*;

    #[test]
    fn every_bundled_file_compiles() {
        for (name, text) in FILES {
            let compiled = Protobuf::folder(&[((*name).to_owned(), (*text).to_owned())]);
            assert!(compiled.is_ok(), "{name}: {:?}", compiled.err());
        }
    }
}
