//! SCRAM (RFC 5802 and 7677): proves that the password is known without telling it, and has the
//! server prove the same. No I/O. Like librdkafka's, names and passwords are taken as their UTF-8
//! bytes, without `SASLprep`.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rdkafka::types::RDKafkaErrorCode as Code;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::{digest, hmac, pbkdf2};

use super::super::super::error::Failure;
use super::super::wire::garbled;

/// Fewer make the password easy to guess for whoever pretends to be the server; more would keep
/// us busy for as long as a hostile one likes.
const ITERATIONS: std::ops::RangeInclusive<u32> = 4096..=1_000_000;
/// "No channel binding", as it stands in the first message and again, in Base64, in the last.
const HEADER: &str = "n,,";
const HEADER_BASE64: &str = "biws";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Hash {
    Sha256,
    Sha512,
}

impl Hash {
    pub(super) const fn mechanism(self) -> &'static str {
        match self {
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        }
    }

    fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }

    fn derivation(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }

    fn sign(self, key: &[u8], text: &[u8]) -> hmac::Tag {
        hmac::sign(&hmac::Key::new(self.hmac(), key), text)
    }
}

/// What is said first.
pub(super) struct First {
    hash: Hash,
    nonce: String,
    /// Without the header.
    bare: String,
}

/// What is said last, with what the server has to answer.
pub(super) struct Last {
    hash: Hash,
    message: String,
    server_key: Vec<u8>,
    /// What both sides sign.
    signed: String,
}

impl First {
    pub(super) fn new(hash: Hash, user: &str) -> Result<Self, Failure> {
        let mut random = [0; 24];
        SystemRandom::new().fill(&mut random).map_err(|_| {
            Failure::new(Code::Authentication, "this machine has no random numbers")
        })?;
        Ok(Self::with_nonce(hash, user, STANDARD.encode(random)))
    }

    fn with_nonce(hash: Hash, user: &str, nonce: String) -> Self {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        Self {
            hash,
            bare: format!("n={user},r={nonce}"),
            nonce,
        }
    }

    pub(super) fn message(&self) -> Vec<u8> {
        format!("{HEADER}{}", self.bare).into_bytes()
    }

    /// Meets the server's challenge.
    pub(super) fn answer(self, challenge: &[u8], password: &str) -> Result<Last, Failure> {
        let text = text_of(challenge)?;
        let (nonce, salt, iterations) = self.read(text)?;
        let mut salted = vec![0; self.hash.digest().output_len()];
        let derivation = self.hash.derivation();
        pbkdf2::derive(
            derivation,
            iterations,
            &salt,
            password.as_bytes(),
            &mut salted,
        );
        let client_key = self.hash.sign(&salted, b"Client Key");
        let stored = digest::digest(self.hash.digest(), client_key.as_ref());
        let unproved = format!("c={HEADER_BASE64},r={nonce}");
        let signed = format!("{},{text},{unproved}", self.bare);
        let signature = self.hash.sign(stored.as_ref(), signed.as_bytes());
        let proof: Vec<u8> = client_key
            .as_ref()
            .iter()
            .zip(signature.as_ref())
            .map(|(a, b)| a ^ b)
            .collect();
        let server_key = self.hash.sign(&salted, b"Server Key").as_ref().to_vec();
        Ok(Last {
            hash: self.hash,
            message: format!("{unproved},p={}", STANDARD.encode(proof)),
            server_key,
            signed,
        })
    }

    /// Nonce, salt and iterations of a challenge.
    fn read<'t>(&self, text: &'t str) -> Result<(&'t str, Vec<u8>, NonZeroU32), Failure> {
        let mut fields = text.split(',');
        let mut next = |name| fields.next().and_then(|field| field.strip_prefix(name));
        let Some(nonce) = next("r=") else {
            // `m=` wants an extension that we do not know, `e=` is an error.
            return Err(refused_in(text));
        };
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(garbled("a nonce that is not made from ours"));
        }
        let salt = next("s=").and_then(|salt| STANDARD.decode(salt).ok());
        let salt = salt.ok_or_else(|| garbled("a challenge without a salt"))?;
        let count = next("i=").and_then(|count| count.parse::<u32>().ok());
        let count = count.ok_or_else(|| garbled("a challenge without a number of iterations"))?;
        match NonZeroU32::new(count).filter(|_| ITERATIONS.contains(&count)) {
            Some(iterations) => Ok((nonce, salt, iterations)),
            None => Err(Failure::new(
                Code::Authentication,
                format!(
                    "the broker wants {count} iterations of {}; {} to {} are sound",
                    self.hash.mechanism(),
                    ITERATIONS.start(),
                    ITERATIONS.end()
                ),
            )
            .hint("is it the right broker? Only a broken or hostile one asks for that")),
        }
    }
}

impl Last {
    pub(super) fn message(&self) -> Vec<u8> {
        self.message.clone().into_bytes()
    }

