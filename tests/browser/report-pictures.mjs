// Renews docs/images/report-*.png from a folder that `rehearse examples/relapsed-myeloma --out DIR` has written:
// `node report-pictures.mjs DIR`.

import path from "node:path";
import { pathToFileURL } from "node:url";
import { IMAGES, startBrowser } from "./browser.mjs";

const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 390, height: 1300 };
const MARGIN = 24;

const report = pathToFileURL(path.resolve(process.argv[2], "report.html")).href;
const browser = await startBrowser();
const page = await browser.newPage({ viewport: WIDE, reducedMotion: "reduce" });
await page.goto(report);

// The whole width from the top of one element to the bottom of another.
async function strip(name, first, last) {
    const [from, to] = [await page.locator(first).first().boundingBox(), await page.locator(last).first().boundingBox()];
    const top = Math.max(0, from.y - MARGIN);
    const clip = { x: 0, y: top, width: WIDE.width, height: to.y + to.height + MARGIN - top };
    await page.screenshot({ path: image(name), fullPage: true, clip });
}

const image = (name) => path.join(IMAGES, `report-${name}.png`);

await strip("findings", "header", "#findings .note");
await strip("balance", "#baseline .wide >> nth=1", "#baseline figure");
await strip("survival", "#survival .figures", "#survival .figures ~ .note");
await strip("contrasts", "#contrasts", "#contrasts");
await strip("published", "#survival", "#survival .note");

// Three screens of a telephone side by side.
await page.setViewportSize(NARROW);
const screens = [];
for (const start of ["body", "#trial", "#survival .figures"]) {
    await page.locator(start).first().evaluate((element) => element.scrollIntoView());
    screens.push((await page.screenshot()).toString("base64"));
}
const gap = 10;
await page.setViewportSize({ width: screens.length * (NARROW.width + gap) - gap, height: NARROW.height });
const shown = screens.map((data) => `<img alt="" width="${NARROW.width}" src="data:image/png;base64,${data}">`);
await page.setContent(`<body style="margin: 0; display: flex; gap: ${gap}px; background: #888">${shown.join("")}`);
await page.locator("img").last().evaluate((element) => element.decode());
await page.screenshot({ path: image("narrow") });
await browser.close();
