//! Fingerprints of the Avro schemas in a folder. The algorithm is CRC-64-AVRO over the parsing
//! canonical form (Avro specification, "Schema Fingerprints").

use std::collections::HashMap;

use super::{Answer, Folder};
use crate::schema::avro;

/// The path of each schema by its fingerprint; schemas that cannot be read have none.
pub(super) fn fingerprints(folder: &Folder) -> HashMap<u64, String> {
    let mut found = HashMap::new();
    for path in folder.files.paths() {
        if path.rsplit_once('.').map(|(_, ending)| ending) != Some("avsc") {
            continue;
        }
        if let Answer::Found(known) = folder.schema(path)
            && let Ok(crc) = avro::fingerprint(&known.source)
        {
            found.entry(crc).or_insert_with(|| path.to_owned());
        }
    }
    found
}
