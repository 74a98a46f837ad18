// The shop: basket, payment, confirmation. State is one object; every view is drawn from it.
import { drawChanged, drawClick, drawDecision, startInspector } from "/inspector.js";

export const $ = (id) => document.getElementById(id);
const state = { about: null, lines: [], customer: "", order: null, declines: [], taken: new Map(), answers: [], asked: [], tags: [] };

/** An element with properties and children; text is never read as HTML. */
export function el(tag, properties = {}, ...children) {
  const { dataset, aria, ...rest } = properties;
  const node = Object.assign(document.createElement(tag), rest);
  Object.assign(node.dataset, dataset ?? {});
  for (const [name, value] of Object.entries(aria ?? {})) node.setAttribute(`aria-${name}`, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
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
  $("total").value = $("total-pay").value = money(total());
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
      state.customer = basket.name;
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

const METHODS = [
  { id: "card", name: "Card on file", note: "can be charged again", rechargeable: true },
  { id: "wallet", name: "Wallet", note: "each payment is approved on the phone", rechargeable: false },
  { id: "invoice", name: "Invoice", note: "paid after delivery", rechargeable: false },
  { id: "gift_card", name: "Gift card", note: "cannot be charged again", rechargeable: false },
];

function drawMethods() {
  const choice = (method, at) => el("label", { className: "choice" },
    el("input", { type: "radio", name: "method", value: method.id, checked: at === 0 }),
    el("span", {}, method.name, el("small", {}, method.note)));
  $("methods").replaceChildren(el("legend", {}, "Payment"), ...METHODS.map(choice));
}

// The confirmation page

export function order() {
  const { number, at, method } = state.order;
  const chosen = METHODS.find((each) => each.id === method);
  return {
    order_id: number, at_ms: at, customer: state.customer, country: "US", payment: method, rechargeable: chosen.rechargeable,
    lines: state.lines.map(({ id, quantity }) => ({ id, quantity })), declines: state.declines,
    answers: state.answers, asked: state.asked, tags: state.tags,
  };
}

export const paid = () => state.order !== null;

async function pay() {
  const method = new FormData($("pay")).get("method");
  state.order = { number: `L${Math.floor(Math.random() * 9e5 + 1e5)}`, at: Date.now(), method };
  state.tags = [["wrap", "gift_wrap"], ["elsewhere", "other_address"]].filter(([id]) => $(id).checked).map(([, tag]) => tag);
  Object.assign(state, { declines: [], answers: [] });
  state.taken.clear();
  await decide();
  show("confirmation", $("status").textContent);
  const line = (each) => el("li", {}, el("span", {}, `${each.quantity} \u00d7 ${name(each.title)}`), el("span", { className: "price" }, money(Number(each.price ?? 0) * each.quantity)));
  $("receipt").replaceChildren(...state.lines.map(line));
  $("total-paid").value = money(total());
  $("receipt-line").textContent = `Order ${state.order.number}, ${money(total())}, paid by ${METHODS.find((m) => m.id === method).name.toLowerCase()} (simulated).`;
}

/** Decides on what the page shows: after payment, and again after a switch, an answer or a refusal. */
export async function decide() {
  const answer = await call("/api/decide", order());
  drawOffers(answer);
  drawQuestion(answer.question);
  drawDecision(answer);
  const shown = answer.offers.length;
  say(`${shown === 0 ? "No offer" : shown === 1 ? "1 offer" : `${shown} offers`}, decided in ${Math.round(answer.us)} microseconds.`);
  return answer;
}

function drawQuestion(question) {
  $("question").hidden = !question;
  if (!question) return;
  const reply = ({ text, tag }) => el("button", { type: "button", dataset: { tag }, onclick: doing(() => settle(question, tag)) }, text);
  const skip = el("button", { type: "button", className: "plain", onclick: doing(() => settle(question, null)) }, "Rather not say");
  $("h-question").textContent = question.text;
  $("answers").replaceChildren(...question.answers.map(reply), skip);
}

/** An answer decides anew, in place; none is respected for this order and, as the policy says, for later ones. */
async function settle(question, tag) {
  const before = shownIds();
  state.asked.push({ question: question.id, at_ms: state.order.at });
  if (tag) state.answers.push({ question: question.id, tag });
  const answer = await decide();
  await drawChanged(before, answer);
  $("h-slate").focus();
  say(tag ? `Thank you. ${$("status").textContent}` : "We will not ask again.");
}

const shownIds = () => [...document.querySelectorAll("#offers > li[data-id]")].map((card) => card.dataset.id);

const BECAUSE = {
  bought_together: (bought) => `Because you bought ${bought}: others took both.`,
  goes_with_type: (bought) => `Because you bought ${bought}: it goes with it.`,
  refill: () => "You bought this before, and it should be running out.",
  triggered: (bought) => (bought ? `Because you bought ${bought}.` : "Because of this order."),
  house: (bought) => (bought ? `From us, for ${bought}.` : "From us."),
};

const ACCEPT = {
  one_click_stored_credential: (price) => `Add for ${price}`,
  confirm_consent: (price) => `Subscribe for ${price}, after you confirm`,
  redirect: () => "See it at the partner's",
  reenter_payment: (price) => `Add for ${price}, and pay anew`,
  lead_opt_in: () => "Join",
  none: () => "Open",
};

function offerCard(offer) {
  const because = BECAUSE[offer.because.relation](offer.because.bought && inline(offer.because.bought));
  const accept = ACCEPT[offer.accept](money(offer.price));
  const card = el("li", { dataset: { id: offer.id } }, tile(offer, true),
    el("div", {},
      offer.partner && el("p", { className: "from" }, `Offer of a partner: ${name(offer.partner)}`),
      el("h3", {}, name(offer.title)),
      offer.category && el("p", { className: "small quiet" }, kind(offer.category)),
      el("p", { className: "because" }, because),
      offer.price && el("p", { className: "price" }, money(offer.price)),
      offer.plan.may_need_confirmation && el("p", { className: "small quiet" }, "Your bank may ask you to confirm.")));
  const done = state.taken.get(offer.id);
  if (done) card.append(el("p", { className: "done" }, done));
  else card.append(el("div", { className: "buttons" },
    el("button", { type: "button", className: "primary", aria: { label: `${accept}: ${name(offer.title)}` }, onclick: doing(() => take(offer)) }, accept),
    el("button", { type: "button", className: "plain", aria: { label: `No, thanks: ${name(offer.title)}` }, onclick: doing(() => decline(offer)) }, "No, thanks")));
  return card;
}

function drawOffers(answer) {
  const none = el("li", { className: "none" }, "Nothing further for this order.");
  $("offers").replaceChildren(...(answer.offers.length ? answer.offers.map(offerCard) : [none]));
}

/** What is charged goes to the server with its token; all else is only noted here. */
async function take(offer) {
  let done = "Noted (simulated): nothing is charged for it here.";
  if (offer.token) {
    const charged = await call("/api/accept", { token: offer.token });
    done = `Added to your order: ${money(charged.amount)}, the price that was shown (simulated).`;
    drawClick(offer, charged);
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
  drawMethods();
  drawBasket();
  startInspector(state.about);
  $("q").addEventListener("input", doing(search));
  $("search").addEventListener("submit", doing(search));
  $("to-payment").addEventListener("click", () => show("payment"));
  $("back").addEventListener("click", () => show("basket"));
  $("pay").addEventListener("submit", doing(pay));
  $("again").addEventListener("click", () => {
    Object.assign(state, { lines: [], customer: "", order: null });
    $("wrap").checked = $("elsewhere").checked = false;
    drawBasket();
    show("basket");
  });
}

doing(start)();
