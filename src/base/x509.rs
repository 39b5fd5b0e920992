//! Generated X.509 certificates that verify against each other, and keys, all as PEM. Storing and
//! distributing them is up to the callers.

use std::fmt::Write as _;
use std::time::SystemTime;

use base64::Engine as _;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, SerialNumber,
};

use super::secret::Secret;

/// Organisation in all of these certificates.
const WHOSE: &str = "cki-reference, made up for local runs";
/// Common name in the client certificate.
const CLIENT: &str = "cki-reference";

/// Failure to generate a certificate.
#[derive(Debug, thiserror::Error)]
#[error("a certificate for `{subject}` cannot be made")]
pub struct X509Error {
    /// Subject of the certificate.
    subject: String,
    /// Underlying error.
    source: rcgen::Error,
}

/// A certificate with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertifiedKey {
    /// Certificate.
    pub certificate: String,
    /// Private key.
    pub key: Secret,
}

/// Certificates of one authority. Its key is not kept, so that it never signs another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestPki {
    /// Certificate of the authority.
    pub authority: String,
    /// Certificate and key for servers.
    pub server: CertifiedKey,
    /// Certificate and key for clients.
    pub client: CertifiedKey,
    /// Separate key for signing.
    pub signing_key: Secret,
}

impl TestPki {
    /// Generates all certificates and keys, for servers with these names, and valid for this period.
    ///
    /// # Errors
    /// Fails if a name is not valid in a certificate.
    pub fn new(names: &[String], from: SystemTime, until: SystemTime) -> Result<Self, X509Error> {
        let fail = |subject: &str| {
            let subject = subject.to_owned();
            move |source| X509Error { subject, source }
        };
        let plain = |subject: &str| {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::OrganizationName, WHOSE);
            params.distinguished_name.push(DnType::CommonName, subject);
            (params.not_before, params.not_after) = (from.into(), until.into());
            params.serial_number = Some(serial_number());
            params
        };
        let subject = "cki-reference authority";
        let mut authority = plain(subject);
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(fail(subject))?;
        let certificate = authority.self_signed(&key).map_err(fail(subject))?;
        let issuer = Issuer::new(authority, key);
        let pair = |mut params: CertificateParams, subject: &str, purpose| {
            params.use_authority_key_identifier_extension = true;
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            params.extended_key_usages = vec![purpose];
            let key = KeyPair::generate().map_err(fail(subject))?;
            let certificate = params.signed_by(&key, &issuer).map_err(fail(subject))?;
            Ok(CertifiedKey { certificate: pem("CERTIFICATE", certificate.der()), key: private(&key) })
        };
        let mut server = plain("localhost");
        for name in names {
            let name = match name.parse() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(name.as_str().try_into().map_err(fail(name))?),
            };
            server.subject_alt_names.push(name);
        }
        Ok(Self {
            authority: pem("CERTIFICATE", certificate.der()),
            server: pair(server, "localhost", ExtendedKeyUsagePurpose::ServerAuth)?,
            client: pair(plain(CLIENT), CLIENT, ExtendedKeyUsagePurpose::ClientAuth)?,
            signing_key: private(&KeyPair::generate().map_err(fail("a key"))?),
        })
    }
}

fn private(key: &KeyPair) -> Secret {
    Secret::new(pem("PRIVATE KEY", key.serialized_der()))
}

/// Encodes DER in the textual form (RFC 7468).
fn pem(label: &str, der: &[u8]) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in encoded.as_bytes().chunks(64) {
        // Writing to a String cannot fail, and base64 is ASCII.
        let _ = writeln!(text, "{}", String::from_utf8_lossy(line));
    }
    text + &format!("-----END {label}-----\n")
}

/// Returns a serial number of 20 bytes, the most that RFC 5280 allows: with the same names, certificates have the same
/// length.
fn serial_number() -> SerialNumber {
    let mut bytes = [0; 20];
    fastrand::fill(&mut bytes);
    // Positive, and without a leading zero, which would be left out.
    bytes[0] = bytes[0] & 0x3f | 0x40;
    SerialNumber::from_slice(&bytes)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::sync::Arc;
    use std::time::Duration;

    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
    use rustls::server::WebPkiClientVerifier;
    use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

    use super::*;

    fn material() -> TestPki {
        let now = SystemTime::now();
        let names = ["rabbitmq", "localhost", "127.0.0.1", "::1"].map(str::to_owned);
        TestPki::new(&names, now - Duration::from_secs(60), now + Duration::from_secs(3600)).expect("makes")
    }

    fn roots(material: &TestPki) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(material.authority.as_bytes()).expect("is PEM"))
            .expect("is good");
        Arc::new(roots)
    }

    fn chain(pair: &CertifiedKey) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).expect("is PEM");
        (vec![certificate], PrivateKeyDer::from_pem_slice(pair.key.expose().as_bytes()).expect("is PEM"))
    }

    /// Performs a TLS handshake in which each side verifies the other, and sends one word.
    fn talk(server: &TestPki, client: &TestPki, name: &str) -> Result<String, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(roots(server), provider.clone());
        let (certificates, key) = chain(&server.server);
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier.build().expect("has roots"))
            .with_single_cert(certificates, key)?;
        let mut server = ServerConnection::new(Arc::new(config))?;
        let (certificates, key) = chain(&client.client);
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots(client))
            .with_client_auth_cert(certificates, key)?;
        let name = ServerName::try_from(name.to_owned()).expect("is a name");
        let mut client = ClientConnection::new(Arc::new(config), name)?;
        client.writer().write_all(b"word").expect("is kept");
        while client.wants_write() || server.wants_write() {
            let mut wire = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut wire).expect("writes to memory");
            }
            server.read_tls(&mut wire.as_slice()).expect("reads from memory");
            server.process_new_packets()?;
            let mut wire = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut wire).expect("writes to memory");
            }
            client.read_tls(&mut wire.as_slice()).expect("reads from memory");
            client.process_new_packets()?;
        }
        let mut word = [0; 4];
        server.reader().read_exact(&mut word).expect("has come");
        Ok(String::from_utf8_lossy(&word).into_owned())
    }

    #[test]
    fn server_and_client_certificates_verify_each_other() {
        let ours = material();
        for name in ["rabbitmq", "localhost", "127.0.0.1", "::1"] {
            assert_eq!(talk(&ours, &ours, name).expect("verifies"), "word", "{name}");
        }
        assert!(talk(&ours, &ours, "other").is_err(), "is not its name");
        let theirs = material();
        assert!(talk(&ours, &theirs, "localhost").is_err(), "is of another authority");
        assert_ne!(ours.signing_key, theirs.signing_key);
    }

    #[test]
    fn certificates_are_rejected_after_expiry() {
        let now = SystemTime::now();
        let day = Duration::from_secs(86400);
        let names = ["localhost".to_owned()];
        let expired = TestPki::new(&names, now - 2 * day, now - day).expect("makes");
        assert!(talk(&expired, &expired, "localhost").is_err());
        let far = TestPki::new(&names, now - day, now + 36500 * day).expect("makes");
        assert!(talk(&far, &far, "localhost").is_ok());
        assert!(TestPki::new(&["ü b".to_owned()], now, now + day).is_err());
    }

    #[test]
    fn private_key_pem_wraps_at_64_columns() {
        let key = material().client.key;
        let lines: Vec<&str> = key.expose().lines().collect();
        assert_eq!(
            (lines[0], lines.last()),
            ("-----BEGIN PRIVATE KEY-----", Some(&"-----END PRIVATE KEY-----"))
        );
        assert!(lines.iter().all(|line| line.len() <= 64));
    }
}
