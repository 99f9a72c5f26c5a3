//! `coordinator role`: people, their certificates, and the roles these give.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use clap::Subcommand;
use jiff::Timestamp;

use super::failure::{Failure, read_file};
use crate::authority::Authority;
use crate::config::Config;
use crate::role::{self, Person, Role};

/// What can be done with roles.
#[derive(Debug, Subcommand)]
pub(super) enum RoleCommand {
    /// Make a key for yourself and print the request for its certificate; needs no configuration.
    #[command(
        after_help = "The key stays with you (mode 0600). Send the request, which is not secret, to the coordinator's operator.\n\nExample: coordinator role request --key auditor.key > auditor.csr"
    )]
    Request {
        /// File for the private key; it must not exist.
        #[arg(long)]
        key: PathBuf,
    },
    /// Certify a person's key for a role.
    #[command(
        after_help = "Example: coordinator role issue --role auditor --name \"First Auditor\" --request auditor.csr --out auditor.pem\n\nA browser wants certificate and key in one file, which the person makes:\nopenssl pkcs12 -export -in auditor.pem -inkey auditor.key -out auditor.p12"
    )]
    Issue {
        /// operator, analyst or auditor.
        #[arg(long, value_parser = ["operator", "analyst", "auditor"])]
        role: String,
        /// What the person is called on the pages and in the log.
        #[arg(long)]
        name: String,
        /// The person's certificate request (PEM).
        #[arg(long)]
        request: PathBuf,
        /// File for the certificate; it must not exist. Standard output if it is not given.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Validity of the certificate in days.
        #[arg(long, default_value_t = 180)]
        valid_days: u32,
    },
    /// Everybody who has a certificate, with its fingerprint.
    List,
    /// Revoke a person's certificates; open connections end at once.
    Revoke {
        /// Name, or the beginning of a certificate's fingerprint (eight digits or more).
        who: String,
    },
}

impl RoleCommand {
    /// Runs what needs no configuration; `None` if this command does.
    pub(super) fn alone(&self) -> Option<Result<(), Failure>> {
        let RoleCommand::Request { key } = self else { return None };
        Some(request(key))
    }

    pub(super) fn run(&self, config: &Config) -> Result<(), Failure> {
        let (state, now) = (&config.state_dir, Timestamp::now());
        match self {
            RoleCommand::Request { key } => request(key)?,
            RoleCommand::Issue { role, name, request, out, valid_days } => {
                let person = Person::new(name, role.parse::<Role>()?)?;
                let authority = Authority::load(state)?;
                let certificate = role::issue(&authority, &person, &read_file(request)?, *valid_days, now)?;
                match out {
                    None => print!("{certificate}"),
                    Some(path) => {
                        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(path);
                        let written = file.as_mut().map_err(|e| std::io::Error::from(e.kind()));
                        let written = written.and_then(|file| file.write_all(certificate.as_bytes()));
                        written.map_err(|e| Failure::operating_system("write the certificate", &e))?;
                    }
                }
                eprintln!("Send the certificate to {name}, who is {role} with it for {valid_days} days.");
            }
            RoleCommand::List => {
                for holder in role::list(state)? {
                    let standing = if holder.revoked_at.is_some() {
                        "revoked".to_owned()
                    } else if holder.not_after <= now {
                        "ended".to_owned()
                    } else {
                        format!("until {}", holder.not_after.strftime("%F"))
                    };
                    let fingerprint = holder.fingerprint.to_string();
                    let (role, name) = (holder.person.role().name(), holder.person.name());
                    println!("{role:<9} {standing:<17} {}  {name}", &fingerprint[..16]);
                }
            }
            RoleCommand::Revoke { who } => {
                for holder in role::revoke(state, who, now)? {
                    println!("Revoked {} ({}).", holder.person.name(), holder.person.role());
                }
            }
        }
        Ok(())
    }
}

fn request(key: &std::path::Path) -> Result<(), Failure> {
    print!("{}", role::create_key(key)?);
    eprintln!("Send the request above to the coordinator's operator; keep {} to yourself.", key.display());
    Ok(())
}
