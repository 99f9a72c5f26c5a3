//! Approving, looking, remembering, withdrawing, on a site's disk.

use std::fs;
use std::path::PathBuf;

use proto::Offer;
use secagg::{DrawKey, SigningIdentity};
use site_agent::identity::draw_key;
use site_agent::run::{
    ApproveError, Approved, Approver, FolderError, Inspection, Person, approve, consented, decisions, export, lines,
    offers, read_policy, reject, reviewers, runs, save_offer, withdraw, withdrawal,
};
use site_agent::source::csv;
use study::account;
use study::audit::verify;
use study::ledger::{Chain, DecisionRecord, Entry};
use study::machine::site::SiteRecord;
use study::manifest::Manifest;
use study::plan::PLAN_VERSION;
use study::policy::{Policy, PolicyRefusal, Rule};
use study::protocol::Protocol;
use study::roster::{Member, Roster};
use tempfile::TempDir;

use crate::study_files::{HEADER, protocol_text};

/// One reviewer and no rule about counts of this site alone.
const ONE: &str = "minimum_sites = 3\napprovals = 1";
const TWO: &str = "minimum_sites = 3";

/// A site with its state directory and file.
struct Site {
    folder: TempDir,
    identity: SigningIdentity,
    coordinator: SigningIdentity,
}

impl Site {
    fn new(patients: usize) -> Site {
        let key = |n: u8| SigningIdentity::from_bytes(&[n; 32]);
        let site = Site { folder: tempfile::tempdir().unwrap(), identity: key(1), coordinator: key(9) };
        site.write(patients);
        site
    }

    fn write(&self, patients: usize) {
        let row = |i: usize| format!("p{i},{},50,II,{},{i}", ["old", "new"][i % 2], i % 3 % 2);
        let rows: Vec<String> = (0..patients).map(row).collect();
        fs::write(self.data(), format!("{HEADER}\n{}\n", rows.join("\n"))).unwrap();
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("site.csv")
    }

    /// A run of the small study, offered; `sites` is the size of its roster.
    fn offer(&self, run: u8, sites: u8) -> Offer {
        let protocol = protocol_text("");
        let members = (1..=sites).map(|n| Member {
            id: format!("S{n}"),
            legal_name: format!("Hospital {n}"),
            identity: SigningIdentity::from_bytes(&[n; 32]).public(),
        });
        let parsed = Protocol::parse(&protocol).unwrap();
        let manifest = Manifest {
            study: parsed.id,
            run: [run; 16],
            protocol: parsed.digest,
            plan_version: PLAN_VERSION,
            roster: Roster::new(members.collect()).unwrap(),
            coordinator: self.coordinator.public(),
            created: 0,
            expires: u64::MAX,
        };
        let offer = Offer { signature: manifest.sign(&self.coordinator), manifest, protocol };
        save_offer(self.folder.path(), &offer).unwrap();
        offer
    }

    fn approver(&self) -> Approver<'_> {
        let (identity, coordinator) = (&self.identity, self.coordinator.public());
        Approver { state_dir: self.folder.path(), identity, coordinator }
    }

    /// By somebody with an account that nobody else has.
    fn approve(&self, offer: &Offer, policy: &str, name: &str) -> Result<Approved, ApproveError> {
        self.approve_by(offer, policy, name, &account::plain(name))
    }

    fn approve_by(&self, offer: &Offer, policy: &str, name: &str, account: &str) -> Result<Approved, ApproveError> {
        let person = Person::of_account(name, account.to_owned(), 1_000);
        approve(&self.approver(), offer, &self.data(), policy, &person)
    }

    fn page(&self, offer: &Offer, policy: &str, preview: bool) -> String {
        let policy = read_policy(policy).unwrap();
        let protocol = Protocol::parse(&offer.protocol).unwrap();
        let loaded = csv::load(&self.data(), &protocol, study::policy::BadValues::Refuse).unwrap();
        let inspection = Inspection {
            approver: self.approver(),
            offer,
            protocol: &protocol,
            policy: &policy,
            people: consented(self.folder.path(), &offer.manifest.digest()).unwrap(),
            preview: preview.then_some(&loaded),
        };
        inspection.page().unwrap()
    }
}

fn rule(result: Result<Approved, ApproveError>) -> &'static str {
    result.map(|_| ()).expect_err("refused").code()
}

