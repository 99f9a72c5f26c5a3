//! One message of every kind, no two fields alike: a pair of exchanged fields does not survive a round trip.

use proto::{FromAgent, Offer, ToAgent};
use secagg::{Announcement, Confirmation, Digest, Masked, PublicIdentity, SealedBox, Signature};
use study::layout::{Layout, Segment};
use study::manifest::{Approval, Manifest, Withdrawal};
use study::message::{Answer, Closed, Finished, FromSite, ModelCounts, Next, RoundOpen, RoundResult, ToSite, Witness};
use study::plan::PLAN_VERSION;
use study::plan::Reason;
use study::question::transform_of;
use study::roster::{Member, Roster};
use study::view::{Column, OfModel};

/// Gives values that differ from all before.
struct Source(u64);

impl Source {
    fn number(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }

    /// 1 to 65535.
    fn small(&mut self) -> u16 {
        self.number() as u16
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let number = self.number();
        let mut bytes = std::array::from_fn(|i| (i as u8).wrapping_mul(31));
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        bytes
    }

    fn digest(&mut self) -> Digest {
        Digest(self.bytes())
    }

    fn signature(&mut self) -> Signature {
        Signature(self.bytes())
    }

    fn announcement(&mut self) -> Announcement {
        Announcement {
            manifest: self.digest(),
            epoch: self.number(),
            site: self.small(),
            public: self.bytes(),
            nonce: self.bytes(),
            cohort: self.digest(),
            head: self.digest(),
            signature: self.signature(),
        }
    }

    fn sealed_box(&mut self) -> SealedBox {
        SealedBox { from: self.small(), to: self.small(), bytes: self.bytes::<48>().to_vec() }
    }

    fn confirmation(&mut self) -> Confirmation {
        Confirmation {
            site: self.small(),
            transcript: self.digest(),
            group: self.digest(),
            boxes: self.digest(),
            signature: self.signature(),
        }
    }

    fn masked(&mut self) -> Masked {
        Masked {
            words: vec![u128::MAX, u128::from_le_bytes(self.bytes())],
            salt: u128::from_le_bytes(self.bytes()),
            check: [self.number(), u64::MAX, self.number(), self.number()],
        }
    }

    fn round(&mut self) -> u32 {
        self.number() as u32
    }

    fn layout(&mut self) -> Layout {
        let (words, model) = (self.round(), self.round());
        let segment =
            |kind: &'static str, of: Option<OfModel>| Segment { kind: kind.into(), sealed: of.is_none(), words, of };
        let columns = [Column::Kept { unit: 0.125 }, Column::LeftOut(Reason::Cell(1))].into();
        let of = OfModel { model, columns, transform: None, shortened: None };
        let trend = OfModel { transform: transform_of(2), ..of.clone() };
        let step = OfModel { shortened: Some(0.25), ..of };
        Layout::new(vec![segment("Flow", None), segment("LogisticStep", Some(step)), segment("CoxTrend", Some(trend))])
    }

    fn counts(&mut self) -> ModelCounts {
        ModelCounts { models: self.round(), fitted: self.round(), failed: self.round() }
    }

    fn witness(&mut self) -> Witness {
        Witness { head: self.digest(), witnessed: self.digest(), signature: self.signature() }
    }

    fn finished(&mut self) -> Finished {
        Finished {
            results: self.digest(),
            release: self.digest(),
            counts: self.counts(),
            head: self.digest(),
            witnessed: self.digest(),
            signature: self.signature(),
        }
    }

    fn manifest(&mut self) -> Manifest {
        let members = ["site-a", "site-b", "site-c"].map(|id| Member {
            id: id.into(),
            legal_name: format!("Hospital of {id}"),
            identity: PublicIdentity(self.bytes()),
        });
        Manifest {
            study: "sample".into(),
            run: self.bytes(),
            protocol: self.digest(),
            plan_version: PLAN_VERSION,
            roster: Roster::new(members.into()).unwrap(),
            coordinator: PublicIdentity(self.bytes()),
            created: self.number(),
            expires: self.number(),
        }
    }
}

/// An offer with the text of no real protocol.
pub fn offer() -> Offer {
    let source = &mut Source(0);
    Offer { manifest: source.manifest(), signature: source.signature(), protocol: "[study]\nid = \"ä\"\n".into() }
}

/// All that an agent says.
pub fn from_agent() -> Vec<FromAgent> {
    let source = &mut Source(1000);
    let mut all = vec![
        FromAgent::Hello { software: "entente site-agent 0.1.0".into(), instance: [7; 16] },
        FromAgent::Approval(Approval {
            site: source.small(),
            manifest: source.digest(),
            policy: source.digest(),
            cohort: source.digest(),
            signature: source.signature(),
        }),
        FromAgent::Rejected { run: source.digest(), code: "policy.minimum_sites".into() },
        FromAgent::Withdrawn(Withdrawal {
            site: source.small(),
            manifest: source.digest(),
            signature: source.signature(),
        }),
    ];
    let within = [
        FromSite::Announcement(source.announcement()),
        FromSite::Boxes { epoch: source.number(), boxes: vec![source.sealed_box(), source.sealed_box()] },
        FromSite::Confirmation { epoch: source.number(), confirmation: source.confirmation() },
        FromSite::Next(Next {
            epoch: source.number(),
            round: source.round(),
            q0: source.digest(),
            layout: source.layout(),
            counts: source.counts(),
            head: source.digest(),
            witnessed: source.digest(),
            signature: source.signature(),
        }),
        FromSite::Answer(Answer {
            epoch: source.number(),
            round: source.round(),
            q: source.digest(),
            masked: source.masked(),
            signature: source.signature(),
        }),
        FromSite::Finished(source.finished()),
        FromSite::Release { bytes: source.bytes::<48>().to_vec() },
        FromSite::Refused { code: "run.not_the_plan".into() },
    ];
    all.extend(within.map(|message| FromAgent::Run { run: source.digest(), message }));
    all
}

/// All that the coordinator says.
pub fn to_agent() -> Vec<ToAgent> {
    let source = &mut Source(2000);
    let within = [
        ToSite::EpochOpen { epoch: source.number(), known: source.digest() },
        ToSite::Bundle { announcements: vec![source.announcement(), source.announcement()] },
        ToSite::Boxes { boxes: vec![source.sealed_box(), source.sealed_box()] },
        ToSite::Confirmations { confirmations: vec![source.confirmation(), source.confirmation()] },
        ToSite::RoundOpen(RoundOpen {
            epoch: source.number(),
            round: source.round(),
            q0: source.digest(),
            layout: source.layout(),
            counts: source.counts(),
            head: source.digest(),
            witnesses: vec![Some(source.witness()), None, Some(source.witness())],
            signature: source.signature(),
        }),
        ToSite::RoundResult(RoundResult {
            epoch: source.number(),
            round: source.round(),
            q: source.digest(),
            sum: source.masked(),
            answers: vec![(source.digest(), source.signature()), (source.digest(), source.signature())],
            signature: source.signature(),
        }),
        ToSite::SendRelease,
        ToSite::Closed(Box::new(Closed {
            finished: vec![source.finished(), source.finished()],
            head: source.digest(),
            signature: source.signature(),
        })),
    ];
    let mut all = vec![ToAgent::Offer(offer())];
    all.extend(within.map(|message| ToAgent::Run { run: source.digest(), message }));
    all
}
