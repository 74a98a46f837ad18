// The shop: basket, payment, confirmation. State is one object; every view is drawn from it.
import { clearDecision, drawBefore, drawChanged, drawClick, drawDecision, startInspector } from "/inspector.js";

export const $ = (id) => document.getElementById(id);
const state = { about: null, lines: [], customer: "", order: null, declines: [], guides: [], taken: new Map(), answers: [], asked: [], tags: [], paid: [], shipped: [], chosen: {} };

/** An element with properties and children; text is never read as HTML. */
export function el(tag, properties = {}, ...children) {
  const { dataset, aria, ...rest } = properties;
  const node = Object.assign(document.createElement(tag), rest);
  Object.assign(node.dataset, dataset ?? {});
  for (const [name, value] of Object.entries(aria ?? {})) node.setAttribute(`aria-${name}`, value);
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export async function call(path, body) {
  const options = body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

export function say(text, wrong = false) {
  $("status").textContent = text;
  $("status").classList.toggle("wrong", wrong);
}

/** Runs what a button or form does; what goes wrong is said, not swallowed. */
export const doing = (work) => async (event) => {
  event?.preventDefault?.();
  try {
    await work(event);
  } catch (error) {
    say(error.message, true);
  }
};

/** Feeds shout; a page does not. */
export function name(text) {
  if (!text || text !== text.toUpperCase()) return text;
  const small = text.toLowerCase().replace(/(\d) (oz|ct|lb|pk|in|qt|pt|gal|ml|g|kg|dz)\b/g, "$1\u00a0$2");
  return small.charAt(0).toUpperCase() + small.slice(1);
}

/** The same within a sentence. */
export const inline = (text) => (name(text) === text ? text : name(text).charAt(0).toLowerCase() + name(text).slice(1));

export function money(text) {
  if (text === null || text === undefined) return "";
  const format = new Intl.NumberFormat("en-US", { style: "currency", currency: state.about.currency });
  return format.format(Number(text));
}

const kind = (category) => name((category ?? "").split(" > ").at(-2) ?? category ?? "");
const total = () => state.lines.reduce((sum, line) => sum + Number(line.price ?? 0) * line.quantity, 0);

function tile(item, large) {
  const of = name(item.title || item.id);
  return el("span", { className: `tile${large ? " large" : ""}${item.partner ? " partner" : ""}`, aria: { hidden: "true" } }, of.charAt(0));
}

function show(view, text = "") {
  for (const each of ["basket", "payment", "confirmation"]) {
    $(`view-${each}`).hidden = each !== view;
    if (each === view) $(`step-${each}`).setAttribute("aria-current", "step");
    else $(`step-${each}`).removeAttribute("aria-current");
  }
  say(text);
  $(`h-${view}`).focus();
  window.scrollTo(0, 0);
}

// The basket

function add(item, quantity = 1) {
  const line = state.lines.find((each) => each.id === item.id);
  if (line) line.quantity += quantity;
  else state.lines.push({ ...item, quantity });
  drawBasket();
  say(`${name(item.title)} is in your basket.`);
}

function change(line, by) {
  line.quantity += by;
  state.lines = state.lines.filter((each) => each.quantity > 0);
  if (state.lines.length === 0) state.customer = "";
  drawBasket();
}

function drawBasket() {
  const row = (line) => {
    const of = name(line.title);
    return el("li", {},
      el("span", {}, of, el("small", {}, money(line.price))),
      el("span", { className: "count" },
        el("button", { type: "button", aria: { label: `One less: ${of}` }, onclick: () => change(line, -1) }, "\u2212"),
        el("output", { aria: { label: "Quantity" } }, String(line.quantity)),
        el("button", { type: "button", aria: { label: `One more: ${of}` }, onclick: () => change(line, 1) }, "+")));
  };
  $("basket").replaceChildren(...state.lines.map(row));
  $("empty").hidden = state.lines.length > 0;
  $("to-payment").disabled = state.lines.length === 0;
  $("total").value = money(total());
}

function drawFound(items) {
  const row = (item) => el("li", {}, tile(item),
    el("span", {}, name(item.title), el("small", {}, kind(item.category))),
    el("span", { className: "price" }, money(item.price)),
    el("button", { type: "button", aria: { label: `Add ${name(item.title)}` }, onclick: () => add(item) }, "Add"));
  $("found").replaceChildren(...items.map(row));
}

function drawReady() {
  const card = (basket) => {
    const some = basket.lines.slice(0, 3).map((line) => name(line.title));
    const more = basket.lines.length > 3 ? ` and ${basket.lines.length - 3} more` : "";
    const past = basket.history ? `${basket.history} earlier purchases` : "no earlier purchase";
    const take = () => {
      Object.assign(state, { customer: basket.name, chosen: {} });
      state.lines = basket.lines.map((line) => ({ ...line }));
      drawBasket();
      say(`The basket "${basket.name}" is yours now.`);
    };
    const title = basket.name.replaceAll("-", " ");
    return el("li", {}, el("button", { type: "button", dataset: { basket: basket.name }, onclick: take },
      el("strong", {}, title.charAt(0).toUpperCase() + title.slice(1)),
      el("span", {}, some.join(", ") + more), el("small", {}, past)));
  };
  $("ready").replaceChildren(...state.about.baskets.map(card));
}

let asked = 0;
async function search() {
  const mine = ++asked;
  const q = $("q").value.trim();
  const items = q ? await call(`/api/search?q=${encodeURIComponent(q)}`) : [];
  if (mine !== asked) return; // an older answer that came late
  drawFound(items);
  say(q ? `${items.length} products found.` : "");
}

// Payment

// In the shop's own order: by name. How often its customers use each is what an order without earlier ones goes by.
const METHODS = [
  { id: "card", name: "Card on file", note: "can be charged again", rechargeable: true, orders: 620 },
  { id: "gift_card", name: "Gift card", note: "cannot be charged again", rechargeable: false, orders: 30 },
  { id: "invoice", name: "Invoice", note: "paid after delivery", rechargeable: false, orders: 90 },
  { id: "wallet", name: "Wallet", note: "each payment is approved on the phone", rechargeable: false, orders: 410 },
];

// The dearer courier is as fast as express: it never stands above it.
const WAYS = [
  { id: "standard", name: "Standard", price: 0, days: 3 },
  { id: "courier", name: "Courier", price: 790, days: 1 },
  { id: "express", name: "Express", price: 490, days: 1 },
  { id: "pickup", name: "Pick it up", price: 0, days: 2 },
];

// The shop's own store of a customer that it knows. The library sees fields, places and uses, never the names or what is there.
const FIELDS = { 1: "Deliver to", 2: "Call about the delivery" };
const STORE = [
  { field: 1, slot: 1, name: "Office", country: "US", days: 140, uses: 3 },
  { field: 1, slot: 2, name: "Home", country: "US", days: 16, uses: 9 },
  { field: 1, slot: 3, name: "Cottage in Canada", country: "CA", days: 9, uses: 4 },
  { field: 2, slot: 1, name: "Mobile", country: "", days: 16, uses: 5 },
];

const WHY = { last_used: "as last time", often_used: "you use it often", ready_on_device: "set up on this device", usual_here: "usual here", cheaper_first: "before a dearer one that is no faster" };

/** Earlier orders of this visit are the use that the order of the options learns from. */
async function drawOptions() {
  const now = Date.now();
  const known = state.customer !== "" || state.paid.length > 0;
  const stored = STORE.filter((of) => known && !(of.field === 1 && $("elsewhere").checked));
  const ranked = await call("/api/before", {
    order: { lines: state.lines.map(({ id, quantity }) => ({ id, quantity })), customer: state.customer, country: "US" },
    phone: window.matchMedia("(pointer: coarse)").matches,
    methods: METHODS.map(({ id }) => ({ id, ready: false })),
    ways: WAYS.map(({ id, price, days }) => ({ id, price, arrives_by_ms: now + days * 864e5 })),
    paid: state.paid, shipped: state.shipped, usual: METHODS.map(({ id, orders }) => [id, orders]),
    stored: stored.map(({ field, slot, country, days, uses }) => ({ field, slot, country, uses, last_used_ms: now - days * 864e5 })),
  });
  const choice = (group, describe) => ({ option, because }, place) => {
    const of = group === "method" ? METHODS[option] : WAYS[option];
    const why = because !== "usual_here" || place === 0; // what hardly anybody uses is used by somebody
    const checked = state.chosen[group] ? state.chosen[group] === of.id : place === 0; // what the customer chose stays
    const note = [describe(of), why && WHY[because]].filter(Boolean).join(", ");
    return el("label", { className: "choice" },
      el("input", { type: "radio", name: group, value: of.id, checked }),
      el("span", {}, of.name, el("small", {}, note)));
  };
  const price = (way) => `${way.price ? money(way.price / 100) : "free"}, in ${way.days} day${way.days === 1 ? "" : "s"}`;
  $("methods").replaceChildren(el("legend", {}, "Payment"), ...ranked.methods.map(choice("method", (of) => of.note)));
  $("ways").replaceChildren(el("legend", {}, "Delivery"), ...ranked.ways.map(choice("way", price)));
  drawFilled(ranked.filled, known);
  drawBefore(ranked, METHODS, WAYS, FIELDS);
  drawTotal();
}

/** The shop puts in what its own store has at the place that was named. */
function drawFilled(filled, known) {
  const row = ({ field, slot, confidence, because }) => {
    const { name: of } = STORE.find((each) => each.field === field && each.slot === slot);
    return el("li", {}, el("span", {}, `${FIELDS[field]}: ${of}`,
      el("small", {}, `place ${slot} of your account, ${Math.round(100 * confidence)} % sure: ${WHY[because]}`)));
  };
  $("filled").replaceChildren(...filled.map(row));
  const elsewhere = $("elsewhere").checked ? "Another address than yours is not guessed. " : "";
  $("filled-note").textContent = known ? `${elsewhere}Suggestions from your account; a real shop lets you change them here.` : "Nothing: the shop does not know you yet. A ready basket has a customer.";
}

const shippingPrice = () => (WAYS.find((way) => way.id === new FormData($("pay")).get("way"))?.price ?? 0) / 100;

function drawTotal() {
  $("total-pay").value = money(total() + shippingPrice());
}

// The confirmation page

export function order() {
  const { number, at, method, delivery } = state.order;
  const chosen = METHODS.find((each) => each.id === method);
  return {
    order_id: number, at_ms: at, customer: state.customer, country: "US", payment: method, rechargeable: chosen.rechargeable,
    lines: state.lines.map(({ id, quantity }) => ({ id, quantity })), declines: state.declines,
    answers: state.answers, asked: state.asked, tags: state.tags, marketing: $("marketing").checked, delivery_at_ms: Math.round(delivery),
  };
}

export const paid = () => state.order !== null;

async function pay() {
  const method = new FormData($("pay")).get("method");
  const way = WAYS.find((each) => each.id === new FormData($("pay")).get("way"));
  const at = Date.now();
  const sum = total() + shippingPrice();
  state.order = { sum, number: `L${Math.floor(Math.random() * 9e5 + 1e5)}`, at, method, delivery: at + way.days * 864e5 };
  state.paid.push({ id: method, at_ms: at });
  state.shipped.push({ id: way.id, at_ms: at });
  state.tags = [["wrap", "gift_wrap"], ["elsewhere", "other_address"]].filter(([id]) => $(id).checked).map(([, tag]) => tag);
  Object.assign(state, { declines: [], answers: [], answered: undefined });
  state.taken.clear();
  await decide();
  show("confirmation", $("status").textContent);
  const guides = (id) => (state.guides.find((of) => of.line === id)?.guides ?? []).map(({ kind, title }) => el("small", {}, `${CONTENT[kind]}: ${title}`));
  const line = (each) => el("li", {}, el("span", {}, `${each.quantity} \u00d7 ${name(each.title)}`, ...guides(each.id)), el("span", { className: "price" }, money(Number(each.price ?? 0) * each.quantity)));
  const delivery = el("li", {}, el("span", {}, `Delivery: ${way.name.toLowerCase()}`), el("span", { className: "price" }, way.price ? money(way.price / 100) : "free"));
  $("receipt").replaceChildren(...state.lines.map(line), delivery);
  $("total-paid").value = money(sum);
  $("receipt-line").textContent = `Order ${state.order.number}, ${money(sum)}, paid by ${METHODS.find((m) => m.id === method).name.toLowerCase()} (simulated).`;
}

/** Decides on what the page shows: after payment, and again after a switch, an answer or a refusal. */
export async function decide() {
  const answer = await call("/api/decide", order());
  state.guides = answer.guides;
  drawOffers(answer);
  drawQuestion(answer.question);
  drawDaysAfter(answer.days_after);
  drawDecision(answer);
  const shown = answer.offers.length;
  say(`${shown === 0 ? "No offer" : shown === 1 ? "1 offer" : `${shown} offers`}, decided in ${Math.round(answer.us)} microseconds.`);
  return answer;
}

function drawDaysAfter(plan) {
  $("after").hidden = !plan;
  if (!plan) return;
  const day = (ms) => new Date(ms).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short" });
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const midnight = (ms) => new Date(ms).setHours(0, 0, 0, 0);
  const days = (ms) => Math.round((midnight(ms) - midnight(state.order.at)) / 864e5);
  const subject = { delivery: "On its way", guidance: "How to use it", suggestion: "What goes with it", refill: "Running out?" };
  const about = (of) => name(of.item_name ?? of.item_id);
  const row = (of) => el("li", {},
    el("time", { dateTime: new Date(of.send_at_ms).toISOString() }, day(of.send_at_ms), el("small", {}, relative.format(days(of.send_at_ms), "day"))),
    el("div", {}, el("strong", {}, subject[of.kind]), ` by ${of.channel}`,
      el("small", {}, `${of.kind === "delivery" ? "" : `${about(of)}. `}${of.reason.charAt(0).toUpperCase()}${of.reason.slice(1)}.`),
      of.content_name && el("small", {}, `It carries: ${of.content_name}.`)));
  const nothing = el("li", {}, el("div", { className: "quiet" }, "Nothing is planned."));
  $("timeline").replaceChildren(...(plan.planned.length ? plan.planned.map(row) : [nothing]));
  $("withheld").replaceChildren(...plan.withheld.map((of) => el("li", {}, `${subject[of.kind]}, ${inline(of.item_name ?? of.item_id)}: ${of.withheld}.`)));
  $("withheld-part").hidden = plan.withheld.length === 0;
}

function drawQuestion(question) {
  $("question").hidden = !question;
  if (!question) return;
  const reply = ({ text, tag }) => el("button", { type: "button", dataset: { tag }, onclick: doing(() => settle(question, tag, text)) }, text);
  const skip = el("button", { type: "button", className: "plain", onclick: doing(() => settle(question, null)) }, "Rather not say");
  $("h-question").textContent = question.text;
  $("answers").replaceChildren(...question.answers.map(reply), skip);
}

/** An answer decides anew, in place; none is respected for this order and, as the policy says, for later ones. */
async function settle(question, tag, text) {
  const before = shownIds();
  state.asked.push({ question: question.id, at_ms: state.order.at });
  if (tag) state.answers.push({ question: question.id, tag });
  state.answered = text;
  const answer = await decide();
  await drawChanged(before, answer);
  $("h-slate").focus();
  say(tag ? `Thank you. ${$("status").textContent}` : "We will not ask again.");
}

const shownIds = () => [...document.querySelectorAll("#offers > li[data-id]")].map((card) => card.dataset.id);

const BECAUSE = {
  bought_together: (bought) => `Because you bought ${bought}: others took both.`,
  goes_with_type: (bought) => `Because you bought ${bought}: it goes with it.`,
  alike: (bought) => `It may suit ${bought}.`,
  refill: () => "You bought this before, and it should be running out.",
  triggered: (bought) => (bought ? `Because you bought ${bought}.` : "Because of this order."),
  house: (bought) => (bought ? `From us, for ${bought}.` : "From us."),
};

/** The relevance of what an answer triggers. */
const BY_ANSWER = 0.9;

const CONTENT = { guide: "Guide", usage: "How to use it", care: "Care", pairing: "What to make of it" };

const ACCEPT = {
  one_click_stored_credential: (price) => `Add for ${price}`,
  confirm_consent: (price) => `Subscribe for ${price}, after you confirm`,
  redirect: () => "See it at the partner's",
  reenter_payment: (price) => `Add for ${price}, and pay anew`,
  lead_opt_in: () => "Join",
  none: () => "Open",
};

/** Kinds with a verb of their own. */
const VERB = { next_purchase: "Remind me", app_prompt: "See the app" };

/** What a click does, where that is not plain. */
const CLICK = {
  one_click_stored_credential: "One click: charged to your card on file, at the price shown.",
  confirm_consent: "It recurs, so it asks once more.",
  redirect: "The partner sells it, and takes the payment.",
  reenter_payment: "What you paid with cannot be charged again.",
};

function offerCard(offer) {
  const bought = offer.because.bought && inline(offer.because.bought);
  const because = offer.content && bought ? `For ${bought}, which you bought.`
    : offer.relevance === BY_ANSWER && state.answered ? `Because you answered \u201c${state.answered}\u201d.`
      : BECAUSE[offer.because.relation](bought);
  const accept = VERB[offer.kind] ?? ACCEPT[offer.accept](money(offer.price));
  const card = el("li", { dataset: { id: offer.id } }, tile(offer, true),
    el("div", {},
      offer.partner && el("p", { className: "from" }, `Offer of a partner: ${offer.partner.replaceAll("-", " ")}`),
      offer.content && el("p", { className: "from content" }, CONTENT[offer.content]),
      el("h3", {}, name(offer.title)),
      offer.category && el("p", { className: "small quiet" }, kind(offer.category)),
      el("p", { className: "because" }, because),
      offer.price && el("p", { className: "price" }, money(offer.price)),
      !VERB[offer.kind] && CLICK[offer.accept] && el("p", { className: "small quiet" }, CLICK[offer.accept]),
      offer.plan.may_need_confirmation && el("p", { className: "small quiet" }, "Your bank may ask you to confirm.")));
  const done = state.taken.get(offer.id);
  if (done) card.append(el("p", { className: "done" }, done));
  else card.append(el("div", { className: "buttons" },
    el("button", { type: "button", className: "primary", aria: { label: `${accept}: ${name(offer.title)}` }, onclick: doing(() => take(offer)) }, accept),
    el("button", { type: "button", className: "plain", aria: { label: `No, thanks: ${name(offer.title)}` }, onclick: doing(() => decline(offer)) }, "No, thanks")));
  return card;
}

function drawOffers(answer) {
  const none = el("li", { className: "none" }, "Nothing further for this order: better nothing than what does not fit.");
  $("offers").replaceChildren(...(answer.offers.length ? answer.offers.map(offerCard) : [none]));
}

/** While an answer is awaited, a second click does nothing. */
function lock(id, locked = true) {
  for (const button of document.querySelectorAll(`#offers > li[data-id="${CSS.escape(id)}"] button`)) button.disabled = locked;
}

/** What is charged goes to the server with its token; all else is only noted here. */
async function take(offer) {
  if (state.taken.has(offer.id)) return;
  let done = offer.content ? "Opened (simulated): the page behind it is the shop's own." : "Noted (simulated): nothing is charged for it here.";
  if (offer.token) {
    lock(offer.id);
    const charged = await call("/api/accept", { token: offer.token }).finally(() => lock(offer.id, false));
    done = `Added to your order: ${money(charged.amount)}, the price that was shown (simulated).`;
    drawClick(offer, charged);
    state.order.sum += Number(charged.amount);
    $("receipt").append(el("li", {}, el("span", {}, name(offer.title), el("small", {}, "added by one click")), el("span", { className: "price" }, money(charged.amount))));
    $("total-paid").value = money(state.order.sum);
  }
  state.taken.set(offer.id, done);
  const card = document.querySelector(`#offers > li[data-id="${CSS.escape(offer.id)}"]`);
  card?.replaceWith(offerCard(offer));
  say(`${name(offer.title)}: ${done}`);
  $("h-slate").focus();
}

async function decline(offer) {
  state.declines.push(offer.id);
  await decide();
  $("h-slate").focus();
  say(`Declined: ${name(offer.title)}. It is not offered again for 90 days. ${$("status").textContent}`);
}

async function start() {
  state.about = await call("/api/shop");
  drawReady();
  drawBasket();
  startInspector(state.about);
  $("q").addEventListener("input", doing(search));
  $("search").addEventListener("submit", doing(search));
  $("to-payment").addEventListener("click", doing(async () => {
    await drawOptions();
    show("payment");
  }));
  $("pay").addEventListener("change", ({ target }) => {
    if (target.type === "radio") state.chosen[target.name] = target.value;
    drawTotal();
  });
  $("elsewhere").addEventListener("change", doing(drawOptions));
  $("back").addEventListener("click", () => show("basket"));
  $("pay").addEventListener("submit", doing(pay));
  $("again").addEventListener("click", () => {
    Object.assign(state, { lines: [], customer: "", order: null, chosen: {} });
    $("wrap").checked = $("elsewhere").checked = $("marketing").checked = false;
    drawBasket();
    clearDecision();
    show("basket", "A new order. The shop remembers how you paid and what it asked.");
  });
}

doing(start)();