#[test]
fn two_people_approve_where_the_policy_asks_for_two() {
    let site = Site::new(40);
    let offer = site.offer(1, 3);
    assert!(site.approve(&offer, TWO, "First Reviewer").unwrap().run.is_none());
    assert!(runs(site.folder.path()).unwrap().is_empty(), "nothing can run yet");
    assert_eq!(offers(site.folder.path()).unwrap().len(), 1);
    let again = site.approve(&offer, TWO, "first  reviewer").unwrap_err();
    let same = PolicyRefusal::SamePerson { name: "first reviewer".into(), approvals: 2 };
    assert!(matches!(&again, ApproveError::Policy(refusal) if *refusal == same), "{again}");
    assert_eq!(again.code(), Rule::Approvals.id());
    let run = site.approve(&offer, TWO, "Second Reviewer").unwrap().run.expect("the second completes");
    let names: Vec<&str> = run.people.iter().map(|person| person.name.as_str()).collect();
    assert_eq!(names, ["First Reviewer", "Second Reviewer"]);
    assert!(run.people.iter().all(|person| !person.account.is_empty()));
    assert_eq!(run.approved(), 1_000);
    assert!(offers(site.folder.path()).unwrap().is_empty());
    assert_eq!(runs(site.folder.path()).unwrap()[0].people, run.people, "read back");
}

/// One person with a shell and two names: every way in which one account can come twice.
#[test]
fn one_account_does_not_approve_as_two_people() {
    let site = Site::new(40);
    let by_sudo = "agent (uid 998), sudo by alice (uid 1001)";
    let again = [
        by_sudo,
        "root (uid 0), sudo by alice (uid 1001)",
        "alice (uid 1001)",
        "uid 1001",
        "agent (uid 998), sudo by another_name (uid 1001)",
        "agent (uid 998), sudo by bob (uid 1002), login alice (uid 1001)",
    ];
    for (n, account) in (1..).zip(again) {
        let offer = site.offer(n, 3);
        assert!(site.approve_by(&offer, TWO, "First Reviewer", by_sudo).unwrap().run.is_none());
        let refused = site.approve_by(&offer, TWO, "Second Reviewer", account).unwrap_err();
        let same = PolicyRefusal::SameAccount { account: account.into(), approvals: 2 };
        assert!(matches!(&refused, ApproveError::Policy(refusal) if *refusal == same), "{refused}");
        assert_eq!(refused.code(), Rule::Approvals.id());
        assert!(refused.hint().contains("reviewer add"), "{}", refused.hint());
        assert_eq!(consented(site.folder.path(), &offer.manifest.digest()).unwrap().len(), 1, "nothing was added");
    }
    // who really has another account completes it
    let offer = site.offer(99, 3);
    let runs = format!("{TWO}\nmaximum_runs = 99");
    site.approve_by(&offer, &runs, "First Reviewer", by_sudo).unwrap();
    let run = site.approve_by(&offer, &runs, "Second Reviewer", "agent (uid 998), sudo by bob (uid 1002)").unwrap();
    assert!(!run.run.expect("approved").one_account());
}

#[test]
fn a_policy_may_allow_one_account_and_every_record_says_so() {
    let site = Site::new(40);
    let (policy, offer) = (format!("{TWO}\nsame_account = true"), site.offer(1, 3));
    site.approve_by(&offer, &policy, "First Reviewer", "alice (uid 1001)").unwrap();
    let run = site.approve_by(&offer, &policy, "Second Reviewer", "alice (uid 1001)").unwrap().run.expect("approved");
    assert!(run.one_account());
    let said = lines(&run).unwrap();
    assert!(said[1].what.contains("by the account of the first approval"), "{}", said[1].what);
    let report = verify(&[export(&run, &site.identity).unwrap()]);
    assert!(report.holds(), "{:?}", report.findings);
    assert_eq!(report.bundles[0].one_account.as_deref(), Some("alice (uid 1001)"));
    let page = report.page(|seconds| seconds.to_string());
    assert!(page.contains("two approvals by one account: alice (uid 1001)"), "{page}");
    assert!(page.contains(&site.identity.public().fingerprint()) && page.contains("site S1, Hospital 1"), "{page}");

    // an agent that lets it pass under another policy is found out
    let mut bundle = export(&run, &site.identity).unwrap();
    let strict = Policy::parse(TWO).unwrap();
    bundle.policy = TWO.into();
    let mut chain = Chain::new(offer.manifest.digest());
    let mut old = chain;
    for entry in &mut bundle.entries {
        let Entry { time, actor, record, .. } = old.next::<SiteRecord>(entry).unwrap();
        let record = match record {
            SiteRecord::Approved { cohort, .. } => SiteRecord::Approved { policy: strict.digest(), cohort },
            other => other,
        };
        *entry = chain.append(time, &actor, &record);
    }
    let report = verify(&[bundle.signed(&site.identity)]);
    let found: Vec<&str> = report.findings.iter().map(|finding| finding.what.as_str()).collect();
    assert_eq!(found, ["two people approved by one account, which the policy does not allow"]);
}

