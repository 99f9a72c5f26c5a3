// The site agent's pages: review, approve with two people, reject, follow, ledger, health, withdraw; and what is refused.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { after, before, test } from "node:test";
import { Person, startBrowser } from "./browser.mjs";
import { Federation, until } from "./federation.mjs";

const SITES = ["S01", "S04", "S06", "S10", "S13"];
const PROTOCOL = "protocol-month.toml";
// Five of 45 files: fewer patients than the example's own policy asks for, and two people who approve.
const POLICY = `
minimum_sites = 3
minimum_patients = 50
minimum_cell = 2
minimum_pair = 0
rows_per_parameter = 1
events_per_parameter = 0
maximum_runs = 9
`;
const HOSTILE = `<script>globalThis.taken = 1</script><img src=x onerror="globalThis.taken = 2"> =1+1 \u202Eright to left ${"x".repeat(90)}`;

let federation, browser, site, run, reviewer;
// What must not be in a log: logins, cookies, fields of forms.
const secrets = [];

// Patients of the first site are marked: no page may ever show one.
const marked = (id, text) => {
    if (id !== SITES[0]) return text;
    const [header, ...rows] = text.trimEnd().split("\n");
    return [header, ...rows.map((row, i) => row.replace(/^[^,]*/, `canary${i}`)), ""].join("\n");
};

// A person who has signed in to the site's pages.
async function signedIn(options, name) {
    const person = await Person.at(browser, options);
    const link = name ? await site.reviewerLogin(name) : await site.login();
    await person.open(link);
    await person.press("Sign in");
    const cookies = await person.context.cookies();
    secrets.push(new URL(link).searchParams.get("token"), ...cookies.map(({ value }) => value));
    return person;
}

// On every page that a test leaves behind.
async function check(person, name) {
    await person.check(name);
    assert.ok(!(await person.page.content()).includes("canary"), `${name} shows a patient`);
}

before(async () => {
    federation = await Federation.start({
        study: "relapsed-myeloma",
        sites: SITES,
        withPages: SITES.slice(0, 1),
        policy: POLICY,
        data: marked,
    });
    site = federation.sites[SITES[0]];
    browser = await startBrowser({ hosts: ["rebound.test"] });
    run = await federation.offer(PROTOCOL);
    await federation.offered(site, run);
});

after(async () => {
    await browser?.close();
    await federation?.stop();
});

test("nobody comes in without a login, and a login lets in once", async () => {
    const stranger = await Person.at(browser);
    for (const page of ["/", "/health", "/offers/0", "/runs/0"]) await stranger.open(site.pages + page, 401);
    assert.match(await stranger.text(), /You are not signed in/);
    assert.ok(!(await stranger.text()).includes(site.id), "a stranger does not learn whose agent it is");
    await check(stranger, "site-stranger");

    const link = await site.login();
    await stranger.open(link);
    await check(stranger, "site-login");
    await stranger.open(link);
    await stranger.press("Sign in");
    assert.match(await stranger.text(), /Waiting for a decision/);
    await stranger.press("Sign out", 401);
    await stranger.open(link);
    await stranger.press("Sign in", 401);
    assert.match(await stranger.text(), /web\.login_used/);
    await stranger.context.close();
});

