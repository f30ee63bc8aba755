//! What a registry says, read from its JSON. Members that we do not know are passed over.

use serde::Deserialize;

use crate::schema::Language;

/// A schema as `/schemas/ids/…` and `/subjects/…/versions/…` tell it.
#[derive(Debug, Deserialize)]
pub(super) struct Told {
    pub(super) schema: String,
    /// Absent for Avro.
    #[serde(default, rename = "schemaType")]
    pub(super) kind: Option<String>,
    #[serde(default)]
    pub(super) references: Option<Vec<Link>>,
    #[serde(default)]
    pub(super) id: Option<u32>,
    #[serde(default)]
    pub(super) subject: Option<String>,
    #[serde(default)]
    pub(super) version: Option<u32>,
}

/// Another schema that one names.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Link {
    /// As the text of the schema has it.
    pub(super) name: String,
    pub(super) subject: String,
    pub(super) version: u32,
}

/// Where a schema is filed: one of `/schemas/ids/…/versions`.
#[derive(Debug, Deserialize)]
pub(super) struct Place {
    pub(super) subject: String,
    pub(super) version: u32,
}

impl Told {
    /// `Err` is the name of a language that we do not know.
    pub(super) fn language(&self) -> Result<Language, String> {
        match self.kind.as_deref() {
            None | Some("AVRO" | "") => Ok(Language::Avro),
            Some("JSON") => Ok(Language::Json),
            Some("PROTOBUF") => Ok(Language::Protobuf),
            Some(other) => Err(other.chars().take(40).collect()),
        }
    }
}

/// The one subject that has the schema, with its latest version; `None` where there are several.
pub(super) fn only_place(places: &[Place]) -> Option<(String, u32)> {
    let first = places.first()?;
    let same = places.iter().all(|place| place.subject == first.subject);
    let latest = places.iter().map(|place| place.version).max()?;
    same.then(|| (first.subject.clone(), latest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_type_is_avro_and_a_new_one_is_named() {
        let told = |json: &str| serde_json::from_str::<Told>(json).unwrap().language();
        assert_eq!(told(r#"{"schema":"x"}"#), Ok(Language::Avro));
        assert_eq!(
            told(r#"{"schema":"x","schemaType":"PROTOBUF","references":null,"new":1}"#),
            Ok(Language::Protobuf)
        );
        assert_eq!(
            told(r#"{"schema":"x","schemaType":"XML"}"#),
            Err("XML".into())
        );
        assert!(serde_json::from_str::<Told>(r#"{"schema":{}}"#).is_err());
    }

    #[test]
    fn a_schema_of_two_subjects_belongs_to_none() {
        let place = |subject: &str, version| Place {
            subject: subject.to_owned(),
            version,
        };
        assert_eq!(only_place(&[]), None);
        assert_eq!(
            only_place(&[place("a", 1), place("a", 3)]),
            Some(("a".to_owned(), 3))
        );
        assert_eq!(only_place(&[place("a", 1), place("b", 1)]), None);
    }
}