#[test]
fn a_reviewer_has_one_name_and_nobody_else_has_it() {
    let site = Site::new(40);
    let (state, it) = (site.folder.path(), Person::of_account("", "alice (uid 1001)".into(), 1));
    for wrong in ["", "  ", "Two (names)", "line\u{7}", &"x".repeat(101)] {
        assert_eq!(reviewers::add(state, wrong, &it).unwrap_err().code(), "reviewer.name", "{wrong}");
    }
    let first = reviewers::add(state, " First  Reviewer ", &it).unwrap();
    assert_eq!(first.name, "First Reviewer");
    assert_eq!(reviewers::add(state, "FIRST reviewer", &it).unwrap_err().code(), "reviewer.known");
    assert_eq!(reviewers::let_in(state, "Second", &it).unwrap_err().code(), "reviewer.unknown");
    reviewers::let_in(state, "first reviewer", &it).unwrap();
    assert_eq!(reviewers::list(state).unwrap(), std::slice::from_ref(&first));

    let offer = site.offer(1, 3);
    let taken = site.approve_by(&offer, TWO, "first REVIEWER", "alice (uid 1001)").unwrap_err();
    assert_eq!(taken.code(), "approve.reviewer", "an account of the machine does not approve under a reviewer's name");
    let approved = |person: &Person| approve(&site.approver(), &offer, &site.data(), TWO, person);
    assert!(approved(&first.person(1_000)).unwrap().run.is_none());
    assert_eq!(approved(&first.person(1_001)).unwrap_err().code(), Rule::Approvals.id());
    let second = reviewers::add(state, "Second Reviewer", &it).unwrap();
    let run = approved(&second.person(1_002)).unwrap().run.expect("two reviewers");
    let accounts: Vec<&str> = run.people.iter().map(|person| person.account.as_str()).collect();
    assert_eq!(accounts, ["reviewer:First Reviewer", "reviewer:Second Reviewer"]);

    reviewers::remove(state, "FIRST reviewer", &it).unwrap();
    assert_eq!(reviewers::of_id(state, &first.id).unwrap(), None);
    let again = reviewers::add(state, "First Reviewer", &it).unwrap();
    assert_ne!(again.id, first.id, "another one of the same name");
    let said: Vec<DecisionRecord> = decisions(state).unwrap().into_iter().map(|entry| entry.record).collect();
    let name = || "First Reviewer".to_owned();
    for record in [
        DecisionRecord::ReviewerNamed { name: name() },
        DecisionRecord::ReviewerLink { name: name() },
        DecisionRecord::ReviewerRemoved { name: name() },
    ] {
        assert!(said.contains(&record), "{record:?}");
    }
}

/// The agent may write an offer's folder after somebody has consented: it appears whole, and the consent stands.
#[test]
fn a_consent_does_not_stand_in_the_way_of_the_offer() {
    let site = Site::new(40);
    let offer = site.offer(1, 3);
    fs::remove_dir_all(site.folder.path().join("offers")).unwrap();
    assert!(site.approve(&offer, TWO, "First Reviewer").unwrap().run.is_none());
    assert!(offers(site.folder.path()).unwrap().is_empty());
    save_offer(site.folder.path(), &offer).unwrap();
    assert_eq!(offers(site.folder.path()).unwrap().len(), 1);
    assert!(site.approve(&offer, TWO, "Second Reviewer").unwrap().run.is_some());
}

#[test]
fn a_first_consent_is_to_one_policy_and_one_cohort() {
    let site = Site::new(40);
    let offer = site.offer(1, 3);
    assert!(site.approve(&offer, TWO, "First Reviewer").unwrap().run.is_none());
    site.write(41);
    assert!(site.approve(&offer, TWO, "Second Reviewer").unwrap().run.is_none(), "the file is another");
    let other = format!("{TWO}\nminimum_patients = 50");
    assert!(site.approve(&offer, &other, "First Reviewer").unwrap().run.is_none(), "the policy is another");
    assert!(site.approve(&offer, &other, "Second Reviewer").unwrap().run.is_some());
}