test("two people read what would leave, and approve by accounts of their own", async () => {
    reviewer = await signedIn();
    assert.match(await reviewer.text(), new RegExp(run));
    await check(reviewer, "site-studies-waiting");
    await reviewer.picture("site-studies");
    await reviewer.page.getByRole("link", { name: `Review ${run}` }).click();
    const said = await reviewer.text();
    for (const word of ["Who takes part", "Hospital S04", "What would leave", "This site's own counts", "policy.minimum_sites"]) {
        assert.ok(said.includes(word), word);
    }
    // the page says what the command line says
    const inspected = await site.command("study", "inspect", run, "--data", `${site.dir}/data.csv`);
    const [asked] = inspected.split("Round 1 asks")[1].split("Later rounds");
    const lines = [...asked.matchAll(/^  (\w+) +(\d+) numbers  (.*)$/gm)].map(([, ...parts]) => parts.join("\t"));
    const rows = reviewer.page.getByRole("table", { name: "Round 1" }).locator("tbody tr");
    assert.ok(lines.length > 5);
    assert.deepEqual(await rows.allInnerTexts(), lines);
    const small = [...inspected.matchAll(/\d\*/g)].length;
    assert.ok(small > 0, "the example has small counts");
    assert.equal(await reviewer.page.locator("td.small").count(), small);
    await check(reviewer, "site-review");
    await reviewer.picture("site-review");
    await reviewer.picture("site-preview", reviewer.page.getByRole("heading", { name: "This site's own counts" }));

    await reviewer.page.getByLabel("Your name").fill("First Reviewer");
    await reviewer.press("Approve");
    assert.match(await reviewer.text(), /1 of 2: First Reviewer/);
    await reviewer.page.getByLabel("Your name").fill("first  reviewer");
    await reviewer.press("Approve", 409);
    assert.match(await reviewer.text(), /policy\.approvals/);
    await check(reviewer, "site-refused");

    // another name by the same account: at the pages, by a link of its own, and at the command line
    const disguised = await signedIn();
    await disguised.page.getByRole("link", { name: `Review ${run}` }).click();
    await disguised.page.getByLabel("Your name").fill("Second Reviewer");
    await disguised.press("Approve", 409);
    assert.match(await disguised.text(), /policy\.approvals/);
    assert.match(await disguised.text(), /accounts of their own/);
    await check(disguised, "site-one-account");
    await disguised.context.close();
    assert.match(await site.refused("study", "approve", run, "--as", "Third Reviewer"), /policy\.approvals/);

    // the second person has a login of their own, no field for a name, and no script
    const second = await signedIn({ javaScriptEnabled: false }, "Second Reviewer");
    assert.match(await second.text(), /S01 · Second Reviewer/);
    await second.page.getByRole("link", { name: `Review ${run}` }).click();
    assert.equal(await second.page.getByLabel("Your name").count(), 0);
    assert.match(await second.text(), /You decide as Second Reviewer/);
    await second.press("Approve");
    assert.match(await second.text(), /Second Reviewer \(account reviewer:Second Reviewer\)/);
    assert.ok(!(await second.text()).includes("one account"));
    assert.match(await second.text(), /waits for the other sites/);
    assert.match(await second.text(), /Nothing has left yet/);
    await second.context.close();
    assert.match(await site.command("study", "list"), new RegExp(`${run}  approved`));
});

test("a page follows the run and shows what left", async () => {
    await reviewer.open(`${site.pages}/`);
    await reviewer.page.getByRole("link", { name: run }).click();
    await reviewer.page.getByText("waits for the other sites").waitFor();
    for (const other of SITES.slice(1)) {
        await federation.offered(federation.sites[other], run);
        await federation.sites[other].approve(run);
    }
    // no click: the script renews the page
    await federation.status(run, "finished");
    await reviewer.page.getByText("finished", { exact: true }).waitFor();
    const sent = reviewer.page.getByRole("row").filter({ hasText: "Sent this site's numbers under masks" });
    const accepted = reviewer.page.getByRole("row").filter({ hasText: "Received the sum over all sites" });
    assert.ok((await sent.count()) > 5);
    assert.equal(await sent.count(), await accepted.count());
    assert.match(await sent.first().innerText(), /answer [0-9a-f]{12}…/);
    await check(reviewer, "site-ledger");
    await reviewer.picture("site-ledger");
    await reviewer.open(`${site.pages}/`);
    await check(reviewer, "site-studies");
});

