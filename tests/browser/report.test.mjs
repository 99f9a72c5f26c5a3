// The report of a run as a file: on a screen and a telephone, light and dark, on paper, by keyboard; and each figure alone.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { Person, startBrowser } from "./browser.mjs";
import { Federation } from "./federation.mjs";

const SITES = ["S01", "S04", "S06", "S10", "S13"];
// Five of 45 files, with all that the example's protocol declares: fewer patients than its own policy asks for.
const POLICY = `
minimum_sites = 3
minimum_patients = 50
minimum_cell = 2
minimum_pair = 0
rows_per_parameter = 1
events_per_parameter = 0
finest_grid_days = 1
approvals = 1
`;
// Every part that a report can have: docs/report.md.
const SECTIONS = [
    "findings", "flow", "trial", "baseline", "weights", "survival", "effects", "safety", "contrasts", "absolute", "modification",
    "competing", "checks", "sensitivity", "sites", "failures", "methods", "checklists",
];
const SCREENS = [{ width: 1440, height: 900 }, { width: 390, height: 844 }];
// A4 in points, as a PDF measures, and what the margins of the style sheet leave of its width in pixels.
const A4 = { width: 595, height: 842 };
const PRINTED = Math.floor(((210 - 2 * 14) / 25.4) * 96);

let federation, browser, saved, reader;

const file = (...parts) => pathToFileURL(path.join(saved, ...parts)).href;

// What is wider than the window: the parts that nothing holds in a box of its own.
const tooWide = () => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const out = [...document.querySelectorAll("body *")].filter((element) => element.getBoundingClientRect().right > width + 1);
    return [`${document.documentElement.scrollWidth} px`, ...out.slice(0, 3).map((element) => element.outerHTML.slice(0, 120))];
};

// Whether a section that was jumped to is at the top of the window; the last ones end with the page and cannot come there.
const arrived = (target) => {
    const { top } = document.querySelector(target).getBoundingClientRect();
    const ended = document.documentElement.scrollHeight - innerHeight - scrollY <= 1;
    return location.hash === target && top >= -1 && (top <= 20 || (ended && top < innerHeight));
};

before(async () => {
    federation = await Federation.start({ study: "relapsed-myeloma", sites: SITES, policy: POLICY });
    const run = await federation.offer("protocol.toml");
    for (const site of Object.values(federation.sites)) {
        await federation.offered(site, run);
        await site.command("study", "approve", run, "--as", "First Reviewer");
    }
    await federation.status(run, "finished");
    saved = path.join(federation.dir, "results");
    await federation.coordinator.command("study", "results", run, "--out", saved);
    browser = await startBrowser();
    reader = await Person.at(browser, { reducedMotion: "reduce" });
    await reader.page.goto(file("report.html"));
});

after(async () => {
    await browser?.close();
    await federation?.stop();
});

test("the page has all sections and figures", async () => {
    const { page } = reader;
    assert.deepEqual(await page.locator("section").evaluateAll((all) => all.map(({ id }) => id)), SECTIONS);
    const drawn = await page.locator("svg.figure").count();
    assert.equal(drawn, readdirSync(path.join(saved, "figures")).filter((name) => name.endsWith(".svg")).length);
    assert.ok(drawn >= 8, `${drawn} figures`);
});

for (const screen of SCREENS) {
    test(`the page holds at ${screen.width} px, light and dark`, async () => {
        const { page } = reader;
        await page.setViewportSize(screen);
        for (const open of [false, true]) {
            await page.locator("details").evaluateAll((all, open) => all.forEach((one) => (one.open = open)), open);
            assert.deepEqual(await page.evaluate(tooWide), [], "scrolls sideways");
        }
        const papers = [];
        for (const colorScheme of ["light", "dark"]) {
            await page.emulateMedia({ colorScheme });
            papers.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
            assert.deepEqual(await reader.findings(), [], `accessibility, ${colorScheme}`);
            await reader.screenshot(`report-${screen.width}-${colorScheme}`);
        }
        assert.notEqual(papers[0], papers[1]);
        await page.emulateMedia({ colorScheme: "light" });
        assert.deepEqual(reader.seen, [file("report.html")], "requests");
        assert.deepEqual(reader.complaints, [], "the browser complains");
    });
}

test("the keyboard goes by the table of contents", async () => {
    const { page } = reader;
    await page.setViewportSize(SCREENS[0]);
    await page.goto(file("report.html"));
    const focused = () => page.evaluate(() => document.activeElement.getAttribute("href"));
    const reached = [];
    for (let i = 0; i <= SECTIONS.length; i++) {
        await page.keyboard.press("Tab");
        reached.push(await focused());
    }
    assert.deepEqual(reached.slice(1), SECTIONS.map((id) => `#${id}`));
    for (const target of reached) {
        await page.locator(`a[href="${target}"]`).first().focus();
        await page.keyboard.press("Enter");
        await page.waitForFunction(arrived, target).catch(() => assert.fail(`${target} did not come to the top`));
    }
});

test("the page prints on A4", async () => {
    const { page } = reader;
    const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
    const pages = pdf.match(/\/Type \/Page\b/g);
    const boxes = [...pdf.matchAll(/\/MediaBox \[([\d. ]+)\]/g)].map(([, box]) => box.split(" ").map(Number));
    assert.ok(pages.length > 5, `${pages.length} pages`);
    assert.equal(boxes.length, pages.length);
    for (const [left, bottom, right, top] of boxes) {
        assert.ok(Math.abs(right - left - A4.width) <= 1 && Math.abs(top - bottom - A4.height) <= 1, `${right} x ${top} points`);
    }
    // The browser would shrink a page that is too wide, and its type with it.
    await page.emulateMedia({ media: "print" });
    await page.setViewportSize({ width: PRINTED, height: 1000 });
    assert.deepEqual(await page.evaluate(tooWide), [], "wider than the paper");
    await page.emulateMedia({ media: "screen" });
    await page.setViewportSize(SCREENS[0]);
});

test("each figure opens alone", async () => {
    const figures = readdirSync(path.join(saved, "figures")).filter((name) => name.endsWith(".svg"));
    assert.ok(figures.length > 0);
    for (const name of figures) {
        const viewer = await Person.at(browser);
        await viewer.page.goto(file("figures", name));
        const said = await viewer.page.evaluate(() => {
            const svg = document.documentElement;
            const words = (svg.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id));
            return { root: svg.localName, words: words.map((word) => [word?.localName, word?.textContent.trim().length > 0]) };
        });
        assert.deepEqual(said, { root: "svg", words: [["title", true], ["desc", true]] }, name);
        assert.deepEqual(viewer.seen, [file("figures", name)], `${name}: requests`);
        assert.deepEqual(viewer.complaints, [], `${name}: the browser complains`);
        await viewer.context.close();
    }
});