#[test]
fn a_site_remembers_whom_it_analysed() {
    let site = Site::new(40);
    assert!(site.approve(&site.offer(1, 3), ONE, "First Reviewer").unwrap().run.is_some());
    assert!(site.approve(&site.offer(2, 3), ONE, "First Reviewer").unwrap().run.is_some(), "the same patients");
    assert_eq!(rule(site.approve(&site.offer(3, 4), ONE, "First Reviewer")), "policy.differencing", "another roster");
    site.write(39);
    let fewer = site.offer(4, 3);
    assert_eq!(rule(site.approve(&fewer, ONE, "First Reviewer")), "policy.differencing", "one patient fewer");
    // removing a run's folder does not make the site forget
    fs::remove_dir_all(site.folder.path().join("runs")).unwrap();
    assert_eq!(rule(site.approve(&fewer, ONE, "First Reviewer")), "policy.differencing");
    let allowed = format!("{ONE}\nallow_differencing = true");
    assert!(site.approve(&fewer, &allowed, "First Reviewer").unwrap().run.is_some());
    assert_eq!(rule(site.approve(&site.offer(5, 3), &allowed, "First Reviewer")), "policy.maximum_runs");
    // neither an identifier nor a file that others can read
    for entry in fs::read_dir(site.folder.path().join("memory")).unwrap().map(Result::unwrap) {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let bytes = fs::read(entry.path()).unwrap();
        assert!(!bytes.windows(3).any(|w| w == b"p39" || w == b"p12"));
    }
    // without its salt the memory compares nothing: refused, not forgotten
    fs::remove_file(site.folder.path().join("memory/salt")).unwrap();
    assert_eq!(rule(site.approve(&site.offer(6, 3), &allowed, "First Reviewer")), "run.damaged");
}

/// The memory of one site compares nothing at another, and what the ledger names is remembered.
#[test]
fn a_memory_of_another_site_or_with_a_gap_is_refused() {
    let (site, other) = (Site::new(40), Site { identity: SigningIdentity::from_bytes(&[2; 32]), ..Site::new(40) });
    for site in [&site, &other] {
        assert!(site.approve(&site.offer(1, 3), ONE, "First Reviewer").unwrap().run.is_some());
    }
    let memory = |site: &Site| site.folder.path().join("memory");
    let kept = |site: &Site| memory(site).join(site.offer(1, 3).manifest.digest().to_string());
    let (salt, own) = (fs::read(memory(&site).join("salt")).unwrap(), fs::read(kept(&site)).unwrap());
    let near = site.offer(2, 3);
    let code = || rule(site.approve(&near, ONE, "First Reviewer"));
    // another site's salt, then its whole memory
    fs::copy(memory(&other).join("salt"), memory(&site).join("salt")).unwrap();
    assert_eq!(code(), "run.foreign");
    fs::copy(kept(&other), kept(&site)).unwrap();
    assert_eq!(code(), "run.foreign");
    // a file of it is gone
    fs::write(memory(&site).join("salt"), salt).unwrap();
    fs::remove_file(kept(&site)).unwrap();
    assert_eq!(code(), "run.damaged");
    fs::write(kept(&site), own).unwrap();
    assert!(site.approve(&near, ONE, "First Reviewer").unwrap().run.is_some(), "as it was");
}

/// A decision is final: neither a folder that is gone nor a mark that is gone opens it again.
#[test]
fn what_was_decided_is_not_decided_again() {
    let site = Site::new(40);
    let (one, two) = (site.offer(1, 3), site.offer(2, 3));
    assert!(site.approve(&one, ONE, "First Reviewer").unwrap().run.is_some());
    assert_eq!(rule(site.approve(&one, ONE, "First Reviewer")), "approve.decided");
    fs::remove_dir_all(site.folder.path().join("runs")).unwrap();
    assert_eq!(rule(site.approve(&one, ONE, "First Reviewer")), "approve.decided");
    let offered = offers(site.folder.path()).unwrap();
    let offered = offered.iter().find(|offered| offered.offer == two).unwrap();
    reject(site.folder.path(), offered, &Person::here("", 2_000), "too fine").unwrap();
    fs::remove_file(site.folder.path().join("offers").join(two.manifest.digest().to_string()).join("rejected"))
        .unwrap();
    assert_eq!(rule(site.approve(&two, ONE, "First Reviewer")), "approve.decided");
}

