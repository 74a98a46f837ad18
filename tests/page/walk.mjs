// Walks a purchase in headless Chromium, at two widths, and checks what is on the page.
//   node walk.mjs AFTERCART_COMMAND CATALOG DATA_FOLDER [SCREENSHOTS_FOLDER]
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { accessible } from "./accessible.mjs";
import { keyboard } from "./keyboard.mjs";

const [command, catalog, data, pictures] = process.argv.slice(2);
const browserPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
assert(browserPath, "no Chromium here");

/** Starts the shop on a free port; its first line says where. */
async function open() {
  const shop = spawn(command, ["demo", "--serve", "--port", "0", "--out", catalog, "--data", data], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: shop.stdout })) {
    const url = line.match(/http:\S+/)?.[0];
    if (url) return { shop, url };
  }
  throw new Error("the shop did not open");
}

const texts = (page, selector) => page.locator(selector).allTextContents();

async function walk(browser, url, { width, height, scheme }) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: "reduce" });
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("request", (request) => request.url().startsWith(url) || request.url().startsWith("data:") || problems.push(`asked ${request.url()}`));
  // Each state that is pictured is one that a machine judges.
  const picture = async (name) => {
    await accessible(page, name);
    if (pictures) await page.screenshot({ path: `${pictures}/${width}-${scheme}-${name}.png`, fullPage: true });
  };
  const fits = async (where) => {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert(wide <= 0, `${where} at ${width} px is ${wide} px too wide`);
  };

  await page.goto(url);
  await page.getByRole("button", { name: /^Layer cake/ }).waitFor();
  await fits("the basket");
  await picture("1-basket");

  // A search adds to the basket, by keyboard alone.
  await page.getByLabel("Search the shelves").focus();
  await page.keyboard.type("hot dog buns");
  await page.getByRole("button", { name: /^Add hot dog buns/i }).first().waitFor();
  assert((await texts(page, "#found li")).length > 0);
  await page.getByLabel("Search the shelves").fill("");

  // A ready basket, paid by card.
  await page.getByRole("button", { name: /^Layer cake/ }).click();
  assert.equal((await texts(page, "#basket li")).length, 3);
  await page.getByRole("button", { name: "Go to payment" }).click();
  await page.waitForFunction(() => document.activeElement.id === "h-payment"); // the focus follows the step
  await page.getByLabel("Wrap it as a gift").check();
  await page.getByLabel("Write to me about what may come next").check();
  // What is filled in: a place and how sure, with the reason; an address of another country is not, and none for another address.
  const filled = page.locator("#filled li");
  assert.match((await filled.allTextContents()).join(" | "), /^Deliver to: Homeplace 2 of your account, \d\d % sure: as last time \| Call about the delivery: Mobile/);
  await page.getByLabel("Deliver to another address than mine").check();
  await filled.nth(1).waitFor({ state: "detached" });
  assert.doesNotMatch((await filled.allTextContents()).join(), /Deliver to/);
  await page.getByLabel("Deliver to another address than mine").uncheck();
  await filled.nth(1).waitFor();
  const inOrder = (await texts(page, "#methods .choice")).map((text) => text.split(/can|each|paid/)[0]);
  assert.deepEqual(inOrder, ["Card on file", "Wallet", "Invoice", "Gift card"], "the usual before the unusual");
  assert.match((await texts(page, "#methods .choice"))[0], /usual here$/);
  await fits("the payment");
  await page.locator("#inspector-body").evaluate((details) => { details.open = true; });
  assert.match((await texts(page, "#before-answer tr")).join(" "), /deliver toplace 2, confidence 0\.\d\d: last used.*payment 1Card on file: usual here/);
  await picture("2-payment");
  await page.getByLabel(/^Express/).check();
  assert.match(await page.locator("#total-pay").textContent(), /\$\d+\.\d\d/);
  await page.getByRole("button", { name: "Pay (simulated)" }).click();
  await page.getByRole("heading", { name: /Thank you/ }).waitFor();
  const offers = page.locator("#offers > li[data-id]");
  const before = await offers.evaluateAll((cards) => cards.map((card) => card.dataset.id));
  assert(before.length > 0, "a layer cake brings offers");
  assert.match((await texts(page, "#offers .because"))[0], /^Because you bought /);
  assert.match(await page.locator("#status").textContent(), /offers?, decided in \d+ microseconds/);
  await fits("the confirmation");
  await page.locator("#inspector-body").evaluate((details) => { details.open = true; });
  await picture("3-confirmation");
  await fits("the inspector");

  // The days after are planned: guidance before what is advertised, which needs the consent that was given.
  const days = await page.locator("#timeline time").evaluateAll((times) => times.map((time) => time.dateTime));
  assert(days.length >= 2 && days.join() === [...days].sort().join(), `timeline ${days}`);
  const subjects = await texts(page, "#timeline strong");
  assert(subjects.includes("How to use it") && subjects.indexOf("How to use it") < subjects.indexOf("What goes with it"), subjects.join());

  // Guidance carries what holds for its line; the receipt has it for each: cake mix and frosting have usage of their own, and keep
  // the guide of their kind.
  const carried = await texts(page, "#timeline small");
  assert(carried.includes("It carries: The one-bowl chocolate cake, step by step."), carried.join());
  await page.getByText("Receipt, and how to use what you bought").click();
  const receipt = (await texts(page, "#receipt li")).join("\n");
  assert.match(receipt, /Layer cake mix.*How to use it: Layer cakes that rise level/);
  assert.match(receipt, /Frosting.*How to use it: How to frost a cake.*Guide: The one-bowl chocolate cake/);

  // The inspector's numbers are a funnel, and the times are of five stages.
  const funnel = (await texts(page, "#funnel td.number")).map(Number);
  assert(funnel[0] >= funnel[1] && funnel[1] >= funnel[2] && funnel[2] === before.length, `funnel ${funnel}`);
  assert.equal((await texts(page, "#stages tr")).length, 5);
  assert((await texts(page, "#refused summary")).length > 0);

  // Why not the frosting that was bought?
  await page.getByLabel("Product or offer: name or number").fill("12188436");
  await page.getByRole("button", { name: "Ask" }).click();
  await page.locator("#why-answer .answer").waitFor();
  assert.match(await page.locator("#why-answer").textContent(), /Not shown:the same product was just bought \(1001\)/);

  // A product that is out of stock is gone with the next decision, and comes back.
  const first = before[0];
  await page.getByLabel("Mark as out of stock: name or number").fill(first);
  await page.getByRole("button", { name: "Mark" }).click();
  await page.locator(`#offers > li[data-id="${first}"]`).waitFor({ state: "detached" });
  assert((await texts(page, '#refused details[data-code="1020"]')).length === 1, "the reason is named");
  await page.locator("#out-of-stock button").click();
  await page.locator(`#offers > li[data-id="${first}"]`).waitFor();

  // A blocked category likewise.
  await page.getByLabel("Block a category").fill("GROCERY");
  await page.getByRole("button", { name: "Block", exact: true }).click();
  await page.locator("#blocked button").waitFor();
  await page.waitForFunction((ids) => !ids.some((id) => document.querySelector(`#offers > li[data-id="${id}"]`)), before.slice(0, 2));
  await picture("4-blocked");
  await page.locator("#blocked button").click();
  await page.locator(`#offers > li[data-id="${first}"]`).waitFor();

  // An answer decides anew, in place, for reasons that are named; another question does not come.
  const question = page.getByRole("region", { name: "Is this a gift?" });
  const page1 = await offers.evaluateAll((cards) => cards.map((card) => card.dataset.id));
  await question.getByRole("button", { name: "Yes, it is a gift" }).click();
  await page.locator('#offers > li[data-id="gift-wrap"]').waitFor();
  assert(await question.isHidden(), "one question an order");
  const page2 = await offers.evaluateAll((cards) => cards.map((card) => card.dataset.id));
  const different = page1.filter((id) => !page2.includes(id)).length + page2.filter((id) => !page1.includes(id)).length;
  await page.locator("#changed li").first().waitFor();
  assert.equal((await texts(page, "#changed li")).length, different);
  assert.match((await texts(page, "#changed li")).join(), /Gift wrap with a ribbon\. triggered by/);
  assert.match(await page.locator('#offers > li[data-id="gift-wrap"]').textContent(), /Because you answered .Yes, it is a gift/);
  await picture("5-answered");

  // One click takes an offer at the price that was shown, once.
  await page.locator('#offers > li[data-id="gift-wrap"] button.primary').click();
  assert.match(await page.locator('#offers > li[data-id="gift-wrap"] .done').textContent(), /\$3\.50, the price that was shown/);
  await page.getByRole("button", { name: "Send it again" }).click();
  await page.getByText("The server: the offer was taken before.").waitFor();
  await page.getByRole("button", { name: "Make it a cent cheaper" }).click();
  await page.getByText("The server: not signed with any of these keys.").waitFor();
  problems.splice(0, 2, ...problems.slice(0, 2).filter((text) => !/status of 400/.test(text)));
  await picture("6-taken");

  // One refusal takes an offer away.
  const left = page2.find((id) => id !== "gift-wrap");
  await page.locator(`#offers > li[data-id="${left}"] button`).last().click();
  await page.locator(`#offers > li[data-id="${left}"]`).waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement.id), "h-slate");

  const shown = await page.locator("body").innerText();
  assert.doesNotMatch(shown, /\b(undefined|null|NaN|false|\[object)\b/);
  assert.deepEqual(problems, []);
  // The next order begins with what was chosen last time; the dearer courier stays below express, which is as fast.
  await page.getByRole("button", { name: "Start another order" }).click();
  await page.getByRole("button", { name: /^Coffee and filters/ }).click();
  await page.getByRole("button", { name: "Go to payment" }).click();
  await page.waitForFunction(() => document.activeElement.id === "h-payment");
  assert.match((await texts(page, "#methods .choice"))[0], /^Card on file.*as last time$/);
  const ways = await page.locator("#ways input").evaluateAll((inputs) => inputs.map((input) => input.value));
  assert(ways[0] === "express" && ways.indexOf("express") < ways.indexOf("courier"), ways.join());
  await picture("7-next-order");

  // A partner that is paused, and an offer whose budget is empty, are gone with the next decision, each with its own reason.
  await page.getByRole("button", { name: "Pay (simulated)" }).click();
  const beans = page.locator('#offers > li[data-id="brightcap-beans"]');
  await beans.waitFor();
  for (const [part, what, id, code] of [["Partners", "pause_partner", "brightcap", 205], ["Budgets of offers", "empty_budget", "brightcap-beans", 1012]]) {
    await page.locator("summary", { hasText: part }).click();
    const box = page.locator(`input[data-what="${what}"][data-id="${id}"]`);
    await box.check();
    await beans.waitFor({ state: "detached" });
    assert.match((await texts(page, `#refused details[data-code="${code}"] li`)).join(), /brightcap-beans/);
    await box.uncheck();
    await beans.waitFor();
  }

  // Where the catalog has nothing better for a page, the last rung is what was bought: how to care for it.
  await page.getByRole("button", { name: "Start another order" }).click();
  await page.getByRole("button", { name: /^Salad 2/ }).or(page.getByRole("button", { name: /^Salad Tomatoes/ })).first().click();
  await page.getByRole("button", { name: "Go to payment" }).click();
  await page.waitForFunction(() => document.activeElement.id === "h-payment");
  await page.getByRole("button", { name: "Pay (simulated)" }).click();
  const tomatoes = page.locator('#offers > li[data-id="tomatoes"]');
  await tomatoes.waitFor();
  assert.match(await tomatoes.textContent(), /Care.*Why tomatoes stay out of the fridge.*For tomatoes cherry.*which you bought/);
  await tomatoes.getByRole("button", { name: /^Open/ }).click();
  assert.match(await tomatoes.locator(".done").textContent(), /^Opened/);
  await picture("8-content");

  // A whole purchase by keyboard.
  await keyboard(page, url);
  await picture("9-by-keyboard");
  await context.close();
}

const { shop, url } = await open();
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
try {
  const browser = await chromium.launch({ executablePath: browserPath, args: flags });
  for (const size of [{ width: 1440, height: 900, scheme: "light" }, { width: 360, height: 740, scheme: "dark" }]) {
    await walk(browser, url, size);
    console.log(`walked at ${size.width} px, ${size.scheme}`);
  }
  await browser.close();
} finally {
  shop.kill("SIGINT");
}
