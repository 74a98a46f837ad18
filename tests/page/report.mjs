// Looks at a report in headless Chromium at the widths of a phone and a desktop, light and dark: nothing is cut, nothing lies over
// anything else, and no page scrolls sideways (tables may, each in its own box).
//   node report.mjs REPORT_HTML [SCREENSHOTS_FOLDER]
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [report, pictures] = process.argv.slice(2);
const browserPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
assert(browserPath, "no Chromium here");

/** What a reader would stumble over. Runs in the page. */
function faults() {
  const found = [];
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  if (wide > 0) found.push(`the page is ${wide} px too wide`);
  const inside = (inner, outer) => inner.left >= outer.left - 1 && inner.right <= outer.right + 1 && inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
  const screen = { left: 0, right: window.innerWidth, top: -Infinity, bottom: Infinity };
  for (const element of document.querySelectorAll("h1, h2, h3, p, li, figure, figcaption, caption, .wide")) {
    const box = element.getBoundingClientRect();
    if (!inside(box, screen)) found.push(`${element.tagName} leaves the screen: ${element.textContent.slice(0, 60)}`);
  }
  for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect();
    if (frame.width < 280) found.push(`a plot is ${frame.width} px wide`);
    const texts = [...svg.querySelectorAll("text")].map((text) => ({ text: text.textContent.trim(), box: text.getBoundingClientRect() }));
    for (const [at, { text, box }] of texts.entries()) {
      if (!inside(box, frame)) found.push(`"${text}" is cut in: ${svg.ariaLabel}`);
      if (box.height < 10) found.push(`"${text}" is ${box.height} px high in: ${svg.ariaLabel}`);
      for (const other of texts.slice(at + 1)) {
        const overlap = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
        const under = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
        if (overlap > 1 && under > 4) found.push(`"${text}" and "${other.text}" lie over each other in: ${svg.ariaLabel}`);
      }
    }
  }
  for (const box of document.querySelectorAll(".wide")) {
    const first = Math.max(0, ...[...box.querySelectorAll("th:first-child")].map((cell) => cell.getBoundingClientRect().width));
    const room = box.clientWidth - first;
    if (box.scrollWidth > box.clientWidth && room < 120) found.push(`beside the names of "${box.textContent.slice(0, 40)}" ${room} px are left`);
  }
  // What matters stands beside the name, seen without scrolling; names break between words.
  for (const row of document.querySelectorAll(".wide tbody tr")) {
    const box = row.closest(".wide").getBoundingClientRect();
    if (row.cells[1].getBoundingClientRect().right > box.right + 1) found.push(`beside "${row.cells[0].textContent}" nothing is seen`);
    const texts = document.createTreeWalker(row.cells[0], NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      for (const word of texts.currentNode.data.matchAll(/[^\s-]+/g)) {
        const range = document.createRange();
        range.setStart(texts.currentNode, word.index);
        range.setEnd(texts.currentNode, word.index + word[0].length);
        if (new Set([...range.getClientRects()].map((line) => line.top)).size > 1) found.push(`"${word[0]}" is broken`);
      }
    }
  }
  for (const cell of document.querySelectorAll("tbody td, tbody th")) {
    if (/NaN|inf|undefined/.test(cell.textContent)) found.push(`a cell says ${cell.textContent}`);
  }
  return found;
}

/** Least contrast of the texts with what is behind them, as WCAG 2 counts. Runs in the page. */
function contrast() {
  const light = (color) => {
    const parts = color.match(/[\d.]+/g).slice(0, 3).map((part) => part / 255);
    const [r, g, b] = parts.map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  const of = (element) => light(element.ownerSVGElement ? getComputedStyle(element).fill : getComputedStyle(element).color);
  const ratio = (ink) => (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  return Math.min(...[...document.querySelectorAll("h1, h2, p, li, th, td, caption, figcaption, text")].map((element) => ratio(of(element))));
}

const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
try {
  for (const [width, height, colorScheme] of [[360, 740, "light"], [1280, 900, "light"], [360, 740, "dark"], [1280, 900, "dark"]]) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme });
    const problems = [];
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("request", (request) => request.url().startsWith("file:") || problems.push(`asked ${request.url()}`));
    await page.goto(pathToFileURL(report).href);
    const where = `${width} px, ${colorScheme}`;
    if (pictures) await page.screenshot({ path: `${pictures}/report-${width}-${colorScheme}.png`, fullPage: true });
    assert.deepEqual([...problems, ...(await page.evaluate(faults))], [], where);
    assert((await page.locator("svg").count()) >= 3, `${where}: plots`);
    const least = await page.evaluate(contrast);
    assert(least >= 4.5, `${where}: a text has a contrast of ${least.toFixed(2)}`);
    await page.close();
  }
} finally {
  await browser.close();
}
console.log("the report fits phones and desktops");
