//! End-to-end encryption in payload passthru mode: the router passes on what it cannot read, or change without notice.
//!
//! `cargo run -p loowy-tokio --features router --example encrypted_payloads`
//!
//! What is encrypted are the arguments. Topics, procedures, the URIs of errors and who talks to whom are still seen by the router.

use std::collections::BTreeMap;
use std::error::Error;

use bytes::Bytes;
use chacha20poly1305::aead::{Aead, Generate, Key, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use loowy_tokio::passthru::{Passthru, PassthruCodec, PassthruError};
use loowy_tokio::router::{self, RealmConfig, RouterServer};
use loowy_tokio::{
    ArgsKwargs, CallOptions, CommandError, Config, Dict, HandlerError, PublishOptions, RequestError, WampError,
};
use serde::Deserialize;

/// The scheme's name, on which all who take part have agreed.
const SCHEME: &str = "x_vault";

/// How many bytes of a nonce are sent before the ciphertext. So long a one may be drawn at random for each message.
const NONCE: usize = 24;

/// Encrypts with one of its keys, which the message names by its id.
struct Vault(BTreeMap<String, XChaCha20Poly1305>);

impl Vault {
    fn new(keyid: &str, key: &Key<XChaCha20Poly1305>) -> Self {
        Self(BTreeMap::from([(keyid.to_owned(), XChaCha20Poly1305::new(key))]))
    }

    fn key(&self, attributes: &Passthru) -> Result<&XChaCha20Poly1305, PassthruError> {
        let key = attributes.keyid.as_deref().and_then(|keyid| self.0.get(keyid));
        key.ok_or_else(|| PassthruError::Key(attributes.keyid.clone()))
    }

    /// What is not encrypted, but cannot be changed either.
    fn bound(attributes: &Passthru) -> Vec<u8> {
        format!("{:?} {:?}", attributes.serializer, attributes.keyid).into_bytes()
    }
}

impl PassthruCodec for Vault {
    fn seal(&self, attributes: &mut Passthru, packed: Vec<u8>) -> Result<Vec<u8>, PassthruError> {
        attributes.cipher = Some("xchacha20poly1305".into());
        let nonce = XNonce::try_generate().map_err(|error| PassthruError::codec(error.to_string()))?;
        let aad = Self::bound(attributes);
        let sealed = self.key(attributes)?.encrypt(&nonce, Payload { msg: &packed, aad: &aad });
        let sealed = sealed.map_err(|_| PassthruError::codec("the payload cannot be encrypted"))?;
        Ok([&nonce[..], &sealed].concat())
    }

    fn open(&self, attributes: &Passthru, sealed: Bytes) -> Result<Bytes, PassthruError> {
        if attributes.cipher.as_deref() != Some("xchacha20poly1305") {
            return Err(PassthruError::Cipher(attributes.cipher.clone()));
        }
        let too_short = || PassthruError::codec("the payload is shorter than a nonce");
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or_else(too_short)?;
        let aad = Self::bound(attributes);
        let packed = self.key(attributes)?.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &aad });
        packed.map(Bytes::from).map_err(|_| PassthruError::codec("the key does not fit, or the payload was changed"))
    }
}

/// Sees what everybody between the two ends sees, and has no key.
struct Wiretap;

impl PassthruCodec for Wiretap {
    fn seal(&self, attributes: &mut Passthru, _: Vec<u8>) -> Result<Vec<u8>, PassthruError> {
        Err(PassthruError::Key(attributes.keyid.clone()))
    }

    fn open(&self, attributes: &Passthru, sealed: Bytes) -> Result<Bytes, PassthruError> {
        let prefix: String = sealed.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        println!("router       sees {} bytes, {prefix}…", sealed.len());
        Err(PassthruError::Key(attributes.keyid.clone()))
    }
}

#[derive(Deserialize)]
struct Unit {
    unit: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = router::config()?.realm(RealmConfig::new("realm1")?.anonymous("guest"));
    let server = RouterServer::bind("127.0.0.1:0", config).await?;
    let client = || Config::new(server.url(), "realm1");

