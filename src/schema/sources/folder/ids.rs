//! Fingerprints of the Avro schemas in a folder. The algorithm is CRC-64-AVRO over the parsing
//! canonical form (Avro specification, "Schema Fingerprints").

use std::collections::HashMap;

use apache_avro::Schema;
use apache_avro::rabin::Rabin;

use super::{Answer, Folder};

/// The path of each schema by its fingerprint; schemas that cannot be read have none.
pub(super) fn fingerprints(folder: &Folder) -> HashMap<u64, String> {
    let mut found = HashMap::new();
    for path in folder.files.paths() {
        if path.rsplit_once('.').map(|(_, ending)| ending) != Some("avsc") {
            continue;
        }
        if let Answer::Found(known) = folder.schema(path)
            && let Some(crc) = fingerprint(&known.source)
        {
            found.entry(crc).or_insert_with(|| path.to_owned());
        }
    }
    found
}

fn fingerprint(source: &crate::schema::Source) -> Option<u64> {
    let others = source.references.iter().map(|r| r.text.as_str());
    let (schema, others) = Schema::parse_str_with_list(&source.text, others).ok()?;
    let bytes = if others.is_empty() {
        schema.fingerprint::<Rabin>().bytes
    } else {
        // What it refers to belongs to what was written.
        let whole = schema.independent_canonical_form(&others).ok()?;
        Schema::parse_str(&whole).ok()?.fingerprint::<Rabin>().bytes
    };
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}