/// People decide at once, while the agent hears the offer again and again: one decision stands, in the ledger and on disk, and
/// none is lost.
#[test]
fn decisions_and_offers_at_the_same_time_leave_one_decision() {
    let (mut approved, mut rejected) = (0, 0);
    for round in 0..24_u8 {
        let site = Site::new(40);
        let offer = site.offer(round, 3);
        let digest = offer.manifest.digest();
        let offered = offers(site.folder.path()).unwrap().swap_remove(0);
        let pause = |turns: u8| {
            for _ in 0..u32::from(turns) * 400 {
                std::hint::spin_loop();
            }
        };
        let (approvals, rejections) = std::thread::scope(|threads| {
            let agent = threads.spawn(|| {
                // what the agent does with an offer: it keeps it unless the run is there already
                for _ in 0..30 {
                    if !site.folder.path().join("runs").join(digest.to_string()).exists() {
                        save_offer(site.folder.path(), &offer).unwrap();
                    }
                    let waiting = offers(site.folder.path()).unwrap().iter().any(|o| o.offer == offer);
                    let decided = runs(site.folder.path()).unwrap().iter().any(|run| run.manifest == offer.manifest);
                    // between the two looks it may have gone from the one to the other
                    assert!(waiting || decided || !runs(site.folder.path()).unwrap().is_empty(), "the run is lost");
                }
            });
            let approving: Vec<_> = ["First Reviewer", "Second Reviewer"]
                .map(|name| {
                    let (site, offer) = (&site, &offer);
                    threads.spawn(move || {
                        pause(round % 5);
                        site.approve(offer, ONE, name).map(|approved| approved.run.is_some())
                    })
                })
                .into();
            let rejecting = threads.spawn(|| {
                pause(round / 5);
                reject(site.folder.path(), &offered, &Person::here("", 2_000), "another study")
            });
            agent.join().unwrap();
            let approvals: Vec<_> = approving.into_iter().map(|thread| thread.join().unwrap()).collect();
            (approvals, rejecting.join().unwrap())
        });
        let taken = approvals.iter().filter(|result| matches!(result, Ok(true))).count();
        assert_eq!(taken + usize::from(rejections.is_ok()), 1, "{approvals:?} {rejections:?}");
        for refused in approvals.into_iter().filter_map(Result::err).chain(rejections.err()) {
            assert_eq!(refused.code(), "approve.decided");
        }
        let entries = decisions(site.folder.path()).unwrap();
        let count = |wanted: fn(&DecisionRecord) -> bool| entries.iter().filter(|entry| wanted(&entry.record)).count();
        let of_ledger = [
            count(|record| matches!(record, DecisionRecord::Approved { .. })),
            count(|record| matches!(record, DecisionRecord::Rejected { .. })),
            count(|record| matches!(record, DecisionRecord::Offered { .. })),
        ];
        assert_eq!(of_ledger, [taken, 1 - taken, 1]);
        let runs = runs(site.folder.path()).unwrap();
        assert_eq!(runs.len(), taken);
        if let Some(run) = runs.first() {
            run.check(&site.identity, &draw_key(site.folder.path()).unwrap()).unwrap();
        } else {
            assert!(offers(site.folder.path()).unwrap()[0].rejected);
        }
        approved += taken;
        rejected += 1 - taken;
    }
    println!("{approved} approved, {rejected} rejected");
}

/// Whoever looks while an approval is taken back sees it whole: the signed withdrawal, or none yet.
#[test]
fn a_withdrawal_appears_whole() {
    for round in 0..12 {
        let site = Site::new(40);
        let run = site.approve(&site.offer(round, 3), ONE, "First Reviewer").unwrap().run.unwrap();
        let key = draw_key(site.folder.path()).unwrap();
        std::thread::scope(|threads| {
            let people: Vec<_> = ["no longer", "nor this"]
                .map(|reason| {
                    let (run, identity) = (&run, &site.identity);
                    threads.spawn(move || withdraw(run, identity, &Person::here("", 2_000), reason))
                })
                .into();
            loop {
                let there = run.is_withdrawn();
                let signed = withdrawal(&run.path).unwrap();
                assert!(!there || signed.is_some(), "a withdrawal without its signature");
                // a check in between waits for the file that the ledger names
                run.check(&site.identity, &key).unwrap();
                if signed.is_some() {
                    break;
                }
            }
            for person in people {
                person.join().unwrap().unwrap();
            }
        });
        let manifest = run.manifest.digest();
        let withdrawn = |entry: &Entry<DecisionRecord>| matches!(&entry.record, DecisionRecord::Withdrawn { manifest: of, .. } if *of == manifest);
        let entries = decisions(site.folder.path()).unwrap();
        assert_eq!(entries.iter().filter(|entry| withdrawn(entry)).count(), 1, "the first reason stays");
    }
}

