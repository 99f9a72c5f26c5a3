//! All sites of a study in one place: the relay's part is played by the tests.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use secagg::{
    Announced, Announcement, Boxed, Confirmation, Confirming, Digest, Epoch, PublicIdentity, SealedBox, SigningIdentity,
};

/// The manifest that all sites of these tests announce.
pub const MANIFEST: Digest = Digest([0xaa; 32]);
/// The epoch that all sites of these tests announce.
pub const EPOCH: u64 = 4;

/// A seeded generator.
pub fn seeded(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// The identities of `n` sites and the roster that they form.
pub fn identities(n: u16) -> (Vec<SigningIdentity>, Vec<PublicIdentity>) {
    let mut rng = seeded(1);
    let identities: Vec<_> = (0..n).map(|_| SigningIdentity::generate(&mut rng)).collect();
    let roster = identities.iter().map(SigningIdentity::public).collect();
    (identities, roster)
}

/// All sites after `Announced::start`.
pub struct Start {
    pub identities: Vec<SigningIdentity>,
    pub roster: Vec<PublicIdentity>,
    pub sites: Vec<Announced>,
    pub bundle: Vec<Announcement>,
}

/// One site's start, with its own seed: the same seed makes the same keys.
pub fn announce(identity: &SigningIdentity, site: u16, seed: u64) -> (Announced, Announcement) {
    let cohort = Digest([0xcc; 32]);
    let head = Digest([0xdd; 32]);
    Announced::start(&mut seeded(seed), identity, MANIFEST, EPOCH, site, cohort, head)
}

/// `n` sites that have announced.
pub fn start(n: u16) -> Start {
    let (identities, roster) = identities(n);
    let (sites, bundle) =
        (0..n).zip(&identities).map(|(site, identity)| announce(identity, site, 100 + u64::from(site))).unzip();
    Start { identities, roster, sites, bundle }
}

/// All sites after `Announced::bundle`.
pub struct Sealed {
    pub identities: Vec<SigningIdentity>,
    pub roster: Vec<PublicIdentity>,
    pub sites: Vec<Boxed>,
    pub boxes: Vec<SealedBox>,
}

/// `n` sites that have sealed their boxes.
pub fn sealed(n: u16) -> Sealed {
    let start = start(n);
    let mut boxes = Vec::new();
    let sites = (200..)
        .zip(start.sites)
        .map(|(seed, site)| {
            let (site, own) = site.bundle(&mut seeded(seed), &start.roster, &start.bundle).unwrap();
            boxes.extend(own);
            site
        })
        .collect();
    Sealed { identities: start.identities, roster: start.roster, sites, boxes }
}

/// All sites after `Boxed::boxes`.
pub struct Confirmed {
    pub identities: Vec<SigningIdentity>,
    pub roster: Vec<PublicIdentity>,
    pub sites: Vec<Confirming>,
    pub confirmations: Vec<Confirmation>,
}

/// `n` sites that have confirmed.
pub fn confirmed(n: u16) -> Confirmed {
    let sealed = sealed(n);
    let (sites, confirmations) = sealed
        .sites
        .into_iter()
        .zip(&sealed.identities)
        .map(|(site, identity)| site.boxes(identity, &sealed.boxes).unwrap())
        .unzip();
    Confirmed { identities: sealed.identities, roster: sealed.roster, sites, confirmations }
}

/// The epochs of `n` sites.
pub fn epochs(n: u16) -> Vec<Epoch> {
    let confirmed = confirmed(n);
    confirmed
        .sites
        .into_iter()
        .map(|site| site.confirmations(&confirmed.roster, &confirmed.confirmations).unwrap())
        .collect()
}
