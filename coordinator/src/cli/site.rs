//! `coordinator site ...`: who may take part.

use std::path::PathBuf;

use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;
use terminal::{Answer, Failure, read_file};

use crate::authority::{Authority, load_signing_identity};
use crate::config::Config;
use crate::enrol;

#[derive(Debug, Subcommand)]
pub(super) enum SiteCommand {
    /// Who an enrolment request is from, with the fingerprint to compare; nothing is approved.
    #[command(after_help = "Example: coordinator site show north.request")]
    Show {
        /// The request file.
        request: PathBuf,
    },
    /// Approve an enrolment request; prints the package for the site.
    #[command(
        after_help = "First compare the fingerprint of `coordinator site show` with the one that the site tells you by another channel.\n\n\
                      Example: coordinator site approve north.request --site north --legal-name 'Hospital north' > north.package"
    )]
    Approve {
        /// The request file.
        request: PathBuf,
        /// Site id as you know it.
        #[arg(long)]
        site: String,
        /// Legal name as you know it.
        #[arg(long)]
        legal_name: String,
        /// Validity of the certificate in days.
        #[arg(long, default_value_t = 365)]
        valid_days: u32,
    },
    /// Enrolled sites with their fingerprints.
    #[command(after_help = "Example: coordinator site list --format json")]
    List,
    /// Revoke a site's certificates; open connections end at once.
    #[command(
        after_help = "Runs with the site do not go on; create new ones without it.\n\nExample: coordinator site revoke west"
    )]
    Revoke {
        /// Site id.
        site: String,
    },
    /// The fingerprint that sites compare before they accept a package.
    #[command(after_help = "Example: coordinator site fingerprint")]
    Fingerprint,
}

impl SiteCommand {
    pub(super) fn name(&self) -> &'static str {
        match self {
            SiteCommand::Show { .. } => "site-show",
            SiteCommand::Approve { .. } => "site-approve",
            SiteCommand::List => "site-list",
            SiteCommand::Revoke { .. } => "site-revoke",
            SiteCommand::Fingerprint => "site-fingerprint",
        }
    }
}

pub(super) fn dispatch(config: &Config, command: &SiteCommand) -> Result<Answer, Failure> {
    let now = Timestamp::now();
    match command {
        SiteCommand::Show { request } => {
            let request = enrol::Request::parse(&read_file(request)?)?;
            let (site, legal_name) = (request.site(), request.legal_name());
            let fingerprint = request.identity().fingerprint();
            let data = json!({ "site": site, "legal_name": legal_name, "fingerprint": fingerprint });
            Ok(Answer::of(data)
                .line(format_args!("{site} ({legal_name})"))
                .line(format_args!("fingerprint {fingerprint}")))
        }
        SiteCommand::Approve { request, site, legal_name, valid_days } => {
            let authority = Authority::load(&config.state_dir)?;
            let text = read_file(request)?;
            let approval = enrol::Approval { site, legal_name, url: &config.url, valid_days: *valid_days };
            let package = enrol::approve(&authority, &text, &approval, now)?;
            let fingerprint = authority.fingerprint().to_string();
            let data = json!({ "site": site, "package": package.text(), "coordinator_fingerprint": fingerprint });
            Ok(Answer::of(data)
                .text(package.text())
                .beside(format_args!("Send the package above to the site; it asks for the fingerprint {fingerprint}")))
        }
        SiteCommand::List => list(config),
        SiteCommand::Revoke { site } => {
            enrol::revoke(&config.state_dir, site, now)?;
            Ok(Answer::of(json!({ "site": site, "state": "revoked" })).line(format_args!("Revoked {site}.")))
        }
        SiteCommand::Fingerprint => {
            let authority = Authority::load(&config.state_dir)?;
            let fingerprint = authority.fingerprint().to_string();
            let signing_key = load_signing_identity(&config.state_dir)?.public().fingerprint();
            Ok(Answer::of(json!({ "fingerprint": fingerprint, "signing_key": signing_key }))
                .line(fingerprint)
                .beside(format_args!("`audit verify` names the signing key alone: {signing_key}")))
        }
    }
}

fn list(config: &Config) -> Result<Answer, Failure> {
    let (mut lines, mut sites) = (Vec::new(), Vec::new());
    for site in enrol::list(&config.state_dir)? {
        let state = if site.revoked_at.is_some() { "revoked" } else { "enrolled" };
        let fingerprint = site.identity.fingerprint();
        lines.push(format!("{:<12} {state:<9} {fingerprint}  {}", site.site, site.legal_name));
        sites.push(json!({
            "site": site.site, "state": state, "fingerprint": fingerprint, "legal_name": site.legal_name,
        }));
    }
    Ok(lines.into_iter().fold(Answer::of(json!({ "sites": sites })), Answer::line))
}
