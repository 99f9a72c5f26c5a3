//! Records of the coordinator's ledger as bytes.

use secagg::canonical::CanonicalError;
use secagg::{Canonical, Digest, Reader, Signature};

use super::{Recorded, read_agreed, write_agreed};
use crate::machine::coordinator::CoordinatorRecord;
use crate::manifest::{Approval, Withdrawal};
use crate::message::{Closed, RoundOpen, RoundResult};
use crate::refit::{Compared, Differs};

impl Recorded for CoordinatorRecord {
    const LABEL: &str = "entente/v1/coordinator entry";

    fn write(&self, out: Canonical) -> Canonical {
        match self {
            CoordinatorRecord::Approved { approval } => {
                let Approval { site, manifest, policy, cohort, signature } = approval;
                let out = out.u8(1).u16(*site).digest_field(manifest).digest_field(policy).digest_field(cohort);
                out.array(&signature.0)
            }
            CoordinatorRecord::Withdrawn { withdrawal } => {
                let Withdrawal { site, manifest, signature } = withdrawal;
                out.u8(2).u16(*site).digest_field(manifest).array(&signature.0)
            }
            CoordinatorRecord::Epoch { epoch } => out.u8(3).u64(*epoch),
            CoordinatorRecord::Agreed { epoch, announcements, confirmations } => {
                write_agreed(out.u8(4).u64(*epoch), announcements, confirmations)
            }
            CoordinatorRecord::Requested { open } => open.write(out.u8(5)),
            CoordinatorRecord::Opened { q0, result } => result.write(out.u8(6).digest_field(q0)),
            CoordinatorRecord::Refused { site, rule } => out.u8(7).u16(*site).str(rule),
            CoordinatorRecord::Released { site, bytes } => out.u8(8).u16(*site).bytes(bytes),
            CoordinatorRecord::Closed { closed } => closed.write(out.u8(9)),
            CoordinatorRecord::Compared { outcome: Ok(compared) } => {
                let Compared { same, ridge, imputed, curves, bootstrapped } = compared;
                out.u8(10).u32(*same).u32(*ridge).u32(*imputed).u32(*curves).u32(*bootstrapped)
            }
            CoordinatorRecord::Compared { outcome: Err(Differs { model, quantity }) } => {
                out.u8(11).str(model).str(quantity)
            }
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<CoordinatorRecord, CanonicalError> {
        let signature = |r: &mut Reader<'_>| r.array().map(Signature);
        Ok(match r.u8()? {
            1 => {
                let (site, [manifest, policy, cohort]) = (r.u16()?, [r.digest()?, r.digest()?, r.digest()?]);
                let approval = Approval { site, manifest, policy, cohort, signature: signature(r)? };
                CoordinatorRecord::Approved { approval }
            }
            2 => {
                let (site, manifest): (u16, Digest) = (r.u16()?, r.digest()?);
                CoordinatorRecord::Withdrawn { withdrawal: Withdrawal { site, manifest, signature: signature(r)? } }
            }
            3 => CoordinatorRecord::Epoch { epoch: r.u64()? },
            4 => {
                let epoch = r.u64()?;
                let (announcements, confirmations) = read_agreed(r)?;
                CoordinatorRecord::Agreed { epoch, announcements, confirmations }
            }
            5 => CoordinatorRecord::Requested { open: Box::new(RoundOpen::read(r)?) },
            6 => CoordinatorRecord::Opened { q0: r.digest()?, result: Box::new(RoundResult::read(r)?) },
            7 => CoordinatorRecord::Refused { site: r.u16()?, rule: r.str()?.to_owned() },
            8 => CoordinatorRecord::Released { site: r.u16()?, bytes: r.bytes()?.to_vec() },
            9 => CoordinatorRecord::Closed { closed: Box::new(Closed::read(r)?) },
            10 => {
                let [same, ridge, imputed] = [r.u32()?, r.u32()?, r.u32()?];
                let [curves, bootstrapped] = [r.u32()?, r.u32()?];
                CoordinatorRecord::Compared { outcome: Ok(Compared { same, ridge, imputed, curves, bootstrapped }) }
            }
            11 => {
                let (model, quantity) = (r.str()?.to_owned(), r.str()?.to_owned());
                CoordinatorRecord::Compared { outcome: Err(Differs { model, quantity }) }
            }
            // of a later version, or damaged
            _ => return Err(CanonicalError::Label),
        })
    }
}