test("a hostile offer is shown harmlessly and rejected with a reason", async () => {
    const title = (text) => text.replace(/^title = .*$/m, `title = ${JSON.stringify(HOSTILE)}`);
    const other = await federation.offer(PROTOCOL, title);
    await federation.offered(site, other);
    await reviewer.open(`${site.pages}/`);
    await reviewer.page.getByText("<script>globalThis.taken").first().waitFor();
    await check(reviewer, "hostile-studies");
    await reviewer.page.getByRole("link", { name: `Review ${other}` }).click();
    await check(reviewer, "hostile-review");
    assert.equal(await reviewer.page.evaluate(() => globalThis.taken), undefined);
    await reviewer.page.getByLabel("Reason, kept at this site").fill("=cmd|' /C calc'!A0 <b>no</b>");
    await reviewer.press("Reject");
    assert.match(await reviewer.text(), /Rejected/);
    assert.match(await federation.status(other, "rejects"), /approve\.rejected/);
    await reviewer.page.getByRole("link", { name: other }).click();
    assert.match(await reviewer.text(), /This site has rejected the study/);
    assert.equal(await reviewer.page.getByRole("button", { name: "Approve" }).count(), 0);
});

test("a reviewer decides under one name, and is a stranger once removed", async () => {
    const other = await federation.offer(PROTOCOL);
    await federation.offered(site, other);
    const person = await signedIn({}, "Third Reviewer");
    await person.page.getByRole("link", { name: `Review ${other}` }).click();
    // a field that the page does not have
    await person.page.locator('form[action$="/approve"]').evaluate((form) => {
        form.insertAdjacentHTML("beforeend", '<input name="name" value="Somebody Else">');
    });
    await person.press("Approve");
    assert.match(await person.text(), /1 of 2: Third Reviewer \(account reviewer:Third Reviewer\)/);
    await person.press("Approve", 409);
    assert.match(await person.text(), /policy\.approvals/);
    assert.match(await site.refused("study", "approve", other, "--as", "third reviewer"), /approve\.reviewer/);

    await site.command("reviewer", "remove", "Third Reviewer");
    await person.open(`${site.pages}/`, 401);
    assert.match(await site.command("audit", "decisions"), /makes a link for the reviewer Third Reviewer/);
    await person.context.close();
});

test("one account may approve where the policy says so, and it is said", async () => {
    const other = await federation.offer(PROTOCOL);
    await federation.offered(site, other);
    await site.approve(other);
    await reviewer.open(`${site.pages}/`);
    await reviewer.page.getByRole("link", { name: other }).click();
    assert.match(await reviewer.text(), /Two approvals by one account/);
    assert.match(await reviewer.text(), /by the account of the first approval/);
    await check(reviewer, "site-one-account-allowed");
    assert.match(await site.command("audit", "decisions"), /by the account of an earlier consent/);
    const bundle = path.join(site.dir, "one-account.bundle");
    await site.command("audit", "export", other, "--out", bundle);
    const page = await site.command("audit", "verify", bundle);
    assert.match(page, /two approvals by one account: /);
    assert.match(page, /[0-9a-f]{4}(-[0-9a-f]{4}){15}  site S01, Hospital S01/);
});

test("an approval is taken back", async () => {
    const other = await federation.offer(PROTOCOL);
    await federation.offered(site, other);
    await site.approve(other);
    await reviewer.open(`${site.pages}/`);
    await reviewer.page.getByRole("link", { name: other }).click();
    await reviewer.page.getByText("Withdraw from this run").click();
    await reviewer.page.getByLabel("Your name").fill("First Reviewer");
    await reviewer.page.getByLabel("Reason, kept at this site").fill("the board decided otherwise");
    await check(reviewer, "site-withdraw");
    await reviewer.press("Withdraw");
    assert.match(await reviewer.text(), /withdrawn/);
    assert.match(await federation.status(other, "withdrawn"), /approve\.withdrawn/);
});

test("a refusal names its rule", async () => {
    writeFileSync(path.join(site.dir, "policy.toml"), POLICY.replace("minimum_patients = 50", "minimum_patients = 5000"));
    const other = await federation.offer(PROTOCOL);
    for (const each of Object.values(federation.sites)) {
        await federation.offered(each, other);
        await each.approve(other);
    }
    await federation.status(other, "policy.minimum_patients");
    await reviewer.open(`${site.pages}/`);
    await reviewer.page.getByRole("link", { name: other }).click();
    const said = await reviewer.text();
    for (const word of ["refused by this site", "policy.minimum_patients", "only when so many patients are analysed"]) {
        assert.ok(said.includes(word), word);
    }
    await check(reviewer, "site-refusal");
    writeFileSync(path.join(site.dir, "policy.toml"), POLICY);
});