    // Both ends have the key, by whatever way; the router has not. Somebody else has another one under the same id.
    let (key, other) = (Key::<XChaCha20Poly1305>::generate(), Key::<XChaCha20Poly1305>::generate());
    let ward = loowy_tokio::connect(client().passthru_codec(SCHEME, Vault::new("2026-11", &key))).await?;
    let doctor = loowy_tokio::connect(client().passthru_codec(SCHEME, Vault::new("2026-11", &key))).await?;
    let stranger = loowy_tokio::connect(client().passthru_codec(SCHEME, Vault::new("2026-11", &other))).await?;
    let tap = loowy_tokio::connect(client().passthru_codec(SCHEME, Wiretap)).await?;
    let vault = || Passthru::new(SCHEME).serializer("cbor").keyid("2026-11");

    // An event: only who has the key gets it, and reads it like any other.
    let mut pulses = doctor.subscribe("com.example.pulse").await?;
    let mut overheard = stranger.subscribe("com.example.pulse").await?;
    let mut tapped = tap.subscribe("com.example.pulse").await?;
    ward.publish_with("com.example.pulse", ("bed 7", 71), PublishOptions::new().passthru(vault())).await?;
    ward.publish("com.example.pulse", ("nobody", 0)).await?; // in clear, so that the others get something
    let (bed, pulse): (String, u8) = pulses.next().await.ok_or("the subscription ended")?.args()?;
    println!("doctor       gets {bed}: {pulse}");
    for (name, subscription) in [("wiretap", &mut tapped), ("stranger", &mut overheard)] {
        let (bed, _): (String, u8) = subscription.next().await.ok_or("the subscription ended")?.args()?;
        println!("{name:<12} could not open {} event, and then got {bed}", subscription.undecodable());
    }

    // A call: arguments, result and the arguments of an error are encrypted. The answers follow the call by themselves.
    let dose = ward
        .register_fn("com.example.dose", |(drug, weight): (String, f64)| async move {
            if drug != "aspirin" {
                let error = WampError::new("com.example.error.no_such_drug")?;
                return Err(HandlerError::from(error.payload((drug, "ask the pharmacy"))?));
            }
            Ok(ArgsKwargs((weight * 10.0,), Dict::from_iter([("unit", "mg")])))
        })
        .await?;
    let sealed = || CallOptions::new().passthru(vault());
    let result = doctor.call_with("com.example.dose", ("aspirin", 70.0), sealed()).await?;
    let Unit { unit } = result.kwargs()?;
    println!("doctor       gives {} {unit}", result.arg::<f64>(0)?);
    match doctor.call_with("com.example.dose", ("arsenic", 70.0), sealed()).await {
        Err(RequestError::Wamp(error)) => {
            println!("doctor       gets {}: {:?}", error.uri(), error.args::<(String, String)>()?)
        }
        other => return Err(format!("an error was expected, not {other:?}").into()),
    }

    // A wrong key opens nothing: the callee answers with an error, and calls no handler.
    match stranger.call_with("com.example.dose", ("aspirin", 70.0), sealed()).await {
        Err(RequestError::Wamp(error)) => println!("stranger     gets {}", error.uri()),
        other => return Err(format!("an error was expected, not {other:?}").into()),
    }
    // A key that one does not have seals nothing: the call is not sent.
    let unknown = CallOptions::new().passthru(Passthru::new(SCHEME).serializer("cbor").keyid("2027-01"));
    match doctor.call_with("com.example.dose", ("aspirin", 70.0), unknown).await {
        Err(RequestError::Command(CommandError::Passthru(error))) => println!("doctor       sends nothing: {error}"),
        other => return Err(format!("an error was expected, not {other:?}").into()),
    }

    dose.unregister().await?;
    for client in [doctor, stranger, tap, ward] {
        client.close().await?;
    }
    server.shutdown().await;
    Ok(())
}
