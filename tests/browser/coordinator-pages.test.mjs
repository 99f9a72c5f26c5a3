// The coordinator's pages: a run watched live, results and records read as auditor, a site revoked by the operator; and what
// is refused.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { Person, startBrowser } from "./browser.mjs";
import { Federation, freePort, until } from "./federation.mjs";

const SITES = ["R01", "R02", "R03", "R04"];
const HOSTILE = `<script>globalThis.taken = 1</script><img src=x onerror="globalThis.taken = 2"> =1+1 \u202Eright to left ${"x".repeat(90)}`;

let federation, browser, pages, run, auditor;

// A person with a certificate for a role, made as docs/operator-guide.md says.
async function certified(role, name, options) {
    const { coordinator, dir } = federation;
    const [key, request, certificate] = ["key", "csr", "pem"].map((end) => path.join(dir, `${name}.${end}`.replaceAll(" ", "-")));
    writeFileSync(request, await coordinator.command("role", "request", "--key", key));
    await coordinator.command("role", "issue", "--role", role, "--name", name, "--request", request, "--out", certificate);
    const clientCertificates = [{ origin: pages, certPath: certificate, keyPath: key }];
    return Person.at(browser, { clientCertificates, ignoreHTTPSErrors: true, ...options });
}

// A person who has opened the link of a one-time login.
async function signedIn(role, name, options) {
    const person = await Person.at(browser, { ignoreHTTPSErrors: true, ...options });
    await person.open((await federation.coordinator.command("web", "login", "--role", role, "--name", name)).trim());
    await person.press("Sign in");
    return person;
}

before(async () => {
    const port = await freePort();
    pages = `https://127.0.0.1:${port}`;
    federation = await Federation.start({ study: "rotterdam", sites: SITES, coordinator: `web_listen = "127.0.0.1:${port}"\n` });
    browser = await startBrowser();
    run = await federation.offer("protocol-quarter.toml");
    for (const site of Object.values(federation.sites)) await federation.offered(site, run);
    auditor = await certified("auditor", "First Auditor");
});

after(async () => {
    await browser?.close();
    await federation?.stop();
});

test("nobody comes in without a role", async () => {
    const stranger = await Person.at(browser, { ignoreHTTPSErrors: true });
    for (const page of ["/", "/sites", "/studies", `/studies/${run}`, `/studies/${run}/audit`]) await stranger.open(pages + page, 401);
    await stranger.open(`${pages}/login`);
    await stranger.check("coordinator-login");
    await stranger.page.getByLabel("One-time login").fill("0".repeat(64));
    await stranger.press("Sign in", 401);
    await stranger.context.close();
});

test("a run is watched live from the first approval to the end", async () => {
    await auditor.open(`${pages}/studies`);
    await auditor.check("coordinator-studies");
    await auditor.page.getByRole("link", { name: run }).click();
    await auditor.page.getByText("waits for approval").waitFor();
    await auditor.check("coordinator-run-waiting");
    let loaded = 0;
    auditor.page.on("load", () => (loaded += 1));
    for (const site of Object.values(federation.sites)) await site.approve(run);
    await auditor.page.getByText("finished", { exact: true }).waitFor({ timeout: 120_000 });
    assert.equal(loaded, 0, "the page has renewed itself in place");
    await auditor.page.waitForFunction(() => document.getElementById("progress").innerText.includes("nobody"));
    assert.equal(await auditor.page.getByText("approved", { exact: true }).count(), SITES.length);
    await auditor.check("coordinator-run-finished");
});

test("the auditor reads the results, and they are the files", async () => {
    await auditor.page.getByRole("link", { name: "Results" }).click();
    await auditor.page.getByRole("heading", { name: "Tables" }).waitFor();
    const saved = path.join(federation.dir, "results");
    await federation.coordinator.command("study", "results", run, "--out", saved);
    const shown = await auditor.page.getByRole("link", { name: "estimates.csv" }).getAttribute("href");
    const file = await auditor.context.request.get(pages + shown);
    assert.equal(await file.text(), readFileSync(path.join(saved, "estimates.csv"), "utf8"));
    assert.match(file.headers()["content-disposition"], /^attachment/);
    await auditor.page.getByText("estimates.csv (").click();
    const row = readFileSync(path.join(saved, "estimates.csv"), "utf8").split("\n")[1].split(",").filter((cell) => cell !== "");
    const cells = await auditor.page.getByRole("region", { name: /^estimates.csv/ }).getByRole("row").nth(1).innerText();
    for (const cell of row) assert.ok(cells.includes(cell), cell);
    await auditor.check("coordinator-results");
    const figures = await auditor.page.getByRole("link", { name: /^figures\/.*\.svg$/ }).all();
    assert.ok(figures.length > 0);
    const figure = await auditor.context.request.get(pages + (await figures[0].getAttribute("href")));
    assert.match(await figure.text(), /<svg/);
    // The report is shut in, so that no script runs in it, not even one of this test.
    const address = await auditor.page.getByRole("link", { name: "The report" }).getAttribute("href");
    const report = await auditor.context.request.get(pages + address);
    assert.equal(await report.text(), readFileSync(path.join(saved, "report.html"), "utf8"));
    assert.match(report.headers()["content-security-policy"], /^sandbox; default-src 'none'/);
    await auditor.open(pages + address);
    assert.deepEqual(auditor.complaints, []);
    await auditor.open(`${pages}/studies/${run}/results/..%2F..%2Fauthority%2Fca.key.pem`, 404);
});

