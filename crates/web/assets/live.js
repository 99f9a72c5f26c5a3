// Renews the parts of a page that are marked with data-live="SECONDS" and an id. Everything works without it.
"use strict";

// A page that renews itself is no sign of a person before it: it does not keep the session alive.
const LIVE = { "Entente-Live": "1" };

// What a reader has opened or is writing in is left alone.
function inUse(part) {
    const writing = document.activeElement.matches("input, textarea, select") && part.contains(document.activeElement);
    return writing || part.querySelector("details[open]") !== null;
}

// Puts the new part in the place of the old one; focus and sideways scrolling stay where they were.
function replace(part, fresh) {
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    const boxes = [...part.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
    part.replaceWith(fresh);
    fresh.querySelectorAll(".scroll").forEach((box, i) => (box.scrollLeft = boxes[i] ?? 0));
    if (focused === null) return;
    const same = (name) => (element) => element.getAttribute(name) === focused.getAttribute(name);
    const alike = [...fresh.querySelectorAll(focused.localName)].filter(same("href")).find(same("aria-label"));
    alike?.focus({ preventScroll: true });
}

function renew(part) {
    const seconds = Number(part.dataset.live);
    setTimeout(async () => {
        let current = part;
        try {
            const answer = document.hidden ? null : await fetch(location.href, { headers: LIVE });
            // Signed out meanwhile: say so instead of showing what was true before.
            if (answer !== null && answer.status === 401) {
                location.reload();
                return;
            }
            if (answer !== null && answer.ok) {
                const page = new DOMParser().parseFromString(await answer.text(), "text/html");
                const fresh = page.getElementById(part.id);
                // A part that is gone has nothing more to say; a reader's place in an unchanged one is kept.
                if (fresh === null) return;
                if (fresh.outerHTML !== part.outerHTML && !inUse(part)) {
                    replace(part, fresh);
                    current = fresh;
                }
                if (current.dataset.live === undefined) return;
            }
        } catch {
            // The program is away for a moment; the next attempt may find it.
        }
        renew(current);
    }, seconds * 1000);
}

for (const part of document.querySelectorAll("[data-live][id]")) renew(part);
