//! Why a key agreement ends without an epoch.

/// A message of the key agreement is not what the protocol demands. Positions and sites are indices in the roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EpochError {
    /// A roster has at least 2 sites (alone, a site's sum is its own vector) and at most 65535.
    #[error("a roster of {sites} sites has no epoch")]
    RosterSize {
        /// Size of the roster.
        sites: usize,
    },
    /// The same identity key stands twice in the roster.
    #[error("sites {first} and {second} have the same identity key")]
    RepeatedIdentity {
        /// First place.
        first: u16,
        /// Second place.
        second: u16,
    },
    /// The identity that began the agreement does not stand at its own place in the roster.
    #[error("this site's identity is not number {site} of the roster")]
    NotInRoster {
        /// The place that this site claims.
        site: u16,
    },
    /// Another identity or roster was passed than in the step before.
    #[error("the identity or the roster changed between two steps")]
    Changed,
    /// The bundle has too few or too many announcements.
    #[error("expected {expected} announcements, got {got}")]
    AnnouncementCount {
        /// Size of the roster.
        expected: usize,
        /// Number in the bundle.
        got: usize,
    },
    /// An announcement does not stand at its site's place.
    #[error("the announcement at place {expected} is that of site {got}")]
    AnnouncementOrder {
        /// The place in the bundle.
        expected: u16,
        /// The site that the announcement names.
        got: u16,
    },
    /// An announcement is for another manifest.
    #[error("site {site} announces another manifest")]
    Manifest {
        /// The announcing site.
        site: u16,
    },
    /// An announcement is for another epoch.
    #[error("site {site} announces epoch {got}, expected {expected}")]
    Number {
        /// The announcing site.
        site: u16,
        /// This site's epoch.
        expected: u64,
        /// The announced epoch.
        got: u64,
    },
    /// An announcement's signature fails under the roster's key.
    #[error("the announcement of site {site} is not signed by its identity")]
    AnnouncementSignature {
        /// The announcing site.
        site: u16,
    },
    /// This site's entry in the bundle is not what it announced.
    #[error("this site's own announcement was changed")]
    OwnAnnouncement,
    /// Two announcements carry the same key.
    #[error("sites {first} and {second} announce the same key")]
    RepeatedKey {
        /// First site.
        first: u16,
        /// Second site.
        second: u16,
    },
    /// A key of low order: the shared secret would be known to everyone.
    #[error("the key of site {site} contributes nothing")]
    LowOrderKey {
        /// The announcing site.
        site: u16,
    },
    /// Too few or too many boxes; every site sends one to every other.
    #[error("expected {expected} boxes, got {got}")]
    BoxCount {
        /// `n (n - 1)`.
        expected: usize,
        /// Number of boxes.
        got: usize,
    },
    /// The boxes do not ascend by sender, then receiver.
    #[error("expected the box from {expected_from} to {expected_to}, got the one from {from} to {to}")]
    BoxOrder {
        /// Sender whose turn it is.
        expected_from: u16,
        /// Receiver whose turn it is.
        expected_to: u16,
        /// Sender that the box names.
        from: u16,
        /// Receiver that the box names.
        to: u16,
    },
    /// A box that this site sent was changed.
    #[error("this site's own box to site {to} was changed")]
    OwnBox {
        /// The receiver.
        to: u16,
    },
    /// A box to this site does not open under the key shared with its sender.
    #[error("the box from site {from} does not open")]
    ClosedBox {
        /// The sender.
        from: u16,
    },
    /// Too few or too many confirmations.
    #[error("expected {expected} confirmations, got {got}")]
    ConfirmationCount {
        /// Size of the roster.
        expected: usize,
        /// Number of confirmations.
        got: usize,
    },
    /// A confirmation does not stand at its site's place.
    #[error("the confirmation at place {expected} is that of site {got}")]
    ConfirmationOrder {
        /// The place.
        expected: u16,
        /// The site that the confirmation names.
        got: u16,
    },
    /// A confirmation's signature fails under the roster's key.
    #[error("the confirmation of site {site} is not signed by its identity")]
    ConfirmationSignature {
        /// The confirming site.
        site: u16,
    },
    /// This site's entry among the confirmations is not what it sent.
    #[error("this site's own confirmation was changed")]
    OwnConfirmation,
    /// A site saw another bundle of announcements.
    #[error("site {site} confirms another bundle of announcements")]
    Transcript {
        /// The confirming site.
        site: u16,
    },
    /// A site has another group secret: somebody sent different shares to different sites.
    #[error("site {site} confirms another group secret")]
    Group {
        /// The confirming site.
        site: u16,
    },
    /// A site saw other boxes.
    #[error("site {site} confirms other boxes")]
    Boxes {
        /// The confirming site.
        site: u16,
    },
}

impl EpochError {
    /// A stable name for logs and wire details.
    pub fn code(&self) -> &'static str {
        match self {
            Self::RosterSize { .. } => "epoch-roster-size",
            Self::RepeatedIdentity { .. } => "epoch-repeated-identity",
            Self::NotInRoster { .. } => "epoch-not-in-roster",
            Self::Changed => "epoch-changed",
            Self::AnnouncementCount { .. } => "epoch-announcement-count",
            Self::AnnouncementOrder { .. } => "epoch-announcement-order",
            Self::Manifest { .. } => "epoch-manifest",
            Self::Number { .. } => "epoch-number",
            Self::AnnouncementSignature { .. } => "epoch-announcement-signature",
            Self::OwnAnnouncement => "epoch-own-announcement",
            Self::RepeatedKey { .. } => "epoch-repeated-key",
            Self::LowOrderKey { .. } => "epoch-low-order-key",
            Self::BoxCount { .. } => "epoch-box-count",
            Self::BoxOrder { .. } => "epoch-box-order",
            Self::OwnBox { .. } => "epoch-own-box",
            Self::ClosedBox { .. } => "epoch-closed-box",
            Self::ConfirmationCount { .. } => "epoch-confirmation-count",
            Self::ConfirmationOrder { .. } => "epoch-confirmation-order",
            Self::ConfirmationSignature { .. } => "epoch-confirmation-signature",
            Self::OwnConfirmation => "epoch-own-confirmation",
            Self::Transcript { .. } => "epoch-transcript",
            Self::Group { .. } => "epoch-group",
            Self::Boxes { .. } => "epoch-boxes",
        }
    }
}
