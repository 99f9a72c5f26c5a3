//! `coordinator role`: people, their certificates, and the roles these give.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use jiff::Timestamp;
use serde_json::{Value, json};
use terminal::{Answer, Failure, read_file};

use crate::authority::Authority;
use crate::config::{Config, ConfigError};
use crate::role::{self, Holder, Person, Role};

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
    #[command(after_help = "Example: coordinator role list")]
    List,
    /// Revoke a person's certificates; open connections end at once.
    #[command(after_help = "Example: coordinator role revoke \"First Auditor\"")]
    Revoke {
        /// Name, or the beginning of a certificate's fingerprint (eight digits or more).
        who: String,
    },
}

impl RoleCommand {
    pub(super) fn name(&self) -> &'static str {
        match self {
            RoleCommand::Request { .. } => "role-request",
            RoleCommand::Issue { .. } => "role-issue",
            RoleCommand::List => "role-list",
            RoleCommand::Revoke { .. } => "role-revoke",
        }
    }
}

pub(super) fn dispatch(
    config: impl FnOnce() -> Result<Config, ConfigError>,
    command: &RoleCommand,
) -> Result<Answer, Failure> {
    let now = Timestamp::now();
    match command {
        RoleCommand::Request { key } => request(key),
        RoleCommand::Issue { role, name, request, out, valid_days } => {
            let person = Person::new(name, role.parse::<Role>()?)?;
            let authority = Authority::load(&config()?.state_dir)?;
            let certificate = role::issue(&authority, &person, &read_file(request)?, *valid_days, now)?;
            let data = json!({ "role": role, "name": name, "certificate": certificate });
            let aside = format!("Send the certificate to {name}, who is {role} with it for {valid_days} days.");
            let answer = Answer::of(data).beside(aside);
            let Some(path) = out else { return Ok(answer.text(&certificate)) };
            let write = || -> io::Result<()> {
                let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(path)?;
                file.write_all(certificate.as_bytes())
            };
            write().map_err(|e| Failure::operating_system("write the certificate", &e))?;
            Ok(answer)
        }
        RoleCommand::List => {
            let holders = role::list(&config()?.state_dir)?;
            let listed = holders.iter().map(|holder| listed(holder, now));
            let (data, lines): (Vec<_>, Vec<_>) = listed.unzip();
            Ok(lines.into_iter().fold(Answer::of(json!({ "people": data })), Answer::line))
        }
        RoleCommand::Revoke { who } => {
            let revoked = role::revoke(&config()?.state_dir, who, now)?;
            let names: Vec<&str> = revoked.iter().map(|holder| holder.person.name()).collect();
            let answer = Answer::of(json!({ "revoked": names }));
            Ok(revoked.iter().fold(answer, |answer, holder| {
                answer.line(format_args!("Revoked {} ({}).", holder.person.name(), holder.person.role()))
            }))
        }
    }
}

/// A person for programs, and as a line.
fn listed(holder: &Holder, now: Timestamp) -> (Value, String) {
    let standing = if holder.revoked_at.is_some() {
        "revoked".to_owned()
    } else if holder.not_after <= now {
        "ended".to_owned()
    } else {
        format!("until {}", holder.not_after.strftime("%F"))
    };
    let fingerprint = holder.fingerprint.to_string();
    let (role, name) = (holder.person.role().name(), holder.person.name());
    let line = format!("{role:<9} {standing:<17} {}  {name}", &fingerprint[..16]);
    (json!({ "name": name, "role": role, "standing": standing, "fingerprint": fingerprint }), line)
}

fn request(key: &Path) -> Result<Answer, Failure> {
    let request = role::create_key(key)?;
    let aside = format!("Send the request above to the coordinator's operator; keep {} to yourself.", key.display());
    Ok(Answer::of(json!({ "request": request })).text(&request).beside(aside))
}
