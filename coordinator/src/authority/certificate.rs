//! The certificates of the built-in authority: its own, the server's, a site's, a person's. Keys are ECDSA P-256; names,
//! usages and validity are always ours.

use std::time::Duration;

use getrandom::SysRng;
use getrandom::rand_core::TryRng as _;
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData, SerialNumber, date_time_ymd,
};
use secagg::Digest;

const DAY: u64 = 24 * 60 * 60;
/// The authority outlives the studies that it serves: ten years.
const AUTHORITY_DAYS: u64 = 3_653;
/// Server certificates are renewed by the coordinator itself; clients commonly refuse more than 825 days.
const SERVER_DAYS: u64 = 825;
/// Certificates begin an hour before they are made, for sites whose clock is behind.
const BACKDATED: u64 = 60 * 60;

/// A certificate that certifies others, one level deep, and nothing else.
pub(super) fn authority(name: &str, key: &KeyPair, now: Timestamp) -> Result<Certificate, rcgen::Error> {
    // Two authorities of one name would be told apart by a bad signature only: the key makes the name unique.
    let key_digest = Digest::of(&key.subject_public_key_info()).to_string();
    let subject = format!("{name} authority {}", &key_digest[..8]);
    let mut params = named(&subject, now, AUTHORITY_DAYS)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.self_signed(key)
}

/// A certificate for the coordinator's listener under the names by which sites reach it.
pub(super) fn server(
    name: &str,
    hosts: &[String],
    key: &KeyPair,
    issuer: &Issuer<'_, &KeyPair>,
    now: Timestamp,
) -> Result<Certificate, rcgen::Error> {
    let mut params = named(name, now, SERVER_DAYS)?;
    params.subject_alt_names = CertificateParams::new(hosts)?.subject_alt_names;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.signed_by(key, issuer)
}

/// A certificate with which a site's agent connects. Of what the site asked for, only the public key is in it.
pub(super) fn site(
    site: &str,
    key: &impl PublicKeyData,
    issuer: &Issuer<'_, &KeyPair>,
    now: Timestamp,
    days: u32,
) -> Result<Certificate, rcgen::Error> {
    client(named(site, now, u64::from(days))?, key, issuer)
}

/// A certificate with which a person opens the coordinator's pages.
pub(super) fn person(
    subject: &DistinguishedName,
    key: &impl PublicKeyData,
    issuer: &Issuer<'_, &KeyPair>,
    now: Timestamp,
    days: u32,
) -> Result<Certificate, rcgen::Error> {
    let mut params = named("", now, u64::from(days))?;
    params.distinguished_name = subject.clone();
    client(params, key, issuer)
}

fn client(
    mut params: CertificateParams,
    key: &impl PublicKeyData,
    issuer: &Issuer<'_, &KeyPair>,
) -> Result<Certificate, rcgen::Error> {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params.signed_by(key, issuer)
}

/// A subject with this common name only, a random serial number, valid for `days` days from `now`.
fn named(name: &str, now: Timestamp, days: u64) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(serial()?);
    let epoch = date_time_ymd(1970, 1, 1);
    let begin = u64::try_from(now.as_second()).unwrap_or(0);
    params.not_before = epoch + Duration::from_secs(begin.saturating_sub(BACKDATED));
    params.not_after = epoch + Duration::from_secs(begin + days * DAY);
    Ok(params)
}

/// 16 random bytes, positive and without a leading zero, so that no two certificates share a number.
fn serial() -> Result<SerialNumber, rcgen::Error> {
    let mut bytes = [0; 16];
    SysRng.try_fill_bytes(&mut bytes).map_err(|_| rcgen::Error::RingUnspecified)?;
    bytes[0] = bytes[0] & 0x3f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}
