//! Container files: read whole, or refused.

use super::super::container;
use super::{long, sized};

/// A container with one block for each of `blocks`: a count and data as they are compressed.
pub(super) fn file(schema: &str, codec: &[u8], blocks: &[(i64, &[u8])]) -> Vec<u8> {
    let sync = [7; 16];
    let mut bytes = b"Obj\x01".to_vec();
    bytes.extend(long(2));
    for (key, value) in [("avro.schema", schema.as_bytes()), ("avro.codec", codec)] {
        bytes.extend(sized(key.as_bytes()));
        bytes.extend(sized(value));
    }
    bytes.push(0);
    bytes.extend(sync);
    for (count, data) in blocks {
        bytes.extend(long(*count));
        bytes.extend(sized(data));
        bytes.extend(sync);
    }
    bytes
}

fn array(bytes: &[u8]) -> Result<String, String> {
    let mut out = b"kept".to_vec();
    let done = container(bytes, &mut out);
    if done.is_err() {
        assert_eq!(out, b"kept");
    }
    done.map_err(|refusal| refusal.to_string())?;
    Ok(String::from_utf8(out.split_off(4)).unwrap())
}

#[test]
fn containers_are_arrays_of_their_objects() {
    let int = r#""int""#;
    assert_eq!(array(&file(int, b"null", &[])).unwrap(), "[]");
    let plain = file(int, b"null", &[(2, &[2, 4]), (0, &[]), (1, &[6])]);
    assert_eq!(array(&plain).unwrap(), "[1,2,3]");

    let mut deflate =
        flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut deflate, &[2; 1000]).unwrap();
    let deflated = deflate.finish().unwrap();
    let ones = format!("[{}]", vec!["1"; 1000].join(","));
    assert_eq!(
        array(&file(int, b"deflate", &[(1000, &deflated)])).unwrap(),
        ones
    );
    let cut = array(&file(int, b"deflate", &[(1000, &deflated[..5])])).unwrap_err();
    assert!(
        cut.contains("block 0 (from byte ") && cut.contains("deflate"),
        "{cut}"
    );

    // A literal of four bytes, as snappy writes it, and its checksum.
    let snappy = [
        &[4, 3 << 2, 2, 4, 6, 8][..],
        &crc32fast::hash(&[2, 4, 6, 8]).to_be_bytes(),
    ]
    .concat();
    assert_eq!(
        array(&file(int, b"snappy", &[(4, &snappy)])).unwrap(),
        "[1,2,3,4]"
    );
    let mut damaged = snappy;
    damaged[3] = 0;
    let damaged = array(&file(int, b"snappy", &[(4, &damaged)])).unwrap_err();
    assert!(
        damaged.ends_with("its checksum is not that of its bytes"),
        "{damaged}"
    );

    // One raw block in a frame of one segment, as RFC 8878 has it.
    let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, 0x21, 0, 0, 2, 4, 6, 8];
    assert_eq!(
        array(&file(int, b"zstandard", &[(4, &zstd)])).unwrap(),
        "[1,2,3,4]"
    );
}

#[test]
fn containers_that_are_damaged_are_refused() {
    let int = r#""int""#;
    let good = file(int, b"null", &[(2, &[2, 4])]);
    for cut in 0..good.len() {
        // The header alone is a file without objects.
        if cut != good.len() - 20 {
            assert!(array(&good[..cut]).is_err(), "{cut}");
        }
    }
    let mut sync = good.clone();
    *sync.last_mut().unwrap() = 8;
    assert_eq!(
        array(&sync).unwrap_err(),
        format!(
            "byte {}: the sync marker is not the container's",
            good.len() - 16
        )
    );
    for (bytes, reason) in [
        (
            file(int, b"xz", &[]),
            "the container is compressed with `xz`; null, deflate, snappy and zstandard are read",
        ),
        (
            file("{", b"null", &[]),
            "the container's schema: the schema is not JSON: EOF while parsing an object at line 1 column 1",
        ),
        (
            file(int, b"null", &[(1, &[2, 4])]),
            "block 0 (from byte 56): byte 1: 1 bytes are left over behind 1 objects",
        ),
        (
            file(int, b"null", &[(2, &[2])]),
            "block 0 (from byte 56): byte 1 (/1): the data end within an int",
        ),
        (
            file(int, b"null", &[(-1, &[2])]),
            "byte 56: a block of -1 objects",
        ),
        (
            file(r#""null""#, b"null", &[(1 << 40, &[])]),
            "block 0 (from byte 57): byte 0 (/65536): more than 65536 values that take no byte",
        ),
        (
            b"Obj\x02".to_vec(),
            "byte 0: no Avro container: it does not begin with `Obj` and 1",
        ),
    ] {
        assert_eq!(array(&bytes).unwrap_err(), reason);
    }
}
