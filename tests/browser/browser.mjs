// A real browser, and what has to hold on every page.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { chromium } from "playwright-core";
import { PATIENCE } from "./federation.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// Where the pictures of the documents are.
export const IMAGES = new URL("../../docs/images", import.meta.url).pathname;
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 390, height: 844 };

// Starts the browser that ENTENTE_CHROMIUM names. `hosts` are names that it is to find on this machine.
export async function startBrowser({ hosts = [] } = {}) {
    const rules = hosts.map((host) => `MAP ${host} 127.0.0.1`).join(",");
    const args = ["--no-sandbox", "--disable-gpu", ...(rules ? [`--host-resolver-rules=${rules}`] : [])];
    return chromium.launch({ executablePath: process.env.ENTENTE_CHROMIUM ?? "/usr/bin/chromium", args });
}

// A person with a browser profile of their own.
export class Person {
    // `options` go to the browser context, such as `javaScriptEnabled: false`.
    static async at(browser, options = {}) {
        const person = new Person();
        person.context = await browser.newContext({ viewport: WIDE, ...options });
        person.page = await person.context.newPage();
        person.page.setDefaultTimeout(PATIENCE);
        person.complaints = [];
        person.seen = [];
        person.page.on("console", (message) => {
            if (["error", "warning"].includes(message.type())) person.complaints.push(message.text());
        });
        person.page.on("pageerror", (error) => person.complaints.push(String(error)));
        person.page.on("request", (request) => person.seen.push(request.url()));
        return person;
    }

    // Opens a page that must answer with `status`; one that is no success is not held against the page.
    async open(url, status = 200) {
        const answer = await this.page.goto(url);
        assert.equal(answer.status(), status, url);
        this.expect(status);
    }

    // Sends the form of a button; the next page must answer with `status`.
    async press(name, status = 200) {
        const document = (answer) => answer.request().isNavigationRequest() && ![302, 303].includes(answer.status());
        const [answer] = await Promise.all([
            this.page.waitForResponse(document),
            this.page.getByRole("button", { name, exact: true }).click(),
        ]);
        await this.page.waitForLoadState();
        assert.equal(answer.status(), status, `after ${name}`);
        this.expect(status);
    }

    // The browser itself reports an answer of 4xx on its console.
    expect(status) {
        if (status >= 400) this.complaints = this.complaints.filter((text) => !text.includes(`status of ${status}`));
    }

    async text() {
        return this.page.locator("body").innerText();
    }

    // What has to hold on every page: nothing from elsewhere, no complaint of the browser, no finding of axe in either
    // colour scheme, no scrolling sideways on a telephone.
    async check(name) {
        const own = new URL(this.page.url()).origin;
        const elsewhere = this.seen.filter((url) => !url.startsWith(`${own}/`) && !url.startsWith("data:"));
        assert.deepEqual(elsewhere, [], `${name}: requests to elsewhere`);
        for (const colorScheme of ["light", "dark"]) {
            await this.page.emulateMedia({ colorScheme });
            assert.deepEqual(await this.findings(), [], `${name}: accessibility, ${colorScheme}`);
            if (colorScheme === "dark") await this.screenshot(`${name}-dark`);
        }
        await this.page.emulateMedia({ colorScheme: "light" });
        await this.page.setViewportSize(NARROW);
        const width = await this.page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= NARROW.width, `${name}: ${width} px wide on a telephone`);
        await this.screenshot(`${name}-narrow`);
        await this.page.setViewportSize(WIDE);
        await this.screenshot(name);
        assert.deepEqual(this.complaints, [], `${name}: the browser complains`);
    }

    // Serious and critical findings of axe.
    async findings() {
        await this.page.evaluate(AXE);
        const { violations } = await this.page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
        const grave = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
        return grave.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).slice(0, 3).join(" | ")}`);
    }

    // The first screen of a main page for docs/images, where ENTENTE_IMAGES is set; it begins at `at`, if that is given.
    async picture(name, at) {
        if (!process.env.ENTENTE_IMAGES) return;
        await at?.evaluate((element) => element.scrollIntoView());
        await this.page.screenshot({ path: path.join(IMAGES, `${name}.png`) });
    }

    // The whole page, to be looked at, where ENTENTE_SCREENSHOTS names a folder.
    async screenshot(name) {
        const folder = process.env.ENTENTE_SCREENSHOTS;
        if (folder) await this.page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
    }
}
