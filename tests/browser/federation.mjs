// A federation of real processes for the tests: set up with the command lines that people use, on loopback.
//
// ENTENTE_PARTY is the program `party` of the Rust tests: with `__coordinator-program` or `__site-agent-program` before the
// arguments it is the coordinator or the site agent.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

const EXAMPLES = new URL("../../examples", import.meta.url).pathname;
const FINGERPRINT = /(?:[0-9a-f]{4}-){15}[0-9a-f]{4}/;
const run = promisify(execFile);

// A port that was free a moment ago.
export async function freePort() {
    const server = createServer();
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    return port;
}

// The tests share the machine with others: what takes two seconds may take a minute.
export const PATIENCE = 120_000;

// Waits until `what` returns something; at the end of the patience it fails and says what was waited for, a text or what makes one.
export async function until(said, what) {
    const end = Date.now() + PATIENCE;
    for (;;) {
        const found = await what();
        if (found) return found;
        assert.ok(Date.now() < end, `waited in vain: ${typeof said === "function" ? said() : said}`);
        await pause(100);
    }
}

// One of the two programs with its configuration file.
class Program {
    constructor(role, dir, toml) {
        this.role = role;
        this.dir = dir;
        this.config = path.join(dir, "config.toml");
        this.log = path.join(dir, "log");
        mkdirSync(dir, { recursive: true });
        writeFileSync(this.config, toml);
    }

    arguments(words) {
        return [`__${this.role}-program`, "--config", this.config, ...words];
    }

    // Runs a command to its end; what it printed.
    async command(...words) {
        const { stdout } = await run(process.env.ENTENTE_PARTY, this.arguments(words));
        return stdout;
    }

    // Runs a command that must be refused; what it said.
    async refused(...words) {
        const failure = await this.command(...words).then(() => null, (e) => e);
        assert.ok(failure, `${words.join(" ")} was not refused`);
        return failure.stderr;
    }

    // Starts the program's service; it logs all that it can. It ends with this process: its standard input closes.
    start(...words) {
        const log = openSync(this.log, "a");
        const env = { ...process.env, ENTENTE_END_WITH_INPUT: "1", ENTENTE_LOG: process.env.ENTENTE_LOG ?? "trace" };
        this.process = spawn(process.env.ENTENTE_PARTY, this.arguments(words), { env, stdio: ["pipe", "ignore", log] });
        closeSync(log);
    }

    async stop() {
        if (!this.process || this.process.exitCode !== null) return;
        const ended = new Promise((resolve) => this.process.once("exit", resolve));
        this.process.kill("SIGTERM");
        await ended;
        this.process = undefined;
    }
}

// A site: its agent, and its pages where they are asked for.
class Site extends Program {
    constructor(id, dir, pages, connection) {
        const lines = [`state_dir = "state"`, `data = "data.csv"`, `policy = "policy.toml"`];
        if (pages) lines.push(`pages = "127.0.0.1:${pages}"`);
        super("site-agent", dir, lines.concat(connection).join("\n"));
        this.id = id;
        this.pages = pages && `http://127.0.0.1:${pages}`;
    }

    // A link that lets one person in.
    async login() {
        return (await this.command("pages", "login")).trim();
    }

    // A link that lets a reviewer in, who is named if there is none of that name.
    async reviewerLogin(name) {
        const { reviewers } = JSON.parse(await this.command("reviewer", "list", "--format", "json")).data;
        if (!reviewers.some(({ reviewer }) => reviewer === name)) await this.command("reviewer", "add", name);
        return (await this.command("reviewer", "login", name)).trim();
    }

    // Approves a run under two names; the tests have one account, which the policy must allow for that moment.
    async approve(name) {
        const file = path.join(this.dir, "policy.toml");
        const rules = readFileSync(file, "utf8");
        writeFileSync(file, `same_account = true\n${rules}`);
        await this.command("study", "approve", name, "--as", "One Person");
        await this.command("study", "approve", name, "--as", "Another Person");
        writeFileSync(file, rules);
    }
}

export class Federation {
    // A coordinator and agents, enrolled and running. `study` is a folder of examples/, `sites` some of its files;
    // `withPages` those that serve pages; `policy` replaces the example's; `coordinator` is added to its configuration;
    // `data` may change a site's file before it is written.
    static async start({ study, sites, withPages = [], policy, coordinator = "", data = (_, text) => text }) {
        const federation = new Federation();
        federation.dir = mkdtempSync(path.join(tmpdir(), "entente-browser-"));
        federation.study = path.join(EXAMPLES, study);
        const url = `127.0.0.1:${await freePort()}`;
        federation.coordinator = new Program(
            "coordinator",
            path.join(federation.dir, "coordinator"),
            `state_dir = "state"\nname = "Coordinator of the browser tests"\nhosts = ["127.0.0.1"]\n` +
                `url = "https://${url}"\nlisten = "${url}"\n${coordinator}`,
        );
        const [fingerprint] = FINGERPRINT.exec(await federation.coordinator.command("init"));
        const rules = policy ?? readFileSync(path.join(federation.study, "policy.toml"), "utf8");
        federation.sites = {};
        for (const id of sites) {
            const pages = withPages.includes(id) ? await freePort() : undefined;
            const site = new Site(id, path.join(federation.dir, id), pages, []);
            const rows = readFileSync(path.join(federation.study, "sites", `${id}.csv`), "utf8");
            writeFileSync(path.join(site.dir, "data.csv"), data(id, rows));
            writeFileSync(path.join(site.dir, "policy.toml"), rules);
            await federation.enrol(site, fingerprint);
            federation.sites[id] = site;
        }
        federation.coordinator.start("serve");
        for (const site of Object.values(federation.sites)) site.start("run");
        return federation;
    }

    async enrol(site, fingerprint) {
        const [request, enrolled] = ["request", "package"].map((name) => path.join(site.dir, name));
        const legalName = ["--site", site.id, "--legal-name", `Hospital ${site.id}`];
        writeFileSync(request, await site.command("request", ...legalName));
        writeFileSync(enrolled, await this.coordinator.command("site", "approve", request, ...legalName));
        await site.command("accept", enrolled, "--fingerprint", fingerprint);
    }

    // Creates a run from a protocol of the study's folder; `change` may change its text. The run's name.
    async offer(protocol, change = (text) => text) {
        const file = path.join(this.dir, "protocol.toml");
        writeFileSync(file, change(readFileSync(path.join(this.study, protocol), "utf8")));
        return (await this.coordinator.command("study", "create", file)).split("\n")[0].trim();
    }

    // Waits until a site has received a run's offer.
    async offered(site, name) {
        await until(`${site.id} has the offer of ${name}`, async () => (await site.command("study", "list")).includes(name));
    }

    // What `coordinator study status` says once it says `word`.
    async status(name, word) {
        let said = "";
        const looked = async () => {
            said = await this.coordinator.command("study", "status", name);
            return said.includes(word) && said;
        };
        return until(() => `${name} is ${word}; it says: ${said}`, looked);
    }

    async stop() {
        for (const program of [...Object.values(this.sites), this.coordinator]) await program.stop();
        rmSync(this.dir, { recursive: true, force: true });
    }
}
