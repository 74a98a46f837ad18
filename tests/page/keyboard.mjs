// A purchase by keyboard alone: Tab, Shift+Tab, Enter, Space and arrows. Whatever has the focus shows it.
import assert from "node:assert/strict";

/** What has the focus: its name as the page gives it, and whether one sees it. */
const focused = (page) => page.evaluate(() => {
  const node = document.activeElement;
  const style = getComputedStyle(node);
  const box = node.getBoundingClientRect();
  return {
    name: (node.getAttribute("aria-label") ?? node.closest("label")?.textContent ?? (node.textContent || node.labels?.[0]?.textContent || node.id)).trim(),
    id: node.id, tag: node.tagName, top: box.top + window.scrollY,
    ringed: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    inView: box.width > 0 && box.bottom > 0 && box.top < window.innerHeight,
  };
});

/** Tabs until something of this name has the focus. */
async function tabTo(page, name, key = "Tab") {
  const passed = [];
  for (let presses = 0; presses < 120; presses += 1) {
    await page.keyboard.press(key);
    const at = await focused(page);
    if (at.tag === "BODY") continue; // between the last stop and the first
    passed.push(at);
    assert(at.ringed && at.inView, `the focus cannot be seen on ${at.tag} ${at.name}`);
    if (name.test(at.name)) return passed;
  }
  throw new Error(`no Tab leads to ${name}: ${passed.map((at) => at.name.slice(0, 30)).join(" | ")}`);
}

/** Runs what is done, and returns what the live region says then. */
async function announced(page, act) {
  await page.evaluate(() => {
    window.said = [];
    const region = document.getElementById("status");
    window.listening = new MutationObserver(() => window.said.push(region.textContent));
    window.listening.observe(region, { childList: true, characterData: true, subtree: true });
  });
  await act();
  await page.waitForFunction(() => window.said.some((text) => text !== ""));
  await page.evaluate(() => new Promise((done) => { setTimeout(done, 200); }));
  return page.evaluate(() => window.said.at(-1));
}

export async function keyboard(page, url) {
  await page.goto(url);
  await page.getByRole("button", { name: /^Layer cake/ }).waitFor();
  // The first stop skips to the shop; the next are in the order in which they are read.
  await page.keyboard.press("Tab");
  assert.equal((await focused(page)).name, "Skip to the shop");
  await page.keyboard.press("Enter");
  assert.equal((await focused(page)).id, "main");
  const stops = await tabTo(page, /^Layer cake/);
  const tops = stops.filter((at) => at.tag === "BUTTON").map((at) => at.top);
  assert.deepEqual(tops, [...tops].sort((a, b) => a - b), "baskets from top to bottom");
  assert.match(await announced(page, () => page.keyboard.press("Enter")), /is yours now/);
  await tabTo(page, /^Go to payment/);
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "h-payment");

  // Radio buttons by arrow, a box by Space, the payment by Enter.
  await tabTo(page, /^Card on file/);
  await tabTo(page, /^Standard/);
  await page.keyboard.press("ArrowDown");
  const way = await page.evaluate(() => new FormData(document.getElementById("pay")).get("way"));
  assert.notEqual(way, "standard");
  await tabTo(page, /^Wrap it as a gift/);
  await page.keyboard.press("Space");
  await tabTo(page, /^Pay \(simulated\)/);
  assert.match(await announced(page, () => page.keyboard.press("Enter")), /^\d offers?, decided in \d+ microseconds\.$/);
  await page.waitForFunction(() => document.activeElement.id === "h-confirmation");

  // The question by Space: the offers change, the focus goes to them, and the page says how many there are.
  await tabTo(page, /^Yes, it is a gift/);
  assert.match(await announced(page, () => page.keyboard.press("Space")), /^Thank you\. \d offers?, decided in/);
  assert.equal((await focused(page)).id, "h-slate");
  const before = await page.locator("#offers > li[data-id]").count();

  // An offer by Enter, and a refusal.
  await tabTo(page, /Gift wrap with a ribbon/);
  assert.match(await announced(page, () => page.keyboard.press("Enter")), /Gift wrap with a ribbon: Added to your order: \$3\.50/);
  assert.equal((await focused(page)).id, "h-slate");
  await tabTo(page, /^No, thanks/);
  assert.match(await announced(page, () => page.keyboard.press("Enter")), /^Declined: .*It is not offered again for 90 days\. \d offers?/);
  assert((await page.locator("#offers > li[data-id]").count()) >= 1 && before >= 2);

  // Back by Shift+Tab, and on to the inspector: parts open by Enter, switches by Space.
  await tabTo(page, /^Start another order/);
  await tabTo(page, /No, thanks/, "Shift+Tab");
  const closed = await page.locator("#inspector-body").evaluate((details) => !details.open);
  if (closed) {
    await tabTo(page, /^Behind the page/);
    await page.keyboard.press("Enter");
  }
  await tabTo(page, /^Partners$/);
  await page.keyboard.press("Enter");
  await tabTo(page, /^Pause platewise/);
  assert.match(await announced(page, () => page.keyboard.press("Space")), /decided in \d+ microseconds/);
  assert.match((await focused(page)).name, /^Pause platewise/, "the focus stays where it was");
  await page.keyboard.press("Space");
}