/// What an approval binds: the run is refused with anything else, and a missing key of draws is not made anew.
#[test]
fn an_approval_binds_the_key_of_the_draws() {
    let site = Site::new(40);
    let run = site.approve(&site.offer(1, 3), ONE, "First Reviewer").unwrap().run.unwrap();
    let key = draw_key(site.folder.path()).unwrap();
    run.check(&site.identity, &key).unwrap();
    let foreign = |result: Result<(), FolderError>| result.map_err(|e| e.code());
    assert_eq!(foreign(run.check(&site.identity, &DrawKey::from_bytes(&[5; 32]))), Err("run.foreign"));
    assert_eq!(foreign(run.check(&SigningIdentity::from_bytes(&[2; 32]), &key)), Err("run.foreign"));
    fs::remove_file(site.folder.path().join("identity/draws.key")).unwrap();
    assert_eq!(rule(site.approve(&site.offer(2, 3), ONE, "First Reviewer")), "identity_no_draw_key");
}

#[test]
fn the_page_says_what_leaves_and_what_each_rule_says() {
    let site = Site::new(7);
    let offer = site.offer(1, 3);
    let page = site.page(&offer, "", true);
    for rule in Rule::ALL {
        assert!(page.contains(rule.id()) && page.contains(rule.sentence()), "{}", rule.id());
    }
    for says in [
        "Attrition             6 numbers  how many patients remain",
        "Levels                6 numbers  how many patients of each arm have each level of a variable, or none: response",
        "LogisticStep           about ",
        "log likelihood, slope and curvature of a logistic regression",
        "Who can open the sums, under opening = \"results\":",
        "the coordinator reads no sum; that the release follows from the sums is what all sites sign",
        "the coordinator: no number, only the results that all sites sign",
        "the sites alone: about ",
        "REFUSES: the study has 3 sites, this site's policy asks for at least 5",
        "rows of the file (control, treated, neither)     4*  3*  0",
        "response missing (control, treated)              0  0",
        "It cannot be approved here.",
    ] {
        assert!(page.contains(says), "`{says}` is not in\n{page}");
    }
    assert!(!page.contains("p3"), "no identifier of a patient");
    assert!(runs(site.folder.path()).unwrap().is_empty(), "looking decides nothing");

    site.approve(&offer, TWO, "First Reviewer").unwrap();
    let own = site.identity.public().fingerprint();
    let trusted = format!("{TWO}\ntrusted_sites = [\"{own}\"]");
    let page = site.page(&offer, &trusted, false);
    assert!(page.contains(&format!("{own}  vouched for")) && page.matches("NOT vouched for").count() == 2, "{page}");
    assert!(page.contains("Approved by First Reviewer"), "{page}");
    assert!(page.contains("policy.differencing          is checked at approval, with the file"), "{page}");

    site.approve(&offer, TWO, "Second Reviewer").unwrap();
    site.write(6);
    let near = site.page(&site.offer(2, 3), TWO, true);
    assert!(near.contains("policy.differencing          REFUSES: the analysed patients differ"), "{near}");
}

#[test]
fn a_withdrawal_is_signed_and_stays() {
    let site = Site::new(40);
    let offer = site.offer(1, 3);
    let run = site.approve(&offer, ONE, "First Reviewer").unwrap().run.unwrap();
    assert_eq!(withdrawal(&run.path).unwrap(), None);
    withdraw(&run, &site.identity, &Person::here("", 2_000), "the board decided otherwise").unwrap();
    let stored = withdrawal(&run.path).unwrap().expect("withdrawn");
    assert_eq!(stored.verify(&offer.manifest.roster), Ok(()));
    assert_eq!((stored.site, stored.manifest, stored.code()), (0, offer.manifest.digest(), "approve.withdrawn"));
}
