// Beside the page: how the last decision came about, and the switches of the merchant.
import { $, call, decide, doing, el, money, name, order, paid, say } from "/shop.js";

const cents = (amount) => `${(100 * amount).toFixed(2)} cents`;
const percent = (share, digits = 2) => `${(100 * share).toFixed(digits)} %`;
const bar = (value, most, minus = false) =>
  el("meter", { className: minus ? "bar minus" : "bar", min: 0, max: Math.max(most, 1e-9), value: Math.min(value, most), aria: { hidden: "true" } });

function rows(table, list) {
  const most = Math.max(...list.map(([, value]) => value), 1e-9);
  const row = ([label, value, text]) =>
    el("tr", {}, el("th", { scope: "row" }, label), el("td", {}, bar(value, most)), el("td", { className: "number" }, text ?? String(value)));
  table.tBodies[0].replaceChildren(...list.map(row));
}

/** What was put in order and named to fill in before payment. */
export function drawBefore(answer, methods, ways, fields) {
  const reason = (of) => of.replaceAll("_", " ");
  const row = (label, of) => el("tr", {}, el("th", { scope: "row" }, label), el("td", {}, of));
  const options = (list, all, what) => list.map(({ option, because }, place) => row(`${what} ${place + 1}`, `${all[option].name}: ${reason(because)}`));
  const places = answer.filled.map((of) => row(fields[of.field].toLowerCase(), `place ${of.slot}, confidence ${of.confidence.toFixed(2)}: ${reason(of.because)}`));
  $("before-answer").tBodies[0].replaceChildren(...places, ...options(answer.methods, methods, "payment"), ...options(answer.ways, ways, "delivery"));
  $("before").hidden = false;
}

/** Forgets the last decision. */
export function clearDecision() {
  $("nothing-yet").hidden = false;
  $("before").hidden = true;
  $("decided").hidden = true;
  $("versions").textContent = "";
}

/** Draws everything that is known of a decision. */
export function drawDecision(answer) {
  $("nothing-yet").hidden = $("before").hidden = true;
  $("decided").hidden = false;
  $("us").value = `${answer.us.toFixed(0)} \u00b5s`;
  rows($("stages"), answer.stages.map(({ name: stage, us }) => [stage, us, `${us.toFixed(1)} \u00b5s`]));
  const { retrieved, eligible, shown } = answer.funnel;
  rows($("funnel"), [["retrieved", retrieved], ["eligible", eligible], ["shown", shown]]);
  drawRefused(answer);
  $("changed-part").hidden = true;
  const { question } = answer;
  $("question-why").textContent = question
    ? `The question \u201c${question.text}\u201d is expected to make the page worth ${cents(question.gain)} more, found out with ${question.decisions} decisions.`
    : "No question: it was asked before, or no answer would make this page worth more.";
  $("scores").replaceChildren(...answer.offers.map(score));
  if (answer.offers.length === 0) $("scores").textContent = `No offer: ${answer.reason.text}.`;
  $("why-answer").replaceChildren();
  $("click").hidden = true;
  const { catalog, policy, overlay } = answer.generations;
  $("versions").textContent = `decision ${answer.decision_id}, group ${answer.group_id}, catalog ${catalog}, policy ${policy}, overlay ${overlay}`;
}

/** What left and what came with an answer, each with its reason. */
export async function drawChanged(before, answer) {
  const after = answer.offers.map((offer) => offer.id);
  const gone = await Promise.all(before.filter((id) => !after.includes(id)).map((id) => call("/api/why", { order: order(), id })));
  const came = answer.offers.filter((offer) => !before.includes(offer.id));
  $("changed").replaceChildren(
    ...gone.map((item) => el("li", {}, `Gone: ${name(item.title)}. ${item.why.reasons.map((of) => of.text).join("; ")}.`)),
    ...came.map((item) => el("li", {}, `New: ${name(item.title)}. ${item.because.text}.`)),
    ...(gone.length + came.length ? [] : [el("li", {}, "Nothing: with this answer the page is as good as it was.")]));
  $("changed-part").hidden = false;
}

function drawRefused(answer) {
  const group = ({ reason, items }) => el("details", { dataset: { code: reason.code } },
    el("summary", {}, `${items.length} \u00d7 ${reason.text} (${reason.code})`),
    el("ul", {}, ...items.map((item) => el("li", {}, `${name(item.title)} `, el("span", { className: "mono quiet" }, item.id)))));
  const listed = answer.refused.reduce((sum, { items }) => sum + items.length, 0);
  const more = answer.refused_count - listed;
  $("refused").replaceChildren(...answer.refused.map(group), ...(more > 0 ? [el("p", { className: "quiet small" }, `and ${more} more, counted only`)] : []));
}

/** A token that was redeemed, and two ways to cheat that fail. */
export function drawClick(offer, charged) {
  const { token, plan } = offer;
  $("click").hidden = false;
  $("click-what").textContent = `${name(offer.title)}: ${plan.reason}. The server checked the signature of item, price, currency, quantity, expiry and decision, and would charge ${money(charged.amount)}, once.`;
  $("click-key").textContent = `idempotency key ${charged.idempotency_key}`;
  $("click-answer").textContent = "";
  const attempt = (of) => async () => {
    const refusal = await call("/api/accept", { token: of }).then(() => "It was taken.", (error) => error.message);
    $("click-answer").textContent = `The server: ${refusal}.`;
  };
  $("click-again").onclick = attempt(token);
  $("click-cheat").onclick = attempt(cheaper(token));
}