test("the auditor reads what was opened, and takes the ledger along", async () => {
    await auditor.open(`${pages}/studies/${run}`);
    const number = (text) => Number(text.replaceAll("\u202f", ""));
    const shown = (await auditor.text()).match(/Numbers opened\s+([\d\u202f]+) by the coordinator, ([\d\u202f]+) by the sites/);
    await auditor.page.getByRole("link", { name: "What was opened" }).click();
    await auditor.page.getByRole("heading", { name: "The coordinator's ledger" }).waitFor();
    assert.ok((await auditor.text()).includes(`opened ${shown[1]} numbers`));
    const kinds = await auditor.page.getByRole("region", { name: "By kind of question" }).getByRole("row").all();
    const sum = [0, 0];
    for (const row of kinds.slice(1)) {
        for (const i of [0, 1]) sum[i] += number(await row.getByRole("cell").nth(i).innerText());
    }
    assert.deepEqual(sum, [number(shown[1]), number(shown[2])], "the kinds add up");
    assert.match(await auditor.text(), /closed by all sites/);
    assert.match(await auditor.text(), /Everything holds/);
    await auditor.check("coordinator-audit");

    const saved = path.join(federation.dir, "taken.ledger");
    const [download] = await Promise.all([
        auditor.page.waitForEvent("download"),
        auditor.page.getByRole("link", { name: "Download the ledger" }).click(),
    ]);
    await download.saveAs(saved);
    assert.match(await federation.coordinator.command("audit", "verify", saved), /Everything holds/);
    const bytes = readFileSync(saved);
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(saved, bytes);
    assert.match(await federation.coordinator.refused("audit", "verify", saved), /audit\./);
});

test("other roles are refused where the table says", async () => {
    await auditor.open(`${pages}/sites`, 403);
    assert.match(await auditor.text(), /pages\.role/);
    await auditor.check("coordinator-refused");
    const analyst = await signedIn("analyst", "First Analyst");
    await analyst.open(`${pages}/studies/${run}/results`);
    await analyst.open(`${pages}/studies/${run}/audit`, 403);
    await analyst.open(`${pages}/sites/R04/revoke`, 403);
    await analyst.open(`${pages}/studies/${run}`);
    assert.equal(await analyst.page.getByRole("link", { name: "What was opened" }).count(), 0);
    await analyst.press("Sign out", 401);
    await analyst.open(`${pages}/studies`, 401);
    await analyst.context.close();
});

test("without script a run's page loads itself again", async () => {
    const reader = await signedIn("analyst", "Second Analyst", { javaScriptEnabled: false });
    await reader.open(`${pages}/studies/${run}`);
    await reader.page.getByRole("link", { name: "every five seconds" }).click();
    await reader.page.waitForURL(/renew=true/);
    await reader.page.waitForEvent("load", { timeout: 15_000 });
    assert.match(await reader.text(), /finished/);
    await reader.context.close();
});

test("hostile text does nothing", async () => {
    const title = (text) => text.replace(/^title = .*$/m, () => `title = ${JSON.stringify(HOSTILE)}`);
    const hostile = await federation.offer("protocol.toml", title);
    for (const [page, name] of [["/studies", "studies"], [`/studies/${hostile}`, "run"]]) {
        await until(`the ${name} page shows the run`, async () => {
            await auditor.page.goto(pages + page);
            return (await auditor.text()).includes("<script>globalThis.taken");
        });
        assert.equal(await auditor.page.evaluate(() => globalThis.taken), undefined);
        auditor.expect(503);
        await auditor.check(`coordinator-hostile-${name}`);
    }
});

test("the keyboard is enough", async () => {
    await auditor.open(`${pages}/studies`);
    await auditor.page.keyboard.press("Tab");
    assert.equal(await auditor.page.evaluate(() => document.activeElement.textContent), "Skip to the content");
    const reached = [];
    for (let i = 0; i < 6; i += 1) {
        await auditor.page.keyboard.press("Tab");
        reached.push(await auditor.page.evaluate(() => document.activeElement.textContent.trim()));
        const outline = await auditor.page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
        if (reached.at(-1) === run) assert.notEqual(outline, "none", "the focus is seen");
    }
    assert.ok(reached.includes(run), reached.join(", "));
    await auditor.page.keyboard.press("Escape");
});

test("the operator revokes a site, and a revoked auditor is out", async () => {
    const operator = await signedIn("operator", "First Operator");
    await operator.page.getByRole("link", { name: "Sites", exact: true }).click();
    await operator.page.getByRole("region", { name: "Enrolled sites" }).waitFor();
    await operator.check("coordinator-sites");
    await operator.page.getByRole("link", { name: "Revoke R04" }).click();
    await operator.page.getByRole("button", { name: "Revoke R04" }).waitFor();
    await operator.check("coordinator-revoke");
    await operator.press("Revoke R04");
    const row = operator.page.getByRole("row").filter({ hasText: "R04" });
    await row.getByText("revoked").waitFor();
    await row.getByText("away").waitFor();
    await federation.coordinator.command("role", "revoke", "First Auditor");
    const refused = await auditor.page.goto(`${pages}/studies`).then((answer) => answer.status(), () => "no connection");
    assert.ok([403, "no connection"].includes(refused), String(refused));
    await operator.context.close();
});
