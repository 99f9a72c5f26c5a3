//! Records of a site's ledger as bytes.

use secagg::canonical::CanonicalError;
use secagg::{Canonical, Opened, Reader};

use super::{Recorded, read_agreed, write_agreed};
use crate::machine::site::SiteRecord;
use crate::message::{Closed, ResultProof, RoundOpen};

impl Recorded for SiteRecord {
    const LABEL: &str = "entente/v1/site entry";

    fn write(&self, out: Canonical) -> Canonical {
        match self {
            SiteRecord::Consented => out.u8(1),
            SiteRecord::Approved { policy, cohort } => out.u8(2).digest_field(policy).digest_field(cohort),
            SiteRecord::Epoch { epoch } => out.u8(3).u64(*epoch),
            SiteRecord::Agreed { epoch, announcements, confirmations } => {
                write_agreed(out.u8(4).u64(*epoch), announcements, confirmations)
            }
            SiteRecord::Requested { open } => open.write(out.u8(5)),
            SiteRecord::Answered { round, q0, q, masked } => {
                out.u8(6).u32(*round).digest_field(q0).digest_field(q).digest_field(masked)
            }
            SiteRecord::Accepted { q0, proof, opened } => {
                proof.write(out.u8(7).digest_field(q0)).bytes(&opened.to_bytes())
            }
            SiteRecord::Refused { rule } => out.u8(8).str(rule),
            SiteRecord::Finished { results, release } => out.u8(9).digest_field(results).digest_field(release),
            SiteRecord::Closed { closed } => closed.write(out.u8(10)),
            SiteRecord::Withdrawn => out.u8(11),
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<SiteRecord, CanonicalError> {
        Ok(match r.u8()? {
            1 => SiteRecord::Consented,
            2 => SiteRecord::Approved { policy: r.digest()?, cohort: r.digest()? },
            3 => SiteRecord::Epoch { epoch: r.u64()? },
            4 => {
                let epoch = r.u64()?;
                let (announcements, confirmations) = read_agreed(r)?;
                SiteRecord::Agreed { epoch, announcements, confirmations }
            }
            5 => SiteRecord::Requested { open: Box::new(RoundOpen::read(r)?) },
            6 => SiteRecord::Answered { round: r.u32()?, q0: r.digest()?, q: r.digest()?, masked: r.digest()? },
            7 => {
                let (q0, proof) = (r.digest()?, Box::new(ResultProof::read(r)?));
                SiteRecord::Accepted { q0, proof, opened: Opened::from_bytes(r.bytes()?)? }
            }
            8 => SiteRecord::Refused { rule: r.str()?.to_owned() },
            9 => SiteRecord::Finished { results: r.digest()?, release: r.digest()? },
            10 => SiteRecord::Closed { closed: Box::new(Closed::read(r)?) },
            11 => SiteRecord::Withdrawn,
            // of a later version, or damaged
            _ => return Err(CanonicalError::Label),
        })
    }
}