    /// Checks that the server knows the password too.
    pub(super) fn check(&self, verdict: &[u8]) -> Result<(), Failure> {
        let text = text_of(verdict)?;
        let Some(rest) = text.strip_prefix("v=") else {
            return Err(refused_in(text));
        };
        let claimed = rest.split(',').next().unwrap_or(rest);
        let claimed = STANDARD
            .decode(claimed)
            .map_err(|_| garbled("a signature that is not Base64"))?;
        let key = hmac::Key::new(self.hash.hmac(), &self.server_key);
        hmac::verify(&key, self.signed.as_bytes(), &claimed).map_err(|_| {
            Failure::new(
                Code::Authentication,
                "the broker took the login without knowing the password itself",
            )
            .hint("is it the right broker? This one only pretends to check passwords")
        })
    }
}

fn text_of(bytes: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(bytes).map_err(|_| garbled("a challenge that is not UTF-8"))
}

/// A message that is no step on.
fn refused_in(text: &str) -> Failure {
    match text.strip_prefix("e=") {
        Some(why) => Failure::new(Code::Authentication, super::shortened(why)),
        None => garbled("a challenge of another mechanism"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7677, section 3.
    const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
    const CHALLENGE: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                             s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    const PROOF: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                         p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    const VERDICT: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    fn first() -> First {
        First::with_nonce(Hash::Sha256, "user", NONCE.into())
    }

    #[test]
    fn the_exchange_of_rfc_7677_is_held() {
        let first = first();
        assert_eq!(first.message(), b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let last = first.answer(CHALLENGE.as_bytes(), "pencil").unwrap();
        assert_eq!(String::from_utf8(last.message()).unwrap(), PROOF);
        assert_eq!(last.check(VERDICT.as_bytes()), Ok(()));
        let with_extension = format!("{VERDICT},x=1");
        assert_eq!(last.check(with_extension.as_bytes()), Ok(()));
    }

    /// Worked out with Python's hashlib and hmac.
    #[test]
    fn sha_512_makes_its_own_proof() {
        let first = First::with_nonce(Hash::Sha512, "user", NONCE.into());
        let last = first.answer(CHALLENGE.as_bytes(), "pencil").unwrap();
        let message = String::from_utf8(last.message()).unwrap();
        let (_, proof) = message.split_once(",p=").unwrap();
        assert_eq!(proof, SHA_512_PROOF);
        assert_eq!(last.check(SHA_512_VERDICT.as_bytes()), Ok(()));
    }

    const SHA_512_PROOF: &str =
        "gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==";
    const SHA_512_VERDICT: &str = "v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==";

    #[test]
    fn a_name_cannot_add_fields() {
        let first = First::with_nonce(Hash::Sha256, "a,b=c", "x".into());
        assert_eq!(first.message(), b"n,,n=a=2Cb=3Dc,r=x");
    }

    #[test]
    fn nonces_differ() {
        let one = First::new(Hash::Sha256, "u").unwrap();
        let other = First::new(Hash::Sha256, "u").unwrap();
        assert_ne!(one.nonce, other.nonce);
        assert!(!one.nonce.contains(','));
    }

    #[test]
    fn hostile_challenges_are_refused() {
        let salt = "s=W22ZaJ0SNY7soEsUEjb6gQ==";
        let ours = format!("r={NONCE}+");
        for bad in [
            String::new(),
            "\u{0}".into(),
            format!("{ours},{salt}"),
            format!("{ours},{salt},i="),
            format!("{ours},{salt},i=-4096"),
            format!("{ours},{salt},i=4095"),
            format!("{ours},{salt},i=1000001"),
            format!("{ours},{salt},i=99999999999999999999"),
            format!("{ours},s=?,i=4096"),
            format!("r={NONCE},{salt},i=4096"),
            format!("r=theirs,{salt},i=4096"),
            format!("m=x,{ours},{salt},i=4096"),
            format!("{salt},{ours},i=4096"),
        ] {
            assert!(first().answer(bad.as_bytes(), "pencil").is_err(), "{bad}");
        }
        assert!(first().answer(b"r=\xff", "pencil").is_err());
        let said = first().answer(b"e=unknown-user", "pencil").err().unwrap();
        assert_eq!(
            (said.code, said.text.as_str()),
            (Code::Authentication, "unknown-user")
        );
    }

    #[test]
    fn a_server_that_does_not_know_the_password_is_not_believed() {
        let last = first().answer(CHALLENGE.as_bytes(), "pencil").unwrap();
        for bad in [
            "",
            "v=",
            "v=?",
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G8=",
            "e=invalid-proof",
        ] {
            assert!(last.check(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(last.check(b"v=\xff").is_err());
        let other = first().answer(CHALLENGE.as_bytes(), "crayon").unwrap();
        assert!(other.check(VERDICT.as_bytes()).is_err());
    }
}