test("other pages, hosts and forms change nothing", async () => {
    const other = await federation.offer(PROTOCOL);
    await federation.offered(site, other);
    await reviewer.open(`${site.pages}/`);
    await reviewer.page.getByRole("link", { name: `Review ${other}` }).click();
    const forms = reviewer.page.locator('form[action$="/approve"]');
    const fields = await forms.evaluate((form) => Object.fromEntries(new FormData(form)));
    const action = await forms.evaluate((form) => form.action);
    assert.equal(fields.csrf.length, 64);
    secrets.push(fields.csrf);

    // a page of another program on this machine, to which the browser even sends the cookie along
    const hidden = Object.entries({ ...fields, name: "Somebody" }).map(([k, v]) => `<input name="${k}" value="${v}">`);
    const trap = createServer((_, answer) => {
        answer.setHeader("content-type", "text/html");
        answer.end(`<title>trap</title><form method="post" action="${action}">${hidden.join("")}<button>Go</button></form>`);
    });
    await new Promise((resolve) => trap.listen(0, "127.0.0.1", resolve));
    const visitor = await reviewer.context.newPage();
    await visitor.goto(`http://127.0.0.1:${trap.address().port}/`);
    await visitor.getByRole("button").click();
    await visitor.getByText("web.origin").waitFor();
    trap.close();

    // a name that an attacker points to this machine
    const port = new URL(site.pages).port;
    const answer = await visitor.goto(`http://rebound.test:${port}/`);
    assert.equal(answer.status(), 421);
    await visitor.close();

    // the right form, but not of this session; and a session that is over
    await forms.evaluate((form) => { form.elements.csrf.value = "0".repeat(64); });
    await reviewer.page.getByLabel("Your name").fill("First Reviewer");
    await reviewer.press("Approve", 403);
    assert.match(await reviewer.text(), /web\.form/);
    // looking changes nothing
    await reviewer.open(action, 405);
    assert.match(await site.command("study", "list"), new RegExp(`${other}  waits for a decision`));
});

test("the keyboard reaches everything", async () => {
    await reviewer.open(`${site.pages}/`);
    await reviewer.page.keyboard.press("Tab");
    const focused = () => reviewer.page.evaluate(() => document.activeElement.textContent.trim());
    assert.equal(await focused(), "Skip to the content");
    await reviewer.page.keyboard.press("Enter");
    assert.equal(await reviewer.page.evaluate(() => document.activeElement.id), "main");
    await reviewer.page.keyboard.press("Tab");
    assert.match(await focused(), /^Review relapsed-myeloma-month-/);
    await reviewer.page.keyboard.press("Enter");
    await reviewer.page.getByRole("heading", { name: "Who takes part" }).waitFor();
});

test("health says how the agent is", async () => {
    await reviewer.open(`${site.pages}/health`);
    const said = await reviewer.text();
    for (const word of ["connected", "Hospital S01", "valid", "as approved", "GB"]) assert.ok(said.includes(word), word);
    await check(reviewer, "site-health");
    // who is on a link stays there while the page renews itself
    await reviewer.page.getByRole("link", { name: run }).focus();
    await federation.coordinator.stop();
    await reviewer.page.getByText("not connected").waitFor();
    assert.equal(await reviewer.page.evaluate(() => document.activeElement.textContent), run);
    await until("the failed attempt is explained", async () => (await reviewer.text()).includes("connect_unreachable"));
    await check(reviewer, "site-health-away");
});

test("the log has no login, cookie, form or patient", async () => {
    const log = readFileSync(site.log, "utf8");
    assert.match(log, /pages are served/);
    assert.ok(log.includes(" TRACE ") || process.env.ENTENTE_LOG, "everything is logged");
    assert.ok(secrets.length >= 5 && secrets.every((secret) => secret.length === 64));
    for (const secret of secrets) assert.ok(!log.includes(secret));
    assert.ok(!log.includes("canary"));
});