/** The token with a lower price: bytes 17 to 24 are the price, least first. */
function cheaper(token) {
  const bytes = Uint8Array.from(atob(token.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const price = new DataView(bytes.buffer);
  price.setBigInt64(17, price.getBigInt64(17, true) - 1n, true);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function features(why) {
  const most = Math.max(...why.features.map((feature) => Math.abs(feature.weight)), 1);
  const row = ({ name: feature, value, weight }) => el("tr", {},
    el("th", { scope: "row" }, feature.replaceAll("_", " ")),
    el("td", {}, bar(Math.abs(weight), most, weight < 0)),
    el("td", { className: "number", title: `value ${value}` }, `${weight > 0 ? "+" : ""}${(weight / 1000).toFixed(2)}`));
  return el("table", {}, el("caption", { className: "small quiet" }, "What each feature adds to the score (log odds)"), el("tbody", {}, ...why.features.map(row)));
}

const numbers = (of) => `relevance ${of.relevance.toFixed(2)}, accepted with ${percent(of.p_accept)}, worth ${cents(of.ev)} when shown`;

function score(offer, place) {
  return el("details", { open: place === 0 }, el("summary", {}, name(offer.title)), el("p", { className: "small quiet" }, numbers(offer)),
    offer.why.features.length ? features(offer.why) : el("p", { className: "small" }, "Not a product of the catalog: its rate is stated with it, not learnt."));
}

// Names stand for ids where a person types them.

const known = new Map();

async function suggest(event) {
  const text = event.target.value.trim();
  if (text.length < 2 || known.has(text)) return;
  const found = await call(`/api/search?q=${encodeURIComponent(text)}`);
  for (const item of found) known.set(`${name(item.title)} (${item.id})`, item.id);
  $("why-list").replaceChildren(...found.map((item) => el("option", { value: `${name(item.title)} (${item.id})` })));
}

/** The id that was typed or chosen; else the best match of the words. */
async function chosen(input) {
  const text = input.value.trim();
  if (!text) throw new Error("Type a name or a number first.");
  if (known.has(text)) return known.get(text);
  if (!/\s/.test(text) && /[\d-]/.test(text)) return text;
  const [best] = await call(`/api/search?q=${encodeURIComponent(text)}`);
  return best?.id ?? text;
}

async function why() {
  const answer = await call("/api/why", { order: order(), id: await chosen($("why-id")) });
  const { position, reasons, rules, because } = answer.why;
  const shown = position !== null;
  $("why-answer").replaceChildren(el("div", { className: "answer" },
    el("p", {}, el("strong", {}, name(answer.title)), ` ${answer.id}`),
    el("p", {}, shown ? `Shown, in place ${position + 1}.` : "Not shown:"),
    shown ? null : el("ul", {}, ...reasons.map((of) => el("li", {}, `${of.text} (${of.code})`)), ...rules.map((rule) => el("li", {}, `rule \u201c${rule}\u201d`))),
    because && el("p", { className: "small quiet" }, `${because.text}`),
    el("p", { className: "small quiet" }, numbers(answer.why)),
    answer.why.features.length ? el("details", {}, el("summary", {}, "Its features"), features(answer.why)) : null));
}

// Switches

const turn = (what, id, on) => doing(async () => {
  drawSwitches(await call("/api/switch", { what, id, on }));
  if (paid()) await decide();
  else say("Done. The next decision obeys.");
});

function drawSwitches(now) {
  const chip = (what) => (each) => {
    const [id, text] = typeof each === "string" ? [each, each] : [each.id, name(each.title)];
    return el("li", {}, el("button", { type: "button", aria: { label: `Undo: ${text}` }, onclick: turn(what, id, false) }, `${text} \u00d7`));
  };
  $("blocked").replaceChildren(...now.blocked.map(chip("block_category")));
  $("out-of-stock").replaceChildren(...now.out_of_stock.map(chip("out_of_stock")));
  const box = (what, verb) => (each) => el("label", { className: "switch" },
    el("input", { type: "checkbox", checked: each.on, dataset: { what, id: each.id }, onchange: (event) => turn(what, each.id, event.target.checked)() }),
    `${verb} ${each.title ? `\u201c${each.title}\u201d` : each.id}`);
  // Drawn once: a box that is drawn anew loses the keyboard's focus.
  const keep = (place, list) => place.childElementCount || place.replaceChildren(...list);
  keep($("partners"), now.partners.map(box("pause_partner", "Pause")));
  keep($("budgets"), now.budgets.map(box("empty_budget", "Nothing left for")));
  $("block").hidden = !now.can_block;
}

export function startInspector(about) {
  $("categories").replaceChildren(...about.categories.map((path) => el("option", { value: path })));
  drawSwitches(about.switches);
  $("why").addEventListener("submit", doing(why));
  $("why-id").addEventListener("input", doing(suggest));
  $("stock-id").addEventListener("input", doing(suggest));
  $("block").addEventListener("submit", doing(async () => {
    const path = $("block-id").value.trim();
    if (!path) throw new Error("Choose a category first.");
    await turn("block_category", path, true)();
    $("block-id").value = "";
  }));
  $("stock").addEventListener("submit", doing(async () => {
    await turn("out_of_stock", await chosen($("stock-id")), true)();
    $("stock-id").value = "";
  }));
  if (window.matchMedia("(max-width: 71.9rem)").matches) $("inspector-body").open = false;
}
