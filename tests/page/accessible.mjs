// What a machine can tell of accessibility: the rules of WCAG 2.0 to 2.2, levels A and AA, as axe-core has them.
import assert from "node:assert/strict";
import axe from "axe-core";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** Fails where the page as it stands breaks one, and says which part of it does. */
export async function accessible(page, where) {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate((rules) => window.axe.run(document, { runOnly: rules }), RULES);
  const told = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
  assert.deepEqual(told, [], `${where} at ${page.viewportSize().width} px`);
  assert(passes.length > 10, `axe looked at ${passes.length} rules alone`);
}
